"""Accounts whose waiting orders are to be judged anew: mark them, find them, forget them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from app.domains.orders.core.reviews import Review
from app.domains.orders.tables import CreditCheckRow, WaitingAccountRow, WokenSegmentRow

_WAKE: Final = text("""
    insert into waiting_accounts (customer_id, segment, token, since)
    select a.customer_id, :segment, :token, :now
      from unnest(cast(:customer_ids as text[])) a (customer_id)
     cross join lateral (
           select from credit_checks c
            where c.customer_id = a.customer_id and c.segment = :segment and c.review = 'open' limit 1
     ) c
     order by a.customer_id
    on conflict (customer_id, segment) do update set token = excluded.token
""")
_WAKE_SEGMENT: Final = text("""
    insert into waiting_accounts (customer_id, segment, token, since)
    select distinct c.customer_id, c.segment, cast(:token as uuid), cast(:now as timestamptz)
      from credit_checks c where c.segment = :segment and c.review = 'open' and c.review_until is not null
     order by c.customer_id
    on conflict (customer_id, segment) do update set token = excluded.token
""")
_WAKE_REFERRED_FOR: Final = text("""
    insert into waiting_accounts (customer_id, segment, token, since)
    select distinct c.customer_id, c.segment, cast(:token as uuid), cast(:now as timestamptz)
      from credit_checks c where c.review = 'open' and :code = any(c.codes)
     order by c.customer_id, c.segment
    on conflict (customer_id, segment) do update set token = excluded.token
""")
"""One entry an account. A new token tells whoever judges at this moment that there is even more room. Every open review
has an end; who says so may use the index of a segment's open reviews, and `_WAKE` is to use the account's own."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """An account whose waiting orders are to be judged anew."""

    customer_id: str
    segment: str
    token: UUID


async def wake(
    session: AsyncSession, customer_ids: Collection[str], segment: str, *, token: UUID, now: datetime
) -> None:
    """Notes that these accounts have more room, as far as any of their orders waits for a review."""
    values = {"customer_ids": sorted(customer_ids), "segment": segment, "token": token, "now": now}
    await session.execute(_WAKE, values)


async def wake_segment(session: AsyncSession, segment: str, *, token: UUID, now: datetime) -> None:
    """Notes that every account of a segment has orders to be judged anew, as far as any waits for a review."""
    await session.execute(_WAKE_SEGMENT, {"segment": segment, "token": token, "now": now})


async def wake_referred_for(session: AsyncSession, code: str, *, token: UUID, now: datetime) -> None:
    """Notes that the accounts of orders that were referred for the reason `code`, and still wait, have more room."""
    await session.execute(_WAKE_REFERRED_FOR, {"code": code, "token": token, "now": now})


async def begin_day(session: AsyncSession, segment: str, day: date) -> bool:
    """Whether nobody has woken a segment on this day yet, or on a later one; from now on somebody has."""
    statement = upsert(WokenSegmentRow).values(segment=segment, woken_on=day)
    statement = statement.on_conflict_do_update(
        index_elements=["segment"], set_={"woken_on": day}, where=WokenSegmentRow.woken_on < day
    )
    return await session.scalar(statement.returning(WokenSegmentRow.segment)) is not None


async def waiting(session: AsyncSession, limit: int) -> Sequence[Waiting]:
    """At most `limit` accounts to be judged anew, those first that have waited longest."""
    rows = await session.scalars(select(WaitingAccountRow).order_by(WaitingAccountRow.since).limit(limit))
    return [Waiting(row.customer_id, row.segment, row.token) for row in rows]


async def settle(session: AsyncSession, done: Waiting) -> None:
    """Forgets an account that was judged, unless it has been woken again meanwhile."""
    await session.execute(
        delete(WaitingAccountRow).where(
            WaitingAccountRow.customer_id == done.customer_id,
            WaitingAccountRow.segment == done.segment,
            WaitingAccountRow.token == done.token,
        )
    )


async def waiting_checks(
    session: AsyncSession, account: Waiting, *, at: datetime, after: UUID, limit: int
) -> Sequence[UUID]:
    """At most `limit` checks of an account under review, behind the id `after`, oldest first."""
    statement = (
        select(CreditCheckRow.id)
        .where(
            CreditCheckRow.customer_id == account.customer_id,
            CreditCheckRow.segment == account.segment,
            CreditCheckRow.review == Review.OPEN.value,
            CreditCheckRow.review_until > at,
            CreditCheckRow.id > after,
        )
        .order_by(CreditCheckRow.id)
        .limit(limit)
    )
    return (await session.scalars(statement)).all()
