"""Payments of items in another currency: converted where nothing is said, taken at their word where something is."""

from __future__ import annotations

from decimal import Decimal

import pytest

from app.domains.exposure import service as exposure
from app.domains.receivables import service as receivables
from app.domains.receivables.core import refusals
from app.domains.receivables.core.items import ItemKind
from app.domains.receivables.core.requests import AllocationLine, Instruction, InvoiceRequest, PaymentRequest
from app.infra.transaction import Transaction
from app.kernel.errors import Refusal
from tests.domains.receivables.world import (
    NOTHING,
    a_payment,
    an_invoice,
    day,
    invoice,
    lines,
    open_account,
    open_amount,
    pay,
    prove,
    totals,
)


async def quoted(tx: Transaction) -> None:
    """An invoice over 100 EUR of nine days ago, and the rates of then and of today."""
    await open_account(tx)
    for on, yuan, yen in ((day(-9), "7.80", "160"), (day(0), "7.90", "158")):
        await exposure.enter_rates(tx, on=on, base="EUR", rates={"CNY": Decimal(yuan), "JPY": Decimal(yen)})
    await invoice(tx, "E1", "100.00", "EUR", issued_on=day(-9))


class TestLinesThatSayNothing:
    async def test_are_converted_at_the_rate_of_the_day_and_show_the_difference(self, tx: Transaction) -> None:
        await quoted(tx)
        paid = await pay(tx, "P1", "395.00", allocate=lines(("E1", "395.00")))
        [allocation] = paid.allocations
        assert (allocation.amount, allocation.cash, allocation.currency) == (Decimal(50), Decimal(395), "EUR")
        assert allocation.fx_difference == 5, "50 EUR were worth 390 CNY when they were billed"
        assert await totals(tx) == ("390.00", "0.00")
        await prove(tx)

    async def test_are_converted_at_the_day_of_receipt_also_when_allocated_later(self, tx: Transaction) -> None:
        await quoted(tx)
        await pay(tx, "P1", "780.00", received_on=day(-2), allocate=NOTHING)
        later = await receivables.allocate_payment(
            tx, segment="main", payment_ref="P1", instruction=lines(("E1", "780.00"))
        )
        assert [allocation.settles for allocation in later.allocations] == [100]
        await prove(tx)

    async def test_use_the_rate_that_was_entered_with_the_payment(self, tx: Transaction) -> None:
        await quoted(tx)
        await invoice(tx, "I1", "80.00")
        paid = await pay(tx, "P1", "10.00", "EUR", fx_rate=Decimal(8), allocate=lines(("I1", "10.00")))
        assert [(a.settles, a.fx_difference) for a in paid.allocations] == [(Decimal(80), Decimal(0))]
        await prove(tx)

    async def test_may_lead_over_the_currency_of_the_account(self, tx: Transaction) -> None:
        await quoted(tx)
        paid = await pay(tx, "P1", "15800", "JPY", allocate=lines(("E1", "15800")))
        assert [allocation.settles for allocation in paid.allocations] == [100]
        assert await open_amount(tx, "E1") == 0
        await prove(tx)

    async def test_pay_all_where_no_amount_of_the_payers_currency_is_closer(self, tx: Transaction) -> None:
        await quoted(tx)
        await invoice(tx, "E2", "0.33", "EUR")
        paid = await pay(tx, "P1", "52", "JPY", allocate=lines(("E2", "52")))
        assert [allocation.settles for allocation in paid.allocations] == [Decimal("0.33")], "52.14 JPY can't be sent"

    async def test_say_what_they_settle_where_the_parties_agreed_on_another_rate(self, tx: Transaction) -> None:
        await quoted(tx)
        named = Instruction((AllocationLine("E1", Decimal("400.00"), settles=Decimal(100)),))
        paid = await pay(tx, "P1", "400.00", allocate=named)
        assert [(a.settles, a.fx_difference) for a in paid.allocations] == [(Decimal(100), Decimal(-380))]

    @pytest.mark.parametrize(
        ("amount", "refusal", "pointer"),
        [
            ("791.00", refusals.AllocationExceedsItem, "/allocations/0/amount"),
            ("0.01", refusals.SettlesNothing, "/allocations/0/amount"),
        ],
    )
    async def test_are_refused_when_they_pay_too_much_or_nothing(
        self, tx: Transaction, amount: str, refusal: type[Refusal], pointer: str
    ) -> None:
        await quoted(tx)
        with pytest.raises(refusal) as caught:
            await pay(tx, "P1", "900.00", allocate=lines(("E1", amount)))
        assert [fault.pointer for fault in getattr(caught.value, "faults", ())] == [pointer]

    async def test_find_the_rate_for_an_invoice_of_the_same_batch(self, tx: Transaction) -> None:
        await quoted(tx)
        requests: list[InvoiceRequest | PaymentRequest] = [
            an_invoice("E3", "10.00", "EUR"),
            a_payment("P1", "79.00", allocate=lines(("E3", "79.00"))),
        ]
        assert await receivables.post_documents(tx, requests=requests) == [True, True]
        assert await open_amount(tx, "E3") == 0
        await prove(tx)

    async def test_of_a_credit_note_are_converted_alike(self, tx: Transaction) -> None:
        await quoted(tx)
        await invoice(tx, "N1", "79.00", kind=ItemKind.CREDIT_NOTE)
        named = lines(("E1", "79.00"))
        note = await receivables.allocate_credit_note(tx, segment="main", invoice_no="N1", instruction=named)
        assert [allocation.settles for allocation in note.allocations] == [10]
        await prove(tx)
