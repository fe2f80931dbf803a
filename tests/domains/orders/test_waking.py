"""Whatever makes room for a customer's waiting orders has them judged anew, and nothing else does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from httpx import AsyncClient

from app.domains.exposure import service as exposure
from app.domains.exposure.jobs import expire_reservations
from app.domains.monitoring import service as monitoring
from app.domains.orders import service as orders
from app.domains.orders.jobs import begin_day, judge_waiting_orders
from app.domains.receivables.jobs import clear_payments
from app.infra.clock import FrozenClock
from app.infra.jobs import Run
from app.infra.transaction import Transactions
from app.kernel.identity import SYSTEM
from app.support.auth.core.scopes import Scope
from tests.domains.orders.world import Json, check, hold, open_account, order, set_limit, ship
from tests.support.api import ApiAs

pytestmark = pytest.mark.usefixtures("customer")

ACCOUNT = "/v1/customers/C-1/accounts/main"


@pytest.fixture
async def customer(api: AsyncClient, transactions: Transactions) -> AsyncIterator[None]:
    """Its limit is 1,000; the books must be right after every test."""
    await open_account(api)
    yield
    proofs = monitoring.prove_all(lambda: transactions.begin(actor=SYSTEM, request_id="test"))
    assert [drift async for proof in proofs for drift in proof.drifts] == []


@pytest.fixture
def run(transactions: Transactions) -> Run:
    return Run(transactions, "test")


async def post(api: AsyncClient, path: str, **body: Any) -> Json:
    answer = await api.post(path, json=body)
    assert answer.is_success, answer.text
    found: Json = answer.json()
    return found


async def invoice(api: AsyncClient, amount: str, number: str = "I-1", **more: Any) -> None:
    body = {"invoice_no": number, "customer_id": "C-1", "amount": amount, "currency": "CNY", "issued_on": "2026-03-02"}
    await post(api, "/v1/invoices", **{**body, "net_days": 30, **more})


async def change_policy(api: AsyncClient, section: str, **members: Any) -> None:
    document = (await api.get("/v1/policies/main")).json()["document"]
    document[section] |= members
    drafted = await post(api, "/v1/policies/main/versions", document=document, note="test")
    await post(api, f"/v1/policies/main/versions/{drafted['version']}/activate")


async def waits(api: AsyncClient, amount: str = "500", ref: str = "W", **more: Any) -> None:
    assert (await check(api, amount, ref, **more))["outcome"] == "referred"


async def woken(run: Run) -> list[str]:
    async with run.begin() as tx:
        return [found.customer_id for found in await orders.woken_accounts(tx)]


async def goes(api: AsyncClient, run: Run, ref: str = "W") -> None:
    """Asserts that the order goes once its account is judged."""
    await judge_waiting_orders(run)
    assert (await order(api, ref))["state"] == "open"


class TestAnOrderThatEnds:
    async def test_by_cancelling(self, api: AsyncClient, run: Run) -> None:
        await check(api, "800")
        await waits(api)
        await post(api, "/v1/orders/O-1/cancel", reason="not wanted")
        await goes(api, run)

    async def test_by_closing(self, api: AsyncClient, run: Run) -> None:
        await check(api, "800")
        await ship(api, "800")
        await waits(api)
        await post(api, "/v1/orders/O-1/close", reason="a gift")
        await goes(api, run)

    async def test_by_expiring(self, api: AsyncClient, run: Run, clock: FrozenClock) -> None:
        await check(api, "800", reservation_days=2)
        await waits(api)
        clock.move(by=timedelta(days=2))
        await expire_reservations(run)
        await goes(api, run)

    async def test_by_goods_that_come_back(self, api: AsyncClient, run: Run) -> None:
        await check(api, "800")
        await ship(api, "800")
        await waits(api)
        await post(api, "/v1/orders/O-1/shipments/S-1/reverse", reason="broken")
        await goes(api, run)

    async def test_by_an_invoice_that_completes_it_for_less(self, api: AsyncClient, run: Run) -> None:
        await check(api, "800")
        await waits(api)
        await invoice(api, "300", orders=[{"order_ref": "O-1", "amount": "300", "complete": True}])
        await goes(api, run)

    async def test_wakes_nobody_by_an_invoice_that_does_not(self, api: AsyncClient, run: Run) -> None:
        await check(api, "800")
        await waits(api)
        await invoice(api, "300", order_ref="O-1")
        assert await woken(run) == []

    async def test_under_review_where_referred_orders_count(self, api: AsyncClient, api_as: ApiAs, run: Run) -> None:
        await change_policy(api, "order_checks", held_orders_count=True)
        first = await check(api, "1100")
        await waits(api)
        rita = await api_as(Scope.ORDERS_RELEASE, name="rita")
        await post(rita, f"/v1/credit-checks/{first['id']}/reject", reason="too much")
        await goes(api, run)


class TestAnOrderThatIsLowered:
    async def test_at_the_desk(self, api: AsyncClient, run: Run) -> None:
        await check(api, "800")
        await waits(api)
        await check(api, "600")
        assert await woken(run) == ["C-1"]
        await judge_waiting_orders(run)
        assert (await order(api, "W"))["state"] == "held"
        await check(api, "500")
        await goes(api, run)

    async def test_by_one_that_replaces_it(self, api: AsyncClient, run: Run) -> None:
        await check(api, "800")
        await waits(api)
        await check(api, "100", "O-2", replaces=[{"order_ref": "O-1", "amount": "400"}])
        await goes(api, run)

    async def test_by_a_release_for_less(self, api: AsyncClient, api_as: ApiAs, run: Run) -> None:
        rita = await api_as(Scope.ORDERS_RELEASE, name="rita")
        await check(api, "800")
        await waits(api)
        await change_policy(api, "order_checks", order_value={"effect": "refer", "max_amount": "550"})
        await judge_waiting_orders(run)
        asked = await check(api, "600")
        await post(rita, f"/v1/credit-checks/{asked['id']}/release", reason="agreed", amount="500")
        await goes(api, run)

    async def test_by_another_member_of_the_group(self, api: AsyncClient, run: Run) -> None:
        await open_account(api, "C-2", parent_id="C-1")
        await post(api, f"{ACCOUNT}/group-limit", kind="granted", amount="1000", reason="test")
        await check(api, "800")
        await waits(api, customer_id="C-2")
        await check(api, "500")
        assert await woken(run) == ["C-2"]
        await goes(api, run)

    async def test_in_the_same_batch_in_which_another_is_referred(self, api: AsyncClient, run: Run) -> None:
        await check(api, "800")
        asked = {"customer_id": "C-1", "currency": "CNY"}
        items = [{**asked, "order_ref": "W", "amount": "500"}, {**asked, "order_ref": "O-1", "amount": "500"}]
        await post(api, "/v1/credit-checks/batch", items=items)
        await goes(api, run)

    async def test_wakes_nobody_where_no_order_waits(self, api: AsyncClient, run: Run) -> None:
        await check(api, "800")
        await check(api, "600")
        await post(api, "/v1/orders/O-1/cancel", reason="not wanted")
        assert await woken(run) == []

    async def test_is_the_only_check_at_the_desk_that_wakes_anybody(self, api: AsyncClient, run: Run) -> None:
        await check(api, "800")
        await waits(api)
        for amount in ("800", "900", "1200"):
            await check(api, amount)
        assert await woken(run) == []


class TestItems:
    async def test_that_are_written_off_make_room_for_the_others_of_a_group(self, api: AsyncClient, run: Run) -> None:
        await open_account(api, "C-2", parent_id="C-1")
        await post(api, f"{ACCOUNT}/group-limit", kind="granted", amount="1000", reason="test")
        await invoice(api, "800")
        await waits(api, customer_id="C-2")
        await post(api, "/v1/invoices/I-1/write-off", reason="insolvent")
        await goes(api, run)

    async def test_that_are_disputed_are_not_late(self, api: AsyncClient, run: Run, clock: FrozenClock) -> None:
        await invoice(api, "100", net_days=0)
        clock.move(by=timedelta(days=40))
        await waits(api)
        await post(api, "/v1/invoices/I-1/disputes", amount="100", reason="quality")
        await goes(api, run)

    async def test_that_are_disputed_rightly_are_credited(self, api: AsyncClient, run: Run) -> None:
        await invoice(api, "800")
        disputed = await post(api, "/v1/invoices/I-1/disputes", amount="400", reason="quality")
        await waits(api)
        await post(api, f"/v1/invoices/I-1/disputes/{disputed['id']}/resolve", outcome="upheld", credit_note_no="CN-1")
        await goes(api, run)

    async def test_to_be_paid_in_parts_are_not_late(self, api: AsyncClient, run: Run, clock: FrozenClock) -> None:
        await invoice(api, "100", net_days=0)
        clock.move(by=timedelta(days=40))
        await waits(api)
        parts = [{"due_on": "2026-06-01", "amount": "50"}, {"due_on": "2026-07-01", "amount": "50"}]
        await post(api, "/v1/invoices/I-1/instalments", instalments=parts, reason="agreed")
        await goes(api, run)

    async def test_of_another_customer_that_a_payment_settles(self, api: AsyncClient, run: Run) -> None:
        """No limit is shared: the payer's own headroom is not what grows."""
        await open_account(api, "C-2", parent_id="C-1")
        await invoice(api, "800", customer_id="C-2")
        await waits(api, customer_id="C-2")
        paid = {"payment_ref": "P-1", "customer_id": "C-1", "amount": "800", "currency": "CNY"}
        named = [{"invoice_no": "I-1", "amount": "800"}]
        await post(api, "/v1/payments", **paid, received_on="2026-03-02", allocations=named)
        await goes(api, run)

    async def test_whose_draft_is_cleared(self, api: AsyncClient, run: Run, clock: FrozenClock) -> None:
        await invoice(api, "800")
        paid = {"payment_ref": "P-1", "customer_id": "C-1", "amount": "800", "currency": "CNY"}
        await post(api, "/v1/payments", **paid, received_on="2026-03-02", clears_on="2026-03-04")
        await waits(api)
        clock.move(by=timedelta(days=2))
        await clear_payments(run)
        await goes(api, run)


class TestWhatPeopleDecide:
    async def test_about_a_shared_limit_that_is_no_more(self, api: AsyncClient, run: Run) -> None:
        await open_account(api, "C-2", parent_id="C-1")
        await post(api, f"{ACCOUNT}/group-limit", kind="granted", amount="100", reason="test")
        await waits(api, customer_id="C-2")
        await post(api, f"{ACCOUNT}/group-limit", kind="none", reason="test")
        await goes(api, run)

    async def test_about_parents(self, api: AsyncClient, run: Run) -> None:
        for member in ("C-2", "C-3"):
            await open_account(api, member, parent_id="C-1")
        await post(api, f"{ACCOUNT}/group-limit", kind="granted", amount="900", reason="test")
        await check(api, "600", "O-2", customer_id="C-2")
        await waits(api, "400", "W2", customer_id="C-2")
        await waits(api, "400", "W3", customer_id="C-3")
        alone = {"name": "Customer C-2", "country": "CN", "parent_id": None}
        (await api.put("/v1/customers/C-2", json=alone)).raise_for_status()
        await goes(api, run, "W2")
        await goes(api, run, "W3")

    async def test_about_terms(self, api: AsyncClient, run: Run) -> None:
        await change_policy(api, "order_checks", terms={"effect": "refer"})
        longer: Json = {"payment_terms": {"kind": "account", "net_days": 90}}
        await waits(api, **longer)
        (await api.put("/v1/customers/C-1", json={"name": "C-1", "country": "CN", **longer})).raise_for_status()
        await goes(api, run)

    async def test_about_the_policy(self, api: AsyncClient, run: Run) -> None:
        await waits(api, "1100")
        await change_policy(api, "order_checks", limit={"effect": "refer", "tolerance_percent": "10"})
        await goes(api, run)

    async def test_about_the_customer_s_policy(self, api: AsyncClient, api_as: ApiAs, run: Run) -> None:
        await waits(api, "1100")
        patch = {"order_checks": {"limit": {"effect": "refer", "tolerance_percent": "10"}}}
        body = {"patch": patch, "valid_until": "2026-04-01", "reason": "test"}
        (await api.put("/v1/customers/C-1/policy-override", json=body)).raise_for_status()
        second = await api_as(Scope.POLICIES_APPROVE)
        await post(second, "/v1/customers/C-1/policy-override/approve")
        await goes(api, run)

    async def test_about_a_hold(self, api: AsyncClient, run: Run) -> None:
        await change_policy(api, "order_checks", hold={"effect": "warn"})
        await waits(api, "1100")
        await hold(api, "C-1", "forced")
        await set_limit(api, "C-1", "1100")
        await judge_waiting_orders(run)
        assert (await order(api, "W"))["state"] == "held"
        await hold(api, "C-1", "soft")
        await goes(api, run)


class TestWhatIsKnownOfTheCustomer:
    async def test_that_the_grade_is_better(self, api: AsyncClient, run: Run) -> None:
        await change_policy(api, "order_checks", grade={"effect": "refer", "worst_allowed": "C"})
        await note(run, grade="D")
        await waits(api)
        await note(run, grade="C")
        await goes(api, run)

    async def test_that_there_is_more_cover(self, api: AsyncClient, run: Run) -> None:
        await change_policy(api, "order_checks", cover={"effect": "refer", "min_covered_percent": "80"})
        await waits(api)
        body = {"provider": "Atlas", "kind": "insurance", "status": "approved", "amount": "500", "currency": "CNY"}
        body |= {"insured_percent": "90", "valid_from": "2026-03-02"}
        (await api.put("/v1/customers/C-1/covers/POL-1", json=body)).raise_for_status()
        await goes(api, run)

    async def test_that_there_is_an_exchange_rate(self, api: AsyncClient, run: Run) -> None:
        await waits(api, "10", currency="EUR")
        await waits(api, "1001", "V")
        rates = {"base": "EUR", "rates": {"CNY": "7.80"}}
        (await api.put("/v1/fx-rates/2026-03-02", json=rates)).raise_for_status()
        await goes(api, run)
        assert (await order(api, "V"))["state"] == "held"


class TestANewDay:
    async def test_begins_a_limit_that_was_decided_on_before(
        self, api: AsyncClient, run: Run, clock: FrozenClock
    ) -> None:
        await begin_day(run)
        await waits(api, "1500")
        await post(api, f"{ACCOUNT}/limit", kind="granted", amount="1500", valid_from="2026-03-03", reason="test")
        await judge_waiting_orders(run)
        await begin_day(run)
        assert await woken(run) == []
        clock.move(by=timedelta(hours=15))
        await begin_day(run)
        await goes(api, run)

    async def test_wakes_each_segment_once(self, api: AsyncClient, run: Run, clock: FrozenClock) -> None:
        await waits(api, "1500")
        for _ in range(3):
            await begin_day(run)
            await judge_waiting_orders(run)
            assert await woken(run) == []
        clock.move(by=timedelta(days=1))
        await begin_day(run)
        assert await woken(run) == ["C-1"]


async def note(run: Run, **facts: Any) -> None:
    async with run.begin() as tx:
        await exposure.note_risk(tx, customer_id="C-1", segment="main", **facts)
