"""Old credit checks go; those of orders that still matter stay."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from httpx import AsyncClient
from sqlalchemy import text

from app.domains.orders import jobs
from app.domains.orders import service as orders
from app.infra.clock import FrozenClock
from app.infra.jobs import Run
from app.infra.transaction import Transactions
from app.kernel.identity import SYSTEM
from tests.domains.orders.world import check, open_account, ship

KEEP = timedelta(days=30)


@pytest.fixture(autouse=True)
async def customer(api: AsyncClient) -> None:
    await open_account(api)


async def run(transactions: Transactions) -> None:
    [job] = jobs.retention(KEEP)
    await job.run(Run(transactions, "test"))


async def left(transactions: Transactions) -> list[str]:
    async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
        return list(await tx.session.scalars(text("select order_ref from credit_checks order by id")))


class TestRetention:
    async def test_deletes_checks_of_finished_orders(
        self, api: AsyncClient, transactions: Transactions, clock: FrozenClock
    ) -> None:
        for number in range(3):
            await check(api, "10", f"O-{number}")
            (await api.post(f"/v1/orders/O-{number}/cancel", json={"reason": "test"})).raise_for_status()
        clock.move(by=KEEP + timedelta(seconds=1))
        await check(api, "10", "O-NEW")
        await run(transactions)
        assert await left(transactions) == ["O-NEW"]

    async def test_spares_orders_with_goods_not_invoiced(
        self, api: AsyncClient, transactions: Transactions, clock: FrozenClock
    ) -> None:
        await check(api, "10", "O-1")
        (await ship(api, "10")).raise_for_status()
        clock.move(by=KEEP * 2)
        await run(transactions)
        assert await left(transactions) == ["O-1"]

    async def test_spares_what_waits_for_a_decision(
        self, api: AsyncClient, transactions: Transactions, clock: FrozenClock
    ) -> None:
        await check(api, "5000", "O-1")
        clock.move(by=KEEP * 2)
        await run(transactions)
        assert await left(transactions) == ["O-1"]

    async def test_spares_what_is_young_enough(
        self, api: AsyncClient, transactions: Transactions, clock: FrozenClock
    ) -> None:
        await check(api, "10", "O-1", reserve=False)
        clock.move(by=KEEP - timedelta(minutes=1))
        await run(transactions)
        assert await left(transactions) == ["O-1"]

    async def test_goes_on_behind_what_it_spared(
        self, api: AsyncClient, transactions: Transactions, clock: FrozenClock
    ) -> None:
        await check(api, "10", "KEPT")
        await ship(api, "10", order_ref="KEPT")
        clock.move(by=timedelta(seconds=1))  # ids of one instant are in no order
        for number in range(4):
            await check(api, "10", f"O-{number}", reserve=False)
        clock.move(by=KEEP * 2)
        after: UUID | None = UUID(int=0)
        batches = []
        while after is not None:
            async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
                swept = await orders.delete_older_checks(tx, keep=KEEP, after=after, batch=2)
            batches.append((swept.deleted, swept.spared))
            after = swept.last
        assert batches == [(1, 1), (2, 0), (1, 0)]
        assert await left(transactions) == ["KEPT"]
