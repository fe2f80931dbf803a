"""The proofs, as SQL over a batch of accounts (or groups). Each selects what does not agree, and nothing else.

A proof of accounts gives `(account_id, kind, rank, subject, expected, found)`; of several failures of one kind in one
account the one of the lowest rank and subject counts. `:ids` are the accounts, `:currencies` and `:digits` the
currencies whose minor unit is not a hundredth.
"""

from __future__ import annotations

from typing import Final

SNAPSHOT: Final = "set transaction isolation level repeatable read, read only"
PATIENCE: Final = "set local statement_timeout = '10min'"
"""A proof reads every line of every ledger: it may take longer than a request."""

NEXT_ACCOUNTS: Final = "select id from accounts where id > :after order by id limit :batch"
NEXT_GROUPS: Final = "select id from groups where id > :after order by id limit :batch"

_ACCOUNTS: Final = """
    select a.id as account_id, a.customer_id, a.segment, coalesce(minor.digits, 2) as digits
      from accounts a
      left join unnest(cast(:currencies as text[]), cast(:digits as int[])) as minor(currency, digits)
           on minor.currency = a.currency
     where a.id = any(:ids)"""
"""The accounts, by all that names them in documents (which are indexed by customer), and their currency's decimals."""

_ORDERS: Final = f"""
    select c.*, delivered.amount as delivered_due, round(c.held * c.rate, a.digits) as held_due,
           round((greatest(c.approved - greatest(c.shipped, c.invoiced), 0) + delivered.own) * c.rate, a.digits)
               - delivered.amount as open_due
      from ({_ACCOUNTS}) a
      join commitments c on (c.customer_id, c.segment, c.account_id) = (a.customer_id, a.segment, a.account_id)
      cross join lateral (
           select own, round(own * c.rate, a.digits) as amount
             from (select greatest(c.shipped - c.invoiced - c.waived, 0) as own) s
      ) delivered"""
"""Every order with the three amounts that it should have in account currency: see `Commitment`."""

_LEDGER_SUM: Final = """
    select a.id as account_id, 'ledger_sum' as kind, 0 as rank, total.component as subject,
           coalesce(l.amount, 0)::text as expected, total.amount::text as found
      from accounts a
      cross join lateral (values ('receivables', a.receivables), ('open_orders', a.open_orders),
           ('delivered', a.delivered), ('unallocated_credits', a.unallocated_credits)) as total(component, amount)
      left join (
           select account_id, component, sum(amount) as amount
             from ledger where account_id = any(:ids) group by account_id, component
      ) l on l.account_id = a.id and l.component = total.component
     where a.id = any(:ids) and total.amount <> coalesce(l.amount, 0)"""

_LEDGER_BALANCE: Final = """
    select account_id, 'ledger_balance', seq, component || ' at ' || seq, running::text, balance::text
      from (
           select account_id, seq, component, balance,
                  sum(amount) over (partition by account_id, component order by seq) as running
             from ledger where account_id = any(:ids)
      ) lines
     where balance <> running"""

_LEDGER_SEQ: Final = """
    select a.id, 'ledger_seq', 0, 'last entry', 'at most ' || a.version, last.seq::text
      from accounts a
      cross join lateral (select max(l.seq) as seq from ledger l where l.account_id = a.id) last
     where a.id = any(:ids) and last.seq > a.version"""

_DOCUMENTS: Final = f"""
    select a.id, total.kind, 0, 'total', coalesce(total.expected, 0)::text, total.found::text
      from accounts a
      left join (
           select account_id, sum(account_open_amount) filter (where kind <> 'credit_note') as owed,
                  sum(account_open_amount) filter (where kind = 'credit_note') as credit
             from ({_ACCOUNTS}) owner join open_items using (customer_id, segment, account_id) group by account_id
      ) item on item.account_id = a.id
      left join (
           select account_id, sum(account_open_amount) as credit, sum(uncleared_amount) as uncleared
             from ({_ACCOUNTS}) owner join payments using (customer_id, segment, account_id) group by account_id
      ) paid on paid.account_id = a.id
      left join (
           select account_id, sum(open_due) as open_due, sum(delivered_due) as delivered_due, sum(held_due) as held_due
             from ({_ORDERS}) o group by account_id
      ) ordered on ordered.account_id = a.id
      cross join lateral (values
           ('receivables', coalesce(item.owed, 0) + coalesce(paid.uncleared, 0), a.receivables),
           ('unallocated_credits', coalesce(item.credit, 0) + coalesce(paid.credit, 0), a.unallocated_credits),
           ('open_orders', ordered.open_due, a.open_orders),
           ('delivered', ordered.delivered_due, a.delivered),
           ('held_orders', ordered.held_due, a.held_orders)) as total(kind, expected, found)
     where a.id = any(:ids) and total.found <> coalesce(total.expected, 0)"""

_ORDER_AMOUNTS: Final = f"""
    select account_id, 'order_amounts', 0, order_ref,
           concat_ws(' / ', open_due, delivered_due, held_due),
           concat_ws(' / ', open_amount, delivered_amount, held_amount)
      from ({_ORDERS}) o
     where (open_amount, delivered_amount, held_amount) <> (open_due, delivered_due, held_due)"""

_ITEM_AMOUNTS: Final = f"""
    select account_id, 'item_amounts', 0, invoice_no,
           concat_ws(' / ', open_due, round(open_due * rate, digits)),
           concat_ws(' / ', open_amount, account_open_amount)
      from (
           select i.*, a.digits,
                  case when i.status = 'cancelled' then 0
                       else i.amount - coalesce(settled.amount, 0) - coalesce(used.amount, 0)
                            - coalesce(refunded.amount, 0) - coalesce(given_up.amount, 0) end as open_due
             from ({_ACCOUNTS}) a
             join open_items i on (i.customer_id, i.segment, i.account_id) = (a.customer_id, a.segment, a.account_id)
             left join lateral (
                  select sum(l.amount + l.discount + l.difference) as amount
                    from allocations l where l.item_id = i.id and l.undone_at is null
             ) settled on true
             left join lateral (
                  select sum(l.cash_amount) as amount
                    from allocations l where l.credit_note_id = i.id and l.undone_at is null
             ) used on i.kind = 'credit_note'
             left join lateral (
                  select sum(f.amount) as amount from refunds f where f.credit_note_id = i.id
             ) refunded on i.kind = 'credit_note'
             left join lateral (
                  select sum(case w.kind when 'recovery' then -w.amount else w.amount end) as amount
                    from write_offs w where w.item_id = i.id
             ) given_up on true
      ) item
     where (open_amount, account_open_amount) <> (open_due, round(open_due * rate, digits))"""

_WRITTEN_OFF: Final = f"""
    select account_id, 'written_off', 0, invoice_no, coalesce(given_up.amount, 0)::text, written_off_amount::text
      from ({_ACCOUNTS}) owner
      join open_items i using (customer_id, segment, account_id)
      left join lateral (
           select sum(case w.kind when 'recovery' then -w.amount else w.amount end) as amount
             from write_offs w where w.item_id = i.id
      ) given_up on true
     where written_off_amount <> coalesce(given_up.amount, 0)"""

_DISPUTED: Final = f"""
    select account_id, 'disputed', 0, invoice_no, coalesce(open_disputes.amount, 0)::text, disputed_amount::text
      from ({_ACCOUNTS}) owner
      join open_items i using (customer_id, segment, account_id)
      left join lateral (
           select sum(d.amount) as amount from disputes d where d.item_id = i.id and d.state = 'open'
      ) open_disputes on true
     where disputed_amount <> coalesce(open_disputes.amount, 0)"""

_PAYMENT_AMOUNTS: Final = f"""
    select account_id, 'payment_amounts', 0, payment_ref,
           concat_ws(' / ', open_due, round(open_due * rate, digits), uncleared_due),
           concat_ws(' / ', open_amount, account_open_amount, uncleared_amount)
      from (
           select p.*, a.digits,
                  case when p.status = 'reversed' then 0
                       else p.amount - coalesce(used.amount, 0) - coalesce(refunded.amount, 0) end as open_due,
                  case when p.status = 'reversed' or p.clears_on is null or p.cleared_at is not null then 0
                       else round(p.amount * p.rate, a.digits) end as uncleared_due
             from ({_ACCOUNTS}) a
             join payments p on (p.customer_id, p.segment, p.account_id) = (a.customer_id, a.segment, a.account_id)
             left join lateral (
                  select sum(l.cash_amount) as amount
                    from allocations l where l.payment_id = p.id and l.undone_at is null
             ) used on true
             left join lateral (
                  select sum(f.amount) as amount from refunds f where f.payment_id = p.id
             ) refunded on true
      ) payment
     where (open_amount, account_open_amount, uncleared_amount)
           <> (open_due, round(open_due * rate, digits), uncleared_due)"""

_PARTS: Final = """
    select part.due_on, part.before, part.before + part.amount as upto
      from (
           select (entry->>'due_on')::date as due_on, (entry->>'amount')::numeric as amount,
                  sum((entry->>'amount')::numeric) over (order by place) - (entry->>'amount')::numeric as before
             from jsonb_array_elements(i.instalments) with ordinality as plan(entry, place)
      ) part"""
"""The instalments of an item `i`, each from where to where it reaches in the item's amount."""

_INSTALMENTS: Final = f"""
    select account_id, 'instalments', 0, invoice_no, coalesce(next.due_on, planned.last)::text, i.due_on::text
      from ({_ACCOUNTS}) owner
      join open_items i using (customer_id, segment, account_id)
      cross join lateral (select max(upto) as amount, max(due_on) as last from ({_PARTS}) parts) planned
      left join lateral (
           select due_on from ({_PARTS}) parts where upto > i.amount - i.open_amount order by before limit 1
      ) next on true
     where i.instalments is not null and i.status <> 'cancelled'
       and (planned.amount <> i.amount or i.due_on <> coalesce(next.due_on, planned.last))"""

_DUE_BY_DAY: Final = f"""
    select account_id, due_on, round((open_amount - least(open_amount, disputed_amount)) * rate, digits) as amount
      from ({_ACCOUNTS}) owner join open_items using (customer_id, segment, account_id)
     where kind <> 'credit_note' and instalments is null
    union all
    select account_id, part.due_on,
           round(least(greatest(part.upto - settled, 0), undisputed) * rate, digits)
               - round(least(greatest(part.before - settled, 0), undisputed) * rate, digits)
      from (
           select owner.digits, i.*, i.amount - i.open_amount as settled,
                  i.open_amount - least(i.open_amount, i.disputed_amount) as undisputed
             from ({_ACCOUNTS}) owner
             join open_items i on (i.customer_id, i.segment, i.account_id)
                                = (owner.customer_id, owner.segment, owner.account_id)
            where i.kind <> 'credit_note' and i.instalments is not null
      ) i
      cross join lateral ({_PARTS}) part"""
"""What is open and undisputed of each item, by due day, in account currency."""

_DUE_RUNGS: Final = f"""
    select account_id, 'due_rungs', 0, 'due ' || due_on, coalesce(item.amount, 0)::text, coalesce(rung.amount, 0)::text
      from (select account_id, due_on, amount from due_rungs where account_id = any(:ids)) rung
      full join (
           select account_id, due_on, sum(amount) as amount from ({_DUE_BY_DAY}) due group by account_id, due_on
      ) item using (account_id, due_on)
     where coalesce(rung.amount, 0) <> coalesce(item.amount, 0)"""

_GROUP_MEMBERSHIP: Final = """
    select a.id, 'group_membership', 0,
           case when a.group_id is distinct from nearest.id then 'account' else 'history' end,
           coalesce(nearest.id::text, 'none'),
           coalesce(case when a.group_id is distinct from nearest.id then a.group_id else m.group_id end::text, 'none')
      from accounts a
      left join lateral (
           with recursive chain (customer_id, distance) as (
                select a.customer_id, 0
                union all
                select c.parent_id, chain.distance + 1
                  from chain join customers c on c.customer_id = chain.customer_id
                 where c.parent_id is not null and chain.distance < 100
           )
           select g.id from chain join groups g on g.customer_id = chain.customer_id and g.segment = a.segment
            order by chain.distance limit 1
      ) nearest on true
      left join memberships m on m.account_id = a.id and m.left_at is null
     where a.id = any(:ids)
       and (a.group_id is distinct from nearest.id or m.group_id is distinct from nearest.id)"""


def _proof(statement: str) -> str:
    return f"""
        with failures as ({statement})
        select distinct on (f.account_id, f.kind) a.customer_id, a.segment, f.kind, f.subject, f.expected, f.found
          from failures f(account_id, kind, rank, subject, expected, found) join accounts a on a.id = f.account_id
         order by f.account_id, f.kind, f.rank, f.subject"""


ACCOUNT_PROOFS: Final = tuple(
    _proof(statement)
    for statement in (
        _LEDGER_SUM,
        _LEDGER_BALANCE,
        _LEDGER_SEQ,
        _DOCUMENTS,
        _ORDER_AMOUNTS,
        _ITEM_AMOUNTS,
        _WRITTEN_OFF,
        _DISPUTED,
        _INSTALMENTS,
        _PAYMENT_AMOUNTS,
        _DUE_RUNGS,
        _GROUP_MEMBERSHIP,
    )
)

GROUP_TOTALS: Final = """
    select distinct on (g.id) g.customer_id, g.segment, 'group_totals' as kind, total.currency as subject,
           coalesce(total.members, 0)::text as expected, coalesce(total.kept, 0)::text as found
      from (
           select group_id, currency, kept.amount as kept, member.amount as members
             from (
                  select g.id as group_id, part.key as currency, part.value::numeric as amount
                    from groups g cross join lateral jsonb_each_text(g.totals) part where g.id = any(:ids)
             ) kept
             full join (
                  select group_id, currency, sum(receivables + open_orders + delivered - unallocated_credits) as amount
                    from accounts where group_id = any(:ids) group by group_id, currency
             ) member using (group_id, currency)
      ) total
      join groups g on g.id = total.group_id
     where coalesce(total.kept, 0) <> coalesce(total.members, 0)
     order by g.id, total.currency"""
