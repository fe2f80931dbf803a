"""Exactly once: whoever dies between the commit and the answer, a retry under the same key finds what was decided."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import httpx
import pytest

from tests.faults.company import BUSY, CHECKS, account, check, invoice, open_account, payment
from tests.faults.mortal import FATAL_HEADER, serve_mortally
from tests.faults.site import Server, Site
from tests.faults.wire import Wire

WAIT_SECONDS_MAX: Final = 60.0
RETRIES: Final = 100

REQUESTS: Final[tuple[tuple[str, dict[str, Any], str], ...]] = (
    (CHECKS, check("C1", "O-1", "100.00"), "credit_checks"),
    ("/v1/orders/O-1/shipments", {"shipment_ref": "S-1", "amount": "60.00"}, "shipments"),
    ("/v1/invoices", invoice("C1", "I-1", "60.00", order_ref="O-1"), "open_items"),
    ("/v1/payments", payment("C1", "P-1", "25.00"), "payments"),
    ("/v1/payments/batch", {"items": [payment("C1", "P-2", "5.00"), payment("C1", "P-3", "5.00")]}, "payments"),
)
"""An order on its way: each request with the table that it adds to."""
IN_THE_END: Final = {"open_orders": "40.00", "delivered": "0.00", "receivables": "25.00", "unallocated_credits": "0.00"}


class TestWhenTheServerDiesBeforeItAnswers:
    async def test_a_retry_gets_the_answer_that_was_decided(self, site: Site) -> None:
        server = site.start(program=serve_mortally)
        async with server.client() as client:
            await open_account(client, "C1", limit="1000.00")
        for number, (path, body, table) in enumerate(REQUESTS):
            before = await count(site, table)
            async with server.client() as client:
                with pytest.raises(httpx.TransportError):
                    await client.post(path, json=body, headers={"Idempotency-Key": f"key {number}", FATAL_HEADER: "1"})
            assert server.join() == -9
            decided, added = await kept(site, f"key {number}"), await count(site, table) - before
            assert (decided is not None, added) == (True, len(body.get("items", "1")))
            server = site.start(program=serve_mortally)
            await assert_replayed(server, path, body, f"key {number}", decided)
            assert await count(site, table) == before + added
        async with server.client() as client:
            assert (await account(client, "C1"))["exposure"] | IN_THE_END == (await account(client, "C1"))["exposure"]
        assert site.verify()[0] == 0

    async def test_a_hundred_retries_at_once_at_two_servers_get_one_reservation(self, site: Site) -> None:
        server = site.start(program=serve_mortally)
        async with server.client() as client:
            await open_account(client, "C1", limit="1000.00")
            headers = {"Idempotency-Key": "key", FATAL_HEADER: "1"}
            with pytest.raises(httpx.TransportError):
                await client.post(CHECKS, json=check("C1", "O-1", "100.00"), headers=headers)
        decided = await kept(site, "key")
        servers = [site.start("--no-worker"), site.start("--no-worker")]
        async with servers[0].client() as first, servers[1].client() as second:
            asked = (
                (first, second)[n % 2].post(
                    CHECKS, json=check("C1", "O-1", "100.00"), headers={"Idempotency-Key": "key"}
                )
                for n in range(RETRIES)
            )
            assert {(a.status_code, a.content) for a in await asyncio.gather(*asked)} == {(201, decided)}
        assert await count(site, "credit_checks") == 1


class TestWhenTheDatabaseDiesBeforeItAcknowledges:
    @pytest.mark.parametrize(
        ("word", "number"), [(b'"outcome":"approved"', 0), (b"COMMIT", 2)], ids=["at the desk", "in a transaction"]
    )
    async def test_a_retry_gets_the_answer_that_was_decided(self, site: Site, word: bytes, number: int) -> None:
        path, body, table = REQUESTS[number]
        async with behind_a_wire(site) as (wire, server), server.client() as client:
            await open_account(client, "C1", limit="1000.00")
            wire.arm(word)
            asked = asyncio.create_task(client.post(path, json=body, headers={"Idempotency-Key": "key"}))
            decided = await committed(site, "key")
            assert wire.cut.is_set()
            assert not asked.done()
            site.kill_database()
            assert (await asked).status_code == 503
            site.database.start()
            await assert_replayed(server, path, body, "key", decided)
            assert await count(site, table) == 1
            assert await asyncio.to_thread(server.terminate) in (143, -15)
        assert site.verify()[0] == 0


@asynccontextmanager
async def behind_a_wire(site: Site) -> AsyncIterator[tuple[Wire, Server]]:
    """A server that reaches the database of the site by a wire that can be cut."""
    database = site.database
    database.start()
    login = database.dsn.partition("@")[0]
    async with Wire(lambda: database.port).open() as wire:
        url = f"{login}@127.0.0.1:{wire.port}/headroom"
        yield wire, await asyncio.to_thread(site.start, "--no-worker", HEADROOM_DATABASE_URL=url)


async def assert_replayed(server: Server, path: str, body: dict[str, Any], key: str, decided: bytes | None) -> None:
    """A retry gets `decided`, as soon as the server has found its database again."""
    async with server.client() as client, asyncio.timeout(WAIT_SECONDS_MAX):
        while True:
            answer = await client.post(path, json=body, headers={"Idempotency-Key": key})
            if answer.status_code not in BUSY:
                break
            await asyncio.sleep(0.05)
    assert answer.is_success, answer.text
    assert (answer.content, answer.headers.get("Idempotent-Replayed")) == (decided, "true")


async def committed(site: Site, key: str) -> bytes:
    """The answer kept under a key, as soon as it is committed."""
    async with asyncio.timeout(WAIT_SECONDS_MAX):
        while True:
            if (answer := await kept(site, key)) is not None:
                return answer
            await asyncio.sleep(0.02)


async def kept(site: Site, key: str) -> bytes | None:
    """The answer kept under a key."""
    rows = await site.fetch("select body from idempotency_keys where key = $1", key)
    return rows[0]["body"] if rows else None


async def count(site: Site, table: str) -> int:
    """How many rows a table has."""
    [row] = await site.fetch(f"select count(*) as n from {table}")
    n: int = row["n"]
    return n
