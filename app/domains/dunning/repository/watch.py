"""SQL of what operations watch, and of what goes after its time."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domains.dunning.tables import TO_SEND

_WAITING: Final = text(f"""
    select n.segment, count(*) as notices, min(coalesce(n.came_back_at, r.released_at)) as since
      from (select * from dunning_notices where {TO_SEND}) n join dunning_runs r on r.id = n.run_id
     group by n.segment""")  # noqa: S608 - a condition of our own

_UNDELIVERED: Final = text("""
    select segment, count(*) as customers from collection_tasks where state = 'open' and kind = 'delivery_failed'
     group by segment""")

_RUNS: Final = text("""
    select segment, state, count(*) from dunning_runs where state in ('proposed', 'released')
     group by segment, state""")

_OLD_SKIPS: Final = text("""
    delete from dunning_skips where ctid = any(array(
           select ctid from dunning_skips where run_id < :before order by run_id limit :most))""")


async def waiting(session: AsyncSession) -> dict[str, tuple[int, datetime]]:
    """By segment: how many notices are to be sent, and since when the oldest is."""
    return {row.segment: (row.notices, row.since) for row in await session.execute(_WAITING)}


async def undelivered(session: AsyncSession) -> dict[str, int]:
    """By segment: customers whom no channel reaches and whom nobody has seen to yet."""
    return {row.segment: row.customers for row in await session.execute(_UNDELIVERED)}


async def runs(session: AsyncSession) -> dict[tuple[str, ...], int]:
    """By segment and state: runs that are not at their end."""
    return {(segment, state): count for segment, state, count in await session.execute(_RUNS)}


async def delete_skips(session: AsyncSession, *, before: UUID, most: int) -> int:
    """Deletes at most `most` of the reasons that runs with ids before `before` gave; how many."""
    done = await (await session.connection()).execute(_OLD_SKIPS, {"before": before, "most": most})
    return done.rowcount
