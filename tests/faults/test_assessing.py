"""A run over a portfolio whose process is killed: everybody is assessed once, whoever goes on with it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import asyncpg
import pytest

from app.settings import Settings
from tests.bench import company
from tests.bench.company import Customers
from tests.support.cluster import libpq

CUSTOMERS: Final = 320
KILLS: Final = 3
_PROGRESS: Final = re.compile(r"([0-9,]+) of ([0-9,]+)")


@pytest.fixture
async def portfolio(database_url: str) -> str:
    """The URL of a database with a few hundred accounts."""
    await company.found(Settings(database_url=database_url), [Customers("K", CUSTOMERS, items=2, late=1)])
    return database_url


@contextmanager
def assessing(url: str, *more: str) -> Iterator[subprocess.Popen[str]]:
    """`headroom assess`, in a process of its own."""
    command = [sys.executable, "-m", "app.cli", "assess", "--all", *more]
    environment = os.environ | {"HEADROOM_DATABASE_URL": url}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        yield process


def killed(process: subprocess.Popen[str], *, at_least: int) -> None:
    """Kills the process as soon as it says that so many accounts are done."""
    assert process.stderr is not None
    for line in process.stderr:
        told = _PROGRESS.search(line)
        if told and int(told[1].replace(",", "")) >= at_least:
            break
    os.kill(process.pid, signal.SIGKILL)


async def ask(url: str, question: str) -> list[tuple[Any, ...]]:
    """What the database answers."""
    connection = await asyncpg.connect(libpq(url))
    try:
        return [tuple(row) for row in await connection.fetch(question)]
    finally:
        await connection.close()


@pytest.mark.slow
async def test_a_run_that_is_killed_goes_on_where_it_was(portfolio: str) -> None:
    more: tuple[str, ...] = ()
    done = 0
    for _ in range(KILLS):
        with assessing(portfolio, *more) as process:
            killed(process, at_least=done + 1)
        [(run_id, done)] = await ask(portfolio, "select id::text, assessed from assessment_runs")
        assert 0 < done < CUSTOMERS
        more = ("--resume", str(run_id))
        every = "select count(*), count(distinct customer_id) from assessments"
        assert await ask(portfolio, every) == [(done, done)]
    with assessing(portfolio, *more) as process:
        said, _ = process.communicate()
    assert process.returncode == 0
    assert said.strip() == f"assessed {CUSTOMERS + 1:,}, skipped 0, failed 0"  # and the one that the others are like
    once = [(CUSTOMERS + 1, CUSTOMERS + 1)]
    assert await ask(portfolio, "select count(*), count(distinct customer_id) from assessments") == once
    told = "select count(*), count(distinct customer_id) from events where type = 'customer_assessed'"
    assert await ask(portfolio, told) == once
    assert await ask(portfolio, "select count(*), count(distinct account_id) from account_reviews") == once
    assert await ask(portfolio, "select count(*) from accounts where grade is null") == [(0,)]
