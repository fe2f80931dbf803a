"""Assess a portfolio: a run that is begun once, goes on from where it was left, and looks at a few accounts at a time.

Each portion is a transaction of its own, which also moves the run on: whatever dies, nothing is assessed twice in a run
and nothing left out. Memory stays the same for any number of accounts.
"""

from __future__ import annotations

from collections import defaultdict
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
)
from app.domains.assessments.service.assessing import assess_together
from app.domains.assessments.tables import AssessmentRunRow
from app.domains.customers import service as customers
from app.domains.customers.core.refusals import CustomerNotFound
from app.domains.exposure import service as exposure
from app.domains.policies import service as policies
from app.infra.db.paging import PageRequest, Slice
from app.infra.transaction import Transaction
from app.kernel.errors import Refusal
from app.kernel.periods import local_day

PORTION: Final = 50
"""Accounts assessed in one transaction: for more, others would wait too long for one of them."""


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
    named = None if customers_named is None else sorted(set(customers_named))
    known = await customers.find(tx, customer_ids=named or ())
    for customer_id in named or ():
        if customer_id not in known:
            raise CustomerNotFound(f"there is no customer {customer_id!r}")
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
    repository.add_run(tx.session, row)
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


async def step(tx: Transaction, *, run_id: UUID, at: Sequence[Portion], after: UUID) -> bool:
    """Is through with these accounts, all of them or none: whoever can't be assessed raises, and may be passed over.

    False, and nothing is done, if somebody else has moved the run on from `after`.
    """
    row = await _held(tx, run_id, after)
    if row is None:
        return False
    due: dict[str, list[str]] = defaultdict(list)
    for account in at:
        if account.due:
            due[account.segment].append(account.customer_id)
    for segment, customer_ids in sorted(due.items()):
        found = await customers.find(tx, customer_ids=customer_ids)
        await assess_together(tx, of=[found[customer_id] for customer_id in customer_ids], segment=segment)
    assessed = sum(account.due for account in at)
    row.assessed += assessed
    row.skipped += len(at) - assessed
    row.after, row.worked_at = at[-1].account_id, tx.now
    return True


async def pass_over(tx: Transaction, *, run_id: UUID, at: Portion, after: UUID, error: Exception) -> bool:
    """Is through with an account whose assessment `error` has ended, and notes that on the run: one customer must not
    keep the others waiting. False as for `step`."""
    row = await _held(tx, run_id, after)
    if row is None:
        return False
    code = error.code if isinstance(error, Refusal) else type(error).__name__
    failure = {"customer_id": at.customer_id, "segment": at.segment, "code": code}
    row.failures = [*row.failures, failure][:FAILURES_MAX]
    row.failed += 1
    row.after, row.worked_at = at.account_id, tx.now
    return True


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


async def _held(tx: Transaction, run_id: UUID, after: UUID) -> AssessmentRunRow | None:
    """The run, locked, if it still stands at `after`."""
    row = await repository.find_run(tx.session, run_id, locked=True)
    return None if row is None or row.state == RunState.DONE or row.after != after else row
