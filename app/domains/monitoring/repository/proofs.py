"""Reads what the proofs find, across the tables of all slices; nothing here writes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as PgUUID
from sqlalchemy.ext.asyncio import AsyncSession

from app.domains.monitoring import statements
from app.domains.monitoring.core.drift import Drift, DriftKind
from app.domains.monitoring.core.portfolio import UNGRADED, PortfolioPart, SegmentDesk
from app.kernel.money import DIGITS

_UNUSUAL: Final = sorted((currency, digits) for currency, digits in DIGITS.items() if digits != 2)

_PORTFOLIO: Final = text(
    """
    with days as (
        select segment, (cast(:now as timestamptz) at time zone coalesce(time_zone, default_time_zone))::date as today
          from segments
    ),
    standing as (
        select a.segment, coalesce(a.grade, :ungraded) as grade, a.currency, a.overdue_amount,
               a.receivables + a.open_orders + a.delivered - a.unallocated_credits as exposure,
               case when a.temporary_kind <> 'none' and d.today between a.temporary_from and a.temporary_until
                    then case a.temporary_kind when 'granted' then a.temporary_amount end
                    when d.today between a.base_from and coalesce(a.base_until, 'infinity')
                    then case a.base_kind when 'granted' then a.base_amount end
               end as granted
          from accounts a join days d using (segment)
    )
    select segment, grade, currency, count(*) as accounts, sum(exposure) as exposure, sum(overdue_amount) as overdue,
           coalesce(sum(granted), 0) as limit, coalesce(sum(granted - exposure), 0) as headroom,
           count(*) filter (where exposure > granted) as exceeded
      from standing group by segment, grade, currency
    """
)

_DESKS: Final = text(
    """
    select s.segment, coalesce(waiting.reviews, 0) as reviews, waiting.oldest_at,
           coalesce(asked.requests, 0) as requests, coalesce(asked.overdue, 0) as requests_overdue,
           exists (select from policy_versions p
                    where p.segment = s.segment and p.status = 'approved'
                      and p.effective_at <= cast(:now as timestamptz)) as has_policy
      from segments s
      left join (
           select segment, count(*) as reviews, min(decided_at) as oldest_at
             from credit_checks
            where review = 'open' and (review_until is null or review_until > cast(:now as timestamptz))
            group by segment
      ) waiting using (segment)
      left join (
           select segment, count(*) as requests, count(overdue_since) as overdue
             from limit_requests where status = 'pending' and expires_at > cast(:now as timestamptz)
            group by segment
      ) asked using (segment)
    """
)


async def take_snapshot(session: AsyncSession) -> None:
    """Makes everything that the session's transaction reads from here on one instant's. Call it first."""
    await session.execute(text(statements.SNAPSHOT))
    await session.execute(text(statements.PATIENCE))


async def next_accounts(session: AsyncSession, *, after: UUID, batch: int) -> Sequence[UUID]:
    """The ids of the next accounts behind `after`."""
    return list(await session.scalars(text(statements.NEXT_ACCOUNTS), {"after": after, "batch": batch}))


async def next_groups(session: AsyncSession, *, after: UUID, batch: int) -> Sequence[UUID]:
    """The ids of the next groups behind `after`."""
    return list(await session.scalars(text(statements.NEXT_GROUPS), {"after": after, "batch": batch}))


async def drifts_of_accounts(session: AsyncSession, ids: Sequence[UUID]) -> Sequence[Drift]:
    """What does not agree in these accounts, at most one of each kind an account."""
    found: list[Drift] = []
    for proof in statements.ACCOUNT_PROOFS:
        known = {
            "ids": ids,
            "currencies": [currency for currency, _ in _UNUSUAL],
            "digits": [digits for _, digits in _UNUSUAL],
        }
        found += await _run(session, proof, **{name: value for name, value in known.items() if f":{name}" in proof})
    return found


async def drifts_of_groups(session: AsyncSession, ids: Sequence[UUID]) -> Sequence[Drift]:
    """The groups whose totals are not those of their members, one currency each."""
    return await _run(session, statements.GROUP_TOTALS, ids=ids)


async def portfolio(session: AsyncSession, *, now: datetime) -> Sequence[PortfolioPart]:
    """The accounts by segment, grade and currency, with the limits in force on each segment's day."""
    await session.execute(text(statements.PATIENCE))
    rows = (await session.execute(_PORTFOLIO, {"now": now, "ungraded": UNGRADED})).mappings()
    return [PortfolioPart(**row) for row in rows]


async def desks(session: AsyncSession, *, now: datetime) -> Sequence[SegmentDesk]:
    """What waits in each segment, and whether it has a policy."""
    rows = (await session.execute(_DESKS, {"now": now})).mappings()
    return [SegmentDesk(**row) for row in rows]


async def _run(session: AsyncSession, proof: str, **values: Any) -> Sequence[Drift]:
    statement = text(proof).bindparams(bindparam("ids", type_=ARRAY(PgUUID(as_uuid=True))))
    rows = (await session.execute(statement, values)).mappings()
    return [Drift(**{**row, "kind": DriftKind(row["kind"])}) for row in rows]
