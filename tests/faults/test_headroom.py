"""Never more than the headroom, and never less: real servers, clients on sockets, all at once."""

from __future__ import annotations

import asyncio
from collections import Counter
from decimal import Decimal

import httpx
import pytest

from tests.faults.company import account, check, check_all, invoice, open_account, post
from tests.faults.site import Site

CLIENTS = 200
REPETITIONS = 3


@pytest.mark.parametrize("servers", [1, 2])
class TestTwoHundredClientsAtOnce:
    async def test_get_exactly_what_one_account_has_room_for(
        self, shared_site: Site, clients: list[httpx.AsyncClient], servers: int
    ) -> None:
        for repetition in range(REPETITIONS):
            name = f"ONE-{servers}-{repetition}"
            await open_account(clients[0], name, limit="1000.00")
            bodies = [check(name, f"{name}-{n}", "10.00") for n in range(CLIENTS)]
            decided = await check_all(clients[:servers], bodies, keys=[f"{name}-{n}" for n in range(CLIENTS)])
            assert Counter(d["outcome"] for d in decided) == {"approved": 100, "referred": 100}
            assert await reserved(shared_site, name) == (100, Decimal(1000))
            assert (await account(clients[0], name))["headroom"] == "0.00"

    async def test_get_exactly_what_a_group_has_room_for_and_no_member_more_than_its_own(
        self, shared_site: Site, clients: list[httpx.AsyncClient], servers: int
    ) -> None:
        for repetition in range(REPETITIONS):
            parent, tight, wide = (f"{kind}-{servers}-{repetition}" for kind in ("PARENT", "TIGHT", "WIDE"))
            await open_account(clients[0], parent, limit="0", group_limit="1000.00")
            await open_account(clients[0], tight, limit="300.00", parent_id=parent)
            await open_account(clients[0], wide, limit="5000.00", parent_id=parent)
            bodies = [check((tight, wide)[n // 2 % 2], f"{parent}-{n}", "10.00") for n in range(CLIENTS)]
            decided = await check_all(clients[:servers], bodies, keys=[f"{parent}-{n}" for n in range(CLIENTS)])
            approved = Counter(d["customer_id"] for d in decided if d["outcome"] == "approved")
            assert (approved.total(), approved[tight] <= 30) == (100, True)
            for member in (tight, wide):
                assert await reserved(shared_site, member) == (approved[member], 10 * Decimal(approved[member]))
            assert (await account(clients[0], parent))["group"]["headroom"] == "0.00"

    async def test_get_one_answer_under_one_key(
        self, shared_site: Site, clients: list[httpx.AsyncClient], servers: int
    ) -> None:
        for repetition in range(REPETITIONS):
            name = f"KEY-{servers}-{repetition}"
            await open_account(clients[0], name, limit="1000.00")
            bodies = [check(name, name, "10.00")] * CLIENTS
            decided = await check_all(clients[:servers], bodies, keys=[name] * CLIENTS)
            assert len({d["id"] for d in decided}) == 1
            assert await reserved(shared_site, name) == (1, Decimal(10))

    async def test_post_one_invoice_under_one_key(
        self, shared_site: Site, clients: list[httpx.AsyncClient], servers: int
    ) -> None:
        name = f"BILL-{servers}"
        await open_account(clients[0], name, limit="1000.00")
        body = invoice(name, name, "10.00")
        answers = await asyncio.gather(
            *(post(clients[n % servers], "/v1/invoices", body, name) for n in range(CLIENTS))
        )
        assert {(answer.status_code, answer.content) for answer in answers} == {(201, answers[0].content)}
        assert sum("Idempotent-Replayed" not in answer.headers for answer in answers) == 1

    async def test_make_one_reservation_of_one_order_whatever_the_keys(
        self, shared_site: Site, clients: list[httpx.AsyncClient], servers: int
    ) -> None:
        name = f"SAME-{servers}"
        await open_account(clients[0], name, limit="1000.00")
        bodies = [check(name, name, "10.00")] * CLIENTS
        decided = await check_all(clients[:servers], bodies, keys=[f"{name}-{n}" for n in range(CLIENTS)])
        assert Counter(d["outcome"] for d in decided) == {"approved": CLIENTS}
        assert await reserved(shared_site, name) == (1, Decimal(10))


class TestTheDatabase:
    async def test_waits_for_the_disk_before_anything_is_acknowledged(
        self, shared_site: Site, clients: list[httpx.AsyncClient]
    ) -> None:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            [row] = await shared_site.fetch(f"select current_setting('{setting}') as value")
            assert row["value"] == "on"

    async def test_agrees_with_itself_after_all_this(self, shared_site: Site, clients: list[httpx.AsyncClient]) -> None:
        assert shared_site.verify()[0] == 0


async def reserved(site: Site, customer_id: str) -> tuple[int, Decimal]:
    """How many orders of a customer bind credit, and what its account says they bind."""
    [row] = await site.fetch(
        "select (select count(*) from commitments c where c.customer_id = a.customer_id and c.open_amount > 0) as n, "
        "a.open_orders from accounts a where a.customer_id = $1",
        customer_id,
    )
    return row["n"], row["open_orders"]
