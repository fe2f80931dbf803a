"""Limits that need nobody, offers, and what else a request can come to, over HTTP and with real assessments."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from httpx import AsyncClient, Response

from app.domains.limits.jobs import announce_endings
from app.infra.clock import FrozenClock
from app.infra.jobs import Run
from app.infra.transaction import Transactions
from app.kernel.identity import ActorKind
from app.support.auth.core.scopes import Scope
from tests.domains.limits.world import PATH, Json, People, approve, ask, inbox, people, states, try_to_ask, types
from tests.domains.orders.world import account, check, events, open_account, refused, set_limit
from tests.support.api import ApiAs

pytestmark = pytest.mark.usefixtures("customer")

ACCOUNT = "/v1/customers/C-1/accounts/main"
FIGURES = {
    "revenue": "90000000",
    "net_income": "9000000",
    "depreciation": "3000000",
    "ebit": "12000000",
    "interest_expense": "300000",
    "total_assets": "60000000",
    "current_assets": "40000000",
    "inventory": "8000000",
    "current_liabilities": "12000000",
    "total_liabilities": "18000000",
    "equity": "42000000",
    "retained_earnings": "20000000",
}


@pytest.fixture
async def customer(api: AsyncClient) -> None:
    await open_account(api, limit=None)


@pytest.fixture
async def staff(api_as: ApiAs) -> People:
    return await people(api_as)


@pytest.fixture
async def sound(api: AsyncClient) -> Json:
    """The customer's statement is good: what is recommended, and the grade it has."""
    body = {"currency": "CNY", "audited": True, "source": "annual report", "figures": FIGURES}
    (await api.put("/v1/customers/C-1/financial-statements/2025-12-31", json=body)).raise_for_status()
    report = {"agency": "Creditwatch", "report_ref": "R-1", "reported_on": "2026-02-20", "score": 1}
    scale = {"scale": {"min": 1, "max": 5, "higher_is_better": False}}
    (await api.post("/v1/customers/C-1/credit-reports", json={**report, **scale})).raise_for_status()
    assessed: Json = (await api.post("/v1/customers/C-1/assessments", json={})).raise_for_status().json()
    document = (await api.get("/v1/policies/main")).json()["document"]
    document["approvals"]["automatic"]["ceilings"] = [
        {"grade": grade["name"], "max_amount": "500000"} for grade in document["grades"]
    ]
    drafted = (await api.post("/v1/policies/main/versions", json={"document": document, "note": "test"})).json()
    path = f"/v1/policies/main/versions/{drafted['version']}/activate"
    (await api.post(path, json={})).raise_for_status()
    assert Decimal(assessed["recommended_limit"]["amount"]) > 900_000
    return assessed


async def accept(by: AsyncClient, request: Json, **body: Any) -> Response:
    return await by.post(f"{PATH}/{request['id']}/accept", json=body)


async def cancel(by: AsyncClient, request: Json) -> Response:
    return await by.post(f"{PATH}/{request['id']}/cancel")


async def limits(api: AsyncClient, **params: Any) -> list[tuple[str, str | None]]:
    """Amount and last day of the decisions listed, oldest first."""
    answer = await api.get(f"{ACCOUNT}/limits", params={"order": "asc", **params})
    return [(item["amount"], item["valid_until"]) for item in answer.raise_for_status().json()["items"]]


class TestAutomaticApproval:
    async def test_is_in_force_at_once(
        self, api: AsyncClient, staff: People, sound: Json, transactions: Transactions
    ) -> None:
        asked = await ask(staff.ana, "500000")
        assert (asked["status"], asked["decided_amount"], asked["steps"]) == ("approved", "500000.00", [])
        assert (asked["assessment_id"], asked["grade"]) == (sound["id"], sound["grade"])
        assert (await account(api))["limit"]["effective_amount"] == "500000.00"
        assert await types(transactions, asked["id"]) == [("limit_request_approved", "ana")]

    async def test_refreshes_an_assessment_that_is_stale(
        self, api: AsyncClient, staff: People, sound: Json, clock: FrozenClock
    ) -> None:
        clock.move(by=timedelta(days=90))
        assert (await ask(staff.ana, "1000"))["assessment_id"] == sound["id"]
        clock.move(by=timedelta(days=1))
        assert (await ask(staff.ana, "2000"))["assessment_id"] not in (None, sound["id"])

    async def test_assesses_who_never_was(self, staff: People, transactions: Transactions) -> None:
        asked = await ask(staff.ana, "1000")
        assert asked["assessment_id"] is not None
        assert len(await events(transactions, "customer_assessed")) == 1

    async def test_can_be_judged_again_from_its_facts(self, staff: People, sound: Json, clock: FrozenClock) -> None:
        for amount in ("500000", "600000", "90000000"):
            asked = await ask(staff.ana, amount)
            clock.move(by=timedelta(days=400))
            replayed = (await staff.ana.get(f"{PATH}/{asked['id']}/replay")).json()
            assert replayed["identical"], replayed

    async def test_may_be_asked_by_a_service(self, api_as: ApiAs, sound: Json) -> None:
        robot = await api_as(Scope.LIMITS_REQUEST, kind=ActorKind.SERVICE)
        assert (await ask(robot, "1000"))["status"] == "approved"


class TestCounterOffer:
    async def test_can_be_accepted_while_people_decide(
        self, api: AsyncClient, staff: People, sound: Json, transactions: Transactions
    ) -> None:
        asked = await ask(staff.ana, "600000")
        assert (asked["status"], asked["offered_amount"], states(asked)[0]) == ("pending", "500000.00", "pending")
        accepted = (await accept(staff.ana, asked)).raise_for_status().json()
        assert (accepted["status"], accepted["decided_amount"]) == ("partly_approved", "500000.00")
        assert set(states(accepted)) == {"not_needed"}
        assert (await account(api))["limit"]["effective_amount"] == "500000.00"
        refused(await approve(staff.max, asked), 409, "limit_request_closed")
        assert [kind for kind, _ in await types(transactions, asked["id"])] == [
            "limit_requested",
            "limit_request_approved",
        ]

    async def test_is_for_whoever_asked(self, staff: People, api_as: ApiAs, sound: Json) -> None:
        other = await api_as(Scope.LIMITS_REQUEST, name="other")
        asked = await ask(staff.ana, "600000", on_behalf_of="Olga")
        refused(await accept(other, asked), 403, "not_the_requester")
        olga = await api_as(Scope.LIMITS_REQUEST, name="olga")
        assert (await accept(olga, asked)).status_code == 200

    async def test_is_gone_once_an_approver_has_decided_on_less(self, staff: People, sound: Json) -> None:
        asked = await ask(staff.ana, "900000")
        await approve(staff.max, asked, amount="499999")
        refused(await accept(staff.ana, asked), 409, "limit_request_closed")

    async def test_is_not_there_where_nothing_is_offered(self, staff: People) -> None:
        refused(await accept(staff.ana, await ask(staff.ana, "600000")), 409, "no_counter_offer")


class TestCancel:
    async def test_is_for_whoever_asked(self, staff: People, api_as: ApiAs) -> None:
        asked = await ask(staff.ana, "600000")
        other = await api_as(Scope.LIMITS_REQUEST)
        refused(await cancel(other, asked), 403, "not_the_requester")
        assert (await cancel(staff.ana, asked)).json()["status"] == "cancelled"
        refused(await cancel(staff.ana, asked), 409, "limit_request_closed")
        assert await inbox(staff.max) == []


class TestAsking:
    async def test_needs_the_account_s_currency(self, staff: People) -> None:
        answer = await try_to_ask(staff.ana, "10", currency="EUR")
        refused(answer, 422, "request_currency_differs")

    async def test_needs_days_to_come(self, staff: People) -> None:
        refused(await try_to_ask(staff.ana, "10", valid_until="2026-03-01"), 422, "limit_window_past")
        refused(await try_to_ask(staff.ana, "10", temporary=True), 422, "limit_window_past")

    async def test_needs_an_account(self, api: AsyncClient, staff: People) -> None:
        refused(await try_to_ask(staff.ana, "10", customer_id="nobody"), 404, "customer_not_found")
        refused(await try_to_ask(staff.ana, "10", segment="nowhere"), 404, "segment_not_found")

    async def test_needs_a_rate_where_the_account_has_another_currency(self, api: AsyncClient, staff: People) -> None:
        await open_account(api, "C-2", currency="EUR", limit=None)
        refused(await try_to_ask(staff.ana, "10", customer_id="C-2", currency="EUR"), 422, "fx_rate_missing")
        rates = {"base": "EUR", "rates": {"CNY": "8"}}
        (await api.put("/v1/fx-rates/2026-03-02", json=rates)).raise_for_status()
        asked = await ask(staff.ana, "12500.01", customer_id="C-2", currency="EUR")
        assert [step["needed_authority"] for step in asked["steps"]] == ["100000.08", "100000.08"]

    async def test_under_one_key_happens_once(self, staff: People) -> None:
        body = {"customer_id": "C-1", "amount": "10", "currency": "CNY", "justification": "x"}
        answers = [await staff.ana.post(PATH, json=body, headers={"Idempotency-Key": "k"}) for _ in range(2)]
        assert answers[0].content == answers[1].content


class TestOverdrawn:
    async def test_is_refused_unless_it_is_meant(self, api: AsyncClient, staff: People) -> None:
        await set_limit(api, "C-1", "1000")
        await check(api, "800")
        refused(await try_to_ask(staff.ana, "799"), 409, "limit_below_exposure")
        lowered = await ask(staff.ana, "799", acknowledge_overdrawn=True)
        assert (lowered["kind"], lowered["status"]) == ("lower", "approved")
        assert (await account(api))["headroom"] == "-1.00"

    async def test_can_be_said_by_the_approver(self, api: AsyncClient, staff: People) -> None:
        asked = await ask(staff.ana, "500")
        await set_limit(api, "C-1", "1000")
        await check(api, "800")
        refused(await approve(staff.max, asked), 409, "limit_below_exposure")
        assert (await approve(staff.max, asked, acknowledge_overdrawn=True)).json()["status"] == "approved"


class TestWindows:
    async def test_of_temporary_and_base_limits_lie_side_by_side(
        self, api: AsyncClient, staff: People, clock: FrozenClock
    ) -> None:
        await set_limit(api, "C-1", "1000")
        asked = await ask(staff.ana, "5000", temporary=True, valid_from="2026-03-05", valid_until="2026-03-06")
        assert asked["kind"] == "temporary"
        await approve(staff.max, asked)
        assert (await account(api))["limit"]["effective_amount"] == "1000.00"
        clock.move(by=timedelta(days=3))
        assert (await account(api))["limit"]["effective_amount"] == "5000.00"
        clock.move(by=timedelta(days=2))
        assert (await account(api))["limit"]["effective_amount"] == "1000.00"

    async def test_that_have_passed_are_not_granted(self, staff: People, clock: FrozenClock) -> None:
        asked = await ask(staff.ana, "5000", valid_until="2026-03-05")
        clock.move(by=timedelta(days=4))
        refused(await approve(staff.max, asked), 409, "limit_window_missed")

    async def test_can_be_read_as_valid_on_a_day_and_as_known_at_an_instant(
        self, api: AsyncClient, staff: People, clock: FrozenClock
    ) -> None:
        await set_limit(api, "C-1", "1000")
        clock.move(by=timedelta(days=10))
        await approve(staff.max, await ask(staff.ana, "5000"))
        assert await limits(api, on="2026-03-05", as_of="2026-03-12T10:00:00Z") == [("1000.00", "2026-03-11")]
        assert await limits(api, on="2026-03-12", as_of="2026-03-12T10:00:00Z") == [("5000.00", None)]
        assert await limits(api, on="2026-03-12", as_of="2026-03-05T00:00:00Z") == [("1000.00", None)]
        assert len(await limits(api)) == 3

    async def test_that_end_are_announced_and_told_once(
        self, api: AsyncClient, staff: People, clock: FrozenClock, transactions: Transactions
    ) -> None:
        await approve(staff.max, await ask(staff.ana, "5000", valid_until="2026-03-20"))
        for _ in range(2):
            await announce_endings(Run(transactions, "test"))
        assert await events(transactions, "limit_expiring") == []
        clock.move(by=timedelta(days=4))
        for _ in range(2):
            await announce_endings(Run(transactions, "test"))
        (event,) = await events(transactions, "limit_expiring")
        assert (event["after"]["amount"], event["after"]["valid_until"]) == ("5000.00", "2026-03-20")
        clock.move(by=timedelta(days=15))
        for _ in range(2):
            await announce_endings(Run(transactions, "test"))
        assert len(await events(transactions, "limit_expired")) == 1
        assert (await account(api))["limit"]["effective_amount"] == "0.00"

    async def test_that_another_limit_follows_are_not_announced(
        self, api: AsyncClient, staff: People, clock: FrozenClock, transactions: Transactions
    ) -> None:
        await approve(staff.max, await ask(staff.ana, "5000", valid_until="2026-03-10"))
        await approve(staff.max, await ask(staff.ana, "6000", valid_from="2026-03-11"))
        await announce_endings(Run(transactions, "test"))
        assert await events(transactions, "limit_expiring") == []


class TestReviews:
    async def test_follow_from_the_grade_and_are_completed_with_an_outcome(
        self, api: AsyncClient, staff: People, sound: Json, clock: FrozenClock, transactions: Transactions
    ) -> None:
        (review,) = (await staff.max.get("/v1/reviews")).json()["items"]
        assert review["due_on"] == sound["review_on"]
        assert (await staff.max.get("/v1/reviews", params={"due_before": sound["review_on"]})).json()["items"] == []
        path = f"/v1/reviews/{review['id']}/complete"
        body = {"assessment_id": sound["id"], "outcome": "keep", "note": "as before"}
        clock.move(by=timedelta(days=91))
        refused(await staff.max.post(path, json=body), 422, "assessment_unfit")
        fresh = (await api.post("/v1/customers/C-1/assessments", json={})).json()
        done = (await staff.max.post(path, json={**body, "assessment_id": fresh["id"]})).raise_for_status().json()
        assert (done["completed_by"], done["outcome"], done["assessment_id"]) == ("max", "keep", fresh["id"])
        refused(await staff.max.post(path, json=body), 409, "account_review_completed")
        (following,) = (await staff.max.get("/v1/reviews")).json()["items"]
        assert (following["due_on"], following["id"] != review["id"]) == (fresh["review_on"], True)
        assert len(await events(transactions, "account_reviewed")) == 1

    async def test_are_announced_before_their_day(
        self, staff: People, sound: Json, clock: FrozenClock, transactions: Transactions
    ) -> None:
        await announce_endings(Run(transactions, "test"))
        assert await events(transactions, "account_review_due") == []
        clock.move(by=timedelta(days=366))
        for _ in range(2):
            await announce_endings(Run(transactions, "test"))
        assert len(await events(transactions, "account_review_due")) == 1
