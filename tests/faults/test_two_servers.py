"""Two server processes on one database: what is decided at one holds at the other."""

from __future__ import annotations

import asyncio
import copy
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

import httpx

from tests.faults.company import CHECKS, check, open_account

WAIT_SECONDS_MAX: Final = 30.0
"""Far more than the two seconds that are promised: the machine may be busy."""


class TestAPolicyActivatedAtOneServer:
    async def test_judges_the_next_check_at_the_other(self, clients: list[httpx.AsyncClient]) -> None:
        here, there = clients
        await open_account(there, "POLICY", limit="1000.00")
        before = await decide(there, "POLICY", "P-1")
        assert before["outcome"] == "approved"
        version = await activate(here, order_value={"effect": "decline", "max_amount": "5.00"})
        after = await decide(there, "POLICY", "P-2")
        assert (after["outcome"], after["policy"]["version"]) == ("declined", version)
        assert "order_value_exceeded" in [reason["code"] for reason in after["reasons"]]
        back = await activate(here, order_value=None)
        again = await decide(there, "POLICY", "P-3")
        assert (again["outcome"], again["policy"]["version"]) == ("approved", back)


class TestAKeyRevokedAtOneServer:
    async def test_soon_stops_working_at_the_other(self, clients: list[httpx.AsyncClient]) -> None:
        here, there = clients
        wish = {"name": "order entry", "kind": "service", "scopes": ["orders:check"]}
        made = (await here.post("/v1/api-keys", json=wish)).raise_for_status().json()
        headers = {"Authorization": f"Bearer {made['key']}"}

        async def status() -> int:
            return (await there.get("/v1/credit-checks", headers=headers)).status_code

        assert await status() == 200
        (await here.delete(f"/v1/api-keys/{made['id']}")).raise_for_status()
        await until(status, 401)
        assert [await status() for _ in range(5)] == [401] * 5

    async def test_stops_working_where_it_is_used_all_the_time(self, clients: list[httpx.AsyncClient]) -> None:
        here, there = clients
        wish = {"name": "busy order entry", "kind": "service", "scopes": ["orders:check"]}
        made = (await here.post("/v1/api-keys", json=wish)).raise_for_status().json()
        headers = {"Authorization": f"Bearer {made['key']}"}
        statuses = [(await there.get("/v1/credit-checks", headers=headers)).status_code for _ in range(20)]
        assert set(statuses) == {200}
        (await here.delete(f"/v1/api-keys/{made['id']}")).raise_for_status()

        async def status() -> int:
            return (await there.get("/v1/credit-checks", headers=headers)).status_code

        await until(status, 401, pause=0)


async def activate(client: httpx.AsyncClient, *, order_value: dict[str, Any] | None) -> int:
    """Puts a policy with this rule in force; its version."""
    document = copy.deepcopy((await client.get("/v1/policies/main")).raise_for_status().json()["document"])
    document["order_checks"]["order_value"] = order_value
    drafted = await client.post("/v1/policies/main/versions", json={"document": document, "note": "test"})
    version: int = drafted.raise_for_status().json()["version"]
    (await client.post(f"/v1/policies/main/versions/{version}/activate", json={})).raise_for_status()
    return version


async def decide(client: httpx.AsyncClient, customer_id: str, order_ref: str) -> dict[str, Any]:
    """A check's answer."""
    answer = await client.post(CHECKS, json=check(customer_id, order_ref, "10.00"))
    decided: dict[str, Any] = answer.raise_for_status().json()
    return decided


async def until(ask: Callable[[], Awaitable[int]], wanted: int, *, pause: float = 0.1) -> None:
    """Returns when `ask` answers what is wanted."""
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while await ask() != wanted:
        assert time.monotonic() < deadline, f"it is not {wanted} after {WAIT_SECONDS_MAX} seconds"
        await asyncio.sleep(pause)
