"""Different customers never wait for each other: an account that is held for long delays nobody but its own."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from statistics import median
from typing import Final

import httpx

from tests.faults.company import CHECKS, check, invoice, open_account, payment, post
from tests.faults.site import Site

WINDOWS: Final = 3
REQUESTS_A_WINDOW: Final = 30
SLOWER_MAX: Final = 5.0
"""The typical request may take so many times longer while a crowd presses: refusing it costs time, too. Whoever had to
wait for the account itself, or for a connection, would take hundreds of times longer."""
CROWD: Final = 40
"""More requests for the held account than a server has connections."""

Ask = Callable[[int], Awaitable[httpx.Response]]


class TestAnAccountThatIsHeldForSeconds:
    async def test_delays_no_check_of_another(self, shared_site: Site, clients: list[httpx.AsyncClient]) -> None:
        client = clients[0]
        await found(client, "CHECKS")
        await assert_not_delayed(
            shared_site,
            "CHECKS-HELD",
            held=lambda n: client.post(CHECKS, json=check("CHECKS-HELD", f"CH-{n}", "1.00")),
            free=lambda n: client.post(CHECKS, json=check("CHECKS-FREE", f"CF-{n}", "1.00")),
        )

    async def test_delays_no_posting_to_another(self, shared_site: Site, clients: list[httpx.AsyncClient]) -> None:
        client = clients[0]
        await found(client, "POSTINGS")
        await assert_not_delayed(
            shared_site,
            "POSTINGS-HELD",
            held=lambda n: client.post("/v1/invoices", json=invoice("POSTINGS-HELD", f"PH-{n}", "1.00")),
            free=lambda n: client.post("/v1/invoices", json=invoice("POSTINGS-FREE", f"PF-{n}", "1.00")),
        )


class TestBatchesOverGroups:
    async def test_post_everything_once_though_their_members_cross(
        self, shared_site: Site, clients: list[httpx.AsyncClient]
    ) -> None:
        members = await cross_groups(clients[0])
        deadlocks = await deadlocks_so_far(shared_site)
        order = random.Random(3)
        asked = []
        for number in range(24):
            order.shuffle(members)
            if number % 2:
                path, items = "/v1/payments/batch", [payment(m, f"X-{number}-{m}", "1.00") for m in members]
            else:
                path, items = "/v1/invoices/batch", [invoice(m, f"X-{number}-{m}", "3.00") for m in members]
            asked.append(post(clients[number % 2], path, {"items": items}, f"batch-{number}"))
            checked = check(members[0], f"X-{number}", "1.00")
            asked.append(post(clients[number % 2], CHECKS, checked, f"check-{number}"))
        answers = await asyncio.gather(*asked)
        statuses = [r["status"] for a in answers if a.status_code == 207 for r in a.json()["results"]]
        assert statuses == [201] * 24 * len(members)
        assert await deadlocks_so_far(shared_site) == deadlocks
        rows = await shared_site.fetch(
            "select receivables - unallocated_credits as owed from accounts where customer_id like 'CROSS-%-%'"
        )
        assert [row["owed"] for row in rows] == [Decimal(12 * 3 - 12 * 1)] * len(members)
        assert shared_site.verify()[0] == 0


async def found(client: httpx.AsyncClient, name: str) -> None:
    """Two customers: one to be held, one that is free."""
    for kind in ("HELD", "FREE"):
        await open_account(client, f"{name}-{kind}", limit="100000.00")


async def cross_groups(client: httpx.AsyncClient) -> list[str]:
    """The members of two groups, without the parents."""
    members = []
    for group in "AB":
        await open_account(client, f"CROSS-{group}", limit="0", group_limit="100000.00")
        for number in range(4):
            members.append(f"CROSS-{group}-{number}")
            await open_account(client, members[-1], limit="100000.00", parent_id=f"CROSS-{group}")
    return members


async def assert_not_delayed(site: Site, customer_id: str, *, held: Ask, free: Ask) -> None:
    """Measures `free` with and without somebody holding the account, in turn, while a crowd asks for the held one."""
    numbers = iter(range(10_000))
    alone: list[float] = []
    beside: list[float] = []
    for _ in range(WINDOWS):
        alone += await seconds_of(free, numbers=[next(numbers) for _ in range(REQUESTS_A_WINDOW)])
        async with held_account(site, customer_id), pressing(held, [next(numbers) for _ in range(CROWD)]):
            await asyncio.sleep(0.2)
            beside += await seconds_of(free, numbers=[next(numbers) for _ in range(REQUESTS_A_WINDOW)])
    slower = median(beside) / median(alone)
    assert slower <= SLOWER_MAX, f"{slower:.1f} times as slow; the slowest took {max(beside):.2f} seconds"


@asynccontextmanager
async def pressing(ask: Ask, numbers: list[int]) -> AsyncIterator[None]:
    """Inside the block a crowd asks again and again for an account that is held, as impatient clients do, in vain."""
    over = asyncio.Event()

    async def press(number: int) -> None:
        while not over.is_set():
            answer = await ask(number)
            assert answer.status_code == 503 or over.is_set(), answer.text
            await asyncio.sleep(0.1)

    crowd = [asyncio.create_task(press(number)) for number in numbers]
    try:
        yield
    finally:
        over.set()
        await asyncio.gather(*crowd)


async def seconds_of(ask: Ask, *, numbers: list[int]) -> list[float]:
    """How long each request took, one after another; all are granted."""
    took = []
    for number in numbers:
        began = time.perf_counter()
        answer = await ask(number)
        took.append(time.perf_counter() - began)
        assert answer.status_code == 201, answer.text
    return took


@asynccontextmanager
async def held_account(site: Site, customer_id: str) -> AsyncIterator[None]:
    """Inside the block another program holds the account."""
    connection = await site.connect()
    try:
        async with connection.transaction():
            await connection.execute("select 1 from accounts where customer_id = $1 for update", customer_id)
            yield
    finally:
        await connection.close()


async def deadlocks_so_far(site: Site) -> int:
    """How many deadlocks the database has resolved since it was made."""
    [row] = await site.fetch("select deadlocks from pg_stat_database where datname = current_database()")
    deadlocks: int = row["deadlocks"]
    return deadlocks
