"""The jobs of dunning: scheduled runs, runs under way, delivery, promises, the order of the work list."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Final
from uuid import UUID

import structlog

from app.domains.dunning import service as dunning
from app.domains.dunning.adapters.carriers import Outbox
from app.domains.dunning.core.parcels import Carried, Parcel, Undeliverable
from app.domains.dunning.core.tasks import TaskKind
from app.domains.policies import service as policies
from app.infra import metrics
from app.infra.jobs import Job, Run
from app.kernel.errors import Refusal

TAKEN_AT_ONCE: Final = 20
CARRIED_AT_ONCE: Final = 5
JUDGED_AT_ONCE: Final = 500
RANKED_AT_ONCE: Final = 500
_BEGINNING: Final = UUID(int=0)

log = structlog.get_logger("headroom.dunning")

_BOARD: Final = metrics.Board()


async def begin_scheduled_runs(run: Run) -> None:
    """Begins today's run in every segment whose schedule asks for one."""
    async with run.begin() as tx:
        segments = [segment.segment for segment in await policies.list_segments(tx)]
    for segment in segments:
        try:
            async with run.begin() as tx:
                begun = await dunning.schedule.begin_if_due(tx, segment=segment)
        except Refusal as refusal:
            log.error("dunning_run_not_begun", segment=segment, code=refusal.code, detail=refusal.detail)
        else:
            if begun:
                log.info("dunning_run_begun", segment=segment)


async def go_on_with_runs(run: Run) -> None:
    """Takes every run that is not at its end as far as it goes, a page a transaction."""
    async with run.begin() as tx:
        unfinished = await dunning.runs.unfinished(tx)
    for run_id in unfinished:
        more = True
        while more:
            try:
                async with run.begin() as tx:
                    more = await dunning.runs.go_on(tx, run_id=run_id)
            except Refusal as refusal:
                log.error("dunning_run_stuck", run_id=str(run_id), code=refusal.code, detail=refusal.detail)
                more = False


def delivery(outbox: Outbox) -> tuple[Job, ...]:
    """The job that sends what is released, and by the next channel what came back."""

    async def deliver(run: Run) -> None:
        await _deliver(run, outbox)

    return (Job("deliver_dunning_notices", every=timedelta(seconds=10), run=deliver),)


async def end_promises(run: Run) -> None:
    """Ends promises whose day has passed. Who broke one is called, and is reminded again from now on."""
    ended = JUDGED_AT_ONCE
    while ended == JUDGED_AT_ONCE:
        async with run.begin() as tx:
            broken = await dunning.promises.judge(tx, limit=JUDGED_AT_ONCE)
            for promise in broken:
                await dunning.tasks.open_for(
                    tx,
                    customer_id=promise.customer_id,
                    segment=promise.segment,
                    kind=TaskKind.PROMISE_BROKEN,
                )
            ended = len(broken)
        for promise in broken:
            metrics.PROMISES_ENDED.labels(promise.state).inc()


async def rank_tasks(run: Run) -> None:
    """Orders the work list by today's amounts, risks and days."""
    after: UUID | None = _BEGINNING
    while after is not None:
        async with run.begin() as tx:
            after = await dunning.tasks.rerank_behind(tx, after=after, limit=RANKED_AT_ONCE)


async def look_at_dunning(run: Run) -> None:
    """What waits to be sent and for how long, what reached nobody, runs without an end, rates that are missing."""
    async with run.begin() as tx:
        seen = await dunning.watch.look(tx)
    waited = {segment: (seen.now - since).total_seconds() for segment, (_, since) in seen.waiting.items()}
    _BOARD.show(metrics.DUNNING_WAITING, {(segment,): count for segment, (count, _) in seen.waiting.items()})
    _BOARD.show(metrics.DUNNING_OLDEST_SECONDS, {(segment,): seconds for segment, seconds in waited.items()})
    _BOARD.show(metrics.DUNNING_UNDELIVERED, {(segment,): count for segment, count in seen.undelivered.items()})
    _BOARD.show(metrics.DUNNING_RUNS, seen.runs)
    _BOARD.show(metrics.REFERENCE_RATES_MISSING, {(name,): missing for name, missing in seen.missing_rates.items()})


def retention(keep: timedelta) -> tuple[Job, ...]:
    """The job that deletes why customers were left out of runs older than `keep`."""

    async def delete_old_skips(run: Run) -> None:
        """Deletes batch after batch, so that no transaction is long."""
        deleted, more = 0, True
        while more:
            async with run.begin() as tx:
                gone = await dunning.watch.delete_skips(tx, keep=keep)
            deleted, more = deleted + gone, gone > 0
        if deleted:
            log.info("old_dunning_skips_deleted", deleted=deleted)

    return (Job("delete_old_dunning_skips", timedelta(hours=6), delete_old_skips),)


async def _deliver(run: Run, outbox: Outbox) -> None:
    taken = TAKEN_AT_ONCE
    while taken:
        async with run.begin() as tx:
            parcels = await dunning.delivering.take(tx, languages=outbox.stationery.languages, limit=TAKEN_AT_ONCE)
        taken = len(parcels)
        async with run.begin() as tx:
            parcels = await dunning.delivering.addressees_known(tx, parcels=parcels)
        await _at_most(CARRIED_AT_ONCE, [partial(_send, run, outbox, parcel) for parcel in parcels])


async def _send(run: Run, outbox: Outbox, parcel: Parcel) -> None:
    outcome = await _carried(outbox, parcel)
    async with run.begin() as tx:
        if isinstance(outcome, Undeliverable):
            await dunning.delivering.failed(tx, parcel=parcel, problem=outcome)
        else:
            await dunning.delivering.sent(tx, parcel=parcel, carried=outcome)
    told = "failed" if isinstance(outcome, Undeliverable) else "sent"
    metrics.DUNNING_DELIVERIES.labels(str(parcel.content["level"]), parcel.channel.value, told).inc()


async def _carried(outbox: Outbox, parcel: Parcel) -> Carried | Undeliverable:
    try:
        return await outbox.carry(parcel)
    except Undeliverable as problem:
        log.warning("dunning_delivery_failed", notice_id=str(parcel.notice_id), channel=parcel.channel.value)
        return problem


async def _at_most(limit: int, works: Sequence[Callable[[], Awaitable[None]]]) -> None:
    """Does all of `works`, at most `limit` at a time; what fails is raised when all are through."""
    room = asyncio.Semaphore(limit)

    async def within(work: Callable[[], Awaitable[None]]) -> None:
        async with room:
            await work()

    outcomes = await asyncio.gather(*(within(work) for work in works), return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome


JOBS: Final = (
    Job("begin_dunning_runs", every=timedelta(minutes=1), run=begin_scheduled_runs),
    Job("go_on_with_dunning_runs", every=timedelta(seconds=5), run=go_on_with_runs),
    Job("end_promises", every=timedelta(minutes=5), run=end_promises),
    Job("rank_collection_tasks", every=timedelta(hours=1), run=rank_tasks),
    Job("look_at_dunning", every=timedelta(minutes=1), run=look_at_dunning),
)
