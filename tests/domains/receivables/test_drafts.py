"""Drafts and cheques: items settle at once, the amount stays exposed until the day it clears."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from httpx import AsyncClient
from sqlalchemy import text

from app.domains.exposure import service as exposure
from app.domains.orders import jobs as order_jobs
from app.domains.receivables import jobs
from app.domains.receivables import service as receivables
from app.domains.receivables.core.change_events import PaymentCleared
from app.infra.clock import FrozenClock
from app.infra.jobs import Run
from app.infra.transaction import Transaction, Transactions
from app.kernel.identity import SYSTEM
from tests.domains.receivables.http import a_payment, an_invoice, exposure_of, post
from tests.domains.receivables.world import MONDAY, day, invoice, lines, open_account, pay, prove, totals


async def paid_by_draft(tx: Transaction, **more: object) -> None:
    await open_account(tx)
    await invoice(tx, "I1", "100.00", issued_on=day(-60), due_on=day(-30))
    await pay(tx, "P1", "100.00", clears_on=day(90), **more)


def later(tx: Transaction, days: int) -> Transaction:
    return Transaction(tx.session, now=MONDAY + timedelta(days=days), actor=tx.actor, request_id="test")


async def clear(tx: Transaction) -> bool:
    return await receivables.clear_payment(tx, segment="main", payment_ref="P1")


class TestPosting:
    async def test_settles_items_and_stays_exposed(self, tx: Transaction) -> None:
        await paid_by_draft(tx)
        account = await exposure.account(tx, customer_id="C1", segment="main")
        assert (account.overdue.amount, account.exposure.total.amount) == (Decimal(0), Decimal(100))
        assert (await receivables.invoice(tx, segment="main", invoice_no="I1")).item.open == 0
        assert (await receivables.aging(tx, customer_id="C1", segment="main")).total == 0
        await prove(tx)

    async def test_is_money_when_it_clears_by_today(self, tx: Transaction) -> None:
        await open_account(tx)
        await invoice(tx, "I1", "100.00")
        await pay(tx, "P1", "100.00", clears_on=day(0))
        assert await totals(tx) == ("0.00", "0.00")
        await prove(tx)

    async def test_exposes_all_of_it_whatever_it_settles(self, tx: Transaction) -> None:
        await paid_by_draft(tx, allocate=lines(("I1", "40.00")))
        assert await totals(tx) == ("160.00", "60.00")
        account = await exposure.account(tx, customer_id="C1", segment="main")
        assert account.exposure.total.amount == 100
        await prove(tx)


class TestClearing:
    async def test_frees_the_amount_on_its_day_and_not_before(self, tx: Transaction) -> None:
        await paid_by_draft(tx)
        assert not await clear(later(tx, 89))
        assert await totals(tx) == ("100.00", "0.00")
        then = later(tx, 90)
        assert await clear(then)
        [event] = then.take_events()
        assert isinstance(event, PaymentCleared)
        assert (event.before["uncleared"], event.after["uncleared"]) == ("100.00", "0.00")
        assert not await clear(then), "it clears once"
        assert await totals(tx) == ("0.00", "0.00")
        await prove(tx)

    async def test_of_one_that_bounced_before_frees_nothing_twice(self, tx: Transaction) -> None:
        await paid_by_draft(tx)
        await receivables.reverse_payment(tx, segment="main", payment_ref="P1", reason="dishonoured")
        assert await totals(tx) == ("100.00", "0.00")
        assert not await clear(later(tx, 90))
        await prove(tx)

    async def test_comes_before_a_late_dishonour(self, tx: Transaction) -> None:
        await paid_by_draft(tx)
        then = later(tx, 90)
        await clear(then)
        await receivables.reverse_payment(then, segment="main", payment_ref="P1", reason="dishonoured")
        assert await totals(tx) == ("100.00", "0.00")
        await prove(tx)

    async def test_is_at_the_rate_of_the_payment(self, tx: Transaction) -> None:
        await open_account(tx)
        await invoice(tx, "I1", "100.00", "EUR", fx_rate=Decimal("7.8"))
        await pay(tx, "P1", "100.00", "EUR", fx_rate=Decimal("8.0"), clears_on=day(10))
        assert await totals(tx) == ("800.00", "0.00")
        await clear(later(tx, 10))
        assert await totals(tx) == ("0.00", "0.00")
        await prove(tx)

    async def test_is_done_by_a_job(
        self, api: AsyncClient, company: None, transactions: Transactions, clock: FrozenClock
    ) -> None:
        await post(api, "/v1/invoices", an_invoice())
        body = await post(api, "/v1/payments", a_payment(clears_on="2026-03-12"))
        assert (body["uncleared"], body["clears_on"], body["cleared_at"]) == ("100.00", "2026-03-12", None)
        assert (await exposure_of(api))["total"] == "100.00"
        run = Run(transactions, "test")
        await jobs.clear_payments(run)
        assert (await exposure_of(api))["total"] == "100.00"
        clock.move(by=timedelta(days=10))
        await jobs.clear_payments(run)
        assert (await exposure_of(api))["total"] == "0.00"
        assert (await api.get("/v1/payments/P1")).json()["uncleared"] == "0.00"


class TestMidnight:
    """On the day a draft clears nobody waits for a job: whatever looks at the account sees it cleared."""

    @pytest.fixture
    async def paid(self, api: AsyncClient, company: None, clock: FrozenClock) -> None:
        """900 of a limit of 1,000 are paid by a draft that clears on 12 March, in Shanghai; it is a minute before."""
        zone = {"name": "China", "currency": "CNY", "time_zone": "Asia/Shanghai"}
        assert (await api.put("/v1/segments/main", json=zone)).status_code == 200
        await post(api, "/v1/invoices", an_invoice(amount="900"))
        await post(api, "/v1/payments", a_payment(amount="900", clears_on="2026-03-12"))
        clock.move(by=datetime(2026, 3, 11, 15, 59, tzinfo=UTC) - clock.now())

    def check(self, order_ref: str) -> dict[str, str]:
        return {"customer_id": "C1", "order_ref": order_ref, "amount": "200", "currency": "CNY"}

    async def test_is_when_orders_are_judged_without_it(self, api: AsyncClient, paid: None, clock: FrozenClock) -> None:
        assert (await post(api, "/v1/credit-checks", self.check("O1")))["outcome"] == "referred"
        clock.move(by=timedelta(minutes=1))
        decided = await post(api, "/v1/credit-checks", self.check("O2"))
        assert (decided["outcome"], decided["exposure"]["receivables"]) == ("approved", "0.00")
        payment = (await api.get("/v1/payments/P1")).json()
        assert (payment["uncleared"], payment["cleared_at"]) == ("0.00", "2026-03-11T16:00:00Z")

    async def test_is_when_the_account_shows_it_cleared(self, api: AsyncClient, paid: None, clock: FrozenClock) -> None:
        assert (await exposure_of(api))["total"] == "900.00"
        clock.move(by=timedelta(minutes=1))
        assert (await exposure_of(api))["total"] == "0.00"

    async def test_clears_it_before_anything_else_is_posted(
        self, api: AsyncClient, paid: None, clock: FrozenClock, transactions: Transactions
    ) -> None:
        clock.move(by=timedelta(minutes=1))
        await post(api, "/v1/payments/P1/reverse", {"reason": "dishonoured on its day"}, 200)
        assert (await exposure_of(api))["receivables"] == "900.00", "the invoice alone"
        await jobs.clear_payments(Run(transactions, "test"))
        async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
            await prove(tx)
            events = await tx.session.scalars(text("select type from events where type like 'payment%' order by id"))
            assert list(events) == ["payment_posted", "payment_cleared", "payment_reversed"]

    async def test_wakes_the_orders_that_waited_for_it(
        self, api: AsyncClient, paid: None, clock: FrozenClock, transactions: Transactions
    ) -> None:
        assert (await post(api, "/v1/credit-checks", self.check("O1")))["outcome"] == "referred"
        clock.move(by=timedelta(minutes=1))
        await jobs.clear_payments(Run(transactions, "test"))
        await order_jobs.judge_waiting_orders(Run(transactions, "test"))
        assert (await api.get("/v1/orders/O1")).json()["state"] == "open"


class TestOrders:
    async def test_are_judged_with_the_draft_still_exposed(
        self, api: AsyncClient, company: None, transactions: Transactions, clock: FrozenClock
    ) -> None:
        await post(api, "/v1/invoices", an_invoice(amount="900"))
        await post(api, "/v1/payments", a_payment(amount="900", clears_on="2026-03-12"))
        check = {"customer_id": "C1", "order_ref": "O1", "amount": "200", "currency": "CNY"}
        assert (await post(api, "/v1/credit-checks", check))["outcome"] == "referred"
        clock.move(by=timedelta(days=10))
        await jobs.clear_payments(Run(transactions, "test"))
        assert (await post(api, "/v1/credit-checks", check))["outcome"] == "approved"
