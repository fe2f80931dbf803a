"""Finds, locks, schedules, completes and lists the reviews of accounts; remembers which notices were given."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

import orjson
from sqlalchemy import insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.domains.limits.core.reviews import AccountReview, ReviewOutcome
from app.domains.limits.tables import AccountReviewRow, LimitNoticeRow
from app.infra.db.paging import PageRequest, Slice, fetch


@dataclass(frozen=True, slots=True)
class ReviewFilter:
    """Which reviews a list shows; null: all. `due_before` is the first day that does not count any more."""

    segments: Collection[str] | None = None
    customer_id: str | None = None
    due_before: date | None = None
    completed: bool = False


_ADD: Final = text("""
    insert into account_reviews (id, account_id, customer_id, segment, due_on)
    select id, account_id, customer_id, segment, due_on
      from json_populate_recordset(null::account_reviews, cast(:rows as json)) order by account_id
        on conflict do nothing returning id""")

_MOVE: Final = text("""
    update account_reviews r set due_on = n.due_on, announced_at = null
      from json_populate_recordset(null::account_reviews, cast(:rows as json)) n where r.id = n.id""")


async def lock(session: AsyncSession, review_id: UUID) -> AccountReview | None:
    """The review, which nobody else changes until the transaction ends."""
    row = await session.get(AccountReviewRow, review_id, populate_existing=True, with_for_update=True)
    return None if row is None else _review(row)


async def uncompleted(session: AsyncSession, account_ids: Collection[UUID]) -> Mapping[UUID, AccountReview]:
    """The reviews of accounts that wait for their day, by account, locked in the order of their ids."""
    if not account_ids:
        return {}
    statement = (
        select(AccountReviewRow)
        .where(AccountReviewRow.account_id.in_(account_ids), AccountReviewRow.completed_at.is_(None))
        .order_by(AccountReviewRow.id)
    )
    rows = await session.scalars(statement.with_for_update(), execution_options={"populate_existing": True})
    return {row.account_id: _review(row) for row in rows}


async def add(session: AsyncSession, reviews: Collection[AccountReview]) -> frozenset[UUID]:
    """Schedules reviews; the ids of those added: not where another transaction has just scheduled one for the
    account."""
    if not reviews:
        return frozenset()
    return frozenset((await session.scalars(_ADD, {"rows": _days(reviews)})).all())


async def move(session: AsyncSession, reviews: Collection[AccountReview]) -> None:
    """Writes the days of reviews that were moved, of which nobody is told yet."""
    if reviews:
        await session.execute(_MOVE, {"rows": _days(reviews)})


async def write(session: AsyncSession, review: AccountReview) -> None:
    """Writes a review that was moved, announced or completed."""
    await session.execute(
        update(AccountReviewRow)
        .where(AccountReviewRow.id == review.id)
        .values(
            due_on=review.due_on,
            announced_at=review.announced_at,
            completed_at=review.completed_at,
            completed_by=review.completed_by,
            assessment_id=review.assessment_id,
            outcome=review.outcome.value if review.outcome else None,
            note=review.note,
        )
    )


async def list_page(session: AsyncSession, page: PageRequest, wanted: ReviewFilter) -> Slice[AccountReview]:
    """A page of reviews by the day they are due."""
    done = AccountReviewRow.completed_at
    statement = select(AccountReviewRow).where(done.is_not(None) if wanted.completed else done.is_(None))
    if wanted.segments is not None:
        statement = statement.where(AccountReviewRow.segment.in_(wanted.segments))
    if wanted.customer_id is not None:
        statement = statement.where(AccountReviewRow.customer_id == wanted.customer_id)
    if wanted.due_before is not None:
        statement = statement.where(AccountReviewRow.due_on < wanted.due_before)
    found = await fetch(session, statement, page, keys=[AccountReviewRow.due_on, AccountReviewRow.id])
    return Slice([_review(row) for row in found.rows], found.next_cursor)


async def unannounced(session: AsyncSession, *, segment: str, until: date, limit: int) -> Sequence[UUID]:
    """At most `limit` reviews due by `until` that nobody has been told of."""
    statement = (
        select(AccountReviewRow.id)
        .where(
            AccountReviewRow.segment == segment,
            AccountReviewRow.completed_at.is_(None),
            AccountReviewRow.announced_at.is_(None),
            AccountReviewRow.due_on <= until,
        )
        .order_by(AccountReviewRow.due_on)
        .limit(limit)
    )
    return (await session.scalars(statement)).all()


async def told(session: AsyncSession, limit_ids: Collection[UUID], kind: str) -> frozenset[UUID]:
    """Those of the limits whose notice of this kind was given before."""
    statement = select(LimitNoticeRow.limit_id).where(
        LimitNoticeRow.limit_id.in_(limit_ids), LimitNoticeRow.kind == kind
    )
    return frozenset((await session.scalars(statement)).all())


async def note_told(session: AsyncSession, limit_ids: Collection[UUID], kind: str, now: datetime) -> None:
    """Remembers that notices were given."""
    await session.execute(
        insert(LimitNoticeRow), [{"limit_id": each, "kind": kind, "told_at": now} for each in limit_ids]
    )


def _days(reviews: Collection[AccountReview]) -> str:
    rows = [
        {
            "id": review.id,
            "account_id": review.account_id,
            "customer_id": review.customer_id,
            "segment": review.segment,
            "due_on": review.due_on,
        }
        for review in reviews
    ]
    return orjson.dumps(rows, default=str).decode()


def _review(row: AccountReviewRow) -> AccountReview:
    return AccountReview(
        id=row.id,
        account_id=row.account_id,
        customer_id=row.customer_id,
        segment=row.segment,
        due_on=row.due_on,
        announced_at=row.announced_at,
        completed_at=row.completed_at,
        completed_by=row.completed_by,
        assessment_id=row.assessment_id,
        outcome=ReviewOutcome(row.outcome) if row.outcome else None,
        note=row.note,
    )
