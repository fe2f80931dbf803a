"""SQL of assessments and their runs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, tuple_
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from app.domains.assessments.core.record import Outcome, Standing
from app.domains.assessments.core.runs import RunState
from app.domains.assessments.tables import AssessmentRow, AssessmentRunRow
from app.infra.db.paging import PageRequest, Slice, fetch


async def add_all(session: AsyncSession, values: Sequence[Mapping[str, Any]]) -> None:
    """Adds assessments, given by their columns."""
    await session.execute(insert(AssessmentRow), values)


def add_run(session: AsyncSession, row: AssessmentRunRow) -> None:
    """Adds a run."""
    session.add(row)


async def find(session: AsyncSession, assessment_id: UUID) -> AssessmentRow | None:
    """One assessment."""
    return await session.get(AssessmentRow, assessment_id)


async def latest(session: AsyncSession, customer_id: str, segment: str) -> AssessmentRow | None:
    """The last assessment of a customer in a segment."""
    row: AssessmentRow | None = await session.scalar(
        select(AssessmentRow)
        .where(AssessmentRow.customer_id == customer_id, AssessmentRow.segment == segment)
        .order_by(AssessmentRow.assessed_at.desc(), AssessmentRow.id.desc())
        .limit(1)
    )
    return row


async def last_told(session: AsyncSession, customer_ids: Collection[str], segment: str) -> Mapping[str, Outcome]:
    """What came of the last assessment of each of these customers in a segment."""
    row = AssessmentRow
    found = await session.execute(
        select(row.customer_id, row.grade, row.score, row.limit_amount, row.currency, row.policy_version, row.review_on)
        .ext(distinct_on(row.customer_id))
        .where(row.customer_id.in_(customer_ids), row.segment == segment)
        .order_by(row.customer_id, row.assessed_at.desc(), row.id.desc())
    )
    return {
        told.customer_id: Outcome(
            told.grade, told.score, told.limit_amount, told.currency, told.policy_version, told.review_on
        )
        for told in found
    }


async def standings(session: AsyncSession, keys: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], Standing]:
    """What decides whether the last assessments of `keys` (customer, segment) are stale."""
    if not keys:
        return {}
    found = await session.execute(
        select(AssessmentRow.customer_id, AssessmentRow.segment, AssessmentRow.review_on, AssessmentRow.policy_version)
        .ext(distinct_on(AssessmentRow.customer_id, AssessmentRow.segment))
        .where(tuple_(AssessmentRow.customer_id, AssessmentRow.segment).in_(list(keys)))
        .order_by(
            AssessmentRow.customer_id,
            AssessmentRow.segment,
            AssessmentRow.assessed_at.desc(),
            AssessmentRow.id.desc(),
        )
    )
    return {(row.customer_id, row.segment): Standing(row.review_on, row.policy_version) for row in found}


async def probabilities(session: AsyncSession, customer_ids: Collection[str], segment: str) -> Mapping[str, Decimal]:
    """The probability of default in the last assessment of each of these customers in a segment."""
    found = await session.execute(
        select(AssessmentRow.customer_id, AssessmentRow.probability)
        .ext(distinct_on(AssessmentRow.customer_id))
        .where(AssessmentRow.customer_id.in_(customer_ids), AssessmentRow.segment == segment)
        .order_by(AssessmentRow.customer_id, AssessmentRow.assessed_at.desc(), AssessmentRow.id.desc())
    )
    return {row.customer_id: row.probability for row in found}


async def list_page(
    session: AsyncSession, page: PageRequest, *, customer_id: str, segments: Collection[str] | None
) -> Slice[AssessmentRow]:
    """A customer's assessments by the instant they were made, in these segments or all."""
    statement = select(AssessmentRow).where(AssessmentRow.customer_id == customer_id)
    if segments is not None:
        statement = statement.where(AssessmentRow.segment.in_(segments))
    return await fetch(session, statement, page, keys=[AssessmentRow.assessed_at, AssessmentRow.id])


async def find_run(session: AsyncSession, run_id: UUID, *, locked: bool = False) -> AssessmentRunRow | None:
    """One run; `locked` keeps others from it until the transaction ends."""
    statement = select(AssessmentRunRow).where(AssessmentRunRow.id == run_id)
    if locked:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    row: AssessmentRunRow | None = await session.scalar(statement)
    return row


async def abandoned_run(session: AsyncSession, before: datetime) -> AssessmentRunRow | None:
    """A run that nobody has worked on since `before`, the oldest first, locked."""
    row: AssessmentRunRow | None = await session.scalar(
        select(AssessmentRunRow)
        .where(
            AssessmentRunRow.state == RunState.RUNNING,
            AssessmentRunRow.worked_at.is_(None) | (AssessmentRunRow.worked_at < before),
        )
        .order_by(AssessmentRunRow.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    return row


async def list_runs(
    session: AsyncSession, page: PageRequest, *, segments: Collection[str] | None
) -> Slice[AssessmentRunRow]:
    """Runs by their start; for a caller confined to segments those of these only."""
    statement = select(AssessmentRunRow)
    if segments is not None:
        statement = statement.where(AssessmentRunRow.segment.in_(segments))
    return await fetch(session, statement, page, keys=[AssessmentRunRow.started_at, AssessmentRunRow.id])
