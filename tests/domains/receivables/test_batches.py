"""Batches: items succeed and fail on their own, in order, on one book, with a fixed number of statements."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from app.domains.receivables import service as receivables
from app.domains.receivables.core import refusals
from app.domains.receivables.core.items import ItemKind
from app.domains.receivables.service import InvoiceView, PaymentView
from app.infra.clock import FrozenClock
from app.infra.db.engine import make_sessions
from app.infra.db.paging import PageRequest
from app.infra.transaction import Transaction, Transactions
from app.kernel.errors import Refusal
from tests.domains.receivables.world import (
    ANN,
    MONDAY,
    NOTHING,
    a_payment,
    an_invoice,
    billing,
    exposure_of,
    invoice,
    lines,
    open_account,
    open_amount,
    order,
    prove,
    settled,
    totals,
)


@contextmanager
def statements_of(tx: Transaction) -> Iterator[list[str]]:
    """The statements sent while the block runs."""
    sent: list[str] = []
    bind: Any = tx.session.bind
    engine = bind.sync_engine if hasattr(bind, "sync_engine") else bind.sync_connection.engine

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        sent.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)


def kinds(outcomes: Any) -> list[str]:
    """Created, repeated, or the refusal's code."""
    return [o.code if isinstance(o, Refusal) else ("created" if o.created else "repeated") for o in outcomes]


class TestInvoices:
    async def test_succeed_and_fail_on_their_own(self, tx: Transaction) -> None:
        await open_account(tx)
        await open_account(tx, "C2")
        await order(tx, "O2", "100.00", customer_id="C2")
        tx.take_events()
        outcomes = await receivables.post_invoices(
            tx,
            requests=[
                an_invoice("I1", "100.00", orders=billing("O1", "60.00")),
                an_invoice("I2", "100.00", orders=billing("O1", "60.00") + billing("O2", "40.00")),
                an_invoice("I3", "100.00", customer_id="nobody"),
                an_invoice("I1", "100.00", orders=billing("O1", "60.00")),
                an_invoice("I1", "100.01"),
                an_invoice("N1", "30.00", kind=ItemKind.CREDIT_NOTE, related_invoice_no="I1"),
                an_invoice("I4", "10.00", customer_id="C2"),
            ],
        )
        assert kinds(outcomes) == [
            "created",
            "order_ref_conflict",
            "account_not_found",
            "repeated",
            "invoice_conflict",
            "created",
            "created",
        ]
        assert [found.subject_id for found in tx.take_events()] == ["I1", "N1", "I4"]
        first, again = outcomes[0], outcomes[3]
        assert isinstance(first, InvoiceView)
        assert isinstance(again, InvoiceView)
        assert first.item == again.item, "both show the invoice as it is after the batch"
        assert first.item.open == 70
        assert await totals(tx) == ("70.00", "0.00")
        await prove(tx)

    async def test_send_no_more_statements_for_a_thousand_than_for_three(self, tx: Transaction) -> None:
        await open_account(tx)
        await invoice(tx, "I0", "10.00")
        sent = []
        for count in (3, 1000):
            requests = [
                an_invoice(f"I{count}-{n}", "10.00", orders=billing(f"O{count}-{n}", "10.00")) for n in range(count)
            ]
            with statements_of(tx) as statements:
                await receivables.post_invoices(tx, requests=requests)
            sent.append(len(statements))
        assert sent[1] <= sent[0]
        assert (await exposure_of(tx)).receivables == 10040
        await prove(tx)


class TestPayments:
    async def test_see_what_those_before_them_did(self, tx: Transaction) -> None:
        await open_account(tx)
        for number in ("I1", "I2", "I3"):
            await invoice(tx, number, "100.00")
        outcomes = await receivables.post_payments(
            tx,
            requests=[
                a_payment("P1", "50.00", allocate=lines(("I3", "50.00"))),
                a_payment("P2", "150.00"),
                a_payment("P3", "60.00", allocate=lines(("I2", "60.00"))),
                a_payment("P4", "120.00"),
                a_payment("P5", "1.00", customer_id="nobody"),
                a_payment("P2", "150.00"),
            ],
        )
        assert kinds(outcomes) == [
            "created",
            "created",
            "allocation_exceeds_item",
            "created",
            "account_not_found",
            "repeated",
        ]
        assert [settled(o) for o in outcomes if isinstance(o, PaymentView)] == [
            [("I3", "50.00")],
            [("I1", "100.00"), ("I2", "50.00")],
            [("I2", "50.00"), ("I3", "50.00")],
            [("I1", "100.00"), ("I2", "50.00")],
        ]
        assert await totals(tx) == ("0.00", "20.00")
        await prove(tx)

    async def test_find_enough_items_beside_those_that_are_named(self, tx: Transaction) -> None:
        await open_account(tx)
        await receivables.post_invoices(tx, requests=[an_invoice(f"I{n}", "10.00") for n in range(8)])
        await receivables.post_payments(
            tx,
            requests=[
                a_payment("P1", "20.00", allocate=lines(("I0", "10.00"), ("I1", "10.00"))),
                a_payment("P2", "30.00"),
                a_payment("P3", "10.00", allocate=lines(("I5", "10.00"))),
                a_payment("P4", "20.00"),
            ],
        )
        assert [await open_amount(tx, f"I{n}") for n in range(8)] == [0, 0, 0, 0, 0, 0, 0, 0]
        await prove(tx)

    async def test_send_no_more_statements_for_a_thousand_than_for_three(self, tx: Transaction) -> None:
        await open_account(tx)
        sent = []
        for count in (3, 1000):
            await receivables.post_invoices(tx, requests=[an_invoice(f"I{count}-{n}", "10") for n in range(count)])
            requests = [a_payment(f"P{count}-{n}", "12", allocate=lines((f"I{count}-{n}", "10"))) for n in range(count)]
            with statements_of(tx) as statements:
                await receivables.post_payments(tx, requests=requests)
            sent.append(len(statements))
        assert sent[1] <= sent[0]
        assert await totals(tx) == ("0.00", "2006.00")
        await prove(tx)


class TestSideBySide:
    """Several transactions at once, on connections of their own."""

    @pytest.fixture
    async def transactions(self, engine: AsyncEngine) -> Transactions:
        made = Transactions(make_sessions(engine), clock=FrozenClock(MONDAY), journal=_unread_journal, reactions={})
        async with made.begin(actor=ANN, request_id="test") as tx:
            await open_account(tx, "C1")
            await open_account(tx, "C2", parent_id="C1")
            for number in ("I1", "I2"):
                await invoice(tx, number, "100.00")
        return made

    async def test_the_same_invoice_is_posted_once(self, transactions: Transactions) -> None:
        async def post() -> bool:
            async with transactions.begin(actor=ANN, request_id="test") as tx:
                return (await invoice(tx, "I9", "100.00")).created

        assert sorted(await asyncio.gather(*(post() for _ in range(8)))) == [False] * 7 + [True]

    async def test_one_number_for_two_customers_is_one_invoice_and_one_refusal(
        self, transactions: Transactions
    ) -> None:
        async def post(customer_id: str) -> str:
            try:
                async with transactions.begin(actor=ANN, request_id="test") as tx:
                    await invoice(tx, "I9", "100.00", customer_id=customer_id)
                    await asyncio.sleep(0.05)
            except Refusal as refusal:
                return refusal.code
            return "created"

        answers = sorted(await asyncio.gather(post("C1"), post("C2")))
        assert answers[0] == "created"
        assert answers[1] in (refusals.DocumentBusy.code, refusals.InvoiceConflict.code)
        async with transactions.begin(actor=ANN, request_id="test") as tx:
            await prove(tx)

    async def test_payments_never_settle_more_than_there_is(self, transactions: Transactions) -> None:
        async def settle(number: int, customer_id: str) -> None:
            instruction = lines(("I1", "20.00"), ("I2", "20.00")) if number % 2 else NOTHING
            async with transactions.begin(actor=ANN, request_id="test") as tx:
                await receivables.post_payments(
                    tx,
                    requests=[a_payment(f"P{number}", "40.00", customer_id=customer_id, allocate=instruction)],
                )

        await asyncio.gather(*(settle(n, "C2" if n % 3 else "C1") for n in range(20)))
        async with transactions.begin(actor=ANN, request_id="test") as tx:
            await prove(tx)
            assert await open_amount(tx, "I1") == await open_amount(tx, "I2") == 0
            total = sum([(await exposure_of(tx, customer)).unallocated_credits for customer in ("C1", "C2")])
            made = (await receivables.list_payments(tx, segment="main", page=PageRequest(limit=500))).items
            assert total == sum(view.payment.amount for view in made) - 200


async def _unread_journal(tx: Transaction, events: Any) -> None:
    """A journal that nobody reads."""
