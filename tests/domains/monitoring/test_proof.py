"""The proof: silent while everything agrees, and naming whatever was tampered with."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from decimal import Decimal
from typing import Final
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from app.domains.monitoring import jobs
from app.domains.monitoring import service as monitoring
from app.domains.monitoring.core.drift import Drift, DriftKind
from app.domains.monitoring.repository import proofs as repository
from app.domains.monitoring.service import Tally
from app.infra import metrics
from app.infra.jobs import Run
from app.infra.transaction import Transaction, Transactions
from app.kernel.identity import SYSTEM
from tests.domains.monitoring import company
from tests.support.business import open_account

BEGINNING: Final = UUID(int=0)
CHILD: Final = "(select id from accounts where customer_id = 'CHILD')"
PAYMENT: Final = "(select id from payments where payment_ref = 'CHILD-P1')"
SOLO: Final = "(select id from accounts where customer_id = 'SOLO')"
FIRST_LINE: Final = f"(select account_id, seq from ledger where account_id = {SOLO} order by seq limit 1)"

TAMPERING: Final = [
    ("an account's receivables", "CHILD", {"ledger_sum", "receivables"},
     "update accounts set receivables = receivables + 1 where customer_id = 'CHILD'"),
    ("an account's open orders", "CHILD", {"ledger_sum", "open_orders"},
     "update accounts set open_orders = open_orders + 1 where customer_id = 'CHILD'"),
    ("an account's deliveries", "CHILD", {"ledger_sum", "delivered"},
     "update accounts set delivered = delivered + 1 where customer_id = 'CHILD'"),
    ("an account's credits", "CHILD", {"ledger_sum", "unallocated_credits"},
     "update accounts set unallocated_credits = unallocated_credits + 1 where customer_id = 'CHILD'"),
    ("an account's held orders", "SOLO", {"held_orders"},
     "update accounts set held_orders = held_orders + 1 where customer_id = 'SOLO'"),
    ("an account's version", "SOLO", {"ledger_seq"},
     "update accounts set version = 1 where customer_id = 'SOLO'"),
    ("an amount in the ledger", "SOLO", {"ledger_sum", "ledger_balance"},
     f"update ledger set amount = amount + 1 where (account_id, seq) = {FIRST_LINE}"),
    ("a balance in the ledger", "SOLO", {"ledger_balance"},
     f"update ledger set balance = balance + 1 where (account_id, seq) = {FIRST_LINE}"),
    ("a line of the ledger, removed", "SOLO", {"ledger_sum", "ledger_balance"},
     f"delete from ledger where (account_id, seq) = {FIRST_LINE}"),
    ("a line of the ledger, added", "SOLO", {"ledger_sum", "ledger_balance", "ledger_seq"},
     f"""insert into ledger (account_id, seq, at, component, amount, balance, source_type, source_ref)
         values ({SOLO}, 999, now(), 'receivables', 1, 1, 'forgery', 'F')"""),
    ("an order's approval", "SOLO", {"open_orders", "order_amounts"},
     "update commitments set approved = approved + 1 where order_ref = 'SOLO-A'"),
    ("an order's shipments", "SOLO", {"delivered", "order_amounts", "open_orders"},
     "update commitments set shipped = shipped + 1 where order_ref = 'SOLO-A'"),
    ("an order's open amount", "SOLO", {"order_amounts"},
     "update commitments set open_amount = open_amount + 1 where order_ref = 'SOLO-A'"),
    ("an order's rate", "SOLO", {"open_orders", "delivered", "order_amounts"},
     "update commitments set rate = rate * 1.01 where order_ref = 'SOLO-A'"),
    ("what a held order asks for", "CHILD", {"held_orders", "order_amounts"},
     "update commitments set held = held + 1 where order_ref = 'CHILD-C'"),
    ("an order, removed", "CHILD", {"open_orders"},
     "delete from commitments where order_ref = 'CHILD-B'"),
    ("an item's open amount", "SOLO", {"item_amounts", "due_rungs"},
     "update open_items set open_amount = open_amount - 1 where invoice_no = 'SOLO-2'"),
    ("an item's value", "SOLO", {"item_amounts", "receivables"},
     "update open_items set account_open_amount = account_open_amount + 1 where invoice_no = 'SOLO-2'"),
    ("an item's due day", "CHILD", {"due_rungs"},
     "update open_items set due_on = due_on + 1 where invoice_no = 'CHILD-2'"),
    ("a credit note's value", "CHILD", {"item_amounts", "unallocated_credits"},
     "update open_items set account_open_amount = account_open_amount + 1 where invoice_no = 'CHILD-3'"),
    ("a payment's rest", "CHILD", {"payment_amounts"},
     "update payments set open_amount = open_amount - 1 where payment_ref = 'CHILD-P2'"),
    ("a payment's value", "CHILD", {"payment_amounts", "unallocated_credits"},
     "update payments set account_open_amount = account_open_amount + 1 where payment_ref = 'CHILD-P2'"),
    ("an allocation", "CHILD", {"item_amounts", "payment_amounts"},
     f"update allocations set undone_at = now() where payment_id = {PAYMENT}"),
    ("a small difference that was closed", "CHILD", {"item_amounts"},
     f"update allocations set difference = 0.01 where payment_id = {PAYMENT}"),
    ("the cash of an allocation", "CHILD", {"payment_amounts"},
     f"update allocations set cash_amount = cash_amount + 1 where payment_id = {PAYMENT}"),
    ("an instalment's amount", "SOLO", {"instalments", "due_rungs"},
     """update open_items set instalments = jsonb_set(instalments, '{0,amount}', '"1.00"')
         where invoice_no = 'SOLO-4'"""),
    ("an instalment's due day", "SOLO", {"instalments", "due_rungs"},
     """update open_items set instalments = jsonb_set(instalments, '{1,due_on}', '"2026-01-01"')
         where invoice_no = 'SOLO-4'"""),
    ("what is disputed of an item", "SOLO", {"disputed", "due_rungs"},
     "update open_items set disputed_amount = disputed_amount + 1 where invoice_no = 'SOLO-2'"),
    ("a dispute", "CHILD", {"disputed"},
     "update disputes set state = 'rejected', resolved_at = now() where customer_id = 'CHILD'"),
    ("what is written off of an item", "CHILD", {"written_off"},
     "update open_items set written_off_amount = written_off_amount - 1 where invoice_no = 'CHILD-5'"),
    ("a write-off, removed", "SOLO", {"written_off", "item_amounts"},
     "delete from write_offs where item_id = (select id from open_items where invoice_no = 'SOLO-5')"),
    ("a refund", "SOLO", {"payment_amounts"},
     "update refunds set amount = amount + 1 where customer_id = 'SOLO' and payment_id is not null"),
    ("a refunded credit note", "CHILD", {"item_amounts"},
     "delete from refunds where customer_id = 'CHILD' and credit_note_id is not null"),
    ("a draft that has not cleared", "SOLO", {"payment_amounts"},
     "update payments set cleared_at = now() where payment_ref = 'SOLO-P3'"),
    ("what is exposed of a draft", "CHILD", {"payment_amounts", "receivables"},
     "update payments set uncleared_amount = uncleared_amount + 1 where payment_ref = 'CHILD-P3'"),
    ("a rung of the ladder", "SOLO", {"due_rungs"},
     f"update due_rungs set amount = amount + 1 where account_id = {SOLO}"),
    ("the ladder, removed", "SOLO", {"due_rungs"},
     f"delete from due_rungs where account_id = {SOLO}"),
    ("a group's total", "BOSS", {"group_totals"},
     """update groups set totals = '{"CNY": "1.00"}'"""),
    ("a group's total in a currency it has not", "BOSS", {"group_totals"},
     """update groups set totals = totals || '{"EUR": "1.00"}'"""),
    ("a member's group", "CHILD", {"group_membership"},
     "update accounts set group_id = null where customer_id = 'CHILD'"),
    ("a member's history", "CHILD", {"group_membership"},
     f"update memberships set left_at = now() where account_id = {CHILD}"),
    ("a customer's parent", "CHILD", {"group_membership"},
     "update customers set parent_id = null where customer_id = 'CHILD'"),
]  # fmt: skip
"""What is tampered with, whose account it is, the proofs that must fail, and how it is done."""


def begin(transactions: Transactions) -> AbstractAsyncContextManager[Transaction]:
    return transactions.begin(actor=SYSTEM, request_id="test")


async def drifts(transactions: Transactions) -> Sequence[Drift]:
    return [drift async for proof in monitoring.prove_all(lambda: begin(transactions)) for drift in proof.drifts]


async def tamper(transactions: Transactions, statement: str) -> None:
    async with begin(transactions) as tx:
        done = await (await tx.session.connection()).exec_driver_sql(statement)
        assert done.rowcount, "nothing was tampered with"


class TestProof:
    async def test_finds_nothing_where_everything_agrees(self, business: Transactions) -> None:
        tally = Tally()
        async for proof in monitoring.prove_all(lambda: begin(business)):
            tally.add(proof)
            assert not proof.drifts
        assert (tally.accounts, tally.groups) == (3, 1)

    async def test_covers_an_account_with_something_in_every_component(self, business: Transactions) -> None:
        """Without this the proofs above could agree on nothing at all."""
        components = "receivables, open_orders, delivered, unallocated_credits, held_orders"
        async with begin(business) as tx:
            for customer_id in ("SOLO", "CHILD"):
                statement = text(f"select {components} from accounts where customer_id = '{customer_id}'")
                assert all((await tx.session.execute(statement)).one())

    @pytest.mark.parametrize(
        ("customer_id", "kinds", "statement"),
        [case[1:] for case in TAMPERING],
        ids=[case[0] for case in TAMPERING],
    )
    async def test_names_what_was_tampered_with(
        self, business: Transactions, customer_id: str, kinds: set[str], statement: str
    ) -> None:
        await tamper(business, statement)
        found = await drifts(business)
        assert {drift.kind.value for drift in found if drift.customer_id == customer_id} == kinds
        assert {drift.customer_id for drift in found} <= {customer_id, "BOSS"}
        assert all(drift.expected != drift.found for drift in found)

    async def test_tries_every_proof(self) -> None:
        assert set().union(*(case[2] for case in TAMPERING)) == {kind.value for kind in DriftKind}

    async def test_names_the_first_of_many_lines(self, business: Transactions) -> None:
        await tamper(business, f"update ledger set balance = balance + seq where account_id = {SOLO}")
        [drift] = await drifts(business)
        async with begin(business) as tx:
            first = await tx.session.scalar(text(f"select min(seq) from ledger where account_id = {SOLO}"))
        assert (drift.kind, drift.subject) == (DriftKind.LEDGER_BALANCE, f"open_orders at {first}")

    async def test_says_what_it_expected_and_what_it_found(self, business: Transactions) -> None:
        await tamper(business, "update accounts set held_orders = 7 where customer_id = 'CHILD'")
        [drift] = await drifts(business)
        assert (drift.segment, drift.expected, drift.found) == ("main", "90000.00", "7.0000")


class TestBatches:
    async def test_meet_every_account_once(self, transactions: Transactions) -> None:
        for number in range(5):
            await open_account(transactions, f"C{number}")
        after, sizes = BEGINNING, []
        while True:
            async with begin(transactions) as tx:
                proof = await monitoring.prove_accounts(tx, after=after, batch=2)
            sizes.append(proof.accounts)
            if proof.last is None:
                break
            after = proof.last
        assert sizes == [2, 2, 1]

    async def test_can_write_nothing(self, transactions: Transactions) -> None:
        async with begin(transactions) as tx:
            await monitoring.prove_accounts(tx, after=BEGINNING)
            with pytest.raises(DBAPIError, match="read-only"):
                await tx.session.execute(text("delete from ledger"))
            await tx.session.rollback()

    async def test_read_all_of_one_instant(self, business: Transactions, monkeypatch: pytest.MonkeyPatch) -> None:
        """Goods that leave between two statements of a proof are not half seen."""
        read = repository.next_accounts

        async def and_somebody_ships(session: AsyncSession, *, after: UUID, batch: int) -> Sequence[UUID]:
            ids = await read(session, after=after, batch=batch)
            async with begin(business) as other:
                await company.ship(other, "CHILD", "CHILD-B", Decimal("1.00"))
            return ids

        monkeypatch.setattr(repository, "next_accounts", and_somebody_ships)
        async with begin(business) as tx:
            proof = await monitoring.prove_accounts(tx, after=BEGINNING)
        assert (proof.accounts, proof.drifts) == (3, [])


class TestJob:
    async def test_exports_how_many_accounts_fail_each_proof(self, business: Transactions) -> None:
        await tamper(business, "update accounts set held_orders = held_orders + 1")
        await jobs.prove_accounts(Run(business, request_id="job"))
        assert _metric(DriftKind.HELD_ORDERS) == 3
        assert _metric(DriftKind.RECEIVABLES) == 0

    async def test_goes_back_to_nothing_when_nothing_drifts(self, business: Transactions) -> None:
        await tamper(business, "update accounts set held_orders = held_orders + 1")
        await jobs.prove_accounts(Run(business, request_id="job"))
        await tamper(business, "update accounts set held_orders = held_orders - 1")
        await jobs.prove_accounts(Run(business, request_id="job"))
        assert {_metric(kind) for kind in DriftKind} == {0}


def _metric(kind: DriftKind) -> float | None:
    return next(
        sample.value
        for family in metrics.DRIFT.collect()
        for sample in family.samples
        if sample.labels == {"kind": kind.value}
    )
