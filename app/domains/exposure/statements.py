"""The SQL that reads and writes positions, as fragments: the repository runs them one by one, the desk all at once.

Every write takes its rows as one JSON parameter, typed by the table itself. `{rows}` stands for that parameter and
`{guard}` for a condition under which the write happens.
"""

from __future__ import annotations

from typing import Final

UPDATE_ACCOUNTS: Final = """
    update accounts a
       set version = r.version, receivables = r.receivables, open_orders = r.open_orders, delivered = r.delivered,
           unallocated_credits = r.unallocated_credits, held_orders = r.held_orders,
           beyond_horizon = r.beyond_horizon, fresh_until = r.fresh_until, basis = r.basis,
           overdue_amount = r.overdue_amount, oldest_due_on = r.oldest_due_on, breaching_due_on = r.breaching_due_on,
           overdue_breaching = r.overdue_breaching, overdue_aged = r.overdue_aged, changed_at = r.changed_at
      from json_populate_recordset(null::accounts, {rows}) r
     where a.id = r.id and {guard}"""

REDECIDE_ACCOUNTS: Final = """
    update accounts a
       set base_kind = r.base_kind, base_amount = r.base_amount, base_from = r.base_from, base_until = r.base_until,
           temporary_kind = r.temporary_kind, temporary_amount = r.temporary_amount,
           temporary_from = r.temporary_from, temporary_until = r.temporary_until, hold = r.hold,
           group_id = r.group_id, dunning_level = r.dunning_level, payment_index = r.payment_index, grade = r.grade,
           assessed_on = r.assessed_on, cover_amount = r.cover_amount, cover_until = r.cover_until
      from json_populate_recordset(null::accounts, {rows}) r
     where a.id = r.id and {guard}"""

REDECIDE_GROUPS: Final = """
    update groups g
       set base_kind = r.base_kind, base_amount = r.base_amount, base_from = r.base_from, base_until = r.base_until,
           temporary_kind = r.temporary_kind, temporary_amount = r.temporary_amount,
           temporary_from = r.temporary_from, temporary_until = r.temporary_until, fresh_until = r.fresh_until
      from json_populate_recordset(null::groups, {rows}) r
     where g.id = r.id and {guard}"""

UPDATE_GROUPS: Final = """
    update groups g set version = r.version, totals = r.totals
      from json_populate_recordset(null::groups, {rows}) r
     where g.id = r.id and {guard}"""

INSERT_LEDGER: Final = """
    insert into ledger (account_id, seq, at, component, amount, balance, due_on, source_type, source_ref)
    select account_id, seq, at, component, amount, balance, due_on, source_type, source_ref
      from json_populate_recordset(null::ledger, {rows}) where {guard}"""

_COMMITMENT_COLUMNS: Final = """segment, order_ref, account_id, customer_id, currency, account_currency, rate, state,
           approved, shipped, invoiced, waived, held, open_amount, delivered_amount, held_amount, ship_on, expires_at,
           review_id, release, created_at, changed_at"""

INSERT_COMMITMENTS: Final = (
    f"insert into commitments ({_COMMITMENT_COLUMNS}) select {_COMMITMENT_COLUMNS}"  # noqa: S608 - names of columns
    " from json_populate_recordset(null::commitments, {rows}) where {guard}"
)

UPDATE_COMMITMENTS: Final = """
    update commitments c
       set currency = r.currency, rate = r.rate, state = r.state, approved = r.approved, shipped = r.shipped,
           invoiced = r.invoiced, waived = r.waived, held = r.held, open_amount = r.open_amount,
           delivered_amount = r.delivered_amount, held_amount = r.held_amount, ship_on = r.ship_on,
           expires_at = r.expires_at, review_id = r.review_id, release = r.release, changed_at = r.changed_at
      from json_populate_recordset(null::commitments, {rows}) r
     where c.segment = r.segment and c.order_ref = r.order_ref and {guard}"""

UPSERT_RUNGS: Final = """
    insert into due_rungs as d (account_id, due_on, amount)
    select account_id, due_on, amount from json_populate_recordset(null::due_rungs, {rows}) where {guard}
        on conflict (account_id, due_on) do update set amount = d.amount + excluded.amount"""

LATEST_QUOTES: Final = """
    with recursive pairs as (
        (select base, quote from fx_rates order by base, quote limit 1)
        union all
        select following.base, following.quote from pairs, lateral (
            select base, quote from fx_rates where (base, quote) > (pairs.base, pairs.quote)
             order by base, quote limit 1
        ) following
    )
    select pairs.base, pairs.quote, latest.rate, latest.on_date
      from pairs cross join lateral (
           select rate, on_date from fx_rates r
            where r.base = pairs.base and r.quote = pairs.quote and r.on_date <= {on}
            order by on_date desc limit 1
      ) latest"""
"""The latest quote of each pair on or before a day: hops from pair to pair, never reads the history."""

STANDING: Final = """
    select a.id,
           coalesce(due.amount, 0) as overdue_amount, due.oldest as oldest_due_on,
           due.breaching_on as breaching_due_on, coalesce(due.breaching, 0) as overdue_breaching,
           coalesce(due.aged, 0) as overdue_aged,
           coalesce(orders.beyond, 0) as beyond_horizon, orders.expires_at as next_expiry
      from json_to_recordset({rows}) as a(
               id uuid, today date, min_amount numeric, breaching_before date, aged_before date, counts_until date)
      left join lateral (
           select sum(amount) as amount, min(due_on) as oldest,
                  min(due_on) filter (where amount >= a.min_amount) as breaching_on,
                  sum(amount) filter (where amount >= a.min_amount and due_on < a.breaching_before) as breaching,
                  sum(amount) filter (where due_on < a.aged_before) as aged
             from due_rungs d where d.account_id = a.id and d.due_on < a.today and d.amount > 0
      ) due on true
      left join lateral (
           select sum(open_amount) filter (where ship_on > a.counts_until) as beyond, min(expires_at) as expires_at
             from commitments c where c.account_id = a.id and c.open_amount > 0
      ) orders on true"""
"""The standing facts of accounts, computed anew from the two ladders."""

IN_FORCE: Final = """
    select a.id, l.temporary, l.kind, l.amount, l.valid_from, l.valid_until
      from json_to_recordset({rows}) as a(id uuid, today date)
      cross join lateral (
          (select * from limits base where base.account_id = a.id and base.scope = {scope} and not base.temporary
              and base.superseded_at is null and base.valid_from <= a.today order by base.valid_from desc limit 1)
          union all
          (select * from limits t where t.account_id = a.id and t.scope = {scope} and t.temporary
              and t.superseded_at is null and t.days @> a.today limit 1)
      ) l"""
"""The limits that count on a day: the latest base limit that has begun, and the temporary one that covers the day."""
