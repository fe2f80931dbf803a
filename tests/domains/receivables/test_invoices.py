"""Invoices and credit notes: what they bill, when they are due, and how they are taken back."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from app.domains.customers.core.terms import DueFrom, PaymentTerms
from app.domains.exposure import service as exposure
from app.domains.exposure.core.commitments import OrderState
from app.domains.exposure.core.refusals import AccountNotFound, FxRateMissing, OrderRefConflict
from app.domains.receivables import service as receivables
from app.domains.receivables.core import refusals
from app.domains.receivables.core.events import CreditNoteAllocated, CreditNotePosted, InvoiceCancelled, InvoicePosted
from app.domains.receivables.core.items import ItemKind, ItemStatus, OrderShare
from app.infra.transaction import Transaction
from app.kernel.errors import Refusal
from app.kernel.money import AmountOutOfRange
from tests.domains.receivables.world import (
    OLDEST,
    billing,
    day,
    exposure_of,
    invoice,
    lines,
    open_account,
    open_amount,
    order,
    pay,
    prove,
    settled,
    totals,
)

NOTE = ItemKind.CREDIT_NOTE


async def state_of(tx: Transaction, order_ref: str) -> OrderState:
    """Where an order stands."""
    return (await exposure.order(tx, segment="main", order_ref=order_ref)).state


class TestDueDay:
    @pytest.mark.parametrize(
        ("said", "due_on"),
        [
            ({}, date(2026, 4, 30)),
            ({"net_days": 10}, date(2026, 3, 12)),
            ({"net_days": 0}, date(2026, 3, 2)),
            ({"due_on": date(2026, 5, 1)}, date(2026, 5, 1)),
            ({"kind": NOTE}, date(2026, 3, 2)),
        ],
    )
    async def test_is_as_said_else_by_the_customers_terms(
        self, tx: Transaction, said: dict[str, Any], due_on: date
    ) -> None:
        await open_account(tx, terms=PaymentTerms(net_days=30, due_from=DueFrom.MONTH_END))
        assert (await invoice(tx, "I1", "100.00", **said)).item.due_on == due_on

    async def test_makes_an_item_overdue_from_the_day_after(self, tx: Transaction) -> None:
        await open_account(tx)
        assert (await invoice(tx, "I1", "100.00", due_on=day(0))).overdue_days == 0
        assert (await invoice(tx, "I2", "100.00", due_on=day(-1))).overdue_days == 1
        account = await exposure.account(tx, customer_id="C1", segment="main")
        assert account.overdue.amount == 100
        assert account.overdue.oldest_due_on == day(-1)


class TestOrders:
    async def test_move_from_delivered_to_receivables_without_changing_the_total(self, tx: Transaction) -> None:
        await open_account(tx)
        await order(tx, "O1", "100.00", shipped="60.00")
        before = await exposure_of(tx)
        await invoice(tx, "I1", "60.00", orders=billing("O1", "60.00"))
        after = await exposure_of(tx)
        assert (after.receivables, after.open_orders, after.delivered) == (Decimal(60), Decimal(40), Decimal(0))
        assert after.total == before.total
        assert await state_of(tx, "O1") is OrderState.PARTLY_INVOICED
        await prove(tx)

    async def test_may_be_billed_beyond_what_was_approved(self, tx: Transaction) -> None:
        await open_account(tx)
        await order(tx, "O1", "100.00")
        await invoice(tx, "I1", "130.00", orders=billing("O1", "130.00"))
        assert (await exposure_of(tx)).total.amount == 130
        assert await state_of(tx, "O1") is OrderState.INVOICED

    async def test_are_freed_of_their_rest_when_complete(self, tx: Transaction) -> None:
        await open_account(tx)
        await order(tx, "O1", "100.00", shipped="80.00")
        await invoice(tx, "I1", "60.00", orders=billing("O1", "60.00", complete=True))
        assert (await exposure_of(tx)).total.amount == 60
        assert await state_of(tx, "O1") is OrderState.CLOSED
        await prove(tx)

    async def test_complete_asks_nothing_more_of_an_order_billed_whole(self, tx: Transaction) -> None:
        await open_account(tx)
        await order(tx, "O1", "100.00", shipped="100.00")
        await invoice(tx, "I1", "100.00", orders=billing("O1", "100.00", complete=True))
        assert await state_of(tx, "O1") is OrderState.INVOICED

    async def test_may_be_several_and_less_than_the_invoice(self, tx: Transaction) -> None:
        await open_account(tx)
        await order(tx, "O1", "100.00")
        await order(tx, "O2", "50.00")
        await invoice(tx, "I1", "160.00", orders=billing("O1", "100.00") + billing("O2", "50.00"))
        assert (await exposure_of(tx)).total.amount == 160

    async def test_that_nobody_told_of_are_accepted(self, tx: Transaction) -> None:
        await open_account(tx)
        await invoice(tx, "I1", "100.00", "EUR", fx_rate=Decimal("7.8"), orders=billing("O9", "100.00"))
        known = await exposure.order(tx, segment="main", order_ref="O9")
        assert (known.state, known.approved, known.invoiced) == (OrderState.INVOICED, Decimal(0), Decimal(100))
        assert known.rate == Decimal("7.8")
        await prove(tx)

    @pytest.mark.parametrize(
        ("orders", "refusal", "pointer"),
        [
            (billing("O1", "100.01"), refusals.OrdersExceedInvoice, "/orders/0/amount"),
            (billing("O1", "60") + billing("O2", "60"), refusals.OrdersExceedInvoice, "/orders/1/amount"),
            (billing("O1", "50") + billing("O1", "50"), refusals.OrdersContradictory, "/orders/1/order_ref"),
            (billing("E1", "50"), refusals.OrderCurrencyMismatch, "/orders/0/order_ref"),
        ],
    )
    async def test_are_refused_with_a_pointer(
        self, tx: Transaction, orders: tuple[OrderShare, ...], refusal: type[Refusal], pointer: str
    ) -> None:
        await open_account(tx)
        await order(tx, "O1", "100.00")
        await order(tx, "E1", "100.00", currency="EUR", rate="7.8")
        with pytest.raises(refusal) as caught:
            await invoice(tx, "I1", "100.00", orders=orders)
        assert [fault.pointer for fault in caught.value.faults] == [pointer]

    async def test_of_another_customer_are_a_conflict(self, tx: Transaction) -> None:
        await open_account(tx)
        await open_account(tx, "C2")
        await order(tx, "O2", "100.00", customer_id="C2")
        with pytest.raises(OrderRefConflict):
            await invoice(tx, "I1", "100.00", orders=billing("O2", "100.00"))


class TestPosting:
    async def test_says_what_happened_once(self, tx: Transaction) -> None:
        await open_account(tx)
        await order(tx, "O1", "100.00")
        tx.take_events()
        view = await invoice(tx, "I1", "100.00", orders=billing("O1", "100.00"))
        assert view.created
        [event] = tx.take_events()
        assert isinstance(event, InvoicePosted)
        assert (event.subject_id, event.customer_id, event.after["open_amount"]) == ("I1", "C1", "100.00")
        assert event.after["orders"] == [{"order_ref": "O1", "amount": "100.00", "complete": False}]

    async def test_again_changes_nothing(self, tx: Transaction) -> None:
        await open_account(tx)
        first = await invoice(tx, "I1", "100.00", orders=billing("O1", "100.00"))
        tx.take_events()
        again = await invoice(tx, "I1", "100", orders=billing("O1", "100"))
        assert (again.created, again.item.id) == (False, first.item.id)
        assert tx.take_events() == ()
        assert (await exposure_of(tx)).total.amount == 100

    async def test_again_with_other_contents_is_refused(self, tx: Transaction) -> None:
        await open_account(tx)
        await open_account(tx, "C2")
        await invoice(tx, "I1", "100.00")
        others: list[dict[str, Any]] = [
            {"customer_id": "C2"},
            {"issued_on": day(1)},
            {"due_on": day(1)},
            {"net_days": 30},
            {"kind": ItemKind.DEBIT_NOTE},
            {"orders": billing("O1", "1")},
            {"related_invoice_no": "I0"},
            {"fx_rate": Decimal(1)},
        ]
        for other in others:
            with pytest.raises(refusals.InvoiceConflict):
                await invoice(tx, "I1", "100.00", **other)
        with pytest.raises(refusals.InvoiceConflict):
            await invoice(tx, "I1", "100.01")

    @pytest.mark.parametrize(
        ("amount", "currency", "more", "refusal"),
        [
            ("1", "CNY", {"customer_id": "nobody"}, AccountNotFound),
            ("1", "CNY", {"due_on": day(1), "net_days": 1}, refusals.DueContradictory),
            ("1", "CNY", {"fx_rate": Decimal("1.1")}, refusals.FxRateContradictory),
            ("1", "EUR", {}, FxRateMissing),
            ("100000000000", "EUR", {"fx_rate": Decimal(1000000)}, AmountOutOfRange),
            ("1", "CNY", {"kind": NOTE, "orders": billing("O1", "1")}, refusals.OrdersContradictory),
        ],
    )
    async def test_refuses_what_cannot_be(
        self, tx: Transaction, amount: str, currency: str, more: dict[str, Any], refusal: type[Refusal]
    ) -> None:
        await open_account(tx)
        with pytest.raises(refusal):
            await invoice(tx, "I1", amount, currency, **more)
        assert tx.take_events()[-1].type == "account_opened"

    async def test_converts_at_the_latest_rate_of_the_day_of_issue(self, tx: Transaction) -> None:
        await open_account(tx)
        await exposure.enter_rates(tx, on=day(-3), base="EUR", rates={"CNY": Decimal("7.70")})
        await exposure.enter_rates(tx, on=day(0), base="EUR", rates={"CNY": Decimal("7.90")})
        assert (await invoice(tx, "I1", "100.00", "EUR", issued_on=day(-1))).item.rate == Decimal("7.70")
        assert (await exposure_of(tx)).receivables == 770
        assert (await invoice(tx, "I2", "100.00", "EUR")).item.rate == Decimal("7.90")


class TestCreditNote:
    async def test_is_an_unallocated_credit(self, tx: Transaction) -> None:
        await open_account(tx)
        await invoice(tx, "I1", "100.00")
        await invoice(tx, "N1", "30.00", kind=NOTE)
        assert await totals(tx) == ("100.00", "30.00")
        assert (await exposure_of(tx)).total.amount == 70
        await prove(tx)

    async def test_settles_the_invoice_it_names_as_far_as_that_is_open(self, tx: Transaction) -> None:
        await open_account(tx)
        await invoice(tx, "I1", "100.00")
        await pay(tx, "P1", "80.00")
        tx.take_events()
        note = await invoice(tx, "N1", "30.00", kind=NOTE, related_invoice_no="I1")
        assert settled(note) == [("I1", "20.00")]
        assert note.item.status is ItemStatus.PARTLY_PAID
        assert await totals(tx) == ("0.00", "10.00")
        [event] = tx.take_events()
        assert isinstance(event, CreditNotePosted)
        assert event.after["allocations"][0]["invoice_no"] == "I1"
        await prove(tx)

    @pytest.mark.parametrize(
        ("related", "refusal"),
        [
            ("I9", refusals.InvoiceUnknown),
            ("X1", refusals.InvoiceOfAnotherCustomer),
            ("E1", refusals.CurrencyDiffers),
            ("N1", refusals.InvoiceNotPayable),
        ],
    )
    async def test_is_refused_when_it_names_what_it_cannot_settle(
        self, tx: Transaction, related: str, refusal: type[Refusal]
    ) -> None:
        await open_account(tx)
        await open_account(tx, "C2", parent_id="C1")
        await invoice(tx, "X1", "100.00", customer_id="C2")
        await invoice(tx, "E1", "100.00", "EUR", fx_rate=Decimal("7.8"))
        await invoice(tx, "N1", "30.00", kind=NOTE)
        with pytest.raises(refusal) as caught:
            await invoice(tx, "N2", "30.00", kind=NOTE, related_invoice_no=related)
        assert [fault.pointer for fault in caught.value.faults] == ["/related_invoice_no"]

    async def test_is_allocated_later(self, tx: Transaction) -> None:
        await open_account(tx)
        await invoice(tx, "I1", "20.00")
        await invoice(tx, "I2", "20.00")
        await invoice(tx, "N1", "30.00", kind=NOTE)
        tx.take_events()
        view = await receivables.allocate_credit_note(
            tx, segment="main", invoice_no="N1", instruction=lines(("I2", "20.00"), ("I1", "5.00"))
        )
        assert settled(view) == [("I1", "5.00"), ("I2", "20.00")]
        assert await totals(tx) == ("15.00", "5.00")
        [event] = tx.take_events()
        assert isinstance(event, CreditNoteAllocated)
        await prove(tx)
        paid = await receivables.invoice(tx, segment="main", invoice_no="I2")
        assert [(a.credit.value, a.credit_ref) for a in paid.allocations] == [("credit_note", "N1")]

    async def test_is_not_allocated_when_it_is_none_or_gone(self, tx: Transaction) -> None:
        await open_account(tx)
        await invoice(tx, "I1", "20.00")
        await invoice(tx, "N1", "30.00", kind=NOTE)
        await receivables.cancel_invoice(tx, segment="main", invoice_no="N1", reason="typo")
        for number, refusal in (
            ("I1", refusals.NotACreditNote),
            ("N1", refusals.InvoiceAlreadyCancelled),
            ("N9", refusals.InvoiceNotFound),
        ):
            with pytest.raises(refusal):
                await receivables.allocate_credit_note(
                    tx, segment="main", invoice_no=number, instruction=lines(("I1", "1.00"))
                )

    async def test_has_nothing_to_allocate_when_used_up(self, tx: Transaction) -> None:
        await open_account(tx)
        await invoice(tx, "N1", "30.00", kind=NOTE)
        with pytest.raises(refusals.NothingToAllocate):
            await receivables.allocate_credit_note(tx, segment="main", invoice_no="N1", instruction=OLDEST)


class TestCancel:
    async def test_makes_what_was_delivered_delivered_again(self, tx: Transaction) -> None:
        await open_account(tx)
        await order(tx, "O1", "100.00", shipped="60.00")
        before = await exposure_of(tx)
        await invoice(tx, "I1", "60.00", orders=billing("O1", "60.00"))
        tx.take_events()
        view = await receivables.cancel_invoice(tx, segment="main", invoice_no="I1", reason="wrong price")
        assert view.item.status is ItemStatus.CANCELLED
        assert view.item.open == 0
        assert await exposure_of(tx) == before
        [event] = tx.take_events()
        assert isinstance(event, InvoiceCancelled)
        assert (event.before["status"], event.after["reason"]) == ("open", "wrong price")
        await prove(tx)

    async def test_of_a_credit_note_takes_the_credit_away(self, tx: Transaction) -> None:
        await open_account(tx)
        await invoice(tx, "N1", "30.00", kind=NOTE)
        await receivables.cancel_invoice(tx, segment="main", invoice_no="N1", reason="typo")
        assert await totals(tx) == ("0.00", "0.00")
        await prove(tx)

    async def test_twice_is_refused(self, tx: Transaction) -> None:
        await open_account(tx)
        await invoice(tx, "I1", "60.00")
        await receivables.cancel_invoice(tx, segment="main", invoice_no="I1", reason="typo")
        with pytest.raises(refusals.InvoiceAlreadyCancelled):
            await receivables.cancel_invoice(tx, segment="main", invoice_no="I1", reason="typo")

    async def test_is_refused_while_anything_is_allocated(self, tx: Transaction) -> None:
        await open_account(tx)
        await invoice(tx, "I1", "60.00")
        await pay(tx, "P1", "1.00")
        with pytest.raises(refusals.InvoiceAllocated):
            await receivables.cancel_invoice(tx, segment="main", invoice_no="I1", reason="typo")
        await receivables.reverse_payment(tx, segment="main", payment_ref="P1", reason="bounced")
        await receivables.cancel_invoice(tx, segment="main", invoice_no="I1", reason="typo")
        assert await open_amount(tx, "I1") == 0

    async def test_is_refused_for_what_there_is_not(self, tx: Transaction) -> None:
        with pytest.raises(refusals.InvoiceNotFound):
            await receivables.cancel_invoice(tx, segment="main", invoice_no="I1", reason="typo")
