"""Periodic jobs, in exactly one process at a time.

The processes elect a leader by an advisory lock that the leader's connection holds: only the leader runs jobs, and when
it dies the database frees the lock and another process takes over within seconds. A job may be cut off anywhere and run
again, so each does its work in transactions of its own that find what is left to do.

A queue with cron schedules would fit badly: the sealer runs four times a second, mostly to find nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import uuid4

import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.infra import metrics
from app.infra.clock import stopwatch
from app.infra.logging import bind_request
from app.infra.transaction import Transaction, Transactions
from app.kernel.identity import SYSTEM

LEADER_LOCK: Final = 0x4845_4144_524F_4F4D
"""The advisory lock of the leader: the letters HEADROOM."""
ELECTION_SECONDS: Final = 2.0
HEARTBEAT_SECONDS: Final = 2.0
HEARTBEAT_TIMEOUT_SECONDS: Final = 10.0
JOB_DEADLINE: Final = timedelta(minutes=15)

log = structlog.get_logger("headroom.jobs")


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a job: what it begins its transactions with."""

    transactions: Transactions
    request_id: str

    def begin(self) -> AbstractAsyncContextManager[Transaction]:
        """A transaction of the system."""
        return self.transactions.begin(actor=SYSTEM, request_id=self.request_id)


@dataclass(frozen=True, slots=True)
class Job:
    """Something to be done `every` so often, counted from start to start; a run that takes longer delays the next."""

    name: str
    every: timedelta
    run: Callable[[Run], Awaitable[None]]


async def run_jobs(jobs: Sequence[Job], *, engine: AsyncEngine, transactions: Transactions) -> None:
    """Stands for leader, and while elected runs `jobs`; until cancelled."""
    metrics.LEADER.set(0)
    while True:
        try:
            await _lead(jobs, engine=engine, transactions=transactions)
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            log.warning("leadership_lost", reason=type(error).__name__)
        await asyncio.sleep(ELECTION_SECONDS)


async def _lead(jobs: Sequence[Job], *, engine: AsyncEngine, transactions: Transactions) -> None:
    """Runs the jobs for as long as this process holds the leader's lock; returns at once if another holds it."""
    async with engine.connect() as held:
        connection = await held.execution_options(isolation_level="AUTOCOMMIT")
        if not await connection.scalar(text("select pg_try_advisory_lock(:lock)"), {"lock": LEADER_LOCK}):
            return
        log.info("leading", jobs=len(jobs))
        metrics.LEADER.set(1)
        runners = [asyncio.create_task(_repeat(job, transactions), name=job.name) for job in jobs]
        try:
            await _hold(connection, runners)
        finally:
            metrics.LEADER.set(0)
            for runner in runners:
                runner.cancel()
            await asyncio.gather(*runners, return_exceptions=True)
            await connection.invalidate()  # closes the connection, and with it the lock


async def _hold(connection: AsyncConnection, runners: Sequence[asyncio.Task[None]]) -> None:
    """Returns when a runner ends, which none does by itself; raises when the lock's connection is lost."""
    while not any(runner.done() for runner in runners):
        async with asyncio.timeout(HEARTBEAT_TIMEOUT_SECONDS):
            await connection.execute(text("select 1"))
        await asyncio.sleep(HEARTBEAT_SECONDS)


async def _repeat(job: Job, transactions: Transactions) -> None:
    metrics.JOB_RUNS.labels(job.name, "failed")  # from zero on, so that the first failure is a rise
    due = stopwatch()
    while True:
        began = stopwatch()
        metrics.JOB_LAG_SECONDS.labels(job.name).set(began - due)
        await run_once(job, transactions)
        due = max(due + job.every.total_seconds(), stopwatch())
        await asyncio.sleep(max(0.0, began + job.every.total_seconds() - stopwatch()))


async def run_once(job: Job, transactions: Transactions) -> bool:
    """Runs `job` now; whether it succeeded. A failure is logged and counted, and the next run comes as planned."""
    run = Run(transactions, request_id=f"job:{job.name}:{uuid4().hex[:12]}")
    bind_request(run.request_id)
    try:
        async with asyncio.timeout(JOB_DEADLINE.total_seconds()):
            await job.run(run)
    except Exception:
        metrics.JOB_RUNS.labels(job.name, "failed").inc()
        log.exception("job_failed", job=job.name)
        return False
    metrics.JOB_RUNS.labels(job.name, "done").inc()
    metrics.JOB_DONE_TIMESTAMP.labels(job.name).set(transactions.clock.now().timestamp())
    return True
