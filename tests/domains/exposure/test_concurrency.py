"""Several transactions at once, on a database of their own."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.domains.exposure import service as exposure
from app.domains.exposure.core.ledger import Component, Entry
from app.domains.exposure.core.limits import LimitScope
from app.domains.exposure.core.refusals import AccountBusy, GroupLimitExists
from app.infra.db.engine import make_engine
from app.infra.transaction import Transaction, Transactions
from app.kernel.errors import Busy
from tests.domains.exposure.conftest import ANN, MONDAY, transactions_on
from tests.domains.exposure.world import BILL, grant, open_account, overview, post, put_customer

ACCOUNTS = [f"C{number}" for number in range(8)]


@pytest.fixture
async def transactions(engine: AsyncEngine) -> Transactions:
    """Transactions that commit; eight accounts, the first four in a group under P."""
    transactions = transactions_on(engine)
    async with transactions.begin(actor=ANN, request_id="test") as tx:
        await open_account(tx, "P")
        for customer_id in ACCOUNTS:
            await open_account(tx, customer_id, parent_id="P" if customer_id in ACCOUNTS[:4] else None)
        await grant(tx, "P", 10**9, scope=LimitScope.GROUP)
    return transactions


async def post_all(tx: Transaction, customer_ids: Sequence[str]) -> None:
    """One yuan on each of these accounts, in one transaction."""
    positions = await exposure.lock(tx, keys=[(customer_id, "main") for customer_id in customer_ids])
    for customer_id in customer_ids:
        entry = Entry(Component.RECEIVABLES, Decimal(1), BILL, MONDAY.date())
        positions.post(positions.of(customer_id, "main").id, [entry])
    await exposure.save(tx, positions=positions)


async def patiently(transactions: Transactions, customer_ids: Sequence[str]) -> None:
    """Posts, again and again while the accounts are busy."""
    while True:
        try:
            async with transactions.begin(actor=ANN, request_id="test") as tx:
                await post_all(tx, customer_ids)
            return
        except AccountBusy:
            await asyncio.sleep(0.01)


class TestLocking:
    async def test_crossing_sets_of_accounts_never_deadlock(
        self, transactions: Transactions, database_url: str
    ) -> None:
        shuffler = random.Random(7)
        sets = [shuffler.sample(ACCOUNTS, k=5) for _ in range(40)]
        # Longer than PostgreSQL waits before it looks for a deadlock: one would be raised here.
        patient = make_engine(database_url, pool_size=12, lock_timeout=timedelta(seconds=30))

        async def post_once(chosen: Sequence[str]) -> None:
            async with transactions_on(patient).begin(actor=ANN, request_id="test") as tx:
                await post_all(tx, chosen)

        await asyncio.gather(*(post_once(chosen) for chosen in sets))
        await patient.dispose()
        async with transactions.begin(actor=ANN, request_id="test") as tx:
            for customer_id in ACCOUNTS:
                found = await exposure.account(tx, customer_id=customer_id, segment="main")
                assert found.exposure.receivables == sum(customer_id in chosen for chosen in sets)
            shared = (await overview(tx, "P")).group
            assert shared is not None
            assert shared.exposure is not None
            assert shared.exposure.amount == sum(len(set(chosen) & set(ACCOUNTS[:4])) for chosen in sets)

    async def test_a_held_account_delays_no_other(self, transactions: Transactions) -> None:
        async with transactions.begin(actor=ANN, request_id="holder") as holder:
            await exposure.lock(holder, keys=[("C5", "main")])
            for customer_id in ("C6", "C7", "C0"):
                async with transactions.begin(actor=ANN, request_id="test") as tx:
                    await post_all(tx, [customer_id])
                async with transactions.begin(actor=ANN, request_id="test") as tx:
                    await open_account(tx, f"new {customer_id}")

    async def test_a_held_account_is_busy_by_name(self, transactions: Transactions) -> None:
        async with transactions.begin(actor=ANN, request_id="holder") as holder:
            await exposure.lock(holder, keys=[("C5", "main")])
            with pytest.raises(AccountBusy) as refused:
                async with transactions.begin(actor=ANN, request_id="test") as tx:
                    await post_all(tx, ["C5"])
            assert isinstance(refused.value, Busy)
            assert refused.value.retry_after == 1

    async def test_a_refused_transaction_leaves_nothing(self, transactions: Transactions) -> None:
        async def post_and_fail() -> None:
            async with transactions.begin(actor=ANN, request_id="test") as tx:
                await post_all(tx, ["C5"])
                raise RuntimeError

        with pytest.raises(RuntimeError):
            await post_and_fail()
        async with transactions.begin(actor=ANN, request_id="test") as tx:
            assert not (await exposure.account(tx, customer_id="C5", segment="main")).exposure.receivables


class TestGroups:
    async def test_an_account_opened_while_its_group_is_founded_belongs_to_it(self, engine: AsyncEngine) -> None:
        transactions = transactions_on(engine)
        async with transactions.begin(actor=ANN, request_id="test") as tx:
            for head in ("H0", "H1", "H2", "H3"):
                await open_account(tx, head)
                await put_customer(tx, f"{head} child", head)

        async def found(head: str) -> None:
            async with transactions.begin(actor=ANN, request_id="test") as tx:
                await grant(tx, head, 100, scope=LimitScope.GROUP)

        async def join(head: str) -> None:
            async with transactions.begin(actor=ANN, request_id="test") as tx:
                await exposure.open_account(tx, customer_id=f"{head} child", segment="main", currency="CNY")

        heads = ("H0", "H1", "H2", "H3")
        await asyncio.gather(*(use(head) for head in heads for use in (found, join)))
        async with transactions.begin(actor=ANN, request_id="test") as tx:
            for head in heads:
                assert (await overview(tx, f"{head} child")).group is not None

    async def test_two_limits_in_one_chain_at_once_leave_one(self, transactions: Transactions) -> None:
        async with transactions.begin(actor=ANN, request_id="test") as tx:
            for number in range(3):
                await open_account(tx, f"T{number}", parent_id=f"T{number - 1}" if number else None)

        async def found(customer_id: str) -> bool:
            try:
                async with transactions.begin(actor=ANN, request_id="test") as tx:
                    await grant(tx, customer_id, 100, scope=LimitScope.GROUP)
            except GroupLimitExists:
                return False
            return True

        assert sum(await asyncio.gather(*(found(f"T{number}") for number in range(3)))) == 1

    async def test_postings_while_a_branch_moves_are_counted_once(self, transactions: Transactions) -> None:
        async def move(parent_id: str | None) -> None:
            async with transactions.begin(actor=ANN, request_id="test") as tx:
                await put_customer(tx, "C0", parent_id)

        async def owe() -> None:
            await patiently(transactions, ["C0"])

        for parent_id in (None, "P", None, "P"):
            await asyncio.gather(move(parent_id), *(owe() for _ in range(4)))
        async with transactions.begin(actor=ANN, request_id="test") as tx:
            await post(tx, "C1", 100)
            shared = (await overview(tx, "P")).group
            assert shared is not None
            assert shared.exposure is not None
            assert shared.exposure.amount == 116


class TestRates:
    async def test_a_day_entered_twice_at_once_has_one_set(self, engine: AsyncEngine) -> None:
        transactions = transactions_on(engine)

        async def enter(quote: str) -> None:
            async with transactions.begin(actor=ANN, request_id="test") as tx:
                await exposure.enter_rates(
                    tx, on=MONDAY.date(), base="EUR", rates={quote: Decimal(7), "CNY": Decimal(8)}
                )

        await asyncio.gather(*(enter(quote) for quote in ("USD", "JPY", "GBP", "CHF")))
        async with transactions.begin(actor=ANN, request_id="test") as tx:
            assert len(await exposure.quotes(tx, on=MONDAY.date())) == 2
