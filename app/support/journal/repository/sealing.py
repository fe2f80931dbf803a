"""SQL of the sealer: places and leaves for events, the blocks they are closed in, and what deletes old ones."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.support.journal.core.encoding import DIGEST_BYTES, Block
from app.support.journal.tables import JournalBlock

SEALER_LOCK: Final = 0x5345_414C_4552
"""The advisory lock of the sealer: the letters SEALER."""

_LEAF: Final = """sha256('\\x00'::bytea || convert_to(jsonb_build_array(
        e.id, to_char(e.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), e.type, e.actor, e.actor_kind,
        e.request_id, e.segment, e.customer_id, e.subject_type, e.subject_id, e.before, e.after, e.exceptional)::text,
        'UTF8'))"""
"""The leaf of the event `e`, as `core.encoding.leaf` computes it: the database has the event at hand."""

_SEAL: Final = text(
    f"""
    with settled as (
        select xid from events
        where xid >= cast(cast(:next_xid as text) as xid8) and xid < pg_snapshot_xmin(pg_current_snapshot())
        order by xid, id limit :batch
    ),
    boundary as (select xid from settled order by xid desc limit 1),
    numbered as (
        select cast(:last_seq as bigint) + row_number() over (order by e.xid, e.id) as seq, e.id, {_LEAF} as leaf
        from events e
        where e.xid >= cast(cast(:next_xid as text) as xid8) and e.xid <= (select xid from boundary)
    ),
    sealed as (
        insert into event_seals (seq, event_id, sealed_at, leaf)
        select seq, id, cast(:now as timestamptz), leaf from numbered
    ),
    moved as (
        update journal_sealer
        set last_seq = last_seq + (select count(*) from numbered),
            next_xid = cast(cast(cast(cast((select xid from boundary) as text) as numeric) + 1 as text) as xid8)
        where exists (select from boundary)
    )
    select string_agg(leaf, ''::bytea order by seq) from numbered
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

_SEAL_REST: Final = text(
    f"""
    with numbered as (
        select cast(:last_seq as bigint) + row_number() over (order by e.xid, e.id) as seq, e.id, {_LEAF} as leaf
        from events e where not exists (select from event_seals s where s.event_id = e.id)
    ),
    sealed as (
        insert into event_seals (seq, event_id, sealed_at, leaf)
        select seq, id, cast(:now as timestamptz), leaf from numbered
    )
    select string_agg(leaf, ''::bytea order by seq) from numbered
    """
)

_MAINTAIN: Final = text("select set_config('headroom.journal_maintenance', 'on', true)")
"""Lets this transaction past the triggers that keep the journal as it is."""

_LEAVE_OLD_IDS: Final = text("update events set xid = '0' where xid <> '0'")
"""0 is no transaction's id, so no later search by id finds these again. Leaves don't tell the id."""

_GO_ON: Final = text(
    """
    update journal_sealer
    set last_seq = (select coalesce(max(seq), last_seq) from event_seals), next_xid = pg_current_xact_id()
    """
)

_DELETE: Final = text("select * from journal_delete_older(cast(:instant as timestamptz), cast(:batch as bigint))")


@dataclass(frozen=True, slots=True)
class Deleted:
    """What retention deleted: how many events, and where the chain begins now."""

    events: int
    first_block: int
    first_seq: int
    previous: bytes


async def lock_sealer(session: AsyncSession) -> tuple[str, int] | None:
    """The sealer's next transaction and last place; None when another process is sealing."""
    if not await session.scalar(select(func.pg_try_advisory_xact_lock(SEALER_LOCK))):
        return None
    row = (await session.execute(text("select next_xid::text, last_seq from journal_sealer"))).one()
    return row[0], row[1]


async def seal_batch(session: AsyncSession, *, next_xid: str, last_seq: int, batch: int, now: datetime) -> list[bytes]:
    """Gives about `batch` events that no running transaction can precede their places; their leaves in order."""
    found = await session.scalar(_SEAL, {"next_xid": next_xid, "last_seq": last_seq, "batch": batch, "now": now})
    return _parted(found)


async def oldest_unsealed(session: AsyncSession) -> datetime | None:
    """When the oldest event happened that has no place yet."""
    found: datetime | None = await session.scalar(_OLDEST_UNSEALED)
    return found


async def last_block(session: AsyncSession) -> Block | None:
    """The block that was closed last."""
    found = await session.scalar(select(JournalBlock).order_by(JournalBlock.number.desc()).limit(1))
    return found.facts() if found else None


async def add_block(session: AsyncSession, block: Block) -> None:
    """Adds a closed block."""
    session.add(
        JournalBlock(
            number=block.number,
            first_seq=block.first_seq,
            last_seq=block.last_seq,
            root=block.root,
            previous=block.previous,
            closed_at=block.closed_at,
            digest=block.digest,
        )
    )
    await session.flush()


async def delete_oldest(session: AsyncSession, *, instant: datetime, batch: int) -> Deleted | None:
    """Deletes whole blocks from the beginning, about `batch` events, as far as all in them is from before `instant`.

    By a function of the database, for the role of the application deletes nothing: it keeps the last block, and every
    event younger than 30 days by the database's clock. None where there was nothing to delete.
    """
    row = (await session.execute(_DELETE, {"instant": instant, "batch": batch})).one_or_none()
    return None if row is None else Deleted(*row)


async def rebase(session: AsyncSession, *, last_seq: int, now: datetime) -> list[bytes]:
    """Seals all that is not sealed, and makes the sealer go on at this transaction's id; the leaves of those sealed."""
    await session.execute(text("lock table events in exclusive mode"))
    sealed = await session.scalar(_SEAL_REST, {"last_seq": last_seq, "now": now})
    await session.execute(_MAINTAIN)
    await session.execute(_LEAVE_OLD_IDS)
    await session.execute(_GO_ON)
    return _parted(sealed)


def _parted(joined: bytes | None) -> list[bytes]:
    return [] if joined is None else [joined[at : at + DIGEST_BYTES] for at in range(0, len(joined), DIGEST_BYTES)]
