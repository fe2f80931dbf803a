"""SQL of events: appending them, and reading those that have a place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import and_, func, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.infra.db.bulk import WORTH_COPYING, copy_rows
from app.support.journal.tables import EventSeal, JournalEvent


async def insert_events(session: AsyncSession, rows: Sequence[dict[str, Any]]) -> None:
    """Appends events, whose ids grow in their order."""
    if len(rows) < WORTH_COPYING:
        await session.execute(insert(JournalEvent), list(rows))
    else:
        await copy_rows(session, JournalEvent.__tablename__, list(rows[0]), map(_copied, rows))


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


def _copied(row: dict[str, Any]) -> Sequence[Any]:
    """The values of an event for COPY, which takes JSON as text."""
    return [orjson.dumps(value).decode() if isinstance(value, dict) else value for value in row.values()]
