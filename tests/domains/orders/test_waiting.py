"""Orders that wait: new cash or a raised limit lets them go, oldest first, and never beyond the headroom."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal

import pytest
from httpx import AsyncClient

from app.domains.monitoring import service as monitoring
from app.domains.orders import service as orders
from app.domains.orders.jobs import judge_waiting_orders
from app.infra.clock import FrozenClock
from app.infra.jobs import Run
from app.infra.transaction import Transactions
from app.kernel.identity import SYSTEM
from app.support.auth.core.scopes import Scope
from tests.domains.orders.world import Json, account, check, events, hold, open_account, order, set_limit
from tests.support.api import ApiAs

pytestmark = pytest.mark.usefixtures("customer")


@pytest.fixture
async def customer(api: AsyncClient, transactions: Transactions) -> AsyncIterator[None]:
    """The books must be right after every test."""
    await open_account(api)
    yield
    proofs = monitoring.prove_all(lambda: transactions.begin(actor=SYSTEM, request_id="test"))
    assert [drift async for proof in proofs for drift in proof.drifts] == []


async def judge(transactions: Transactions) -> None:
    await judge_waiting_orders(Run(transactions, "test"))


async def owe(api: AsyncClient, amount: str, customer_id: str = "C-1") -> None:
    """An invoice that is not due yet."""
    body = {"invoice_no": f"I-{customer_id}", "customer_id": customer_id, "amount": amount, "currency": "CNY"}
    (await api.post("/v1/invoices", json={**body, "issued_on": "2026-03-02", "net_days": 30})).raise_for_status()


async def pay(api: AsyncClient, amount: str, ref: str = "P-1", customer_id: str = "C-1") -> None:
    body = {"payment_ref": ref, "customer_id": customer_id, "amount": amount, "currency": "CNY"}
    (await api.post("/v1/payments", json={**body, "received_on": "2026-03-02"})).raise_for_status()


async def states(api: AsyncClient, *refs: str) -> list[str]:
    return [(await order(api, ref))["state"] for ref in refs]


class TestWaitingOrders:
    async def test_go_when_cash_comes_in(self, api: AsyncClient, transactions: Transactions) -> None:
        await owe(api, "800")
        waiting = await check(api, "500")
        assert waiting["outcome"] == "referred"
        await judge(transactions)
        assert await states(api, "O-1") == ["held"]

        await pay(api, "400")
        await judge(transactions)

        assert await states(api, "O-1") == ["open"]
        assert (await api.get(f"/v1/credit-checks/{waiting['id']}")).json()["review"] == "superseded"
        found = (await api.get("/v1/credit-checks", params={"order_ref": "O-1"})).json()["items"]
        assert {(item["outcome"], item["checked_by"]) for item in found} == {
            ("referred", "bootstrap"),
            ("approved", "system"),
        }

    async def test_go_when_the_limit_is_raised(self, api: AsyncClient, transactions: Transactions) -> None:
        await check(api, "1500")
        await set_limit(api, "C-1", "1500")
        await judge(transactions)
        assert await states(api, "O-1") == ["open"]
        assert (await account(api))["headroom"] == "0.00"

    async def test_go_oldest_first_as_far_as_the_headroom_goes(
        self, api: AsyncClient, transactions: Transactions, clock: FrozenClock
    ) -> None:
        await owe(api, "1000")
        for number, amount in enumerate(("300", "500", "300", "100"), start=1):
            await check(api, amount, f"O-{number}")
            clock.move(by=timedelta(seconds=1))
        await pay(api, "700")
        await judge(transactions)
        assert await states(api, "O-1", "O-2", "O-3", "O-4") == ["open", "held", "open", "open"]
        assert (await account(api))["headroom"] == "0.00"

    async def test_stay_while_a_forced_hold_stands(self, api: AsyncClient, transactions: Transactions) -> None:
        await check(api, "1500")
        await hold(api, "C-1", "forced")
        await set_limit(api, "C-1", "9000")
        await judge(transactions)
        assert await states(api, "O-1") == ["held"]
        (await api.post("/v1/customers/C-1/accounts/main/unhold", json={"reason": "paid"})).raise_for_status()
        await judge(transactions)
        assert await states(api, "O-1") == ["open"]

    async def test_leave_no_trace_where_something_still_objects(
        self, api: AsyncClient, transactions: Transactions
    ) -> None:
        waiting = await check(api, "1500")
        await set_limit(api, "C-1", "1499")
        await judge(transactions)
        found = (await api.get("/v1/credit-checks", params={"order_ref": "O-1"})).json()["items"]
        assert [item["id"] for item in found] == [waiting["id"]]
        assert found[0]["review"] == "open"

    async def test_of_a_group_go_when_another_member_pays(self, api: AsyncClient, transactions: Transactions) -> None:
        await open_account(api, "C-2", parent_id="C-1")
        shared = {"kind": "granted", "amount": "1000", "reason": "test"}
        (await api.post("/v1/customers/C-1/accounts/main/group-limit", json=shared)).raise_for_status()
        await owe(api, "800")
        await check(api, "500", "O-2", customer_id="C-2")
        await pay(api, "300")
        await judge(transactions)
        assert await states(api, "O-2") == ["open"]

    async def test_are_not_looked_for_where_none_waits(self, api: AsyncClient, transactions: Transactions) -> None:
        await owe(api, "800")
        await pay(api, "100")
        async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
            assert list(await orders.woken_accounts(tx)) == []

    async def test_are_judged_once_for_many_payments(self, api: AsyncClient, transactions: Transactions) -> None:
        await owe(api, "800")
        await check(api, "900")
        for number in range(3):
            await pay(api, "10", f"P-{number}")
        async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
            (woken,) = await orders.woken_accounts(tx)
            assert (woken.customer_id, woken.segment) == ("C-1", "main")
        await judge(transactions)
        async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
            assert list(await orders.woken_accounts(tx)) == []

    async def test_are_judged_again_where_more_room_came_meanwhile(
        self, api: AsyncClient, transactions: Transactions
    ) -> None:
        await check(api, "1500")
        await set_limit(api, "C-1", "1100")
        async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
            (seen,) = await orders.woken_accounts(tx)
        await set_limit(api, "C-1", "1500")
        async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
            await orders.settle_account(tx, account=seen)
        await judge(transactions)
        assert await states(api, "O-1") == ["open"]

    async def test_that_have_lapsed_stay(
        self, api: AsyncClient, transactions: Transactions, clock: FrozenClock
    ) -> None:
        await check(api, "1500")
        clock.move(by=timedelta(days=30))
        await set_limit(api, "C-1", "9000")
        await judge(transactions)
        assert await states(api, "O-1") == ["held"]

    async def test_are_journalled_as_approved_by_headroom_itself(
        self, api: AsyncClient, transactions: Transactions
    ) -> None:
        await check(api, "1500")
        await set_limit(api, "C-1", "1500")
        await judge(transactions)
        (event,) = await events(transactions, "credit_check_approved")
        assert (event["actor"], event["actor_kind"], event["after"]["order_ref"]) == ("system", "system", "O-1")


class TestAtOnce:
    async def test_with_fifty_checks_never_exceeds_the_headroom(
        self, api: AsyncClient, transactions: Transactions
    ) -> None:
        """Fifty orders wait and fifty new ones come in while there is room for sixty of them."""
        await owe(api, "1000")
        for number in range(50):
            await check(api, "10", f"W-{number}")
        rush = asyncio.gather(*(check(api, "10", f"N-{number}") for number in range(50)))
        await asyncio.gather(pay(api, "600"), judge_often(transactions), rush)
        answers = rush.result()
        await judge(transactions)

        approved = {answer["order_ref"] for answer in answers if answer["outcome"] == "approved"}
        found = [ref for ref in (f"W-{number}" for number in range(50)) if (await order(api, ref))["state"] == "open"]
        assert (await account(api))["headroom"] == "0.00"
        still = [ref for ref in (f"N-{number}" for number in range(50)) if (await order(api, ref))["state"] == "open"]
        assert approved <= set(still)
        assert len(found) + len(still) == 60

    async def test_a_release_and_a_check_see_each_other(self, api: AsyncClient, api_as: ApiAs) -> None:
        rita = await api_as(Scope.ORDERS_RELEASE, name="rita")
        waiting = await check(api, "1001", "O-1")
        path = f"/v1/credit-checks/{waiting['id']}/release"
        rush = asyncio.gather(*(check(api, "100", f"N-{number}") for number in range(20)))
        released, checked = await asyncio.gather(rita.post(path, json={"reason": "agreed"}), rush)
        assert released.status_code == 200, released.text
        approved = sum(Decimal(100) for answer in checked if answer["outcome"] == "approved")
        exposure: Json = (await account(api))["exposure"]
        assert Decimal(exposure["open_orders"]) == 1001 + approved
        assert approved <= 1000

    async def test_two_releases_of_one_order_happen_once(self, api: AsyncClient, api_as: ApiAs) -> None:
        waiting = await check(api, "1500", "O-1")
        people = [await api_as(Scope.ORDERS_RELEASE) for _ in range(4)]
        path = f"/v1/credit-checks/{waiting['id']}/release"
        answers = await asyncio.gather(*(each.post(path, json={"reason": "agreed"}) for each in people))
        assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
        exposure: Json = (await account(api))["exposure"]
        assert exposure["open_orders"] == "1500.00"


async def judge_often(transactions: Transactions) -> None:
    for _ in range(5):
        await judge(transactions)
        await asyncio.sleep(0.01)
