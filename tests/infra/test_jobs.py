"""Periodic jobs run in one process at a time, and survive failures."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import text

from app.infra import jobs
from app.infra.clock import SystemClock
from app.infra.db.engine import make_engine, make_sessions
from app.infra.jobs import Job, Run, run_jobs, run_once
from app.infra.transaction import Transactions
from app.support.journal import service as journal
from tests.support.patience import until

SOON = timedelta(milliseconds=10)


class Process:
    """A process that stands for leader, with an engine of its own."""

    def __init__(self, database_url: str, work: Callable[[str, Run], object], name: str) -> None:
        self.engine = make_engine(database_url, pool_size=3)
        self.transactions = Transactions(
            make_sessions(self.engine), clock=SystemClock(), journal=journal.write, reactions={}
        )

        async def run(run: Run) -> None:
            work(name, run)

        job = Job("work", SOON, run)
        self.task = asyncio.create_task(run_jobs([job], engine=self.engine, transactions=self.transactions))

    async def stop(self) -> None:
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task
        await self.engine.dispose()


@asynccontextmanager
async def processes(database_url: str, work: Callable[[str, Run], object], *names: str) -> AsyncIterator[list[Process]]:
    running = [Process(database_url, work, name) for name in names]
    try:
        yield running
    finally:
        for process in running:
            await process.stop()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "ELECTION_SECONDS", 0.02)
    monkeypatch.setattr(jobs, "HEARTBEAT_SECONDS", 0.05)


class TestRunJobs:
    async def test_has_one_leader(self, database_url: str) -> None:
        ran: list[str] = []
        async with processes(database_url, lambda name, _: ran.append(name), "a", "b", "c"):
            await until(lambda: len(ran) >= 10)
            assert len(set(ran)) == 1  # asked before the leader is stopped, for then another takes over

    async def test_shows_where_the_leader_is(self, database_url: str) -> None:
        ran: list[str] = []
        async with processes(database_url, lambda name, _: ran.append(name), "a"):
            await until(lambda: ran)
            assert REGISTRY.get_sample_value("headroom_leader") == 1
        assert REGISTRY.get_sample_value("headroom_leader") == 0

    async def test_passes_to_another_when_the_leader_stops(self, database_url: str) -> None:
        ran: list[str] = []
        async with processes(database_url, lambda name, _: ran.append(name), "a", "b") as both:
            await until(lambda: ran)
            leader = ran[0]
            await both[["a", "b"].index(leader)].stop()
            await until(lambda: ran[-1] != leader)

    async def test_stops_when_the_lock_is_lost(self, database_url: str) -> None:
        ran: list[str] = []
        async with processes(database_url, lambda name, _: ran.append(name), "a") as (process,):
            await until(lambda: ran)
            async with process.engine.connect() as connection:
                await connection.execute(
                    text("select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and database = "
                         "(select oid from pg_database where datname = current_database())")
                )  # fmt: skip
            seen = len(ran)
            await until(lambda: len(ran) > seen + 5)  # elected again, on a new connection
            assert not process.task.done()

    async def test_survives_a_database_that_is_away(self) -> None:
        async with processes("postgresql://nobody@127.0.0.1:1/none", lambda _, __: None, "a") as (process,):
            await asyncio.sleep(0.1)
            assert not process.task.done()

    async def test_leaves_no_lock_behind(self, database_url: str) -> None:
        ran: list[str] = []
        async with processes(database_url, lambda name, _: ran.append(name), "a"):
            await until(lambda: ran)
        engine = make_engine(database_url)
        async with engine.connect() as connection:
            count = text("select count(*) from pg_locks where locktype = 'advisory' and database = (select oid from "
                         "pg_database where datname = current_database())")  # fmt: skip
            assert await connection.scalar(count) == 0
        await engine.dispose()


class TestRunOnce:
    async def run(self, database_url: str, job: Job) -> bool:
        engine = make_engine(database_url)
        transactions = Transactions(make_sessions(engine), clock=SystemClock(), journal=journal.write, reactions={})
        try:
            return await run_once(job, transactions)
        finally:
            await engine.dispose()

    async def test_counts_failures_and_goes_on(self, database_url: str) -> None:
        async def fail(run: Run) -> None:
            async with run.begin():
                raise RuntimeError("broken")

        def failures() -> float:
            return REGISTRY.get_sample_value("headroom_job_runs_total", {"name": "failing", "outcome": "failed"}) or 0

        before = failures()
        assert not await self.run(database_url, Job("failing", SOON, fail))
        assert failures() == before + 1

    async def test_says_when_it_last_ended_well(self, database_url: str) -> None:
        async def work(run: Run) -> None:
            pass

        before = SystemClock().now().timestamp()
        assert await self.run(database_url, Job("punctual", SOON, work))
        done = REGISTRY.get_sample_value("headroom_job_done_timestamp_seconds", {"name": "punctual"})
        assert done is not None
        assert before <= done <= SystemClock().now().timestamp()

    async def test_acts_as_the_system(self, database_url: str) -> None:
        actors: list[str] = []

        async def work(run: Run) -> None:
            async with run.begin() as tx:
                actors.append(f"{tx.actor.name} {tx.request_id.rpartition(':')[0]}")

        assert await self.run(database_url, Job("working", SOON, work))
        assert actors == ["system job:working"]
