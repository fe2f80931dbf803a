"""Lock, post, save and refresh, against a database."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from app.domains.exposure import service as exposure
from app.domains.exposure.core.commitments import OrderState
from app.domains.exposure.core.events import ReservationExpired
from app.domains.exposure.core.ledger import Component, Entry
from app.domains.exposure.core.refusals import AccountNotFound, FxRateMissing, OrderNotFound
from app.domains.exposure.tables import LedgerRow
from app.infra.transaction import Transaction
from app.kernel.money import Money
from tests.domains.exposure.conftest import MONDAY, Later
from tests.domains.exposure.world import BILL, open_account, post, reserve

TODAY = MONDAY.date()


class TestLock:
    async def test_refuses_a_customer_without_account(self, tx: Transaction) -> None:
        with pytest.raises(AccountNotFound):
            await exposure.lock(tx, keys=[("nobody", "main")])

    async def test_frees_reservations_that_have_run_out(self, tx: Transaction, later: Later) -> None:
        await open_account(tx)
        await reserve(tx, "C1", "O1", 100, ship_on=None, expires_at=MONDAY + timedelta(hours=1))
        tomorrow = later(hours=1)
        positions = await exposure.lock(tomorrow, keys=[("C1", "main")])
        assert not positions.of("C1", "main").exposure.total
        assert [type(event) for event in tomorrow.take_events()] == [ReservationExpired]

    async def test_writes_what_has_run_out_whatever_becomes_of_the_positions(
        self, tx: Transaction, later: Later
    ) -> None:
        await open_account(tx)
        await reserve(tx, "C1", "O1", 100, ship_on=None, expires_at=MONDAY + timedelta(hours=1))
        tomorrow = later(hours=1)
        await exposure.lock(tomorrow, keys=[("C1", "main")])
        stored = await exposure.account(tx, customer_id="C1", segment="main")
        assert not stored.exposure.total
        assert (await exposure.order(tx, segment="main", order_ref="O1")).state is OrderState.EXPIRED
        again = await exposure.lock(tomorrow, keys=[("C1", "main")])
        assert again.of("C1", "main") == stored
        assert [type(event) for event in tomorrow.take_events()] == [ReservationExpired], "it expires once"

    async def test_keeps_reservations_until_then(self, tx: Transaction, later: Later) -> None:
        await open_account(tx)
        await reserve(tx, "C1", "O1", 100, ship_on=None, expires_at=MONDAY + timedelta(hours=1))
        positions = await exposure.lock(later(minutes=59), keys=[("C1", "main")])
        assert positions.of("C1", "main").exposure.total == Money(Decimal(100), "CNY")


class TestSave:
    async def test_stores_what_was_posted(self, tx: Transaction) -> None:
        account = await open_account(tx)
        after = await post(tx, "C1", "1250.50", due_on=TODAY)
        stored = await exposure.account(tx, customer_id="C1", segment="main")
        assert stored == after
        assert stored.version > account.version
        assert stored.exposure.receivables == Decimal("1250.50")

    async def test_writes_a_ledger_line_for_each_entry(self, tx: Transaction) -> None:
        await open_account(tx)
        positions = await exposure.lock(tx, keys=[("C1", "main")])
        account = positions.of("C1", "main")
        positions.post(account.id, [Entry(Component.RECEIVABLES, Decimal(amount), BILL, TODAY) for amount in (7, -3)])
        await exposure.save(tx, positions=positions)
        lines = (await tx.session.scalars(select(LedgerRow).order_by(LedgerRow.seq))).all()
        assert [(line.seq - account.version, line.amount, line.balance) for line in lines] == [
            (1, Decimal(7), Decimal(7)),
            (2, Decimal(-3), Decimal(4)),
        ]

    async def test_tells_what_is_overdue_from_the_day_after_due(self, tx: Transaction, later: Later) -> None:
        await open_account(tx)
        assert not (await post(tx, "C1", 10, due_on=TODAY)).overdue.amount
        late = await post(later(days=1), "C1", 5, due_on=TODAY + timedelta(days=9))
        assert late.overdue.amount == 10
        assert late.overdue.oldest_due_on == TODAY

    async def test_keeps_an_order_and_changes_it(self, tx: Transaction) -> None:
        await open_account(tx)
        made = await reserve(tx, "C1", "O1", 100, ship_on=date(2026, 4, 1), expires_at=MONDAY + timedelta(days=60))
        assert await exposure.order(tx, segment="main", order_ref="O1") == made
        positions = await exposure.lock(tx, keys=[("C1", "main")])
        await exposure.load_orders(tx, positions=positions, keys=[("main", "O1"), ("main", "unknown")])
        assert set(positions.orders) == {("main", "O1")}
        assert positions.orders["main", "O1"].state is OrderState.OPEN

    async def test_is_fresh_until_the_next_reservation_expires(self, tx: Transaction) -> None:
        await open_account(tx)
        expires_at = MONDAY + timedelta(hours=3)
        await reserve(tx, "C1", "O1", 100, ship_on=None, expires_at=expires_at)
        assert (await exposure.account(tx, customer_id="C1", segment="main")).fresh_until == expires_at


class TestOrder:
    async def test_refuses_an_unknown_reference(self, tx: Transaction) -> None:
        with pytest.raises(OrderNotFound):
            await exposure.order(tx, segment="main", order_ref="nothing")


class TestRefresh:
    async def test_makes_a_stale_account_fresh_for_the_policy(self, tx: Transaction) -> None:
        account = await open_account(tx)
        basis = await exposure.basis(tx, account=account)
        assert not account.is_fresh(tx.now, basis)
        refreshed = (await exposure.refresh(tx, keys=[("C1", "main")])).of("C1", "main")
        assert refreshed.is_fresh(tx.now, basis)
        assert refreshed == await exposure.account(tx, customer_id="C1", segment="main")

    async def test_leaves_a_fresh_account_as_it_is(self, tx: Transaction) -> None:
        await open_account(tx)
        once = (await exposure.refresh(tx, keys=[("C1", "main")])).of("C1", "main")
        twice = (await exposure.refresh(tx, keys=[("C1", "main")])).of("C1", "main")
        assert twice.version == once.version

    async def test_rolls_overdue_forward_at_midnight(self, tx: Transaction, later: Later) -> None:
        await open_account(tx)
        await post(tx, "C1", 10, due_on=TODAY)
        rolled = (await exposure.refresh(later(days=3), keys=[("C1", "main")])).of("C1", "main")
        assert rolled.overdue.amount == 10
        assert rolled.overdue.days(TODAY + timedelta(days=3)) == 3

    async def test_frees_what_has_expired(self, tx: Transaction, later: Later) -> None:
        await open_account(tx)
        await reserve(tx, "C1", "O1", 100, ship_on=None, expires_at=MONDAY + timedelta(days=1))
        await exposure.refresh(later(days=1), keys=[("C1", "main")])
        assert (await exposure.order(tx, segment="main", order_ref="O1")).state is OrderState.EXPIRED


class TestRate:
    async def test_is_one_within_a_currency(self, tx: Transaction) -> None:
        assert await exposure.rate(tx, currency="CNY", into="CNY", on=TODAY) == 1

    async def test_refuses_currencies_that_nothing_leads_between(self, tx: Transaction) -> None:
        with pytest.raises(FxRateMissing):
            await exposure.rate(tx, currency="EUR", into="CNY", on=TODAY)

    async def test_takes_the_latest_rate_on_or_before_the_day(self, tx: Transaction) -> None:
        for days, rate in ((3, "7.50"), (1, "7.81"), (-1, "9.99")):
            on = TODAY - timedelta(days=days)
            await exposure.enter_rates(tx, on=on, base="EUR", rates={"CNY": Decimal(rate)})
        assert await exposure.rate(tx, currency="EUR", into="CNY", on=TODAY) == Decimal("7.81")
