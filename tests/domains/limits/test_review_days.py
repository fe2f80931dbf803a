"""Every account that has credit has a day on which it is reviewed, whoever gave it the credit."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from httpx import AsyncClient

from app.domains.exposure import service as exposure
from app.infra.transaction import Transactions
from app.kernel.identity import SYSTEM
from tests.domains.limits.world import approve, ask, people
from tests.domains.orders.world import Json, events, open_account
from tests.support.api import ApiAs

ACCOUNT = "/v1/customers/C-1/accounts/main"
UNGRADED = "2026-08-29"
"""180 days after the Monday on which the clock stands."""


async def due(api: AsyncClient, **params: Any) -> list[tuple[str, str]]:
    """Which accounts are to be reviewed, and when."""
    found: list[Json] = (await api.get("/v1/reviews", params=params)).raise_for_status().json()["items"]
    return [(review["customer_id"], review["due_on"]) for review in found]


async def decide(api: AsyncClient, path: str = "limit", **decision: Any) -> None:
    answer = await api.post(f"{ACCOUNT}/{path}", json={"reason": "test", **decision})
    assert answer.is_success, answer.text


async def grade(transactions: Transactions, customer_id: str, grade: str) -> None:
    async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
        await exposure.note_risk(tx, customer_id=customer_id, segment="main", grade=grade)


class TestALimitSetOutright:
    async def test_is_reviewed_as_soon_as_the_policy_says_without_a_grade(self, api: AsyncClient) -> None:
        await open_account(api, "C-1", limit=None)
        assert await due(api) == []
        await decide(api, kind="granted", amount="1000")
        assert await due(api) == [("C-1", UNGRADED)]
        assert await due(api, due_before="2026-08-29") == []
        assert await due(api, due_before="2026-08-30") == [("C-1", UNGRADED)]

    async def test_is_reviewed_by_its_grade(self, api: AsyncClient, transactions: Transactions) -> None:
        grades = (await api.get("/v1/policies/main")).json()["document"]["grades"]
        days = {each["name"]: each["review_days"] for each in grades}
        await open_account(api, "C-1", limit=None)
        await grade(transactions, "C-1", grades[-1]["name"])
        await decide(api, kind="granted", amount="1000")
        ((_, found),) = await due(api)
        assert (date.fromisoformat(found) - date(2026, 3, 2)).days == days[grades[-1]["name"]]

    @pytest.mark.parametrize("decision", [{"kind": "none"}, {"kind": "granted", "amount": "0"}])
    async def test_that_gives_nothing_is_not_reviewed(self, api: AsyncClient, decision: Json) -> None:
        await open_account(api, "C-1", limit=None)
        await decide(api, **decision)
        assert await due(api) == []

    async def test_without_bound_or_shared_is_reviewed_too(self, api: AsyncClient) -> None:
        await open_account(api, "C-1", limit=None)
        await decide(api, kind="unlimited")
        assert len(await due(api)) == 1
        await open_account(api, "C-2", limit=None)
        shared = {"kind": "granted", "amount": "10", "reason": "test"}
        (await api.post("/v1/customers/C-2/accounts/main/group-limit", json=shared)).raise_for_status()
        assert len(await due(api)) == 2

    async def test_leaves_the_day_that_is_set_already(self, api: AsyncClient, transactions: Transactions) -> None:
        await open_account(api, "C-1")
        await grade(transactions, "C-1", "A")
        await decide(api, kind="granted", amount="2000")
        assert await due(api) == [("C-1", UNGRADED)]
        assert len(await events(transactions, "account_review_scheduled")) == 1


async def test_a_limit_that_was_asked_for_is_reviewed_as_its_assessment_says(api: AsyncClient, api_as: ApiAs) -> None:
    await open_account(api, "C-1", limit=None)
    staff = await people(api_as)
    asked = await ask(staff.ana, "50000")
    (await approve(staff.max, asked)).raise_for_status()
    ((customer_id, _),) = await due(api)
    assert customer_id == "C-1"
