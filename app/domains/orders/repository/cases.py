"""Claims, notes and waiting accounts: the work around referred orders."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

from sqlalchemy import delete, insert, or_, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from app.domains.orders.core.cases import Case, Note
from app.domains.orders.core.reviews import Review
from app.domains.orders.tables import CreditCheckRow, ReviewCaseRow, ReviewNoteRow, WaitingAccountRow
from app.infra.db.paging import PageRequest, Slice, fetch

_WAKE: Final = text("""
    insert into waiting_accounts (customer_id, segment, token, since)
    select a.customer_id, :segment, :token, :now
      from unnest(cast(:customer_ids as text[])) a (customer_id)
     where exists (select from credit_checks c
                    where c.customer_id = a.customer_id and c.segment = :segment and c.review = 'open')
     order by a.customer_id
    on conflict (customer_id, segment) do update set token = excluded.token
""")
"""One entry an account. A new token tells whoever judges at this moment that there is even more room."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """An account whose waiting orders are to be judged anew."""

    customer_id: str
    segment: str
    token: UUID


@dataclass(frozen=True, slots=True)
class OpenCheck:
    """A check under review, as far as its stake is about it."""

    id: UUID
    customer_id: str
    segment: str
    amount: Decimal
    currency: str


async def find_case(session: AsyncSession, check_id: UUID) -> Case | None:
    """The case of a check, if anybody has ever worked on it."""
    row = await session.get(ReviewCaseRow, check_id, populate_existing=True)
    return None if row is None else _case(row)


async def find_cases(session: AsyncSession, check_ids: Collection[UUID]) -> Mapping[UUID, Case]:
    """The cases of those checks that anybody has worked on."""
    rows = await session.scalars(select(ReviewCaseRow).where(ReviewCaseRow.check_id.in_(check_ids)))
    return {row.check_id: _case(row) for row in rows}


async def claim(session: AsyncSession, case: Case) -> bool:
    """Writes a claim; False when somebody else has one."""
    statement = upsert(ReviewCaseRow).values(_values(case))
    mine = or_(ReviewCaseRow.claimed_by.is_(None), ReviewCaseRow.claimed_by == case.claimed_by)
    moved = {name: statement.excluded[name] for name in ("claimed_by", "claimed_by_name", "claimed_at")}
    statement = statement.on_conflict_do_update(index_elements=["check_id"], set_=moved, where=mine)
    return await session.scalar(statement.returning(ReviewCaseRow.check_id)) is not None


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


async def open_checks(
    session: AsyncSession, *, segment: str, customer_id: str | None, order_ref: str | None, at: datetime, most: int
) -> Sequence[OpenCheck]:
    """At most `most` checks of a segment that are under review, the oldest first."""
    statement = (
        select(
            CreditCheckRow.id,
            CreditCheckRow.customer_id,
            CreditCheckRow.segment,
            CreditCheckRow.amount,
            CreditCheckRow.currency,
        )
        .where(
            CreditCheckRow.segment == segment,
            CreditCheckRow.review == Review.OPEN.value,
            CreditCheckRow.review_until > at,
        )
        .order_by(CreditCheckRow.id)
        .limit(most)
    )
    if customer_id is not None:
        statement = statement.where(CreditCheckRow.customer_id == customer_id)
    if order_ref is not None:
        statement = statement.where(CreditCheckRow.order_ref == order_ref)
    return [OpenCheck(*row) for row in await session.execute(statement)]


# ---- waiting accounts --------------------------------------------------------------------------------------


async def wake(
    session: AsyncSession, customer_ids: Collection[str], segment: str, *, token: UUID, now: datetime
) -> None:
    """Notes that these accounts have more room, as far as any of their orders waits for a review."""
    values = {"customer_ids": sorted(customer_ids), "segment": segment, "token": token, "now": now}
    await session.execute(_WAKE, values)


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
