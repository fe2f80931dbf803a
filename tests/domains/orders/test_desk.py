"""The desk through the API: decisions, what they set aside, and what comes back when a check is repeated."""

from __future__ import annotations

import asyncio
from collections import Counter

from httpx import AsyncClient

from app.infra.transaction import Transactions
from tests.support.business import check, open_account


class TestCheck:
    async def test_approves_up_to_exactly_the_limit_and_refers_beyond(
        self, api: AsyncClient, transactions: Transactions
    ) -> None:
        await open_account(transactions, "C1")
        first = await api.post("/v1/credit-checks", json=check("C1", "A", "1000.00"))
        assert first.status_code == 201, first.text
        assert first.json()["outcome"] == "approved"
        assert first.json()["headroom_after"] == "0.00"
        assert first.json()["reservation"]["amount"] == "1000.00"
        second = await api.post("/v1/credit-checks", json=check("C1", "B", "0.01"))
        assert second.json()["outcome"] == "referred"
        assert [reason["code"] for reason in second.json()["reasons"]] == ["limit_exceeded", "utilisation_high"]

    async def test_approves_exactly_as_many_of_many_at_once_as_there_is_headroom_for(
        self, api: AsyncClient, transactions: Transactions
    ) -> None:
        await open_account(transactions, "C1")
        asked = [api.post("/v1/credit-checks", json=check("C1", f"O{n}", "10.00")) for n in range(200)]
        outcomes = Counter(answer.json()["outcome"] for answer in await asyncio.gather(*asked))
        assert outcomes == {"approved": 100, "referred": 100}
