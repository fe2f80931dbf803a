from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from httpx import AsyncClient, Response

from app.infra.clock import FrozenClock
from app.infra.transaction import Transactions
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
    ship,
)
from tests.support.api import ApiAs

pytestmark = pytest.mark.usefixtures("customer")


@pytest.fixture
async def customer(api: AsyncClient) -> None:
    await open_account(api)


async def cancel(api: AsyncClient, order_ref: str = "O-1") -> Response:
    return await api.post(f"/v1/orders/{order_ref}/cancel", json={"reason": "changed their mind"})


async def close(api: AsyncClient, order_ref: str = "O-1") -> Response:
    return await api.post(f"/v1/orders/{order_ref}/close", json={"reason": "nothing more to come"})


async def load(api: AsyncClient, **changes: Any) -> Response:
    body = {"customer_id": "C-1", "order_ref": "O-1", "currency": "CNY", "approved": "300", **changes}
    return await api.post("/v1/orders", json=body)


class TestGet:
    async def test_shows_what_the_order_binds(self, api: AsyncClient) -> None:
        decided = await check(api, "300", requested_ship_on="2026-03-10")

        found = await order(api)

        assert found == {
            "segment": "main",
            "order_ref": "O-1",
            "customer_id": "C-1",
            "currency": "CNY",
            "state": "open",
            "approved": "300.00",
            "shipped": "0.00",
            "invoiced": "0.00",
            "open": "300.00",
            "delivered": "0.00",
            "held": "0.00",
            "fx_rate": "1",
            "account_currency": "CNY",
            "ship_on": "2026-03-10",
            "expires_at": decided["reservation"]["expires_at"],
            "review_id": None,
            "created_at": decided["decided_at"],
            "changed_at": decided["decided_at"],
        }

    async def test_shows_what_waits_for_a_review(self, api: AsyncClient) -> None:
        decided = await check(api, "1500")
        found = await order(api)
        assert (found["state"], found["held"], found["review_id"]) == ("held", "1500.00", decided["id"])

    async def test_shows_a_reservation_that_has_run_out_as_expired(self, api: AsyncClient, clock: FrozenClock) -> None:
        await check(api, "300")
        clock.move(by=timedelta(days=31))
        assert amounts(await order(api)) == ("expired", "0", "0", "0")

    async def test_of_an_unknown_order_is_not_found(self, api: AsyncClient) -> None:
        refused(await api.get("/v1/orders/O-9"), 404, "order_not_found")

    async def test_in_a_segment_that_the_caller_may_not_see_is_not_found(self, api: AsyncClient, api_as: ApiAs) -> None:
        await check(api, "300")
        refused(
            await (await api_as(Scope.ORDERS_CHECK, segments=["eu"])).get("/v1/orders/O-1"), 404, "segment_not_found"
        )


class TestList:
    async def test_shows_orders_page_by_page(self, api: AsyncClient) -> None:
        for number in range(3):
            await check(api, "10", f"O-{number}")
        first = (await api.get("/v1/orders?limit=2")).json()
        rest = (await api.get("/v1/orders", params={"limit": 2, "cursor": first["next_cursor"]})).json()
        assert [item["order_ref"] for item in (*first["items"], *rest["items"])] == ["O-2", "O-1", "O-0"]

    async def test_keeps_to_a_customer(self, api: AsyncClient) -> None:
        await open_account(api, "C-2")
        await check(api, "10")
        await check(api, "10", "O-2", customer_id="C-2")
        found = (await api.get("/v1/orders?customer_id=C-2")).json()["items"]
        assert [item["order_ref"] for item in found] == ["O-2"]

    async def test_keeps_to_a_state(self, api: AsyncClient) -> None:
        await check(api, "10")
        await check(api, "5000", "O-2")
        found = (await api.get("/v1/orders?state=held")).json()["items"]
        assert [item["order_ref"] for item in found] == ["O-2"]

    async def test_exports_what_changed_since(self, api: AsyncClient, clock: FrozenClock) -> None:
        await check(api, "10")
        await check(api, "10", "O-2")
        since = clock.now()
        clock.move(by=timedelta(seconds=1))
        await ship(api, "10")
        found = (await api.get("/v1/orders", params={"changed_after": since.isoformat()})).json()["items"]
        assert [item["order_ref"] for item in found] == ["O-1"]


class TestLoad:
    async def test_books_an_accepted_order_whatever_the_limit_says(self, api: AsyncClient) -> None:
        answer = await load(api, approved="5000", shipped="2000", invoiced="500")
        assert answer.status_code == 201
        assert amounts(answer.json()) == ("partly_invoiced", "5000", "2000", "3000")
        exposure = (await account(api))["exposure"]
        assert (exposure["open_orders"], exposure["delivered"]) == ("3000.00", "1500.00")

    @pytest.mark.parametrize(
        ("shipped", "invoiced", "state"),
        [("0", "0", "open"), ("100", "0", "partly_shipped"), ("300", "0", "shipped"), ("300", "300", "invoiced")],
    )
    async def test_tells_the_state_from_the_amounts(
        self, api: AsyncClient, shipped: str, invoiced: str, state: str
    ) -> None:
        assert (await load(api, shipped=shipped, invoiced=invoiced)).json()["state"] == state

    async def test_again_answers_with_what_is_there(self, api: AsyncClient) -> None:
        first = await load(api)
        again = await load(api, approved="300.00")
        assert (again.status_code, again.json()) == (200, first.json())

    async def test_refuses_an_order_that_stands_otherwise(self, api: AsyncClient) -> None:
        await load(api)
        refused(await load(api, approved="301"), 409, "order_conflict")

    async def test_refuses_the_reference_of_another_customer(self, api: AsyncClient) -> None:
        await open_account(api, "C-2")
        await load(api)
        refused(await load(api, customer_id="C-2"), 409, "order_ref_conflict")

    async def test_by_two_customers_at_once_takes_the_reference_once(self, api: AsyncClient) -> None:
        await open_account(api, "C-2")
        answers = await asyncio.gather(*(load(api, customer_id=f"C-{1 + n % 2}") for n in range(6)))
        kept = {answer.json()["customer_id"] for answer in answers if answer.is_success}
        assert len(kept) == 1
        assert {answer.status_code for answer in answers} <= {200, 201, 409}

    async def test_keeps_the_reservation_as_long_as_the_policy_does(self, api: AsyncClient, clock: FrozenClock) -> None:
        await load(api, reservation_days=5, requested_ship_on="2026-03-04")
        clock.move(by=timedelta(days=6))
        assert (await order(api))["state"] == "open"
        clock.move(by=timedelta(days=1))
        assert (await order(api))["state"] == "expired"

    async def test_takes_the_rate_it_was_accepted_at(self, api: AsyncClient) -> None:
        answer = await load(api, currency="EUR", fx_rate="7.5")
        assert (answer.json()["fx_rate"], answer.json()["account_currency"]) == ("7.5", "CNY")
        assert (await account(api))["exposure"]["open_orders"] == "2250.00"

    async def test_takes_the_rate_of_the_day(self, api: AsyncClient) -> None:
        rates = {"base": "EUR", "rates": {"CNY": "8"}}
        (await api.put("/v1/fx-rates/2026-03-01", json=rates)).raise_for_status()
        assert (await load(api, currency="EUR")).json()["fx_rate"] == "8"

    async def test_without_any_rate_is_refused(self, api: AsyncClient) -> None:
        refused(await load(api, currency="EUR"), 422, "fx_rate_missing")

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"approved": "0"}, "nothing_to_load"),
            ({"fx_rate": "2"}, "fx_rate_contradictory"),
            ({"approved": "1.001"}, "request_invalid"),
            ({"approved": "-1"}, "request_invalid"),
            ({"currency": "EUR", "approved": "999999999999999", "fx_rate": "1000"}, "amount_out_of_range"),
        ],
    )
    async def test_refuses_what_can_not_be(self, api: AsyncClient, changes: Json, code: str) -> None:
        refused(await load(api, **changes), 422, code)

    async def test_of_a_customer_without_account_is_not_found(self, api: AsyncClient) -> None:
        refused(await load(api, customer_id="C-9"), 404, "account_not_found")

    async def test_is_for_administrators(self, api_as: ApiAs) -> None:
        refused(await load(await api_as(Scope.ORDERS_CHECK)), 403, "scope_missing")


class TestCancel:
    async def test_frees_what_is_open(self, api: AsyncClient) -> None:
        await check(api, "300")
        assert amounts((await cancel(api)).json()) == ("cancelled", "0", "0", "0")
        assert (await account(api))["exposure"]["total"] == "0.00"

    async def test_keeps_what_has_shipped(self, api: AsyncClient) -> None:
        await check(api, "300")
        await ship(api, "100")
        assert amounts((await cancel(api)).json()) == ("shipped", "100", "100", "0")
        assert (await account(api))["exposure"]["total"] == "100.00"

    async def test_happens_once(self, api: AsyncClient) -> None:
        await check(api, "300")
        await cancel(api)
        refused(await cancel(api), 409, "order_resolved")

    async def test_refuses_an_order_that_has_shipped(self, api: AsyncClient) -> None:
        await check(api, "300")
        await ship(api, "300")
        refused(await cancel(api), 409, "order_resolved")

    async def test_refuses_a_reservation_that_has_run_out(self, api: AsyncClient, clock: FrozenClock) -> None:
        await check(api, "300")
        clock.move(by=timedelta(days=31))
        refused(await cancel(api), 409, "order_resolved")

    async def test_ends_an_open_review(self, api: AsyncClient) -> None:
        decided = await check(api, "1500")
        assert (await cancel(api)).json()["state"] == "cancelled"
        assert (await api.get(f"/v1/credit-checks/{decided['id']}")).json()["review"] == "superseded"

    async def test_opens_again_by_approval(self, api: AsyncClient) -> None:
        await check(api, "300")
        await cancel(api)
        await check(api, "200")
        assert amounts(await order(api)) == ("open", "200", "0", "200")

    async def test_says_why_in_the_journal(self, api: AsyncClient, transactions: Transactions) -> None:
        await check(api, "300")
        await cancel(api)
        [event] = await events(transactions, "order_cancelled")
        assert (event["subject_id"], event["customer_id"]) == ("O-1", "C-1")
        assert (event["before"]["open"], event["after"]["open"]) == ("300.00", "0.00")
        assert event["after"]["reason"] == "changed their mind"


class TestClose:
    async def test_frees_what_is_open_and_what_is_delivered(self, api: AsyncClient) -> None:
        await check(api, "300")
        await ship(api, "100")
        closed = (await close(api)).json()
        assert (closed["state"], closed["open"], closed["delivered"]) == ("closed", "0.00", "0.00")
        assert (await account(api))["exposure"]["total"] == "0.00"

    async def test_happens_once(self, api: AsyncClient) -> None:
        await check(api, "300")
        await close(api)
        refused(await close(api), 409, "order_resolved")

    async def test_ends_an_open_review(self, api: AsyncClient) -> None:
        await hold(api, "C-1", "soft")
        decided = await check(api, "100")
        await close(api)
        assert (await api.get(f"/v1/credit-checks/{decided['id']}")).json()["review"] == "superseded"


class TestShipmentEvents:
    async def test_are_one_for_each_change(self, api: AsyncClient, transactions: Transactions) -> None:
        await check(api, "300")
        await ship(api, "100", "S-1")
        await ship(api, "900", "S-2", already_left=True)
        await api.post("/v1/orders/O-1/shipments/S-1/reverse", json={"reason": "returned"})

        [shipped] = await events(transactions, "order_shipped")
        [alert] = await events(transactions, "shipped_without_credit")
        [reversal] = await events(transactions, "shipment_reversed")

        assert (shipped["subject_id"], shipped["after"]["amount"]) == ("S-1", "100.00")
        assert (alert["subject_id"], alert["after"]["shipped"]) == ("S-2", "1000.00")
        assert (reversal["subject_id"], reversal["after"]["reason"]) == ("S-1", "returned")
