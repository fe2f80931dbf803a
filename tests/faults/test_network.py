"""The network between service and database is slow, breaks at any byte, or swallows everything for ten seconds.

Afterwards there is exactly one reservation for each key that was acknowledged or sent again, no connection has been
leaked, and the books agree.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import httpx
from fastapi import FastAPI
from pydantic import SecretStr

from app.domains.orders.desk import DESK_CONNECTIONS
from app.main import ESSENTIAL_CONNECTIONS, create_app
from app.settings import Settings
from tests.faults import audit, load
from tests.faults.company import BUSY, CHECKS, account, check, invoice, open_account, post
from tests.faults.ledger import Ledger
from tests.faults.site import Site
from tests.faults.test_retries import behind_a_wire, count
from tests.faults.wire import Exchange, Wire
from tests.support.api import BOOTSTRAP_KEY, client_of

CUTS_MIN: Final = 200
"""How many places of the desk's exchange are cut: every byte of the answer, and as many of the question as it takes."""
DELAY_SECONDS: Final = 0.02
BLACK_HOLE_SECONDS: Final = 10.0
LOAD_SECONDS: Final = 2.0
BREAKS: Final = 10
CALM_SECONDS_MAX: Final = 30.0
CONNECTIONS_MAX: Final = 10 + ESSENTIAL_CONNECTIONS + DESK_CONNECTIONS
"""How many a server keeps: those of its requests, as many as the setting's default, and what is set apart."""


@dataclass(frozen=True, slots=True)
class Behind:
    """An application of this process behind a wire."""

    app: FastAPI
    api: httpx.AsyncClient
    wire: Wire


class TestAConnectionThatBreaks:
    async def test_at_any_byte_of_a_commit_leaves_one_invoice(self, site: Site) -> None:
        async with application_behind_a_wire(site) as there:
            await open_account(there.api, "C1", limit="100000.00")
            whole = await observed(there, b"COMMIT", "/v1/invoices", invoice("C1", "I-whole", "1.00"))
            cuts = places(whole, at_least=0)
            for number, cut in enumerate(cuts):
                body = invoice("C1", f"I-{number}", "1.00")
                await cut_and_sent_again(there, cut, "/v1/invoices", body, f"key-{number}")
            assert (await account(there.api, "C1"))["exposure"]["receivables"] == f"{len(cuts) + 1}.00"
            assert await count(site, "open_items") == len(cuts) + 1
            await assert_nothing_leaked(there, site)
        assert len(cuts) == whole.asked + whole.answered + 1
        assert site.verify()[0] == 0

    async def test_at_hundreds_of_bytes_of_a_decision_leaves_one_reservation(self, site: Site) -> None:
        async with application_behind_a_wire(site) as there:
            await open_account(there.api, "C1", limit="100000.00")
            whole = await observed(there, b'"outcome":"approved"', CHECKS, check("C1", "O-whole", "1.00"))
            cuts = places(whole, at_least=CUTS_MIN)
            for number, cut in enumerate(cuts):
                await cut_and_sent_again(there, cut, CHECKS, check("C1", f"O-{number}", "1.00"), f"key-{number}")
            assert (await account(there.api, "C1"))["exposure"]["open_orders"] == f"{len(cuts) + 1}.00"
            for table in ("credit_checks", "commitments"):
                assert await count(site, table) == len(cuts) + 1
            assert await count(site, "idempotency_keys where key like 'key-%'") == len(cuts)
            await assert_nothing_leaked(there, site)
        assert len(cuts) >= CUTS_MIN
        assert site.verify()[0] == 0

    async def test_again_and_again_under_load_loses_nothing_and_does_nothing_twice(self, site: Site) -> None:
        ledger = Ledger()
        async with behind_a_wire(site) as (wire, server):
            async with server.client() as client:
                await load.found(client)
            async with load.under_load([server], ledger):
                for number in range(BREAKS):
                    wire.expect((b"COMMIT", b'"outcome":')[number % 2], answer_most=2 * number)
                    async with asyncio.timeout(CALM_SECONDS_MAX):
                        await wire.cut.wait()
            await load.settle(server, ledger)
            assert await audit.findings_on_everything(site, ledger) == []
            await assert_calm(site)
        assert site.verify()[0] == 0


class TestANetworkThat:
    async def test_is_slow_changes_nothing(self, site: Site) -> None:
        async with behind_a_wire(site) as (wire, server), server.client() as client:
            await open_account(client, "C1", limit="100.00")
            wire.delay_seconds = DELAY_SECONDS
            bodies = [check("C1", f"O-{n % 30}", "10.00") for n in range(60)]
            keys = [f"key-{n % 30}" for n in range(60)]
            answers = await asyncio.gather(
                *(post(client, CHECKS, body, key) for body, key in zip(bodies, keys, strict=True))
            )
            wire.delay_seconds = 0.0
            assert {answer.status_code for answer in answers} == {201}
            assert len({answer.content for answer in answers}) == 30
            approved = {answer.json()["order_ref"] for answer in answers if answer.json()["outcome"] == "approved"}
            assert len(approved) == 10
            assert await count(site, "commitments where open_amount > 0") == 10
            await assert_calm(site)
        assert site.verify()[0] == 0

    async def test_swallows_everything_for_ten_seconds_loses_nothing_and_does_nothing_twice(self, site: Site) -> None:
        ledger = Ledger()
        async with behind_a_wire(site) as (wire, server):
            async with server.client() as client:
                await load.found(client)
            async with load.under_load([server], ledger):
                await asyncio.sleep(LOAD_SECONDS)
                wire.swallows = True
                await asyncio.sleep(BLACK_HOLE_SECONDS)
                wire.swallows = False
                before = len(ledger.acknowledged)
                await asyncio.sleep(LOAD_SECONDS)
                assert len(ledger.acknowledged) > before, "it goes on by itself"
            await load.settle(server, ledger)
            assert await audit.findings_on_everything(site, ledger) == []
            await assert_calm(site)
        assert site.verify()[0] == 0


@asynccontextmanager
async def application_behind_a_wire(site: Site) -> AsyncIterator[Behind]:
    """An application whose connections to the site's database go over a wire."""
    database = site.database
    database.start()
    login = database.dsn.partition("@")[0]
    async with Wire(lambda: database.port).open() as wire:
        settings = Settings(
            database_url=f"{login}@127.0.0.1:{wire.port}/headroom",
            bootstrap_key=SecretStr(BOOTSTRAP_KEY),
            worker_in_server=False,
        )
        app = create_app(settings)
        async with app.router.lifespan_context(app), client_of(app, BOOTSTRAP_KEY) as api:
            yield Behind(app, api, wire)


async def observed(there: Behind, word: bytes, path: str, body: dict[str, Any]) -> Exchange:
    """The exchange that begins with `word`, undisturbed."""
    exchange = there.wire.expect(word)
    (await post(there.api, path, body, "whole")).raise_for_status()
    assert exchange.asked, "the question went over the wire"
    assert exchange.answered, "and the answer came over it"
    return exchange


def places(whole: Exchange, *, at_least: int) -> Sequence[Exchange]:
    """Where an exchange like `whole` is cut: at every byte of the answer, and so evenly through the question that there
    are `at_least` so many cuts; at every byte of it when that is fewer."""
    step = max(whole.asked // max(at_least - whole.answered, 1), 1) if at_least else 1
    return [
        *(Exchange(whole.word, ask_most=place) for place in range(0, whole.asked, step)),
        *(Exchange(whole.word, answer_most=place) for place in range(whole.answered + 1)),
    ]


async def cut_and_sent_again(there: Behind, cut: Exchange, path: str, body: dict[str, Any], key: str) -> None:
    """Breaks the connection at one byte, and sends the request again, under its key, until it is acknowledged."""
    there.wire.expect(cut.word, ask_most=cut.ask_most, answer_most=cut.answer_most)
    first = await there.api.post(path, json=body, headers={"Idempotency-Key": key})
    assert there.wire.cut.is_set(), (cut, first.text)
    assert first.status_code in (201, *BUSY), (cut, first.text)
    again = await post(there.api, path, body, key)
    assert again.status_code == 201, (cut, again.text)
    if first.status_code == 201:
        assert (again.content, again.headers.get("Idempotent-Replayed")) == (first.content, "true")


async def assert_nothing_leaked(there: Behind, site: Site) -> None:
    """Every connection is back in its pool, and the database knows of no more than the pools and the desk hold."""
    await assert_calm(site)
    assert there.app.state.engine.pool.checkedout() == 0


async def assert_calm(site: Site) -> None:
    """The database ends what nobody waits for; then no more connections are left than a server keeps, all idle."""
    async with asyncio.timeout(CALM_SECONDS_MAX):
        while True:
            states = await states_of_connections(site)
            if len(states) <= CONNECTIONS_MAX and set(states) <= {"idle"}:
                return
            await asyncio.sleep(0.1)


async def states_of_connections(site: Site) -> Sequence[str]:
    """What the connections of the service are doing, as the database sees them."""
    rows = await site.fetch(
        "select state from pg_stat_activity where application_name like 'headroom%' and backend_type = $1",
        "client backend",
    )
    return [row["state"] for row in rows]
