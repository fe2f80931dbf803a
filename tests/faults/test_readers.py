"""Order checks outlive lists and reports: however many read, and however slowly, orders are decided."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import httpx

from tests.faults.company import CHECKS, check, invoice, open_account
from tests.faults.site import Site

LET_IN: Final = 8
"""How many requests a server lets in that is small enough to be flooded from here."""
READERS: Final = 200
"""More than a server lets in at once, checks apart."""
ORDERS: Final = 20
READ: Final = ("/v1/invoices", "/v1/reports/aging", "/v1/customers/READ/statement", "/v1/customers/READ/aging")


class TestAFloodOfListsAndReports:
    async def test_that_never_ends_refuses_no_check(self, site: Site) -> None:
        server = site.start("--no-worker", HEADROOM_MAX_REQUESTS=str(LET_IN))
        over = asyncio.Event()
        statuses: Counter[int] = Counter()
        async with server.client() as client, asyncio.TaskGroup() as readers:
            await _found(client, "FLOOD")

            async def read(number: int) -> None:
                while not over.is_set():
                    statuses[await _read(client, number)] += 1

            for number in range(4 * LET_IN):
                readers.create_task(read(number))
            await _decide_all(client, "FLOOD")
            over.set()
        assert set(statuses) == {200, 503}, f"so many read that some had to be refused: {statuses}"
        assert site.verify()[0] == 0

    async def test_that_hangs_in_the_database_refuses_no_check(
        self, shared_site: Site, clients: list[httpx.AsyncClient]
    ) -> None:
        await _found(clients[0], "HANG")
        async with _nobody_reads_items(shared_site):
            readers = [asyncio.create_task(_read(clients[0], number)) for number in range(READERS)]
            await asyncio.sleep(0.5)
            await _decide_all(clients[0], "HANG")
            assert (await clients[0].get("/readyz")).status_code == 200, "orders go on being sent here"
            assert sum(not reader.done() for reader in readers) > 0, "some still hang"
        assert set(await asyncio.gather(*readers)) <= {200, 503}


async def _found(client: httpx.AsyncClient, customer_id: str) -> None:
    for one in (customer_id, "READ"):
        await open_account(client, one, limit="1000000.00")
    items = [invoice("READ", f"{customer_id}-{n}", "10.00") for n in range(100)]
    answer = await client.post(
        "/v1/invoices/batch", json={"items": items}, headers={"Idempotency-Key": f"{customer_id}-items"}
    )
    assert answer.status_code == 207, answer.text


async def _read(client: httpx.AsyncClient, number: int) -> int:
    answer = await client.get(READ[number % len(READ)])
    assert answer.status_code in (200, 503), answer.text
    assert answer.status_code == 200 or "Retry-After" in answer.headers
    return answer.status_code


async def _decide_all(client: httpx.AsyncClient, customer_id: str) -> None:
    """Orders one after another and orders at once, each asked for once only: all of them are approved."""

    async def ask(number: int) -> httpx.Response:
        return await client.post(CHECKS, json=check(customer_id, f"{customer_id}-{number}", "1.00"))

    answers = [await ask(number) for number in range(ORDERS // 2)]
    answers += await asyncio.gather(*(ask(number) for number in range(ORDERS // 2, ORDERS)))
    found = Counter((answer.status_code, answer.json().get("outcome")) for answer in answers)
    assert found == {(201, "approved"): ORDERS}, [a.text for a in answers if a.status_code != 201][:3]


@asynccontextmanager
async def _nobody_reads_items(site: Site) -> AsyncIterator[None]:
    """Inside the block whoever reads open items waits, as behind a report that reads all of a slow disk."""
    connection = await site.connect()
    try:
        async with connection.transaction():
            await connection.execute("lock table open_items in access exclusive mode")
            yield
    finally:
        await connection.close()
