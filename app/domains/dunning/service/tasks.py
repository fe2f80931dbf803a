"""Use cases of collection tasks: the work list of calls, and what comes of a call."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from app.domains.dunning.core.events import CollectionTaskCompleted, CollectionTaskOpened
from app.domains.dunning.core.refusals import CollectionTaskDone, CollectionTaskNotFound
from app.domains.dunning.core.tasks import CallOutcome, RiskView, TaskKind, TaskState, rank, risk
from app.domains.dunning.repository import cases as repository
from app.domains.dunning.service import promises
from app.domains.dunning.service.promises import PromiseRequest
from app.domains.dunning.tables import CollectionTaskRow
from app.domains.exposure import service as exposure
from app.domains.exposure.core.account import Account
from app.domains.policies import service as policies
from app.infra.db.paging import PageRequest, Slice
from app.infra.transaction import Transaction
from app.kernel.money import render


@dataclass(frozen=True, slots=True)
class Call:
    """What came of a call; `next_on`: when to call again."""

    outcome: CallOutcome
    note: str | None = None
    next_on: date | None = None
    promise: PromiseRequest | None = None


async def open_for(
    tx: Transaction,
    *,
    customer_id: str,
    segment: str,
    kind: TaskKind,
    amount: Decimal | None = None,
    notice_id: UUID | None = None,
    due_on: date | None = None,
) -> CollectionTaskRow:
    """Puts a customer on the work list, once: who is on it already stays on it, with the new reason."""
    account = await exposure.account(tx, customer_id=customer_id, segment=segment)
    today = await _today(tx, segment)
    known = await repository.open_task(tx.session, account.id)
    if known is not None:
        known.kind, known.notice_id = kind.value, notice_id or known.notice_id
        known.due_on = min(known.due_on, due_on or today)
        _rerank(known, account, today, amount)
        await tx.session.flush()
        return known
    task = CollectionTaskRow(
        id=tx.new_id(),
        segment=segment,
        account_id=account.id,
        customer_id=customer_id,
        kind=kind.value,
        state=TaskState.OPEN.value,
        notice_id=notice_id,
        due_on=due_on or today,
        currency=account.currency,
        last_contact_on=await repository.last_contact(tx.session, account.id),
        created_at=tx.now,
    )
    _rerank(task, account, today, amount)
    tx.session.add(task)
    await tx.session.flush()
    tx.emit(
        CollectionTaskOpened(
            subject_id=str(task.id),
            segment=segment,
            customer_id=customer_id,
            after={
                "kind": task.kind,
                "state": task.state,
                "amount": render(task.amount, task.currency),
                "currency": task.currency,
                "due_on": task.due_on.isoformat(),
            },
        )
    )
    return task


async def complete(
    tx: Transaction, *, task_id: UUID, call: Call, segments: frozenset[str] | None = None
) -> CollectionTaskRow:
    """Writes down what came of a call. A promise is made with it; with `next_on` the customer is called again then.

    Raises `CollectionTaskNotFound`, `CollectionTaskDone` and what `promises.make` raises.
    """
    task = await repository.task(tx.session, task_id)
    if task is None or (segments is not None and task.segment not in segments):
        raise CollectionTaskNotFound(f"there is no collection task {task_id}")
    if task.state != TaskState.OPEN:
        raise CollectionTaskDone(f"it was completed by {task.completed_by}")
    today = await _today(tx, task.segment)
    if call.promise is not None:
        made = await promises.make(tx, customer_id=task.customer_id, segment=task.segment, request=call.promise)
        task.promise_id = made.id
    task.state, task.completed_by, task.completed_at = TaskState.DONE.value, tx.actor.name, tx.now
    task.outcome, task.note, task.next_on = call.outcome.value, call.note, call.next_on
    if call.outcome is not CallOutcome.NOT_REACHED:
        task.last_contact_on = today
    await tx.session.flush()
    _completed(tx, task, called=True)
    if call.next_on is not None:
        await open_for(
            tx,
            customer_id=task.customer_id,
            segment=task.segment,
            kind=TaskKind.FOLLOW_UP,
            notice_id=task.notice_id,
            due_on=call.next_on,
        )
    return task


async def close_if_nothing_is_due(tx: Transaction, *, account_id: UUID) -> None:
    """Takes a customer off the work list who owes nothing any more."""
    task = await repository.open_task(tx.session, account_id)
    if task is None:
        return
    task.state, task.completed_by, task.completed_at = TaskState.DONE.value, tx.actor.name, tx.now
    task.outcome = CallOutcome.PAID.value
    await tx.session.flush()
    _completed(tx, task, called=False)


async def list_tasks(
    tx: Transaction, *, segment: str, page: PageRequest, customer_id: str | None = None, due: bool = False
) -> Slice[CollectionTaskRow]:
    """The work list, the highest rank first; `due`: only what is to be done by today."""
    until = await _today(tx, segment) if due else None
    return await repository.tasks_page(tx.session, page, segment=segment, customer_id=customer_id, due_until=until)


async def rerank_behind(tx: Transaction, *, after: UUID, limit: int) -> UUID | None:
    """Ranks the next tasks anew, by today's amounts, risks and days; the id to go on behind, null at the end."""
    tasks = await repository.tasks_behind(tx.session, after, limit=limit)
    accounts = await exposure.known_accounts(tx, keys={(task.customer_id, task.segment) for task in tasks})
    for task in tasks:
        account = accounts[task.customer_id, task.segment]
        _rerank(task, account, await _today(tx, task.segment), None)
    await tx.session.flush()
    return tasks[-1].id if len(tasks) == limit else None


def _rerank(task: CollectionTaskRow, account: Account, today: date, amount: Decimal | None) -> None:
    """By the account's overdue amount, or `amount` where that is more."""
    profile = account.profile
    task.amount = max(account.overdue.amount, amount or account.overdue.amount)
    task.risk = risk(RiskView(profile.dunning_level, profile.payment_index, _grade_rank(profile.grade)))
    task.rank = rank(task.amount, task.risk, task.last_contact_on, today)


def _grade_rank(grade: str | None) -> int | None:
    """How far a grade is from the best, by its letter: a policy may name them otherwise, then it counts as unknown."""
    return ord(grade) - ord("A") if grade and len(grade) == 1 and "A" <= grade <= "Z" else None


def _completed(tx: Transaction, task: CollectionTaskRow, *, called: bool) -> None:
    """The journal is told that there is a note, not what it says: notes on calls name persons."""
    tx.emit(
        CollectionTaskCompleted(
            subject_id=str(task.id),
            segment=task.segment,
            customer_id=task.customer_id,
            before={"state": TaskState.OPEN.value},
            after={
                "state": task.state,
                "outcome": task.outcome,
                "called": called,
                "noted": task.note is not None,
                "next_on": task.next_on.isoformat() if task.next_on else None,
                "promise_id": str(task.promise_id) if task.promise_id else None,
            },
        )
    )


async def _today(tx: Transaction, segment: str) -> date:
    return await policies.today(tx, segment=segment)
