"""The desk through the API: decisions, what they set aside, and what comes back when a check is repeated."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

from httpx import AsyncClient


async def open_account(api: AsyncClient, customer_id: str, *, limit: str | None = "1000.00", currency: str = "CNY") -> None:
    """A customer with an account in the segment main and, unless null, a limit."""
    made = await api.put(f"/v1/customers/{customer_id}", json={"name": f"Customer {customer_id}", "country": "CN"})
    assert made.status_code in (200, 201), made.text
    opened = await api.put(f"/v1/customers/{customer_id}/accounts/main", json={"currency": currency})
    assert opened.status_code == 201, opened.text
    if limit is not None:
        path = f"/v1/customers/{customer_id}/accounts/main/limit"
        granted = await api.post(path, json={"kind": "granted", "amount": limit, "reason": "test"})
        assert granted.status_code in (200, 201), granted.text


def check(customer_id: str, order_ref: str, amount: str, **more: Any) -> dict[str, Any]:
    """The body of a credit check."""
    return {"customer_id": customer_id, "order_ref": order_ref, "amount": amount, "currency": "CNY", **more}


class TestCheck:
    async def test_approves_up_to_exactly_the_limit_and_refers_beyond(self, api: AsyncClient) -> None:
        await open_account(api, "C1")
        first = await api.post("/v1/credit-checks", json=check("C1", "A", "1000.00"))
        assert first.status_code == 201, first.text
        assert first.json()["outcome"] == "approved"
        assert first.json()["headroom_after"] == "0.00"
        assert first.json()["reservation"]["amount"] == "1000.00"
        second = await api.post("/v1/credit-checks", json=check("C1", "B", "0.01"))
        assert second.json()["outcome"] == "referred"
        assert [reason["code"] for reason in second.json()["reasons"]] == ["limit_exceeded", "utilisation_high"]

    async def test_approves_exactly_as_many_of_many_at_once_as_there_is_headroom_for(self, api: AsyncClient) -> None:
        await open_account(api, "C1")
        asked = [api.post("/v1/credit-checks", json=check("C1", f"O{n}", "10.00")) for n in range(200)]
        outcomes = Counter(answer.json()["outcome"] for answer in await asyncio.gather(*asked))
        assert outcomes == {"approved": 100, "referred": 100}
