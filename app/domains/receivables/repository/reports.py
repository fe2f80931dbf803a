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

_OPEN_NOW: Final = text(f"""
    select due_on, sum(account_open_amount) as amount from open_items
     where account_id = :account_id and {TO_BE_PAID} group by due_on""")  # noqa: S608 - a condition of our own

_OPEN_ON: Final = text("""
    select i.due_on, sum(round((i.amount - coalesce(settled.amount, 0)) * i.rate, :digits)) as amount
      from open_items i
      left join lateral (
           select sum(a.amount + a.discount) as amount from allocations a
            where a.item_id = i.id and a.undone_at is null and a.effective_on <= :on
      ) settled on true
     where i.customer_id = :customer_id and i.segment = :segment and i.kind <> 'credit_note'
       and i.status <> 'cancelled' and i.issued_on <= :on
     group by i.due_on""")

_CREDITS_ON: Final = text("""
    select coalesce(sum(round((c.amount - coalesce(used.amount, 0)) * c.rate, :digits)), 0)
      from (
           select id, amount, rate from payments
            where customer_id = :customer_id and segment = :segment and status <> 'reversed' and received_on <= :on
           union all
           select id, amount, rate from open_items
            where customer_id = :customer_id and segment = :segment and kind = 'credit_note'
              and status <> 'cancelled' and issued_on <= :on
      ) c
      left join lateral (
           select sum(a.amount) as amount from allocations a
            where (a.payment_id = c.id or a.credit_note_id = c.id) and a.undone_at is null and a.effective_on <= :on
      ) used on true""")

_MOVEMENTS: Final = text("""
    with items as (
        select * from open_items
         where customer_id = :customer_id and segment = :segment and status <> 'cancelled' and issued_on <= :until
    ), received as (
        select * from payments
         where customer_id = :customer_id and segment = :segment and status <> 'reversed' and received_on <= :until
    ), relieved as (
        select a.id, i.invoice_no, i.amount, i.rate, a.amount + a.discount as settles,
               sum(a.amount + a.discount) over (partition by i.id order by a.effective_on, a.made_at, a.id) as reached
          from items i join allocations a on a.item_id = i.id and a.undone_at is null and a.effective_on <= :until
    ), used as (
        select a.id, c.amount, c.rate, a.amount as settles,
               sum(a.amount) over (partition by c.id order by a.effective_on, a.made_at, a.id) as reached
          from (select id, amount, rate from received union all
                select id, amount, rate from items where kind = 'credit_note') c
          join allocations a on coalesce(a.payment_id, a.credit_note_id) = c.id
                            and a.undone_at is null and a.effective_on <= :until
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
           a.amount + a.discount, moved.effect
      from moved join allocations a on a.id = moved.id
      join open_items i on i.id = a.item_id
      left join payments p on p.id = a.payment_id
      left join open_items n on n.id = a.credit_note_id
     where a.effective_on >= :since
     order by on_day, at, ref, invoice_no nulls first
     limit :most""")
"""What each allocation moved is the difference of two rounded open amounts, so that movements lead exactly from one
day's balance to another's."""

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
      ) documents
     group by account_id""")


async def open_now(session: AsyncSession, account_id: UUID) -> Mapping[date, Decimal]:
    """What is open now, by due day."""
    rows = await session.execute(_OPEN_NOW, {"account_id": account_id})
    return {row.due_on: row.amount for row in rows}


async def open_on(
    session: AsyncSession, *, customer_id: str, segment: str, on: date, digits: int
) -> tuple[Mapping[date, Decimal], Decimal]:
    """What was open at the end of the day `on` by due day, and the unallocated credits, both by the days of documents.

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
