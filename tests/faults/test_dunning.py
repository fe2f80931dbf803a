"""Exactly one notice a customer and level, whatever crashes: workers killed at random points, cut off at random awaits,
two schedulers at once, runs repeated."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from sqlalchemy import text

from app.infra.clock import FrozenClock
from tests.domains.dunning.world import LEVELS, Company
from tests.faults.telling import DUNNING, told_otherwise

CUSTOMERS = 6
CANCELLED = 120
KILLED = 24
SOAKED = 200
"""Customers where there is time for it: `pytest -m soak tests/faults/test_dunning.py`."""
DAYS = (0, 14, 29)
"""The days on which the items reach levels 1, 2 and 3."""
LEASE = timedelta(minutes=11)
CHARGED = [{**level, "fees": [{"currency": "CNY", "amount": "5"}]} for level in LEVELS]


@pytest.fixture
async def company(app: FastAPI, api: AsyncClient) -> Company:
    """Customers who owe since six days, and a schedule that reminds them by itself."""
    made = Company(app, api)
    await made.rules(CHARGED, schedule={"hour": 0})
    for number in range(CUSTOMERS):
        await made.customer(f"C{number}")
        await made.owes(f"INV-{number}", customer_id=f"C{number}", overdue=6)
    return made


@pytest.fixture
def worker(database_url: str) -> Iterator[subprocess.Popen[str]]:
    """A process that forks workers."""
    command = [sys.executable, "-m", "tests.faults.dunning_worker", database_url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
        assert process.stdin is not None
        process.stdin.close()


def forked(worker: subprocess.Popen[str], order: str) -> int:
    """The number of a worker that has just been forked."""
    assert worker.stdin is not None
    assert worker.stdout is not None
    worker.stdin.write(f"{order}\n")
    worker.stdin.flush()
    while not (line := worker.stdout.readline().strip()).isdigit():
        assert line, "it has died"
    return int(line)


def wait(worker: subprocess.Popen[str]) -> None:
    assert worker.stdout is not None
    while (line := worker.stdout.readline()) != "gone\n":
        assert line, "it has died"


async def found(company: Company, statement: str) -> list[Any]:
    async with company.app.state.engine.connect() as connection:
        return [tuple(row) for row in await connection.execute(text(statement))]


async def unsent(company: Company, level: int) -> int:
    """How many are still to be sent the notice of `level`."""
    [(sent,)] = await found(company, f"select count(*) from dunning_notices where state = 'sent' and level = {level}")
    return SOAKED - int(sent)


async def check(company: Company, levels: int, *, customers: int = CUSTOMERS) -> None:
    """That each customer has had each level up to `levels` once, with one document and one fee each."""
    expected = [(level, customers) for level in range(1, levels + 1)]
    notices = "select level, count(*) from dunning_notices where state = 'sent' group by level order by level"
    assert await found(company, notices) == expected
    twice = "select customer_id, level from dunning_notices where state = 'sent' group by 1, 2 having count(*) > 1"
    assert await found(company, twice) == []
    waiting = "select state, count(*) from dunning_notices where state in ('proposed', 'released') group by state"
    assert await found(company, waiting) == []
    sent = "select count(*), count(distinct notice_id) from dunning_documents"
    assert await found(company, sent) == [(levels * customers, levels * customers)]
    fees = "select count(*), count(distinct notice_id) from dunning_claims where kind = 'fee'"
    assert await found(company, fees) == [(levels * customers, levels * customers)]
    runs = "select run_on, count(*) from dunning_runs group by run_on having count(*) > 1"
    assert await found(company, runs) == []
    assert await told_otherwise(lambda statement: found(company, statement), DUNNING) == []
    standing = "select distinct dunning_level from accounts where customer_id like 'C%'"
    assert await found(company, standing) == [(levels,)]


class TestWorker:
    async def test_cut_off_at_random_awaits_reminds_everybody_once(self, company: Company, clock: FrozenClock) -> None:
        chance = random.Random(20260302)
        began, cut = clock.now(), 0
        for level, day in enumerate(DAYS, start=1):
            clock.move(to=began + timedelta(days=day))
            for _ in range(CANCELLED // len(DAYS)):
                work = asyncio.create_task(company.works())
                for _ in range(chance.randrange(1, 60)):
                    await asyncio.sleep(0 if chance.random() < 0.5 else 0.001)
                cut += not work.done()
                work.cancel()
                with suppress(asyncio.CancelledError):
                    await work
                clock.move(by=LEASE)
            await company.works()
            await company.works()
            await check(company, level)
        assert cut + KILLED >= 100

    @pytest.mark.slow
    async def test_killed_at_random_points_reminds_everybody_once(
        self, company: Company, clock: FrozenClock, worker: subprocess.Popen[str]
    ) -> None:
        chance = random.Random(20260302)
        began = clock.now()
        for level, day in enumerate(DAYS, start=1):
            at: datetime = began + timedelta(days=day)
            for _ in range(KILLED // len(DAYS)):
                number = forked(worker, at.isoformat())
                time.sleep(chance.uniform(0.02, 0.4))
                os.kill(number, signal.SIGKILL)
                wait(worker)
                at += LEASE
            forked(worker, f"finish {at.isoformat()}")
            wait(worker)
            await check(company, level)

    @pytest.mark.soak
    @pytest.mark.timeout(1800)
    async def test_killed_at_its_work_a_hundred_times_reminds_everybody_once(
        self, company: Company, clock: FrozenClock, worker: subprocess.Popen[str]
    ) -> None:
        """Only kills that leave something undone are counted. Where the machine is slow, workers live longer."""
        for number in range(CUSTOMERS, SOAKED):
            await company.customer(f"C{number}")
            await company.owes(f"INV-{number}", customer_id=f"C{number}", overdue=6)
        chance, began, killed = random.Random(20260302), clock.now(), 0
        for level, day in enumerate(DAYS, start=1):
            at: datetime = began + timedelta(days=day)
            seconds, left = 0.5, SOAKED
            while left:
                number = forked(worker, at.isoformat())
                time.sleep(chance.uniform(0.05, seconds))
                os.kill(number, signal.SIGKILL)
                wait(worker)
                at += LEASE
                before, left = left, await unsent(company, level)
                seconds = 0.5 if left < before else min(seconds * 1.5, 30.0)
                killed += left > 0
            forked(worker, f"finish {at.isoformat()}")
            wait(worker)
            await check(company, level, customers=SOAKED)
        assert killed >= 100

    async def test_beside_others_reminds_everybody_once(self, company: Company, clock: FrozenClock) -> None:
        began = clock.now()
        for level, day in enumerate(DAYS, start=1):
            clock.move(to=began + timedelta(days=day))
            outcomes = await asyncio.gather(*(company.works() for _ in range(3)), return_exceptions=True)
            clock.move(by=LEASE)
            await company.works()
            assert any(outcome is None for outcome in outcomes)
            await check(company, level)

    async def test_that_comes_round_again_reminds_nobody_again(self, company: Company, clock: FrozenClock) -> None:
        for _ in range(3):
            await company.works()
            clock.move(by=LEASE)
        await check(company, 1)
