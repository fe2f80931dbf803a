"""SQL of audits. Samples are drawn from the journal by its tables, which this slice reads and never writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Text, bindparam, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from app.domains.control.core.audits import OUTRIGHT, AuditState, DrawnEvent
from app.domains.control.tables import AuditItemRow, AuditRow
from app.infra.db import paging
from app.infra.db.paging import PageRequest, Slice

_TYPES: Final = [bindparam(name, type_=ARRAY(Text)) for name in ("types", "outright")]
_DRAW: Final = text(
    """
    select e.id as event_id, s.seq, e.type, e.at, e.actor, e.actor_kind, e.subject_type, e.subject_id, e.customer_id,
           e.after
    from events e join event_seals s on s.event_id = e.id
    where e.type = any(:types) and (e.exceptional or e.type <> all(:outright))
      and e.segment = :segment and e.at >= :since and e.at < :until and s.seq <= :through_seq
    order by sha256(convert_to(:seed || ':' || e.id, 'UTF8')), e.id limit :size
    """
).bindparams(*_TYPES)
"""The decisions whose number, hashed with the seed, comes first: nobody can choose them, and anybody can draw again."""

_COUNT: Final = text(
    """
    select count(*) from events e join event_seals s on s.event_id = e.id
    where e.type = any(:types) and (e.exceptional or e.type <> all(:outright))
      and e.segment = :segment and e.at >= :since and e.at < :until and s.seq <= :through_seq
    """
).bindparams(*_TYPES)


async def last_place(session: AsyncSession) -> int:
    """The last place of the journal; 0 where it has none."""
    return int(await session.scalar(text("select coalesce(max(seq), 0) from event_seals")) or 0)


@dataclass(frozen=True, slots=True)
class Pool:
    """What is drawn from: the sealed events of a segment between two instants, up to a place of the journal."""

    segment: str
    since: datetime
    until: datetime
    through_seq: int


async def draw(
    session: AsyncSession, pool: Pool, *, types: Sequence[str], seed: str, size: int
) -> tuple[list[DrawnEvent], int]:
    """At most `size` of the pool's events of these types, by the seed; and how many there are to draw from."""
    among = {**asdict(pool), "types": list(types), "outright": list(OUTRIGHT)}
    rows = (await session.execute(_DRAW, {**among, "seed": seed, "size": size})).mappings()
    return [DrawnEvent(**row) for row in rows], int(await session.scalar(_COUNT, among) or 0)


async def find(session: AsyncSession, audit_id: UUID, *, lock: bool = False) -> AuditRow | None:
    """The audit, locked until the transaction ends if asked to."""
    return await session.get(AuditRow, audit_id, with_for_update=lock or None, populate_existing=lock)


async def items(session: AsyncSession, audit_id: UUID) -> Sequence[AuditItemRow]:
    """The sample, by position."""
    found = select(AuditItemRow).where(AuditItemRow.audit_id == audit_id).order_by(AuditItemRow.position)
    return (await session.scalars(found)).all()


async def list_audits(
    session: AsyncSession, page: PageRequest, *, segment: str, state: AuditState | None
) -> Slice[AuditRow]:
    """One page of a segment's audits, by their last change."""
    statement = select(AuditRow).where(AuditRow.segment == segment)
    if state is not None:
        statement = statement.where(AuditRow.state == state.value)
    return await paging.fetch(session, statement, page, keys=(AuditRow.changed_at, AuditRow.id))
