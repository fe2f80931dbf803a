"""SQL of runs and notices: find, lock, add, list."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, Final, TypeVar
from uuid import UUID

import orjson
from sqlalchemy import Select, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.domains.dunning.core.notices import NoticeState, RunState
from app.domains.dunning.tables import (
    TO_SEND,
    DunningDocumentRow,
    DunningLineRow,
    DunningNoticeRow,
    DunningRunRow,
    DunningSkipRow,
)
from app.infra.db.bulk import WORTH_COPYING, copy_rows
from app.infra.db.paging import PageRequest, Slice, fetch

Row = TypeVar("Row", DunningRunRow, DunningNoticeRow)

_SEGMENT_LOCK: Final = text("select pg_advisory_xact_lock(hashtextextended('dunning ' || :segment, 0))")


async def lock_segment(session: AsyncSession, segment: str) -> None:
    """Waits until no other transaction proposes notices in the segment."""
    await session.execute(_SEGMENT_LOCK, {"segment": segment})


async def run(session: AsyncSession, run_id: UUID, *, lock: bool = False) -> DunningRunRow | None:
    """One run, locked until the transaction ends if asked."""
    return await _one(session, select(DunningRunRow).where(DunningRunRow.id == run_id), lock)


async def scheduled_run(session: AsyncSession, segment: str, run_on: date) -> DunningRunRow | None:
    """The run that the schedule began for the day, if it has."""
    row = DunningRunRow
    where = (row.segment == segment, row.run_on == run_on, row.origin == "schedule")
    return await _one(session, select(row).where(*where), False)


async def unfinished_runs(session: AsyncSession) -> Sequence[UUID]:
    """Runs that still have customers to look at, or notices to hand on, the oldest first."""
    row = DunningRunRow
    waiting = (row.state == RunState.RELEASED) | (
        (row.state == RunState.PROPOSED) & (~row.is_complete | row.release_when_complete)
    )
    return list(await session.scalars(select(row.id).where(waiting).order_by(row.id)))


async def runs_page(session: AsyncSession, page: PageRequest, *, segment: str) -> Slice[DunningRunRow]:
    """Runs of a segment, by the instant they began."""
    statement = select(DunningRunRow).where(DunningRunRow.segment == segment)
    return await fetch(session, statement, page, keys=[DunningRunRow.created_at, DunningRunRow.id])


async def skips_page(session: AsyncSession, page: PageRequest, *, run_id: UUID) -> Slice[DunningSkipRow]:
    """Who got nothing in a run, by customer. Nothing in it ever changes: `changed_after` says nothing here."""
    statement = select(DunningSkipRow).where(DunningSkipRow.run_id == run_id)
    return await fetch(session, statement, replace(page, changed_after=None), keys=[DunningSkipRow.customer_id])


async def add_all(
    session: AsyncSession,
    table: type[DunningNoticeRow | DunningLineRow | DunningSkipRow],
    rows: Sequence[Mapping[str, Any]],
) -> None:
    """Adds rows that all have the same members: by COPY where there are many."""
    if not rows:
        return
    columns = list(rows[0])
    if len(rows) >= WORTH_COPYING:
        await copy_rows(session, table.__tablename__, columns, (_copied(row) for row in rows))
        return
    named = ", ".join(columns)
    name, known = table.__tablename__, f"jsonb_populate_recordset(null::{table.__tablename__}, cast(:rows as jsonb))"
    statement = f"insert into {name} ({named}) select {named} from {known}"  # noqa: S608 - names of our own
    await session.execute(text(statement), {"rows": orjson.dumps(list(rows), default=str).decode()})


def _copied(row: Mapping[str, Any]) -> list[Any]:
    """JSON as text, which COPY takes; lists of texts are arrays."""
    return [orjson.dumps(value).decode() if _is_json(value) else value for value in row.values()]


def _is_json(value: Any) -> bool:
    return (
        isinstance(value, dict)
        or (isinstance(value, list) and not all(isinstance(each, str) for each in value))
        or value == []
    )


async def notice(session: AsyncSession, notice_id: UUID, *, lock: bool = False) -> DunningNoticeRow | None:
    """One notice, locked until the transaction ends if asked."""
    return await _one(session, select(DunningNoticeRow).where(DunningNoticeRow.id == notice_id), lock)


async def lines_of(session: AsyncSession, notice_ids: Collection[UUID]) -> Sequence[DunningLineRow]:
    """The lines of the notices, by due day and number."""
    if not notice_ids:
        return ()
    row = DunningLineRow
    statement = select(row).where(row.notice_id == func.any(list(notice_ids))).order_by(row.due_on, row.invoice_no)
    return (await session.scalars(statement, execution_options={"populate_existing": True})).all()


async def notices_page(
    session: AsyncSession,
    page: PageRequest,
    *,
    segment: str,
    run_id: UUID | None = None,
    customer_id: str | None = None,
    state: NoticeState | None = None,
    to_print: bool = False,
) -> Slice[DunningNoticeRow]:
    """Notices by the instant of their last change."""
    row = DunningNoticeRow
    statement = select(row).where(row.segment == segment)
    if run_id is not None:
        statement = statement.where(row.run_id == run_id)
    if customer_id is not None:
        statement = statement.where(row.customer_id == customer_id)
    if state is not None:
        statement = statement.where(row.state == state.value)
    if to_print:
        statement = statement.where(
            row.sent_by == "letter", row.printed_at.is_(None), row.state.in_(["sent", "settled"])
        )
    return await fetch(session, statement, page, keys=[row.changed_at, row.id])


async def notices_of_run(session: AsyncSession, run_id: UUID, *, limit: int) -> Sequence[DunningNoticeRow]:
    """The first notices of a run."""
    row = DunningNoticeRow
    return (await session.scalars(select(row).where(row.run_id == run_id).order_by(row.id).limit(limit))).all()


async def proposed_of_run(session: AsyncSession, run_id: UUID, *, limit: int) -> Sequence[DunningNoticeRow]:
    """The next notices of a run that are still proposed, locked; what others hold is left out."""
    row = DunningNoticeRow
    statement = (
        select(row)
        .where(row.run_id == run_id, row.state == NoticeState.PROPOSED)
        .order_by(row.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return (await session.scalars(statement, execution_options={"populate_existing": True})).all()


async def has_waiting(session: AsyncSession, run_id: UUID) -> bool:
    """Whether any notice of the run is not yet on its way or done."""
    row = DunningNoticeRow
    found = await session.scalar(
        select(row.id).where(row.run_id == run_id, row.state.in_([NoticeState.PROPOSED, NoticeState.RELEASED])).limit(1)
    )
    return found is not None


async def take_to_send(session: AsyncSession, *, now: datetime, lease: timedelta, limit: int) -> Sequence[UUID]:
    """The next notices to be sent, or sent once more, leased so that nobody else takes them meanwhile."""
    row = DunningNoticeRow
    is_free = row.leased_until.is_(None) | (row.leased_until <= now)
    due = (
        select(row.id)
        .where(text(f"({TO_SEND})"), row.next_attempt_at <= now, is_free)
        .order_by(row.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    taken = await session.scalars(
        update(row)
        .where(row.id.in_(due))
        .values(leased_until=now + lease)
        .returning(row.id)
        .execution_options(synchronize_session=False)
    )
    return sorted(taken)


async def documents_of(session: AsyncSession, notice_id: UUID) -> Sequence[DunningDocumentRow]:
    """What was sent of a notice, in order."""
    row = DunningDocumentRow
    return (await session.scalars(select(row).where(row.notice_id == notice_id).order_by(row.position))).all()


async def _one(session: AsyncSession, statement: Select[Row], lock: bool) -> Row | None:
    if lock:
        statement = statement.with_for_update()
    found: Row | None = await session.scalar(statement.execution_options(populate_existing=True))
    return found


async def last_sent(
    session: AsyncSession, customer_id: str, segment: str, *, states: Sequence[NoticeState]
) -> DunningNoticeRow | None:
    """The last notice that went out to a customer."""
    row = DunningNoticeRow
    statement = (
        select(row)
        .where(row.customer_id == customer_id, row.segment == segment, row.state.in_(states))
        .order_by(row.sent_at.desc(), row.id.desc())
        .limit(1)
    )
    found: DunningNoticeRow | None = await session.scalar(statement)
    return found
