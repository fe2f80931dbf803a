"""SQL of the journal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import orjson
from sqlalchemy import and_, func, insert, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.infra.db.bulk import WORTH_COPYING, copy_rows
from app.support.journal.tables import EventSeal, JournalEvent

SEALER_LOCK: Final = 0x5345_414C_4552
"""The advisory lock of the sealer: the letters SEALER."""

_SEAL: Final = text(
    """
    with settled as (
        select xid from events
        where xid >= cast(cast(:next_xid as text) as xid8) and xid < pg_snapshot_xmin(pg_current_snapshot())
        order by xid, id limit :batch
    ),
    boundary as (select xid from settled order by xid desc limit 1),
    numbered as (
        select id, row_number() over (order by xid, id) as place from events
        where xid >= cast(cast(:next_xid as text) as xid8) and xid <= (select xid from boundary)
    ),
    sealed as (
        insert into event_seals (seq, event_id, sealed_at)
        select cast(:last_seq as bigint) + place, id, cast(:now as timestamptz) from numbered
        returning seq
    ),
    moved as (
        update journal_sealer
        set last_seq = last_seq + (select count(*) from sealed),
            next_xid = cast(cast(cast(cast((select xid from boundary) as text) as numeric) + 1 as text) as xid8)
        where exists (select from boundary)
        returning last_seq
    )
    select count(*) from sealed
    """
)
"""Takes whole transactions only: a batch ends behind the last event of a transaction, however many that makes."""

_OLDEST_UNSEALED: Final = text(
    """
    select at from events
    where xid >= (select next_xid from journal_sealer)
    order by xid, id limit 1
    """
)


_DELETE_OLDEST: Final = text(
    """
    with oldest as (
        select s.seq, s.event_id, e.at from event_seals s join events e on e.id = s.event_id
        where s.seq < (select last_seq from journal_sealer) order by s.seq limit :batch
    ),
    young as (select min(seq) as seq from oldest where at >= cast(:instant as timestamptz)),
    old as (
        select oldest.seq, oldest.event_id from oldest, young where young.seq is null or oldest.seq < young.seq
    ),
    unsealed as (delete from event_seals using old where event_seals.seq = old.seq)
    delete from events using old where events.id = old.event_id returning events.id
    """
)
"""From the beginning, up to the first event that is to be kept, so that what is left has no gap; the last one stays."""


_SEAL_REST: Final = text(
    """
    insert into event_seals (seq, event_id, sealed_at)
    select cast(:last_seq as bigint) + row_number() over (order by e.xid, e.id), e.id, cast(:now as timestamptz)
    from events e where not exists (select from event_seals s where s.event_id = e.id)
    returning seq
    """
)

_LEAVE_OLD_IDS: Final = text("update events set xid = '0' where xid <> '0'")
"""0 is no transaction's id, so no later search by id finds these again."""

_GO_ON: Final = text(
    """
    update journal_sealer
    set last_seq = (select coalesce(max(seq), last_seq) from event_seals), next_xid = pg_current_xact_id()
    """
)


async def insert_events(session: AsyncSession, rows: Sequence[dict[str, Any]]) -> None:
    """Appends events, whose ids grow in their order."""
    if len(rows) < WORTH_COPYING:
        await session.execute(insert(JournalEvent), list(rows))
    else:
        await copy_rows(session, JournalEvent.__tablename__, list(rows[0]), map(_copied, rows))


async def lock_sealer(session: AsyncSession) -> tuple[str, int] | None:
    """The sealer's next transaction and last place; None when another process is sealing."""
    if not await session.scalar(select(func.pg_try_advisory_xact_lock(SEALER_LOCK))):
        return None
    row = (await session.execute(text("select next_xid::text, last_seq from journal_sealer"))).one()
    return row[0], row[1]


async def seal_batch(session: AsyncSession, *, next_xid: str, last_seq: int, batch: int, now: datetime) -> int:
    """Seals about `batch` events that no running transaction can precede; how many."""
    sealed = await session.scalar(_SEAL, {"next_xid": next_xid, "last_seq": last_seq, "batch": batch, "now": now})
    return int(sealed or 0)


async def oldest_unsealed(session: AsyncSession) -> datetime | None:
    """When the oldest event happened that has no place yet."""
    found: datetime | None = await session.scalar(_OLDEST_UNSEALED)
    return found


async def last_place(session: AsyncSession) -> int:
    """The highest place given; 0 when none was."""
    return int(await session.scalar(select(func.coalesce(func.max(EventSeal.seq), 0))) or 0)


async def list_sealed(
    session: AsyncSession,
    *,
    after: int,
    until: int,
    limit: int,
    type: str | None,
    customer_id: str | None,
    segments: frozenset[str] | None,
    exceptional: bool | None,
) -> Sequence[tuple[int, JournalEvent]]:
    """Events with a place in (after, until], in order. Confined readers see their segments' and their customers'."""
    statement = (
        select(EventSeal.seq, JournalEvent)
        .join(JournalEvent, JournalEvent.id == EventSeal.event_id)
        .where(EventSeal.seq > after, EventSeal.seq <= until)
        .order_by(EventSeal.seq)
        .limit(limit)
    )
    if type is not None:
        statement = statement.where(JournalEvent.type == type)
    if customer_id is not None:
        statement = statement.where(JournalEvent.customer_id == customer_id)
    if exceptional is not None:
        statement = statement.where(JournalEvent.exceptional if exceptional else ~JournalEvent.exceptional)
    if segments is not None:
        of_no_segment = and_(JournalEvent.segment.is_(None), JournalEvent.customer_id.is_not(None))
        statement = statement.where(or_(JournalEvent.segment.in_(segments), of_no_segment))
    return [(seq, event) for seq, event in await session.execute(statement)]


async def delete_oldest(session: AsyncSession, *, instant: datetime, batch: int) -> int:
    """Deletes at most `batch` of the first sealed events, as far as they are from before `instant`; how many."""
    deleted = await session.execute(_DELETE_OLDEST, {"instant": instant, "batch": batch})
    return len(deleted.all())


def _copied(row: dict[str, Any]) -> Sequence[Any]:
    """The values of an event for COPY, which takes JSON as text."""
    return [orjson.dumps(value).decode() if isinstance(value, dict) else value for value in row.values()]


async def rebase(session: AsyncSession, *, last_seq: int, now: datetime) -> int:
    """Seals all that is not sealed, and makes the sealer go on at this transaction's id; how many were sealed."""
    await session.execute(text("lock table events in exclusive mode"))
    sealed = await session.execute(_SEAL_REST, {"last_seq": last_seq, "now": now})
    count = len(sealed.all())
    await session.execute(_LEAVE_OLD_IDS)
    await session.execute(_GO_ON)
    return count
