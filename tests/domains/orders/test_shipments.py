from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from httpx import AsyncClient

from app.infra.clock import FrozenClock
from app.support.auth.core.scopes import Scope
from tests.domains.orders.world import account, amounts, check, open_account, order, refused, ship
from tests.support.api import ApiAs

pytestmark = pytest.mark.usefixtures("customer")


@pytest.fixture
async def customer(api: AsyncClient) -> None:
    await open_account(api)


class TestShip:
    async def test_moves_what_left_from_open_to_delivered(self, api: AsyncClient) -> None:
        await check(api, "300")

        answer = await ship(api, "100")

        assert answer.status_code == 201
        assert answer.json()["amount"] == "100.00"
        assert amounts(await order(api)) == ("partly_shipped", "300", "100", "200")
        exposure = (await account(api))["exposure"]
        assert (exposure["open_orders"], exposure["delivered"], exposure["total"]) == ("200.00", "100.00", "300.00")

    async def test_of_everything_leaves_nothing_open(self, api: AsyncClient) -> None:
        await check(api, "300")
        await ship(api, "300")
        assert amounts(await order(api)) == ("shipped", "300", "300", "0")

    async def test_again_answers_with_what_is_there(self, api: AsyncClient) -> None:
        await check(api, "300")
        first = await ship(api, "100")
        again = await ship(api, "100.00")
        assert (again.status_code, again.json()) == (200, first.json())
        assert (await order(api))["shipped"] == "100.00"

    @pytest.mark.parametrize("other", [{"amount": "99"}, {"already_left": True}])
    async def test_refuses_another_one_under_the_same_reference(
        self, api: AsyncClient, other: dict[str, object]
    ) -> None:
        await check(api, "300")
        await ship(api, "100")
        refused(await ship(api, **{"amount": "100", **other}), 409, "shipment_conflict")  # type: ignore[arg-type]

    async def test_refuses_the_reference_of_another_orders_shipment(self, api: AsyncClient) -> None:
        await check(api, "300")
        await check(api, "300", "O-2")
        await ship(api, "100")
        refused(await ship(api, "100", order_ref="O-2"), 409, "shipment_conflict")

    async def test_refuses_more_than_is_approved(self, api: AsyncClient) -> None:
        await check(api, "300")
        await ship(api, "200")
        refused(await ship(api, "100.01", "S-2"), 409, "exceeds_reservation")
        assert (await ship(api, "100", "S-3")).status_code == 201

    async def test_books_what_has_left_already_whatever_is_approved(self, api: AsyncClient) -> None:
        await check(api, "300")
        answer = await ship(api, "500", already_left=True)
        assert answer.status_code == 201
        assert (await account(api))["exposure"]["delivered"] == "500.00"

    async def test_refuses_once_the_reservation_has_run_out(self, api: AsyncClient, clock: FrozenClock) -> None:
        await check(api, "300")
        clock.move(by=timedelta(days=31))
        refused(await ship(api, "100"), 409, "exceeds_reservation")

    async def test_refuses_an_order_that_nobody_knows(self, api: AsyncClient) -> None:
        refused(await ship(api, "100", order_ref="O-9"), 404, "order_not_found")

    async def test_refuses_more_decimals_than_the_orders_currency_has(self, api: AsyncClient) -> None:
        await check(api, "300")
        answer = await ship(api, "1.001")
        refused(answer, 422, "too_many_decimals")
        assert answer.json()["errors"][0]["pointer"] == "/amount"

    async def test_takes_references_with_a_slash(self, api: AsyncClient) -> None:
        await check(api, "300", "O/2026/1")
        assert (await ship(api, "100", "S/1", "O/2026/1")).json()["order_ref"] == "O/2026/1"
        assert (await order(api, "O/2026/1"))["shipped"] == "100.00"
        back = await api.post("/v1/orders/O%2F2026%2F1/shipments/S%2F1/reverse", json={"reason": "returned"})
        assert back.status_code == 200

    async def test_in_parallel_never_ships_more_than_is_approved(self, api: AsyncClient) -> None:
        await check(api, "300")
        answers = await asyncio.gather(*(ship(api, "50", f"S-{n}") for n in range(12)))
        assert sorted(answer.status_code for answer in answers) == [201] * 6 + [409] * 6
        assert amounts(await order(api)) == ("shipped", "300", "300", "0")

    async def test_in_parallel_under_one_reference_books_it_once(self, api: AsyncClient) -> None:
        await check(api, "300")
        answers = await asyncio.gather(*(ship(api, "50") for _ in range(8)))
        assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
        assert (await order(api))["shipped"] == "50.00"

    async def test_needs_the_scope(self, api: AsyncClient, api_as: ApiAs) -> None:
        await check(api, "300")
        refused(await ship(await api_as(Scope.ORDERS_RELEASE), "100"), 403, "scope_missing")

    async def test_in_a_segment_that_the_caller_may_not_see_is_not_found(self, api: AsyncClient, api_as: ApiAs) -> None:
        await check(api, "300")
        refused(await ship(await api_as(Scope.ORDERS_CHECK, segments=["eu"]), "100"), 404, "segment_not_found")


class TestReverse:
    async def reverse(self, api: AsyncClient, shipment_ref: str = "S-1", *, reorder: bool = False) -> dict[str, object]:
        path = f"/v1/orders/O-1/shipments/{shipment_ref}/reverse"
        answer = await api.post(path, json={"reason": "returned", "reorder": reorder})
        document: dict[str, object] = answer.raise_for_status().json()
        return document

    async def test_frees_what_came_back(self, api: AsyncClient) -> None:
        await check(api, "300")
        await ship(api, "100")

        back = await self.reverse(api)

        assert (back["reversal_reason"], back["reorder"]) == ("returned", False)
        assert amounts(await order(api)) == ("open", "200", "0", "200")
        assert (await account(api))["exposure"]["total"] == "200.00"

    async def test_keeps_credit_for_what_is_to_be_sent_again(self, api: AsyncClient) -> None:
        await check(api, "300")
        await ship(api, "100")
        await self.reverse(api, reorder=True)
        assert amounts(await order(api)) == ("open", "300", "0", "300")

    async def test_sets_aside_anew_what_had_run_out(self, api: AsyncClient, clock: FrozenClock) -> None:
        await check(api, "300")
        await ship(api, "300")
        clock.move(by=timedelta(days=40))

        await self.reverse(api, reorder=True)

        assert amounts(await order(api)) == ("open", "300", "0", "300")
        clock.move(by=timedelta(days=31))
        assert amounts(await order(api)) == ("expired", "0", "0", "0")

    async def test_of_everything_cancels_the_order(self, api: AsyncClient) -> None:
        await check(api, "300")
        await ship(api, "300")
        await self.reverse(api)
        assert amounts(await order(api)) == ("cancelled", "0", "0", "0")

    async def test_happens_once(self, api: AsyncClient) -> None:
        await check(api, "300")
        await ship(api, "100")
        await self.reverse(api)
        again = await api.post("/v1/orders/O-1/shipments/S-1/reverse", json={"reason": "returned"})
        refused(again, 409, "shipment_reversed")

    async def test_refuses_a_shipment_of_another_order(self, api: AsyncClient) -> None:
        await check(api, "300")
        await check(api, "300", "O-2")
        await ship(api, "100")
        answer = await api.post("/v1/orders/O-2/shipments/S-1/reverse", json={"reason": "returned"})
        refused(answer, 404, "shipment_not_found")


class TestListShipments:
    async def test_shows_the_last_changed_first_page_by_page(self, api: AsyncClient, clock: FrozenClock) -> None:
        await check(api, "300")
        for number in range(3):
            await ship(api, "10", f"S-{number}")
            clock.move(by=timedelta(seconds=1))
        await api.post("/v1/orders/O-1/shipments/S-0/reverse", json={"reason": "returned"})

        first = (await api.get("/v1/shipments?limit=2")).json()
        rest = (await api.get("/v1/shipments", params={"limit": 2, "cursor": first["next_cursor"]})).json()

        assert [item["shipment_ref"] for item in (*first["items"], *rest["items"])] == ["S-0", "S-2", "S-1"]
        assert rest["next_cursor"] is None

    async def test_exports_what_changed_since(self, api: AsyncClient, clock: FrozenClock) -> None:
        await check(api, "300")
        await ship(api, "10", "S-1")
        since = clock.now()
        clock.move(by=timedelta(seconds=1))
        await ship(api, "10", "S-2")
        found = (await api.get("/v1/shipments", params={"changed_after": since.isoformat(), "order": "asc"})).json()
        assert [item["shipment_ref"] for item in found["items"]] == ["S-2"]

    async def test_keeps_to_a_customer_and_an_order(self, api: AsyncClient) -> None:
        await open_account(api, "C-2")
        await check(api, "300")
        await check(api, "300", "O-2", customer_id="C-2")
        await ship(api, "10", "S-1")
        await ship(api, "10", "S-2", "O-2")
        for query in ("customer_id=C-2", "order_ref=O-2"):
            found = (await api.get(f"/v1/shipments?{query}")).json()["items"]
            assert [item["shipment_ref"] for item in found] == ["S-2"]
