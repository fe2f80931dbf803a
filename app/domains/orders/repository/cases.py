"""Claims and notes: the work on referred orders."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from app.domains.orders.core.cases import Case, Note
from app.domains.orders.tables import ReviewCaseRow, ReviewNoteRow
from app.infra.db.paging import PageRequest, Slice, fetch


async def find_case(session: AsyncSession, check_id: UUID) -> Case | None:
    """The case of a check, if anybody has ever worked on it."""
    row = await session.get(ReviewCaseRow, check_id, populate_existing=True)
    return None if row is None else _case(row)


async def find_cases(session: AsyncSession, check_ids: Collection[UUID]) -> Mapping[UUID, Case]:
    """The cases of those checks that anybody has worked on."""
    rows = await session.scalars(select(ReviewCaseRow).where(ReviewCaseRow.check_id.in_(check_ids)))
    return {row.check_id: _case(row) for row in rows}


async def write_case(session: AsyncSession, case: Case) -> None:
    """Writes a case as it is now."""
    statement = upsert(ReviewCaseRow).values(_values(case))
    moved = {name: statement.excluded[name] for name in _values(case) if name != "check_id"}
    await session.execute(statement.on_conflict_do_update(index_elements=["check_id"], set_=moved))


async def add_note(session: AsyncSession, note: Note) -> None:
    """Adds a note."""
    await session.execute(
        insert(ReviewNoteRow).values(
            id=note.id,
            check_id=note.check_id,
            note=note.note,
            written_by=note.written_by,
            written_at=note.written_at,
        )
    )


async def list_notes(session: AsyncSession, page: PageRequest, check_id: UUID) -> Slice[Note]:
    """A page of the notes about a check, in the order they were written."""
    statement = select(ReviewNoteRow).where(ReviewNoteRow.check_id == check_id)
    if page.changed_after is not None:
        statement = statement.where(ReviewNoteRow.written_at > page.changed_after)
    plain = PageRequest(page.limit, page.cursor, None, page.descending)
    found = await fetch(session, statement, plain, keys=[ReviewNoteRow.id])
    notes = [Note(row.id, row.check_id, row.note, row.written_by, row.written_at) for row in found.rows]
    return Slice(notes, found.next_cursor)


def _case(row: ReviewCaseRow) -> Case:
    return Case(row.check_id, row.claimed_by, row.claimed_by_name, row.claimed_at, row.referred_to)


def _values(case: Case) -> dict[str, object]:
    return {
        "check_id": case.check_id,
        "claimed_by": case.claimed_by,
        "claimed_by_name": case.claimed_by_name,
        "claimed_at": case.claimed_at,
        "referred_to": case.referred_to,
    }
