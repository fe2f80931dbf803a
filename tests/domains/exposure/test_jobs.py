"""Jobs: what has expired is freed, and standing facts are rolled forward after midnight."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.domains.exposure import jobs
from app.domains.exposure import service as exposure
from app.domains.exposure.core.commitments import OrderState
from app.infra import metrics
from app.infra.clock import FrozenClock
from app.infra.jobs import Run
from app.infra.transaction import Transactions
from tests.domains.exposure.conftest import ANN, MONDAY, transactions_on
from tests.domains.exposure.world import open_account, post, reserve

CUSTOMERS = [f"C{number}" for number in range(5)]


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(MONDAY)


@pytest.fixture
async def transactions(engine: AsyncEngine, clock: FrozenClock) -> Transactions:
    """Five accounts with a reservation that runs out in an hour and an item due today."""
    transactions = transactions_on(engine, clock)
    async with transactions.begin(actor=ANN, request_id="test") as tx:
        for customer_id in CUSTOMERS:
            await open_account(tx, customer_id)
            await post(tx, customer_id, 10, due_on=MONDAY.date())
            await reserve(
                tx, customer_id, f"O-{customer_id}", 100, ship_on=None, expires_at=MONDAY + timedelta(hours=1)
            )
    return transactions


def expired() -> float:
    (family,) = metrics.EXPIRED_RESERVATIONS.collect()
    return next(sample.value for sample in family.samples if sample.name.endswith("_total"))


class TestExpireReservations:
    async def test_frees_all_that_have_run_out_in_batches(
        self, transactions: Transactions, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(jobs, "BATCH", 2)
        before = expired()
        clock.move(by=timedelta(hours=1))
        await jobs.expire_reservations(Run(transactions, "job"))
        async with transactions.begin(actor=ANN, request_id="test") as tx:
            for customer_id in CUSTOMERS:
                order = await exposure.order(tx, segment="main", order_ref=f"O-{customer_id}")
                assert order.state is OrderState.EXPIRED
        assert expired() - before == len(CUSTOMERS)

    async def test_leaves_those_that_have_not(self, transactions: Transactions, clock: FrozenClock) -> None:
        clock.move(by=timedelta(minutes=59))
        await jobs.expire_reservations(Run(transactions, "job"))
        async with transactions.begin(actor=ANN, request_id="test") as tx:
            assert (await exposure.order(tx, segment="main", order_ref="O-C1")).state is OrderState.OPEN


class TestRollForward:
    async def test_makes_every_account_of_yesterday_fresh(
        self, transactions: Transactions, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(jobs, "BATCH", 2)
        monkeypatch.setattr(jobs, "SCAN", 3)
        clock.move(by=timedelta(days=1))
        await jobs.roll_forward(Run(transactions, "job"))
        async with transactions.begin(actor=ANN, request_id="test") as tx:
            for customer_id in CUSTOMERS:
                found = await exposure.account(tx, customer_id=customer_id, segment="main")
                assert found.fresh_until > tx.now
                assert found.overdue.amount == 10

    async def test_does_the_others_when_one_is_busy(self, transactions: Transactions, clock: FrozenClock) -> None:
        clock.move(by=timedelta(days=1))
        async with transactions.begin(actor=ANN, request_id="holder") as holder:
            await holder.session.execute(text("select from accounts where customer_id = 'C2' for update"))
            await jobs.roll_forward(Run(transactions, "job"))
        async with transactions.begin(actor=ANN, request_id="test") as tx:
            found = [await exposure.account(tx, customer_id=name, segment="main") for name in CUSTOMERS]
            assert [account.customer_id for account in found if account.fresh_until <= tx.now] == ["C2"]
