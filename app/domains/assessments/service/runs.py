"""Assess a portfolio: a run that is begun once, goes on from where it was left, and looks at a few accounts at a time.

Each account is a transaction of its own, which also moves the run on: whatever dies, nothing is assessed twice in a run
and nothing left out. Memory stays the same for any number of accounts.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import Final
from uuid import UUID

from app.domains.assessments import repository
from app.domains.assessments.core.events import AssessmentRunFinished, AssessmentRunStarted
from app.domains.assessments.core.record import is_stale
from app.domains.assessments.core.refusals import AssessmentRunNotFound
from app.domains.assessments.core.runs import (
    ABANDONED_AFTER,
    BEGINNING,
    FAILURES_MAX,
    Portion,
    Run,
    RunState,
    StepKind,
)
from app.domains.assessments.service.assessing import assess
from app.domains.assessments.tables import AssessmentRunRow
from app.domains.customers import service as customers
from app.domains.exposure import service as exposure
from app.domains.policies import service as policies
from app.infra.db.paging import PageRequest, Slice
from app.infra.transaction import Transaction
from app.kernel.errors import Refusal
from app.kernel.periods import local_day

PORTION: Final = 100
"""Accounts looked at in one read."""


async def start_run(
    tx: Transaction,
    *,
    segment: str | None = None,
    stale_only: bool = False,
    customers_named: Collection[str] | None = None,
    working: bool = False,
) -> Run:
    """Begins a run over the accounts of a segment or all, or of the customers named; `working`: the caller goes on with
    it at once, otherwise a worker does. Raises `SegmentNotFound`, `CustomerNotFound`."""
    if segment is not None:
        await policies.segment(tx, segment=segment)
    for customer_id in sorted(customers_named or ()):
        await customers.get(tx, customer_id=customer_id)
    named = None if customers_named is None else sorted(set(customers_named))
    row = AssessmentRunRow(
        id=tx.new_id(),
        segment=segment,
        stale_only=stale_only,
        customers=named,
        state=RunState.RUNNING.value,
        after=BEGINNING,
        total=await exposure.count_accounts(tx, segment=segment, customers=named),
        assessed=0,
        skipped=0,
        failed=0,
        failures=[],
        started_by=tx.actor.name,
        started_at=tx.now,
        worked_at=tx.now if working else None,
        finished_at=None,
    )
    repository.add(tx.session, row)
    await tx.session.flush()
    tx.emit(
        AssessmentRunStarted(
            subject_id=str(row.id), segment=segment, after={"total": row.total, "stale_only": stale_only}
        )
    )
    return row.as_run()


async def run(tx: Transaction, *, run_id: UUID, segments: Collection[str] | None = None) -> Run:
    """One run. Raises `AssessmentRunNotFound`, also for one beyond `segments`."""
    row = await repository.find_run(tx.session, run_id)
    if row is None or (segments is not None and row.segment not in segments):
        raise AssessmentRunNotFound(f"there is no run {run_id}")
    return row.as_run()


async def list_runs(tx: Transaction, *, page: PageRequest, segments: Collection[str] | None = None) -> Slice[Run]:
    """Runs by their start, in these segments or all."""
    found = await repository.list_runs(tx.session, page, segments=segments)
    return Slice([row.as_run() for row in found.rows], found.next_cursor)


async def pick_up(tx: Transaction) -> UUID | None:
    """A run that nobody works on, taken over; null if there is none."""
    row = await repository.abandoned_run(tx.session, tx.now - ABANDONED_AFTER)
    if row is None:
        return None
    row.worked_at = tx.now
    return row.id


async def put_down(tx: Transaction, *, run_id: UUID) -> None:
    """Leaves a run to whoever comes next."""
    row = await repository.find_run(tx.session, run_id, locked=True)
    if row is not None and row.state == RunState.RUNNING:
        row.worked_at = None


async def portion(tx: Transaction, *, run_id: UUID) -> Sequence[Portion]:
    """The next accounts of a run, and which of them are due; none at its end. Writes nothing."""
    row = await repository.find_run(tx.session, run_id)
    if row is None or row.state == RunState.DONE:
        return []
    keys = await exposure.account_keys(tx, after=row.after, segment=row.segment, customers=row.customers, most=PORTION)
    if not row.stale_only:
        return [Portion(key.id, key.customer_id, key.segment, due=True) for key in keys]
    known = await repository.standings(tx.session, {(key.customer_id, key.segment) for key in keys})
    days = {segment: await _day_and_version(tx, segment) for segment in sorted({key.segment for key in keys})}
    return [
        Portion(
            key.id,
            key.customer_id,
            key.segment,
            due=is_stale(
                known.get((key.customer_id, key.segment)), on=days[key.segment][0], policy_version=days[key.segment][1]
            ),
        )
        for key in keys
    ]


async def step(tx: Transaction, *, run_id: UUID, at: Portion, after: UUID) -> StepKind | None:
    """Is through with one account; null, and nothing is done, if somebody else has moved the run on from `after`.

    What refuses an assessment, or breaks it, is noted on the run: one customer must not keep the others waiting.
    """
    row = await repository.find_run(tx.session, run_id, locked=True)
    if row is None or row.state == RunState.DONE or row.after != after:
        return None
    outcome = StepKind.SKIPPED
    if at.due:
        outcome = StepKind.ASSESSED
        try:
            async with tx.session.begin_nested():
                await assess(tx, customer_id=at.customer_id, segment=at.segment)
        except Exception as error:
            outcome = StepKind.FAILED
            tx.take_events()  # what it said had happened has been rolled back
            code = error.code if isinstance(error, Refusal) else type(error).__name__
            failure = {"customer_id": at.customer_id, "segment": at.segment, "code": code}
            row.failures = [*row.failures, failure][:FAILURES_MAX]
    setattr(row, outcome.value, getattr(row, outcome.value) + 1)
    row.after, row.worked_at = at.account_id, tx.now
    return outcome


async def finish(tx: Transaction, *, run_id: UUID) -> Run:
    """Ends a run that has nothing before it. Raises `AssessmentRunNotFound`."""
    row = await repository.find_run(tx.session, run_id, locked=True)
    if row is None:
        raise AssessmentRunNotFound(f"there is no run {run_id}")
    if row.state == RunState.RUNNING:
        row.state, row.finished_at = RunState.DONE.value, tx.now
        tx.emit(
            AssessmentRunFinished(
                subject_id=str(row.id),
                segment=row.segment,
                before={"state": "running"},
                after={"state": "done", "assessed": row.assessed, "skipped": row.skipped, "failed": row.failed},
            )
        )
    return row.as_run()


async def _day_and_version(tx: Transaction, segment: str) -> tuple[date, int]:
    held = await policies.segment(tx, segment=segment)
    return local_day(tx.now, held.zone), (await policies.active(tx, segment=segment)).version
