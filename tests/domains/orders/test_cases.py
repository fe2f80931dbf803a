"""The queue of referred orders: who is at it, what is at stake, who may release how much, and until when."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from httpx import AsyncClient, Response

from app.domains.exposure import service as exposure
from app.infra.clock import FrozenClock
from app.infra.transaction import Transactions
from app.kernel.identity import SYSTEM, ActorKind
from app.kernel.money import Money
from app.support.auth.core.scopes import Scope
from tests.domains.orders.world import (
    Json,
    account,
    amounts,
    check,
    events,
    hold,
    open_account,
    order,
    refused,
    set_limit,
    ship,
)
from tests.support.api import ApiAs

pytestmark = pytest.mark.usefixtures("customer")

CHECKS = "/v1/credit-checks"


@pytest.fixture
async def customer(api: AsyncClient) -> None:
    await open_account(api)


@pytest.fixture
async def rita(api_as: ApiAs) -> AsyncClient:
    return await api_as(Scope.ORDERS_RELEASE, name="rita")


@pytest.fixture
async def rob(api_as: ApiAs) -> AsyncClient:
    return await api_as(Scope.ORDERS_RELEASE, name="rob")


async def post(by: AsyncClient, asked: Json, action: str, **body: Any) -> Response:
    return await by.post(f"{CHECKS}/{asked['id']}/{action}", json=body or None)


async def release(by: AsyncClient, asked: Json, **more: Any) -> Response:
    return await post(by, asked, "release", **{"reason": "agreed", **more})


async def release_rules(api: AsyncClient, **rules: Any) -> None:
    """Activates a policy with other release rules."""
    document = (await api.get("/v1/policies/main")).json()["document"]
    document["approvals"]["release"] |= rules
    drafted = (await api.post("/v1/policies/main/versions", json={"document": document, "note": "test"})).json()
    path = f"/v1/policies/main/versions/{drafted['version']}/activate"
    (await api.post(path, json={})).raise_for_status()


class TestQueue:
    async def test_shows_age_shortfall_and_what_is_not_covered(
        self, api: AsyncClient, clock: FrozenClock, transactions: Transactions
    ) -> None:
        await check(api, "1500")
        async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
            await exposure.note_risk(tx, customer_id="C-1", segment="main", cover_amount=Decimal(600))
        clock.move(by=timedelta(hours=2))
        (item,) = (await api.get(CHECKS, params={"review": "open"})).json()["items"]
        assert item["age_seconds"] == 7200
        assert (item["shortfall"], item["uncovered"], item["expected_loss"]) == ("500.00", "900.00", None)
        assert [reason["code"] for reason in item["reasons"]] == ["limit_exceeded", "utilisation_high"]

    async def test_by_stake_shows_first_what_may_cost_most(self, api: AsyncClient) -> None:
        for ref, amount in (("O-1", "1500"), ("O-2", "9000"), ("O-3", "1200"), ("O-4", "3000")):
            await check(api, amount, ref)
        params: Json = {"review": "open", "sort": "stake", "limit": 3}
        first = (await api.get(CHECKS, params=params)).json()
        assert [item["order_ref"] for item in first["items"]] == ["O-2", "O-4", "O-1"]
        rest = (await api.get(CHECKS, params={**params, "cursor": first["next_cursor"]})).json()
        assert ([item["order_ref"] for item in rest["items"]], rest["next_cursor"]) == (["O-3"], None)

    async def test_by_stake_refuses_a_cursor_of_another_list(self, api: AsyncClient) -> None:
        for cursor in ("x", "W10", "WyIxIiwiMiJd", "W3RydWUsIDFd"):
            answer = await api.get(CHECKS, params={"sort": "stake", "cursor": cursor})
            refused(answer, 422, "cursor_malformed")

    async def test_of_a_decided_check_shows_nothing_of_it(self, api: AsyncClient, rita: AsyncClient) -> None:
        asked = await check(api, "1500")
        decided = (await release(rita, asked)).json()
        assert (decided["age_seconds"], decided["shortfall"], decided["uncovered"]) == (None, None, None)


class TestClaim:
    async def test_keeps_others_from_deciding(
        self, api: AsyncClient, rita: AsyncClient, rob: AsyncClient, transactions: Transactions
    ) -> None:
        asked = await check(api, "1500")
        claimed = (await post(rita, asked, "claim")).raise_for_status().json()
        assert claimed["claimed_by"] == "rita"
        refused(await post(rob, asked, "claim"), 409, "review_claimed")
        refused(await release(rob, asked), 409, "review_claimed")
        refused(await post(rob, asked, "reject", reason="no"), 409, "review_claimed")
        assert (await post(rita, asked, "claim")).status_code == 200
        assert (await release(rita, asked)).status_code == 200
        assert len(await events(transactions, "credit_check_claimed")) == 1

    async def test_can_be_given_back(self, api: AsyncClient, rita: AsyncClient, rob: AsyncClient) -> None:
        asked = await check(api, "1500")
        refused(await post(rita, asked, "unclaim"), 409, "review_not_claimed")
        await post(rita, asked, "claim")
        refused(await post(rob, asked, "unclaim"), 409, "review_claimed")
        assert (await post(rita, asked, "unclaim")).json()["claimed_by"] is None
        assert (await release(rob, asked)).status_code == 200

    async def test_is_a_person_s(self, api: AsyncClient, api_as: ApiAs) -> None:
        robot = await api_as(Scope.ORDERS_RELEASE, kind=ActorKind.SERVICE)
        refused(await post(robot, await check(api, "1500"), "claim"), 403, "person_required")

    async def test_of_a_closed_review_is_refused(self, api: AsyncClient, rita: AsyncClient) -> None:
        refused(await post(rita, await check(api, "10"), "claim"), 409, "review_closed")


class TestHandingOn:
    async def test_frees_the_claim_and_names_who_is_next(
        self, api: AsyncClient, rita: AsyncClient, rob: AsyncClient, transactions: Transactions
    ) -> None:
        asked = await check(api, "1500")
        await post(rita, asked, "claim")
        handed = (await post(rita, asked, "refer", to="rob", note="yours")).raise_for_status().json()
        assert (handed["claimed_by"], handed["referred_to"], handed["review"]) == (None, "rob", "open")
        notes = (await rob.get(f"{CHECKS}/{asked['id']}/notes")).json()["items"]
        assert [(note["note"], note["written_by"]) for note in notes] == [("yours", "rita")]
        (event,) = await events(transactions, "credit_check_handed_on")
        assert event["after"] == {"referred_to": "rob", "note": "yours"}


class TestNotes:
    async def test_stay_with_the_check(self, api: AsyncClient, rita: AsyncClient, rob: AsyncClient) -> None:
        asked = await check(api, "1500")
        assert (await post(rita, asked, "notes", note="called them")).status_code == 201
        await release(rob, asked)
        await post(rob, asked, "notes", note="they paid")
        notes = (await rita.get(f"{CHECKS}/{asked['id']}/notes")).json()["items"]
        assert {note["note"] for note in notes} == {"they paid", "called them"}


class TestReleaseAuthority:
    async def test_is_needed_above_the_policy_s_amount(
        self, api: AsyncClient, api_as: ApiAs, rita: AsyncClient, transactions: Transactions
    ) -> None:
        await release_rules(api, authority_above="400")
        asked = await check(api, "1500")
        refused(await release(rita, asked), 403, "authority_exceeded")
        small = await api_as(Scope.ORDERS_RELEASE, name="small", authority=Money(Decimal("499.99"), "CNY"))
        refused(await release(small, asked), 403, "authority_exceeded")
        found = await events(transactions, "credit_check_release_refused")
        assert [(event["actor"], event["after"]["excess"]) for event in found] == [
            ("rita", "500.00 CNY"),
            ("small", "500.00 CNY"),
        ]
        enough = await api_as(Scope.ORDERS_RELEASE, authority=Money(Decimal(500), "CNY"))
        assert (await release(enough, asked)).status_code == 200

    async def test_is_not_needed_for_less(self, api: AsyncClient, rita: AsyncClient) -> None:
        await release_rules(api, authority_above="400")
        assert (await release(rita, await check(api, "1500"), amount="1400")).status_code == 200

    async def test_is_not_needed_within_the_limit(self, api: AsyncClient, rita: AsyncClient) -> None:
        await release_rules(api, authority_above="0")
        await hold(api, "C-1", "soft")
        assert (await release(rita, await check(api, "1000"))).status_code == 200

    async def test_counts_in_its_own_currency(self, api: AsyncClient, api_as: ApiAs) -> None:
        await release_rules(api, authority_above="0")
        european = await api_as(Scope.ORDERS_RELEASE, authority=Money(Decimal(100), "EUR"))
        asked = await check(api, "1500")
        refused(await release(european, asked), 403, "authority_exceeded")
        rates = {"base": "EUR", "rates": {"CNY": "7.80"}}
        (await api.put("/v1/fx-rates/2026-03-02", json=rates)).raise_for_status()
        assert (await release(european, asked)).status_code == 200

    async def test_counts_what_is_above_the_group_s_limit(
        self, api: AsyncClient, rita: AsyncClient, transactions: Transactions
    ) -> None:
        await release_rules(api, authority_above="400")
        await open_account(api, "C-2", parent_id="C-1", limit="9000")
        shared = {"kind": "granted", "amount": "1000", "reason": "test"}
        (await api.post("/v1/customers/C-1/accounts/main/group-limit", json=shared)).raise_for_status()
        refused(await release(rita, await check(api, "1500", customer_id="C-2")), 403, "authority_exceeded")

    async def test_refusals_of_services_and_of_who_asked_are_journalled(
        self, api: AsyncClient, api_as: ApiAs, transactions: Transactions
    ) -> None:
        robot = await api_as(Scope.ORDERS_RELEASE, name="robot", kind=ActorKind.SERVICE)
        asked = await check(api, "1500")
        refused(await release(robot, asked), 403, "person_required")
        refused(await release(api, asked), 403, "four_eyes")
        found = await events(transactions, "credit_check_release_refused")
        assert [(event["actor"], event["after"]["code"]) for event in found] == [
            ("robot", "person_required"),
            ("bootstrap", "four_eyes"),
        ]


class TestReleaseReasons:
    async def test_are_those_of_the_policy_where_it_lists_some(self, api: AsyncClient, rita: AsyncClient) -> None:
        await release_rules(api, reasons=["payment on its way", "framework contract"])
        asked = await check(api, "1500")
        refused(await release(rita, asked, reason="because"), 422, "release_reason_unknown")
        assert (await release(rita, asked, reason="framework contract")).status_code == 200


class TestReleaseExpiry:
    async def test_ends_the_reservation_and_the_grace(
        self, api: AsyncClient, rita: AsyncClient, clock: FrozenClock
    ) -> None:
        asked = await check(api, "1500")
        released = (await release(rita, asked, expires_on="2026-03-03")).raise_for_status().json()
        assert released["reservation"]["expires_at"] == "2026-03-04T00:00:00Z"
        clock.move(by=timedelta(days=2))
        again = await check(api, "1500", checkpoint="shipment")
        assert again["outcome"] == "referred"

    async def test_never_lengthens_the_policy_s_days(self, api: AsyncClient, rita: AsyncClient) -> None:
        far = str(date(2026, 3, 2) + timedelta(days=300))
        released = (await release(rita, await check(api, "1500"), expires_on=far)).json()
        assert released["reservation"]["expires_at"] == "2026-04-01T09:00:00Z"

    async def test_is_not_in_the_past(self, api: AsyncClient, rita: AsyncClient) -> None:
        answer = await release(rita, await check(api, "1500"), expires_on="2026-03-01")
        refused(answer, 422, "release_expiry_past")


class TestGrace:
    async def test_honours_a_release_at_shipment(self, api: AsyncClient, rita: AsyncClient) -> None:
        await release(rita, await check(api, "1500"))
        leaving = await check(api, "1500", checkpoint="shipment")
        assert leaving["outcome"] == "approved"
        await ship(api, "1500")
        assert amounts(await order(api))[:3] == ("shipped", "1500", "1500")

    async def test_does_not_reach_beyond_the_released_amount(self, api: AsyncClient, rita: AsyncClient) -> None:
        await release(rita, await check(api, "1500"), amount="1400")
        assert (await check(api, "1400.01", checkpoint="shipment"))["outcome"] == "referred"
        refused(await ship_more(api, "1400.01"), 409, "exceeds_reservation")
        assert (await account(api))["headroom"] == "-400.00"

    async def test_counts_what_has_left_already(self, api: AsyncClient, rita: AsyncClient) -> None:
        await release(rita, await check(api, "1500"))
        await check(api, "1000", checkpoint="shipment")
        await ship(api, "1000")
        assert (await check(api, "500", checkpoint="shipment"))["outcome"] == "approved"
        assert (await check(api, "500.01", checkpoint="shipment"))["outcome"] == "referred"

    async def test_yields_to_a_forced_hold(self, api: AsyncClient, rita: AsyncClient) -> None:
        await release(rita, await check(api, "1500"))
        await hold(api, "C-1", "forced")
        leaving = await check(api, "1500", checkpoint="shipment")
        assert (leaving["outcome"], leaving["review"]) == ("declined", "none")

    async def test_is_over_after_its_days(self, api: AsyncClient, rita: AsyncClient, clock: FrozenClock) -> None:
        await release(rita, await check(api, "1500"))
        clock.move(by=timedelta(days=4))
        assert (await check(api, "1500", checkpoint="shipment"))["outcome"] == "referred"


async def ship_more(api: AsyncClient, amount: str) -> Response:
    return await api.post("/v1/orders/O-1/shipments", json={"shipment_ref": "S-1", "amount": amount})


async def test_a_raised_limit_makes_stakes_no_smaller(api: AsyncClient) -> None:
    await check(api, "1500")
    await set_limit(api, "C-1", "1400")
    (item,) = (await api.get(CHECKS, params={"sort": "stake"})).json()["items"]
    assert item["uncovered"] == "1500.00"
