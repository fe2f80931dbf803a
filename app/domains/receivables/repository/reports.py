"""Sums over the documents of an account, in account currency."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domains.receivables.core.statements import Movement, MovementType
from app.domains.receivables.tables import TO_BE_PAID
from app.kernel.periods import Window

_DISPUTED_NOW: Final = text(f"""
    select coalesce(sum(account_open_amount
                        - round((open_amount - least(open_amount, disputed_amount)) * rate, :digits)), 0)
      from open_items where account_id = :account_id and {TO_BE_PAID} and disputed_amount > 0""")  # noqa: S608

_OPEN_ON: Final = text("""
    with items as (
        select i.rate, i.due_on, i.instalments, i.amount, standing.open,
               standing.open - least(standing.open, coalesce(disputed.amount, 0)) as undisputed
          from open_items i
          left join lateral (
               select sum(a.amount + a.discount + a.difference) as amount from allocations a
                where a.item_id = i.id and a.undone_at is null and a.effective_on <= :on
          ) settled on true
          left join lateral (
               select sum(case w.kind when 'recovery' then -w.amount else w.amount end) as amount from write_offs w
                where w.item_id = i.id and w.effective_on <= :on
          ) given_up on true
          left join lateral (
               select sum(d.amount) as amount from disputes d
                where d.item_id = i.id and d.opened_on <= :on and (d.resolved_on is null or d.resolved_on > :on)
          ) disputed on true
         cross join lateral (
               select i.amount - coalesce(settled.amount, 0) - coalesce(given_up.amount, 0) as open
         ) standing
         where i.customer_id = :customer_id and i.segment = :segment and i.kind <> 'credit_note'
           and i.status <> 'cancelled' and i.issued_on <= :on
    ), due as (
        select due_on, round(undisputed * rate, :digits) as amount from items where instalments is null
        union all
        select part.due_on, round(least(greatest(upto - (amount - open), 0), undisputed) * rate, :digits)
                              - round(least(greatest(before - (amount - open), 0), undisputed) * rate, :digits)
          from items
         cross join lateral (
               select (entry->>'due_on')::date as due_on,
                      sum((entry->>'amount')::numeric) over (order by place) as upto,
                      sum((entry->>'amount')::numeric) over (order by place) - (entry->>'amount')::numeric as before
                 from jsonb_array_elements(items.instalments) with ordinality as plan(entry, place)
         ) part
         where instalments is not null
    )
    select due_on, sum(amount) as amount from due group by due_on
    union all
    select null, sum(round(open * rate, :digits) - round(undisputed * rate, :digits)) from items""")
"""By due day what was undisputed; under null what was disputed."""

_CREDITS_ON: Final = text("""
    select coalesce(sum(round((c.amount - coalesce(used.amount, 0) - coalesce(left_again.amount, 0)) * c.rate,
                              :digits)), 0)
      from (
           select id, amount, rate from payments
            where customer_id = :customer_id and segment = :segment and status <> 'reversed' and received_on <= :on
           union all
           select id, amount, rate from open_items
            where customer_id = :customer_id and segment = :segment and kind = 'credit_note'
              and status <> 'cancelled' and issued_on <= :on
      ) c
      left join lateral (
           select sum(a.cash_amount) as amount from allocations a
            where (a.payment_id = c.id or a.credit_note_id = c.id) and a.undone_at is null and a.effective_on <= :on
      ) used on true
      left join lateral (
           select sum(r.amount) as amount from refunds r
            where (r.payment_id = c.id or r.credit_note_id = c.id) and r.refunded_on <= :on
      ) left_again on true""")

_MOVEMENTS: Final = text("""
    with items as (
        select * from open_items
         where customer_id = :customer_id and segment = :segment and status <> 'cancelled' and issued_on <= :until
    ), received as (
        select * from payments
         where customer_id = :customer_id and segment = :segment and status <> 'reversed' and received_on <= :until
    ), credits as (
        select id, payment_ref as ref, currency, amount, rate from received union all
        select id, invoice_no, currency, amount, rate from items where kind = 'credit_note'
    ), allocated as (
        select a.*, coalesce(a.payment_id, a.credit_note_id) as credit_id
          from allocations a where a.undone_at is null and a.effective_on <= :until
           and (a.item_id in (select id from items) or coalesce(a.payment_id, a.credit_note_id) in
                (select id from credits))
    ), given_up as (
        select w.* from items i join write_offs w on w.item_id = i.id where w.effective_on <= :until
    ), paid_back as (
        select r.*, c.ref from credits c join refunds r on coalesce(r.payment_id, r.credit_note_id) = c.id
         where r.refunded_on <= :until
    ), reliefs as (
        select id, item_id, effective_on as on_day, made_at, amount + discount + difference as settles from allocated
        union all
        select id, item_id, effective_on, made_at, case kind when 'recovery' then -amount else amount end from given_up
    ), uses as (
        select id, credit_id, effective_on as on_day, made_at, cash_amount as settles from allocated
        union all
        select id, coalesce(payment_id, credit_note_id), refunded_on, made_at, amount from paid_back
    ), relieved as (
        select r.id, i.amount, i.rate, settles,
               sum(settles) over (partition by i.id order by on_day, r.made_at, r.id) as reached
          from reliefs r join items i on i.id = r.item_id
    ), used as (
        select u.id, c.amount, c.rate, settles,
               sum(settles) over (partition by c.id order by on_day, u.made_at, u.id) as reached
          from uses u join credits c on c.id = u.credit_id
    ), moved as (
        select id, sum(effect) as effect
          from (select id, round((amount - reached) * rate, :digits)
                           - round((amount - reached + settles) * rate, :digits) as effect from relieved
                union all
                select id, round((amount - reached + settles) * rate, :digits)
                           - round((amount - reached) * rate, :digits) from used) effects
         group by id having sum(effect) <> 0
    )
    select issued_on as on_day, entered_at as at, kind as type, invoice_no as ref, null as invoice_no, currency, amount,
           case kind when 'credit_note' then -1 else 1 end * round(amount * rate, :digits) as effect
      from items where issued_on >= :since
    union all
    select received_on, entered_at, 'payment', payment_ref, null, currency, amount, -round(amount * rate, :digits)
      from received where received_on >= :since
    union all
    select a.effective_on, a.made_at, 'settlement', coalesce(p.payment_ref, n.invoice_no), i.invoice_no, i.currency,
           a.amount + a.discount + a.difference, moved.effect
      from moved join allocated a on a.id = moved.id
      join open_items i on i.id = a.item_id
      left join payments p on p.id = a.payment_id
      left join open_items n on n.id = a.credit_note_id
     where a.effective_on >= :since
    union all
    select w.effective_on, w.made_at, w.kind, i.invoice_no, i.invoice_no, i.currency, w.amount, moved.effect
      from moved join given_up w on w.id = moved.id join items i on i.id = w.item_id where w.effective_on >= :since
    union all
    select r.refunded_on, r.made_at, r.kind, coalesce(r.refund_ref, r.ref), null, c.currency, r.amount, moved.effect
      from moved join paid_back r on r.id = moved.id
      join credits c on c.id = coalesce(r.payment_id, r.credit_note_id) where r.refunded_on >= :since
     order by on_day, at, ref, invoice_no nulls first
     limit :most""")
"""What each settlement, write-off or refund moved is the difference of two rounded open amounts, so that movements lead
exactly from one day's balance to another's."""

_TOTALS: Final = text("""
    select account_id, sum(receivables) as receivables, sum(credits) as credits
      from (
           select account_id,
                  sum(account_open_amount) filter (where kind <> 'credit_note') as receivables,
                  sum(account_open_amount) filter (where kind = 'credit_note') as credits
             from open_items where account_id = any(:ids) and open_amount > 0 group by account_id
           union all
           select account_id, null, sum(account_open_amount)
             from payments where account_id = any(:ids) and open_amount > 0 group by account_id
           union all
           select account_id, sum(uncleared_amount), null
             from payments where account_id = any(:ids) and uncleared_amount > 0 group by account_id
      ) documents
     group by account_id""")


async def disputed_now(session: AsyncSession, account_id: UUID, *, digits: int) -> Decimal:
    """What is open and disputed now, in account currency."""
    found: Decimal = (await session.execute(_DISPUTED_NOW, {"account_id": account_id, "digits": digits})).scalar_one()
    return found


async def open_on(
    session: AsyncSession, *, customer_id: str, segment: str, on: date, digits: int
) -> tuple[Mapping[date | None, Decimal], Decimal]:
    """What was open at the end of the day `on` by due day (under null what was disputed), and the unallocated credits,
    both by the days of documents.

    What was cancelled or reversed since counts as if it had never been.
    """
    asked = {"customer_id": customer_id, "segment": segment, "on": on, "digits": digits}
    rows = await session.execute(_OPEN_ON, asked)
    credits = await session.execute(_CREDITS_ON, asked)
    return {row.due_on: row.amount for row in rows if row.amount}, credits.scalar_one()


async def movements(
    session: AsyncSession, *, customer_id: str, segment: str, window: Window, digits: int, most: int
) -> Sequence[Movement]:
    """What moved the balance of an account in `window`, which has an end; at most `most`, the earliest first."""
    asked = {"customer_id": customer_id, "segment": segment, "since": window.start, "until": window.end}
    rows = await session.execute(_MOVEMENTS, asked | {"digits": digits, "most": most})
    return [
        Movement(row.on_day, MovementType(row.type), row.ref, row.invoice_no, row.currency, row.amount, row.effect)
        for row in rows
    ]


async def totals(session: AsyncSession, ids: Collection[UUID]) -> Sequence[Mapping[Any, Any]]:
    """By account: the sums of what its documents count. Accounts without open documents are left out."""
    rows = await session.execute(_TOTALS, {"ids": list(ids)})
    return rows.mappings().all()
