"""Receivables: posting invoices in batches over HTTP, and aging of many items."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import date, timedelta
from itertools import count
from pathlib import Path
from typing import Final
from urllib.request import Request, urlopen

import asyncpg

from app.infra.clock import SystemClock
from app.infra.db.embedded import EmbeddedServer
from tests.bench.company import Customers
from tests.bench.measures import Effort, Goal, Result, compare
from tests.bench.serving import KEY, Server

POSTED: Final = Customers("P", 1_000)
"""Whose invoices are posted."""
BATCH: Final = 1_000
BATCHES: Final = 10
"""Batches a round: 10,000 invoices."""
TARGET: Final = "posted_rows"
AGED: Final = Customers("A", 10_000, items=100, late=60)
AGED_SMALL: Final = Customers("A", 1_000, items=10, late=5)


def posting(database: EmbeddedServer, server: Server, directory: Path, effort: Effort) -> Result:
    """Invoices a second by `POST /v1/invoices/batch`, one caller, against COPY of the rows that came of them."""
    numbers = count(1)

    def ours() -> float:
        began = time.perf_counter()
        for _ in range(BATCHES):
            _post(server, [_invoice(next(numbers)) for _ in range(BATCH)])
        return BATCH * BATCHES / (time.perf_counter() - began)

    ours()  # fills caches, and makes the rows that are copied
    return compare(
        effort,
        f"invoices posted in batches of {BATCH:,} over HTTP, one caller",
        "COPY of the same rows into a table with the same indexes and checks",
        unit="rows/s",
        ours=ours,
        theirs=lambda: asyncio.run(_copied_per_second(database, directory / "posted.csv")),
        goal=Goal(0.03, 0.1, at_least=True),
    )


def aging(database: EmbeddedServer, server: Server, effort: Effort, crowd: Customers) -> list[Result]:
    """Aging of the whole segment over HTTP, today and yesterday, against PostgreSQL summing the documents."""
    items = f"aging of {crowd.count * crowd.items:,} open items"
    yesterday = SystemClock().now().date() - timedelta(days=1)
    return [
        compare(
            effort,
            f"{items}, `GET /v1/reports/aging?by=segment`",
            "sum of the open items by due day in one query",
            unit="ms",
            ours=lambda: _aged(server),
            theirs=lambda: asyncio.run(_summed(database, _OPEN_NOW)),
            goal=Goal(3.0, 1.0, at_least=False),
        ),
        compare(
            effort,
            f"{items} on a past day, from the ledger: `?by=segment&on=`",
            "sum of what the documents left open on that day in one query",
            unit="ms",
            ours=lambda: _aged(server, f"&on={yesterday}"),
            theirs=lambda: asyncio.run(_summed(database, _OPEN_ON, yesterday)),
            goal=Goal(3.0, 1.0, at_least=False),
        ),
    ]


_OPEN_NOW: Final = "select due_on, sum(account_open_amount) from open_items where open_amount > 0 group by due_on"
_OPEN_ON: Final = """
    select due_on, sum(i.amount - coalesce(a.settled, 0))
      from open_items i
      left join (
           select item_id, sum(amount + discount + difference) as settled from allocations
            where undone_at is null and effective_on <= $1 group by item_id
      ) a on a.item_id = i.id
     where i.kind <> 'credit_note' and i.status <> 'cancelled' and i.issued_on <= $1 group by due_on"""


def _invoice(number: int) -> dict[str, str]:
    return {
        "invoice_no": f"H/{number:07}",
        "customer_id": POSTED.customer_id(number % POSTED.count + 1),
        "amount": f"{number % 90_000 + 1}.00",
        "currency": "CNY",
        "issued_on": "2026-01-05",
        "due_on": f"2026-{number % 12 + 1:02}-28",
    }


def _post(server: Server, items: list[dict[str, str]]) -> None:
    body = json.dumps({"items": items}).encode()
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    with urlopen(Request(f"{server.url}/v1/invoices/batch", body, headers)) as response:
        results = json.load(response)["results"]
    assert [result["status"] for result in results] == [201] * len(items), results[0]


def _aged(server: Server, more: str = "") -> float:
    headers = {"Authorization": f"Bearer {KEY}"}
    began = time.perf_counter()
    with urlopen(Request(f"{server.url}/v1/reports/aging?by=segment{more}", headers=headers)) as response:
        [row] = json.load(response)["items"]
    assert row["total"] != "0.00"
    return (time.perf_counter() - began) * 1000


async def _summed(database: EmbeddedServer, statement: str, *asked: date) -> float:
    connection = await asyncpg.connect(database.dsn)
    try:
        began = time.perf_counter()
        await connection.fetch(statement, *asked)
        return (time.perf_counter() - began) * 1000
    finally:
        await connection.close()


async def _copied_per_second(database: EmbeddedServer, path: Path) -> float:
    connection = await asyncpg.connect(database.dsn)
    try:
        await connection.execute(
            f"drop table if exists {TARGET}; create table {TARGET} (like open_items including all)"
        )
        rows = f"select * from open_items where invoice_no ~ '^H/' order by id limit {BATCH * BATCHES}"
        await connection.copy_from_query(rows, output=path, format="csv")
        began = time.perf_counter()
        await connection.copy_to_table(TARGET, source=path, format="csv")
        return BATCH * BATCHES / (time.perf_counter() - began)
    finally:
        await connection.close()
