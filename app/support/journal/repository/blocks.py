"""SQL of verification: blocks, what is stored at their places, and what stands where nothing should."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.support.journal.core.encoding import Block, SealedEvent
from app.support.journal.core.verification import Place
from app.support.journal.tables import JournalBlock

_SNAPSHOT: Final = text("set transaction isolation level repeatable read, read only")

_PLACES: Final = text(
    """
    select s.seq, s.leaf, e.id, e.at, e.type, e.actor, e.actor_kind, e.request_id, e.segment, e.customer_id,
           e.subject_type, e.subject_id, e.before::text as before, e.after::text as after, e.exceptional
    from event_seals s left join events e on e.id = s.event_id
    where s.seq > :after and s.seq <= :until order by s.seq limit :batch
    """
)

_DELETIONS: Final = text("select after from events where type = 'events_deleted' order by id desc limit 1000")

_BEHIND_THE_SEALER: Final = text(
    """
    select e.id from events e
    where e.xid < (select next_xid from journal_sealer)
      and not exists (select from event_seals s where s.event_id = e.id)
    order by e.id limit 100
    """
)
_PASSED_BY: Final = text(
    """
    with looked_at as (select id, xid from events where id > :after order by id limit :batch)
    select max(id) as last_id, count(*) as events,
           array_agg(id order by id) filter (
               where xid < (select next_xid from journal_sealer)
                 and not exists (select from event_seals s where s.event_id = looked_at.id)
           ) as passed_by
    from looked_at
    """
)
_NEWEST_BUT: Final = text("select coalesce(max(id), 0) - :batch from events")
_OUTSIDE_BLOCKS: Final = text(
    """
    select seq from event_seals
    where seq > coalesce((select max(last_seq) from journal_blocks), 0) order by seq limit 100
    """
)
_PLACES_GIVEN: Final = text("select last_seq from journal_sealer")
_DIGESTS_OF: Final = text(
    """
    select number, digest from journal_blocks
    where number = any(:numbers)
       or number in ((select min(number) from journal_blocks), (select max(number) from journal_blocks))
    """
)
_DIGESTS: Final = text("select number, digest from journal_blocks where number > :after order by number limit :batch")


async def take_snapshot(session: AsyncSession) -> None:
    """Makes everything that the session's transaction reads from here on one instant's. Call it first."""
    await session.execute(_SNAPSHOT)


async def list_blocks(session: AsyncSession, *, after: int, limit: int) -> Sequence[Block]:
    """The next blocks behind the number `after`."""
    statement = select(JournalBlock).where(JournalBlock.number > after).order_by(JournalBlock.number).limit(limit)
    return [row.facts() for row in await session.scalars(statement)]


async def find_block(session: AsyncSession, number: int) -> Block | None:
    """The block of this number."""
    found = await session.get(JournalBlock, number)
    return found.facts() if found else None


async def places(session: AsyncSession, *, after: int, until: int, batch: int) -> Sequence[Place]:
    """What is stored at the next places behind `after`, up to `until`, at most `batch`."""
    rows = (await session.execute(_PLACES, {"after": after, "until": until, "batch": batch})).mappings()
    return [_place(dict(row)) for row in rows]


async def deletions(session: AsyncSession) -> Sequence[dict[str, Any]]:
    """What retention says of where the chain begins, the last first."""
    return list(await session.scalars(_DELETIONS))


async def places_given(session: AsyncSession) -> int:
    """The last place that the sealer gave, by its own account."""
    return int(await session.scalar(_PLACES_GIVEN) or 0)


async def outside_blocks(session: AsyncSession) -> Sequence[int]:
    """Places behind the last block: the sealer gives none without closing a block."""
    return list(await session.scalars(_OUTSIDE_BLOCKS))


async def behind_the_sealer(session: AsyncSession) -> Sequence[int]:
    """Ids of events without a place that the sealer has passed by: they were not there then."""
    return list(await session.scalars(_BEHIND_THE_SEALER))


async def passed_by(session: AsyncSession, *, after: int, batch: int) -> tuple[Sequence[int], int | None]:
    """As `behind_the_sealer` among the next events behind the id `after`, at most `batch`; the id to go on behind, null
    at the end."""
    row = (await session.execute(_PASSED_BY, {"after": after, "batch": batch})).one()
    return row.passed_by or (), row.last_id if row.events == batch else None


async def newest_but(session: AsyncSession, batch: int) -> int:
    """The id behind which there are the newest events, some `batch` of them."""
    return int(await session.scalar(_NEWEST_BUT, {"batch": batch}) or 0)


async def digests_of(session: AsyncSession, numbers: Sequence[int]) -> dict[int, bytes]:
    """The digests of these blocks, and of the first and the last that are there."""
    return {row.number: row.digest for row in await session.execute(_DIGESTS_OF, {"numbers": list(numbers)})}


async def digests(session: AsyncSession, *, after: int, batch: int) -> dict[int, bytes]:
    """The digests of the next blocks behind the number `after`."""
    return {row.number: row.digest for row in await session.execute(_DIGESTS, {"after": after, "batch": batch})}


def _place(row: dict[str, Any]) -> Place:
    seq, leaf = row["seq"], row.pop("leaf")
    return Place(seq, leaf, None if row["id"] is None else SealedEvent(**row))
