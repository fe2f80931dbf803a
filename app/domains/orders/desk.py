"""The desk: concurrent credit checks of one process are decided together.

While one batch is under way, arrivals queue; then all of them are read in one round trip, decided in memory, and
written in one statement that holds its locks only as long as it runs. A batch of one is the ordinary case.

What can't be written goes again: checks whose account somebody else holds wait a few milliseconds, the others at once.
A batch that the database refuses is taken apart, so that one bad check never spoils another.
"""

from __future__ import annotations

import asyncio
from collections import Counter as Tally
from collections import deque
from collections.abc import Coroutine, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import structlog
from prometheus_client import Counter
from sqlalchemy.ext.asyncio import AsyncEngine

from app.domains.exposure import service as exposure
from app.domains.exposure.core.fx import Quote, Quotes
from app.domains.exposure.core.refusals import AccountBusy
from app.domains.orders.core.check_refusals import DeskClosed, DeskFull
from app.domains.orders.desk_sql import DeskSql, Lock
from app.domains.orders.records import Question
from app.domains.orders.sitting import (
    Answered,
    Findings,
    PolicyPart,
    Refused,
    Result,
    Sitting,
    Unready,
    needs_quotes,
    wanted,
)
from app.domains.policies import service as policies
from app.domains.policies.core.compiled import PolicyShelf
from app.infra import metrics
from app.infra.clock import stopwatch
from app.infra.db.failures import LOCK_NOT_AVAILABLE, UNIQUE_VIOLATION, is_outdated, refusal_of, sqlstate
from app.infra.transaction import Transactions
from app.kernel.errors import Refusal
from app.kernel.identity import SYSTEM
from app.kernel.periods import local_day

DESK_CONNECTIONS: Final = 1
"""One batch is under way at a time: two at once were slower, and met each other's locks."""
LOCK_TIMEOUT: Final = timedelta(milliseconds=250)
"""The desk skips rows that others hold; it may only have to wait for another's new row of the same key or order."""
BATCH: Final = 128
TOLD_AT_ONCE: Final = 8
"""Answers sent before the loop looks at the network again, where the database may have answered the next batch."""
MAX_WAITING: Final = 4_000
PATIENCE_SECONDS: Final = 2.0
"""How long a check waits for an account that others hold."""
FIRST_PAUSE_SECONDS: Final = 0.002
LONGEST_PAUSE_SECONDS: Final = 0.05

log = structlog.get_logger("headroom.desk")


@dataclass(slots=True, eq=False)
class _Ticket:
    """A question waiting at the desk. `alone` asks for a batch of its own, after a batch was refused."""

    question: Question
    answer: asyncio.Future[Answered]
    arrived: float
    bulk: bool
    alone: bool = False
    pause: float = FIRST_PAUSE_SECONDS
    held_up_since: float | None = None

    def expired(self, now: float) -> bool:
        """Whether others have held it up for too long; the first time it is held up, its patience begins."""
        self.held_up_since = self.held_up_since or now
        return now - self.held_up_since > PATIENCE_SECONDS


class Desk:
    """Decides credit checks over one engine in autocommit; one batch at a time."""

    def __init__(self, engine: AsyncEngine, transactions: Transactions) -> None:
        self._sql = DeskSql(engine)
        self._transactions = transactions
        self._shelf = PolicyShelf()
        self._urgent: deque[_Ticket] = deque()
        self._bulk: deque[_Ticket] = deque()
        self._parked: dict[tuple[str, str], list[_Ticket]] = {}
        self._decided: deque[tuple[_Ticket, Result]] = deque()
        self._arrival = asyncio.Event()
        self._errands: set[asyncio.Task[None]] = set()
        self._closed = False

    async def decide(self, question: Question, *, bulk: bool = False) -> Answered:
        """The decision on one check, committed. Bulk questions wait behind single ones.

        Raises the refusal that stands in the way; `AccountBusy` when others hold the account for too long, `DeskFull`
        when too many checks are waiting.
        """
        if self._closed:
            raise DeskClosed(retry_after=1)
        if len(self._urgent) + len(self._bulk) >= MAX_WAITING:
            raise DeskFull(retry_after=1)
        ticket = _Ticket(question, asyncio.get_running_loop().create_future(), stopwatch(), bulk)
        self._queue(ticket)
        answered = await ticket.answer
        metrics.DECISION_SECONDS.observe(stopwatch() - ticket.arrived)
        return answered

    async def run(self) -> None:
        """Decides batches until cancelled; whoever still waits then is told to come again."""
        try:
            while True:
                await self._arrival.wait()
                batch = self._take()
                if batch:
                    await self._attend(batch)
                else:
                    self._arrival.clear()
        finally:
            self._closed = True
            self._tell_all()
            waiting = [*self._urgent, *self._bulk, *(t for parked in self._parked.values() for t in parked)]
            _refuse(waiting, DeskClosed(retry_after=1))
            for errand in self._errands:
                errand.cancel()
            await self._sql.close()

    # ---- the queue -----------------------------------------------------------------------------------------

    def _queue(self, ticket: _Ticket) -> None:
        (self._bulk if ticket.bulk else self._urgent).append(ticket)
        self._arrival.set()

    def _queue_again(self, tickets: Iterable[_Ticket]) -> None:
        """Puts tickets back where they came from: in front, in their order."""
        for ticket in reversed(list(tickets)):
            (self._bulk if ticket.bulk else self._urgent).appendleft(ticket)
        self._arrival.set()

    def _take(self) -> list[_Ticket]:
        """The next batch. Checks of an account that is being waited for line up behind those already waiting."""
        batch: list[_Ticket] = []
        for queue in (self._urgent, self._bulk):
            while queue and len(batch) < BATCH:
                if queue[0].alone and batch:
                    return batch
                ticket = queue.popleft()
                if ticket.answer.done():
                    continue
                parked = self._parked.get(ticket.question.account_key)
                if parked is not None:
                    parked.append(ticket)
                    continue
                batch.append(ticket)
                if ticket.alone:
                    return batch
        return batch

    # ---- one batch -----------------------------------------------------------------------------------------

    async def _attend(self, batch: Sequence[_Ticket]) -> None:
        """Decides one batch; whatever happens, each of its tickets is answered or waits again."""
        try:
            await self._round(batch)
        except Exception as error:
            self._recover(batch, error)

    async def _round(self, batch: Sequence[_Ticket]) -> None:
        began = stopwatch()
        metrics.DESK_BATCH_SIZE.observe(len(batch))
        questions = [ticket.question for ticket in batch]
        sitting = Sitting(questions, await self._gather(questions), self._shelf)
        results = sitting.results()
        writes = sitting.writes()
        if writes is not None:
            held = await self._sql.write(writes)
            if not held.written:
                self._go_again(batch, sitting, held.busy)
                return
        for ticket in batch:
            metrics.DESK_WAITING_SECONDS.observe(began - ticket.arrived)
        self._tell(zip(batch, results, strict=True))
        _count(questions, results)
        self._prepare(batch, results)

    async def _gather(self, questions: Sequence[Question]) -> Findings:
        now = self._transactions.clock.now()
        rows = await self._sql.read(wanted(questions), now)
        keys = {(q.request.segment, part.order_ref) for q in questions for part in q.request.replaces}
        replaced = await self._sql.read_orders(sorted(keys)) if keys else ()
        quotes: dict[date, Quotes] = {}
        if needs_quotes(rows, questions):
            for day in {local_day(now, ZoneInfo(row["zone"])) for row in rows if row["zone"]}:
                found = await self._sql.read_quotes(day)
                quotes[day] = {(row["base"], row["quote"]): Quote(row["rate"], row["on_date"]) for row in found}
        return Findings(rows, now, replaced, quotes)

    def _tell(self, decided: Iterable[tuple[_Ticket, Result]]) -> None:
        """Answers a few, and goes on each time the loop has looked at the network.

        To send an answer takes longer than to decide: a hundred in a row would keep the next batch waiting for what the
        database has said long ago, and then the database for the batch.
        """
        is_telling = bool(self._decided)
        self._decided.extend(decided)
        if not is_telling:
            self._tell_some(asyncio.get_running_loop())

    def _tell_some(self, loop: asyncio.AbstractEventLoop) -> None:
        for _ in range(min(TOLD_AT_ONCE, len(self._decided))):
            self._settle(*self._decided.popleft())
        if self._decided:
            loop.call_soon(self._tell_some, loop)

    def _tell_all(self) -> None:
        while self._decided:
            self._settle(*self._decided.popleft())

    def _settle(self, ticket: _Ticket, result: Result) -> None:
        match result:
            case Answered():
                if not ticket.answer.done():
                    ticket.answer.set_result(result)
            case Refused(refusal):
                _refuse([ticket], refusal)
            case Unready():
                pass

    # ---- what could not be decided or written at once ------------------------------------------------------

    def _go_again(self, batch: Sequence[_Ticket], sitting: Sitting, busy: set[Lock]) -> None:
        """Nothing was written. Checks of accounts that others hold wait a little; the others are read anew at once."""
        at_once = []
        for number, ticket in enumerate(batch):
            if busy.isdisjoint(sitting.locks_of(number)):
                at_once.append(ticket)
            else:
                self._park(ticket)
        self._queue_again(at_once)

    def _park(self, ticket: _Ticket) -> None:
        if ticket.expired(stopwatch()):
            _refuse([ticket], AccountBusy("another transaction holds the account", retry_after=1))
            return
        key = ticket.question.account_key
        if key in self._parked:
            self._parked[key].append(ticket)
            return
        self._parked[key] = [ticket]
        self._send(self._unpark_later(key, ticket))

    async def _unpark_later(self, key: tuple[str, str], first: _Ticket) -> None:
        await asyncio.sleep(first.pause)
        parked = self._parked.pop(key)
        for ticket in parked:
            ticket.pause = min(ticket.pause * 2, LONGEST_PAUSE_SECONDS)
        self._queue_again(parked)

    def _prepare(self, batch: Sequence[_Ticket], results: Sequence[Result]) -> None:
        """Fetches what was missing to decide: a policy, or an account brought to this day. Its checks wait for it."""
        waiting: dict[tuple[str, str], list[_Ticket]] = {}
        parts: dict[tuple[str, str], PolicyPart | None] = {}
        for ticket, result in zip(batch, results, strict=True):
            if isinstance(result, Unready):
                key = ticket.question.account_key
                waiting.setdefault(key, []).append(ticket)
                parts.setdefault(key, result.policy)
        now = stopwatch()
        for key, tickets in waiting.items():
            _refuse((t for t in tickets if t.expired(now)), AccountBusy("the account changes too fast", retry_after=1))
            self._parked[key] = [ticket for ticket in tickets if not ticket.answer.done()]
            self._send(self._fetch(key, parts[key]))

    async def _fetch(self, key: tuple[str, str], part: PolicyPart | None) -> None:
        """Brings in a policy, or rolls an account forward, in a transaction of its own."""
        refusal: Refusal | None = None
        try:
            async with self._transactions.begin(actor=SYSTEM, request_id="desk") as tx:
                if part is None:
                    await exposure.keep_fresh(tx, customer_id=key[0], segment=key[1])
                else:
                    found = await policies.recall(
                        tx,
                        segment=part.segment,
                        version=part.version,
                        profile=part.profile,
                        override_id=part.override_id,
                    )
                    self._shelf.keep(found)
        except Refusal as error:
            refusal = error
        except Exception as error:
            refusal = refusal_of(error)
            if refusal is None and not is_outdated(error):
                log.exception("desk_errand_failed", customer_id=key[0], segment=key[1])
                _fail(self._parked.pop(key), error)
                return
        tickets = self._parked.pop(key)
        if refusal is None:
            self._queue_again(tickets)
        else:
            _refuse(tickets, refusal)

    def _recover(self, batch: Sequence[_Ticket], error: Exception) -> None:
        """Takes a batch apart that the database refused, until the check that it refuses is alone."""
        self._tell_all()  # what was decided is not decided again
        refusal = refusal_of(error)
        if refusal is not None and not (len(batch) > 1 and sqlstate(error) == LOCK_NOT_AVAILABLE):
            _refuse(batch, refusal)
            return
        again = len(batch) > 1 or _passes_when_repeated(error)
        if again and not all(ticket.expired(stopwatch()) for ticket in batch):
            for ticket in batch:
                ticket.alone = True
            self._queue_again(batch)
            return
        log.error("desk_batch_failed", checks=len(batch), exc_info=error)
        _fail(batch, error)

    def _send(self, errand: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(errand)
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)


def _passes_when_repeated(error: Exception) -> bool:
    """Whether another process has just written the same key or order, which reading again shows; or a later release
    is just migrating, and the statement has to be prepared anew."""
    return sqlstate(error) == UNIQUE_VIOLATION or is_outdated(error)


def _refuse(tickets: Iterable[_Ticket], refusal: Refusal) -> None:
    _fail(tickets, refusal)


def _fail(tickets: Iterable[_Ticket], error: Exception) -> None:
    for ticket in tickets:
        if not ticket.answer.done():
            ticket.answer.set_exception(error)


def _count(questions: Sequence[Question], results: Sequence[Result]) -> None:
    """Counts what a batch came to, each counter once: a count costs as much as a rule."""
    counts: Tally[tuple[Counter, *tuple[str, ...]]] = Tally()
    for question, result in zip(questions, results, strict=True):
        if not isinstance(result, Answered):
            continue
        if question.key is not None:
            counts[metrics.IDEMPOTENCY, "replayed" if result.replayed else "stored"] += 1
        decision = result.decision
        if result.replayed or decision is None:
            continue
        counts[metrics.DECISIONS, decision.outcome.value] += 1
        for reason in decision.reasons:
            counts[metrics.DECISION_REASONS, reason.code, reason.judgement.value] += 1
            if reason.code == "rule_failed":
                log.error("rule_failed", rule=reason.rule, order_ref=question.request.order_ref, message=reason.message)
    for (counter, *labels), count in counts.items():
        counter.labels(*labels).inc(count)
