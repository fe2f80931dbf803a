"""Sums over the documents of an account, in account currency."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domains.receivables.tables import TO_BE_PAID

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


async def totals(session: AsyncSession, ids: Collection[UUID]) -> Sequence[Mapping[Any, Any]]:
    """By account: the sums of what its documents count. Accounts without open documents are left out."""
    rows = await session.execute(_TOTALS, {"ids": list(ids)})
    return rows.mappings().all()
