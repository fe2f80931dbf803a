"""Invoices and payments of one batch, in one book."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from app.domains.receivables import service as receivables
from app.domains.receivables.core.items import ItemKind
from app.domains.receivables.core.requests import AllocationLine, Instruction, InvoiceRequest, PaymentRequest
from app.infra.transaction import Transactions
from app.kernel.errors import Refusal
from app.kernel.identity import SYSTEM
from app.kernel.money import Money
from tests.support.business import open_account

DAY = date(2026, 1, 10)


def invoice(
    number: str, amount: str, *, due: int = 20, kind: ItemKind = ItemKind.INVOICE, related: str | None = None
) -> InvoiceRequest:
    return InvoiceRequest(
        segment="main",
        invoice_no=number,
        customer_id="C",
        amount=Money(Decimal(amount), "CNY"),
        issued_on=DAY,
        due_on=date(2026, 2, due),
        kind=kind,
        related_invoice_no=related,
    )


def payment(reference: str, amount: str, *named: str) -> PaymentRequest:
    lines = tuple(AllocationLine(number, Decimal(amount)) for number in named)
    return PaymentRequest(
        segment="main",
        payment_ref=reference,
        customer_id="C",
        amount=Money(Decimal(amount), "CNY"),
        received_on=DAY,
        allocate=Instruction(lines, oldest_first=not lines),
    )


async def post(transactions: Transactions, *requests: InvoiceRequest | PaymentRequest) -> Sequence[bool | Refusal]:
    async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
        return await receivables.post_documents(tx, requests=requests)


async def left(transactions: Transactions, number: str) -> Decimal:
    async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
        return (await receivables.invoice(tx, segment="main", invoice_no=number)).item.open


class TestDocuments:
    async def test_may_settle_each_other_in_one_batch(self, transactions: Transactions) -> None:
        await open_account(transactions, "C")
        assert await post(transactions, invoice("I1", "10"), payment("P1", "4", "I1"), payment("P2", "1")) == [True] * 3
        assert await left(transactions, "I1") == 5

    async def test_are_met_in_their_order(self, transactions: Transactions) -> None:
        await open_account(transactions, "C")
        early, known = await post(transactions, payment("P1", "4", "I1"), invoice("I1", "10"))
        assert isinstance(early, Refusal)
        assert early.code == "invoice_unknown"
        assert known is True

    async def test_are_recognised_when_they_come_again(self, transactions: Transactions) -> None:
        await open_account(transactions, "C")
        batch = (invoice("I1", "10"), payment("P1", "4", "I1"))
        await post(transactions, *batch)
        assert await post(transactions, *batch) == [False, False]
        assert await left(transactions, "I1") == 6

    async def test_leave_the_oldest_to_be_paid_though_a_credit_note_goes_first(
        self, transactions: Transactions
    ) -> None:
        await open_account(transactions, "C")
        await post(transactions, *(invoice(f"I{n}", "10", due=n) for n in range(1, 5)))
        note = invoice("N1", "10", kind=ItemKind.CREDIT_NOTE, related="I1")
        assert await post(transactions, note, payment("P1", "20")) == [True, True]
        assert [await left(transactions, f"I{n}") for n in range(1, 5)] == [0, 0, 0, 10]

    async def test_are_written_by_the_hundred_as_one_by_one(self, transactions: Transactions) -> None:
        await open_account(transactions, "C")
        batch = [invoice(f"I{n:03}", "1.00") for n in range(150)]
        settled = [payment(f"P{n:03}", "1.00", f"I{n:03}") for n in range(120)]
        assert await post(transactions, *batch, *settled) == [True] * 270
        assert await post(transactions, *batch[:50]) == [False] * 50
        assert await left(transactions, "I119") == 0
        assert await left(transactions, "I120") == 1
