"""The import of invoices against COPY of the same rows into one table."""

from __future__ import annotations

import asyncio
import csv
import os
import random
import re
import subprocess
import sys
import time
from datetime import date, timedelta
from itertools import count
from pathlib import Path
from typing import Final

import asyncpg

from app.infra.db.embedded import EmbeddedServer
from tests.bench.company import Customers
from tests.bench.generator import SEED
from tests.bench.measures import Effort, Goal, Result, compare

BILLED: Final = Customers("I", 1_000)
ROUNDS: Final = 2
DAYS: Final = 730
FIRST_DAY: Final = date(2024, 1, 1)
TARGET: Final = "imported_rows"

_POSTED: Final = re.compile(r"posted: ([0-9,]+), unchanged: 0, refused: 0")


def measure(server: EmbeddedServer, directory: Path, effort: Effort, *, invoices: int) -> Result:
    """Imports as many invoices a round, of other numbers each time, and copies the rows that came of them."""
    numbers = count()

    def ours() -> float:
        series = f"B{next(numbers)}"
        path = directory / f"{series}.csv"
        _write(path, series, invoices)
        return invoices / _import(server, path, invoices)

    ours()  # fills caches, and makes the rows that are copied
    return compare(
        Effort(min(effort.rounds, ROUNDS), effort.seconds),
        f"import of {invoices:,} invoices, `headroom import` from start to end",
        "COPY of the same rows into a table with the same indexes and checks",
        unit="rows/s",
        ours=ours,
        theirs=lambda: asyncio.run(_copied_per_second(server, directory / "rows.csv", invoices)),
        goal=Goal(0.1, 0.3, at_least=True),
    )


def _write(path: Path, series: str, invoices: int) -> None:
    """A file in no order of days, as exports are."""
    chance = random.Random(SEED)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["invoice_no", "customer_id", "amount", "currency", "issued_on", "due_on"])
        for number in range(invoices):
            issued_on = FIRST_DAY + timedelta(days=chance.randrange(DAYS))
            amount = chance.randint(1_00, 100_000_00)
            writer.writerow(
                [
                    f"{series}/{number:07}",
                    BILLED.customer_id(chance.randint(1, BILLED.count)),
                    f"{amount // 100}.{amount % 100:02}",
                    "CNY",
                    issued_on,
                    issued_on + timedelta(days=30),
                ]
            )


def _import(server: EmbeddedServer, path: Path, invoices: int) -> float:
    """The seconds that the command takes."""
    environment = {**os.environ, "HEADROOM_DATABASE_URL": server.url, "HEADROOM_LOG_LEVEL": "warning"}
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "app.cli", "import", "invoices", str(path)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    seconds = time.perf_counter() - began
    posted = _POSTED.search(done.stdout)
    assert posted, done.stdout
    assert int(posted[1].replace(",", "")) == invoices, done.stdout
    return seconds


async def _copied_per_second(server: EmbeddedServer, path: Path, invoices: int) -> float:
    """Rows a second, of a file that COPY itself has written."""
    connection = await asyncpg.connect(server.dsn)
    try:
        await connection.execute(
            f"drop table if exists {TARGET}; create table {TARGET} (like open_items including all)"
        )
        rows = f"select * from open_items where invoice_no ~ '^B[0-9]+/' order by id limit {invoices}"
        await connection.copy_from_query(rows, output=path, format="csv")
        began = time.perf_counter()
        await connection.copy_to_table(TARGET, source=path, format="csv")
        seconds = time.perf_counter() - began
        assert await connection.fetchval(f"select count(*) from {TARGET}") == invoices
    finally:
        await connection.close()
    return invoices / seconds
