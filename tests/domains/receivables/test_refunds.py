"""Refunds, and payments that bounce after one, fee included."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from app.domains.receivables import service as receivables
from app.domains.receivables.core.change_events import CreditNoteRefunded, PaymentRefunded
from app.domains.receivables.core.changes import RefundRequest
from app.domains.receivables.core.events import InvoicePosted, PaymentReversed
from app.domains.receivables.core.items import ItemKind
from app.domains.receivables.core.refusals import (
    InvoiceConflict,
    NotACreditNote,
    NothingToRefund,
    PaymentAlreadyReversed,
    RefundConflict,
    RefundExceedsCredit,
    RefundNotFound,
)
from app.domains.receivables.core.reversals import Fee
from app.domains.receivables.core.write_offs import BadDebtReason
from app.infra.transaction import Transaction
from app.kernel.money import Money
from tests.domains.receivables.world import NOTHING, TODAY, day, invoice, lines, open_account, pay, prove, totals


async def overpaid(tx: Transaction) -> None:
    await open_account(tx)
    await invoice(tx, "I1", "100.00", issued_on=day(-60), due_on=day(-30))
    await pay(tx, "P1", "130.00")


async def refund(tx: Transaction, amount: str | None = None, ref: str = "R1", on: date = TODAY) -> receivables.Refunded:
    asked = None if amount is None else Decimal(amount)
    request = RefundRequest(ref, asked, on, "paid too much")
    return await receivables.refund_payment(tx, segment="main", payment_ref="P1", request=request)


class TestOne:
    async def test_is_found_by_its_reference(self, tx: Transaction) -> None:
        await overpaid(tx)
        made = (await refund(tx, "10.00")).refund
        assert await receivables.refund(tx, segment="main", refund_ref="R1") == made
        with pytest.raises(RefundNotFound):
            await receivables.refund(tx, segment="main", refund_ref="R2")


class TestOfAPayment:
    async def test_pays_back_what_is_left(self, tx: Transaction) -> None:
        await overpaid(tx)
        tx.take_events()
        done = await refund(tx)
        assert (done.refund.amount, done.created) == (Decimal(30), True)
        [event] = tx.take_events()
        assert isinstance(event, PaymentRefunded)
        assert (event.before["unallocated"], event.after["unallocated"]) == ("30.00", "0.00")
        assert await totals(tx) == ("0.00", "0.00")
        view = await receivables.payment(tx, segment="main", payment_ref="P1")
        assert [found.refund_ref for found in view.refunds] == ["R1"]
        await prove(tx)

    async def test_is_made_once_however_often_it_is_asked(self, tx: Transaction) -> None:
        await overpaid(tx)
        first = await refund(tx, "10.00")
        again = await refund(tx, "10.00")
        assert (again.created, again.refund.id) == (False, first.refund.id)
        with pytest.raises(RefundConflict):
            await refund(tx, "10.00", on=day(1))
        with pytest.raises(RefundConflict):
            await refund(tx, "11.00")
        assert await totals(tx) == ("0.00", "20.00")

    async def test_is_refused_beyond_what_is_left(self, tx: Transaction) -> None:
        await overpaid(tx)
        with pytest.raises(RefundExceedsCredit):
            await refund(tx, "30.01")
        await refund(tx)
        with pytest.raises(NothingToRefund):
            await refund(tx, ref="R2")

    async def test_is_refused_after_it_bounced(self, tx: Transaction) -> None:
        await overpaid(tx)
        await receivables.reverse_payment(tx, segment="main", payment_ref="P1", reason="bounced")
        with pytest.raises(PaymentAlreadyReversed):
            await refund(tx)


class TestOfACreditNote:
    async def test_pays_out_what_is_left(self, tx: Transaction) -> None:
        await open_account(tx)
        await invoice(tx, "I1", "100.00")
        await invoice(tx, "N1", "30.00", kind=ItemKind.CREDIT_NOTE)
        tx.take_events()
        request = RefundRequest("R1", Decimal(12), TODAY, "asked for")
        await receivables.refund_credit_note(tx, segment="main", invoice_no="N1", request=request)
        [event] = tx.take_events()
        assert isinstance(event, CreditNoteRefunded)
        assert await totals(tx) == ("100.00", "18.00")
        await prove(tx)

    async def test_is_refused_for_an_invoice(self, tx: Transaction) -> None:
        await open_account(tx)
        await invoice(tx, "I1", "100.00")
        with pytest.raises(NotACreditNote):
            await receivables.refund_credit_note(
                tx, segment="main", invoice_no="I1", request=RefundRequest("R1", None, TODAY, "why not")
            )


class TestBouncing:
    async def test_charges_the_fee_by_a_debit_note_due_today(self, tx: Transaction) -> None:
        await overpaid(tx)
        tx.take_events()
        fee = Fee(Money(Decimal("7.50"), "CNY"), "FEE/1")
        view = await receivables.reverse_payment(tx, segment="main", payment_ref="P1", reason="no funds", fee=fee)
        assert view.charged == ("FEE/1",)
        charged = await receivables.invoice(tx, segment="main", invoice_no="FEE/1")
        assert (charged.item.kind, charged.item.open, charged.item.due_on) == (
            ItemKind.DEBIT_NOTE,
            Decimal("7.50"),
            TODAY,
        )
        reversed_, posted = tx.take_events()
        assert isinstance(reversed_, PaymentReversed)
        assert reversed_.after["charged"] == ["FEE/1"]
        assert isinstance(posted, InvoicePosted)
        assert await totals(tx) == ("107.50", "0.00")
        await prove(tx)

    async def test_numbers_the_fee_by_itself(self, tx: Transaction) -> None:
        await overpaid(tx)
        fee = Fee(Money(Decimal(5), "CNY"))
        view = await receivables.reverse_payment(tx, segment="main", payment_ref="P1", reason="no funds", fee=fee)
        assert view.charged == (f"FEE-{view.payment.id}",)

    async def test_claims_back_what_was_refunded_of_money_that_never_came(self, tx: Transaction) -> None:
        await overpaid(tx)
        await refund(tx, "30.00")
        view = await receivables.reverse_payment(tx, segment="main", payment_ref="P1", reason="no funds")
        [number] = view.charged
        assert (await receivables.invoice(tx, segment="main", invoice_no=number)).item.amount == 30
        assert await totals(tx) == ("130.00", "0.00")
        await prove(tx)

    async def test_is_refused_under_a_number_that_is_taken(self, tx: Transaction) -> None:
        await overpaid(tx)
        fee = Fee(Money(Decimal(5), "CNY"), "I1")
        with pytest.raises(InvoiceConflict):
            await receivables.reverse_payment(tx, segment="main", payment_ref="P1", reason="no funds", fee=fee)

    async def test_opens_what_a_member_of_the_group_had_paid(self, tx: Transaction) -> None:
        await open_account(tx)
        await open_account(tx, "C2", parent_id="C1")
        await invoice(tx, "I1", "50.00", customer_id="C2")
        await pay(tx, "P1", "50.00", allocate=lines(("I1", "50.00")))
        assert await totals(tx, "C2") == ("0.00", "0.00")
        await receivables.reverse_payment(tx, segment="main", payment_ref="P1", reason="no funds")
        assert await totals(tx, "C2") == ("50.00", "0.00")
        await prove(tx)


class TestStatement:
    async def test_shows_refunds_write_offs_and_recoveries(self, tx: Transaction) -> None:
        await overpaid(tx)
        await refund(tx, "10.00")
        await invoice(tx, "I2", "50.00")
        await receivables.write_off(
            tx, segment="main", invoice_no="I2", category=BadDebtReason.OTHER, reason="not worth it"
        )
        await receivables.recover(tx, segment="main", invoice_no="I2", amount=Decimal(20), reason="paid a part")
        await pay(tx, "P2", "1.00", allocate=NOTHING)
        found = await receivables.statement(tx, customer_id="C1", segment="main", since=day(-90), until=TODAY)
        effects = {(moved.type.value, moved.ref): moved.effect for moved in found.movements}
        assert effects == {
            ("invoice", "I1"): Decimal(100),
            ("payment", "P1"): Decimal(-130),
            ("refund", "R1"): Decimal(10),
            ("invoice", "I2"): Decimal(50),
            ("write_off", "I2"): Decimal(-50),
            ("recovery", "I2"): Decimal(20),
            ("payment", "P2"): Decimal(-1),
        }
        receivable, credit = map(Decimal, await totals(tx))
        assert found.closing == receivable - credit
        await prove(tx)

    async def test_is_told_first_that_the_payment_has_bounced_before(self, tx: Transaction) -> None:
        await overpaid(tx)
        await refund(tx, "30.00")
        await receivables.reverse_payment(tx, segment="main", payment_ref="P1", reason="no funds")
        with pytest.raises(PaymentAlreadyReversed):
            await receivables.reverse_payment(tx, segment="main", payment_ref="P1", reason="no funds")
