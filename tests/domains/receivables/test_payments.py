"""Payments: what they settle, what is left of them, and what happens when they bounce."""

from __future__ import annotations

from decimal import Decimal

import pytest

from app.domains.customers.core.terms import PaymentTerms
from app.domains.exposure.core.refusals import AccountNotFound, FxRateMissing
from app.domains.receivables import service as receivables
from app.domains.receivables.core import refusals
from app.domains.receivables.core.events import PaymentAllocated, PaymentPosted, PaymentReversed
from app.domains.receivables.core.items import ItemKind
from app.domains.receivables.core.payments import PaymentStatus
from app.domains.receivables.core.requests import Instruction
from app.infra.transaction import Transaction
from app.kernel.errors import Refusal
from app.kernel.money import TooManyDecimals
from tests.domains.receivables.world import (
    NOTHING,
    OLDEST,
    an_invoice,
    day,
    exposure_of,
    invoice,
    lines,
    open_account,
    open_amount,
    pay,
    prove,
    settled,
    totals,
)


async def three_invoices(tx: Transaction) -> None:
    """Of 100, 200 and 300; the second falls due first."""
    await open_account(tx)
    for number, amount, due in (("I1", "100.00", 20), ("I2", "200.00", 10), ("I3", "300.00", 20)):
        await invoice(tx, number, amount, due_on=day(due))


class TestOldestFirst:
    async def test_settles_by_due_day_then_number(self, tx: Transaction) -> None:
        await three_invoices(tx)
        paid = await pay(tx, "P1", "350.00")
        assert settled(paid) == [("I2", "200.00"), ("I1", "100.00"), ("I3", "50.00")]
        assert paid.payment.open == 0
        assert (await exposure_of(tx)).receivables == 250
        await prove(tx)

    async def test_leaves_the_rest_as_an_unallocated_credit(self, tx: Transaction) -> None:
        await three_invoices(tx)
        paid = await pay(tx, "P1", "650.00")
        assert paid.payment.open == 50
        assert await totals(tx) == ("0.00", "50.00")
        await prove(tx)

    async def test_leaves_other_currencies_and_customers_alone(self, tx: Transaction) -> None:
        await three_invoices(tx)
        await open_account(tx, "C2", parent_id="C1")
        await invoice(tx, "E1", "10.00", "EUR", fx_rate=Decimal("7.8"), due_on=day(1))
        await invoice(tx, "X1", "10.00", customer_id="C2", due_on=day(1))
        paid = await pay(tx, "P1", "600.00")
        assert {a.invoice_no for a in paid.allocations} == {"I1", "I2", "I3"}
        await prove(tx)

    async def test_can_be_declined(self, tx: Transaction) -> None:
        await three_invoices(tx)
        paid = await pay(tx, "P1", "100.00", allocate=NOTHING)
        assert paid.payment.open == 100
        assert settled(paid) == []
        assert (await exposure_of(tx)).total.amount == 500

    async def test_reads_no_more_items_than_it_settles(self, tx: Transaction) -> None:
        await open_account(tx)
        requests = [an_invoice(f"I{n:03}", "10.00", due_on=day(n % 7)) for n in range(300)]
        await receivables.post_invoices(tx, requests=requests)
        paid = await pay(tx, "P1", "25.00")
        assert settled(paid) == [("I000", "10.00"), ("I007", "10.00"), ("I014", "5.00")]
        await prove(tx)


class TestNamedItems:
    async def test_are_settled_with_discount(self, tx: Transaction) -> None:
        await three_invoices(tx)
        paid = await pay(tx, "P1", "98.00", allocate=lines(("I1", "98.00", "2.00")))
        assert await open_amount(tx, "I1") == 0
        assert paid.payment.open == 0
        assert (await exposure_of(tx)).total.amount == 500
        await prove(tx)

    async def test_leave_the_rest_unless_the_oldest_are_wanted_too(self, tx: Transaction) -> None:
        await three_invoices(tx)
        assert (await pay(tx, "P1", "100.00", allocate=lines(("I3", "60.00")))).payment.open == 40
        both = await pay(tx, "P2", "150.00", allocate=lines(("I2", "50.00"), oldest_first=True))
        assert sorted(settled(both)) == [("I2", "100.00"), ("I2", "50.00")]
        assert both.payment.open == 0
        await prove(tx)

    async def test_are_not_settled_a_second_time_as_the_oldest(self, tx: Transaction) -> None:
        await three_invoices(tx)
        paid = await pay(tx, "P1", "250.00", allocate=lines(("I2", "190.00", "10.00"), oldest_first=True))
        assert sorted(settled(paid)) == [("I1", "60.00"), ("I2", "190.00")]
        await prove(tx)

    async def test_may_be_named_twice(self, tx: Transaction) -> None:
        await three_invoices(tx)
        paid = await pay(tx, "P1", "100.00", allocate=lines(("I1", "40.00"), ("I1", "60.00")))
        assert await open_amount(tx, "I1") == 0
        assert len(paid.allocations) == 2

    @pytest.mark.parametrize(
        ("named", "refusal", "pointer"),
        [
            (lines(("I1", "10.00"), ("I1", "95.00")), refusals.AllocationExceedsItem, "/allocations/1/amount"),
            (lines(("I1", "99.00", "1.01")), refusals.AllocationExceedsItem, "/allocations/0/amount"),
            (lines(("I2", "100.01")), refusals.AllocationExceedsPayment, "/allocations/0/amount"),
            (lines(("I9", "1.00")), refusals.InvoiceUnknown, "/allocations/0/invoice_no"),
            (lines(("X1", "1.00")), refusals.InvoiceOfAnotherCustomer, "/allocations/0/invoice_no"),
            (lines(("E1", "1.00")), FxRateMissing, "/allocations/0/settles"),
            (lines(("N1", "1.00")), refusals.InvoiceNotPayable, "/allocations/0/invoice_no"),
            (lines(("K1", "1.00")), refusals.InvoiceNotPayable, "/allocations/0/invoice_no"),
            (lines(("I1", "0.001")), TooManyDecimals, "/allocations/0/amount"),
            (lines(("I1", "1", "0.001")), TooManyDecimals, "/allocations/0/discount"),
        ],
    )
    async def test_are_refused_with_a_pointer(
        self, tx: Transaction, named: Instruction, refusal: type[Refusal], pointer: str
    ) -> None:
        await three_invoices(tx)
        await open_account(tx, "C2")
        await invoice(tx, "X1", "10.00", customer_id="C2")
        await invoice(tx, "E1", "10.00", "EUR", fx_rate=Decimal("7.8"))
        await invoice(tx, "N1", "10.00", kind=ItemKind.CREDIT_NOTE)
        await invoice(tx, "K1", "10.00")
        await receivables.cancel_invoice(tx, segment="main", invoice_no="K1", reason="typo")
        before = await exposure_of(tx)
        with pytest.raises(refusal) as caught:
            await pay(tx, "P1", "100.00", allocate=named)
        assert [fault.pointer for fault in caught.value.faults] == [pointer]
        assert await exposure_of(tx) == before
        await prove(tx)

    async def test_may_be_those_of_another_member_of_the_group(self, tx: Transaction) -> None:
        await open_account(tx, "TOP")
        await open_account(tx, "C1", parent_id="TOP")
        await open_account(tx, "C2", parent_id="TOP")
        await invoice(tx, "X1", "70.00", customer_id="C2")
        await pay(tx, "P1", "100.00", allocate=lines(("X1", "70.00")))
        assert (await exposure_of(tx, "C2")).receivables == 0
        assert (await exposure_of(tx, "C1")).unallocated_credits == 30
        await prove(tx)
        await receivables.reverse_payment(tx, segment="main", payment_ref="P1", reason="bounced")
        assert (await exposure_of(tx, "C2")).receivables == 70
        assert (await exposure_of(tx, "C1")).unallocated_credits == 0
        await prove(tx)


class TestPosting:
    async def test_says_what_happened_once(self, tx: Transaction) -> None:
        await three_invoices(tx)
        tx.take_events()
        await pay(tx, "P1", "250.00")
        [event] = tx.take_events()
        assert isinstance(event, PaymentPosted)
        assert (event.subject_id, event.customer_id, event.segment) == ("P1", "C1", "main")
        assert event.after["unallocated"] == "0.00"
        assert event.after["allocations"] == [
            {"invoice_no": "I2", "customer_id": "C1", "amount": "200.00", "discount": "0.00", "difference": "0.00"},
            {"invoice_no": "I1", "customer_id": "C1", "amount": "50.00", "discount": "0.00", "difference": "0.00"},
        ]

    async def test_again_changes_nothing(self, tx: Transaction) -> None:
        await three_invoices(tx)
        first = await pay(tx, "P1", "250.00")
        tx.take_events()
        again = await pay(tx, "P1", "250")
        assert (first.created, again.created) == (True, False)
        assert again.payment.id == first.payment.id
        assert again.allocations == first.allocations
        assert tx.take_events() == ()
        await prove(tx)

    async def test_again_with_other_contents_is_refused(self, tx: Transaction) -> None:
        await three_invoices(tx)
        await pay(tx, "P1", "250.00")
        for request in ({"amount": "251.00"}, {"received_on": day(-1)}, {"allocate": NOTHING}, {"fx_rate": Decimal(1)}):
            amount = request.pop("amount", "250.00")
            with pytest.raises(refusals.PaymentConflict):
                await pay(tx, "P1", str(amount), **request)

    async def test_needs_an_account(self, tx: Transaction) -> None:
        with pytest.raises(AccountNotFound):
            await pay(tx, "P1", "1.00", customer_id="nobody")

    async def test_needs_a_rate(self, tx: Transaction) -> None:
        await open_account(tx)
        with pytest.raises(FxRateMissing) as caught:
            await pay(tx, "P1", "1.00", "EUR")
        assert caught.value.faults[0].pointer == "/fx_rate"


class TestForeignCurrency:
    async def test_relieves_items_at_their_own_rate_and_shows_the_difference(self, tx: Transaction) -> None:
        await open_account(tx)
        await invoice(tx, "E1", "100.00", "EUR", fx_rate=Decimal("7.80"))
        paid = await pay(tx, "P1", "150.00", "EUR", fx_rate=Decimal("7.90"))
        assert await totals(tx) == ("0.00", "395.00")
        assert [a.fx_difference for a in paid.allocations] == [Decimal("10.00")]
        await prove(tx)

    async def test_does_not_take_a_discount_for_a_difference(self, tx: Transaction) -> None:
        await open_account(tx)
        await invoice(tx, "E1", "100.00", "EUR", fx_rate=Decimal("7.80"))
        paid = await pay(tx, "P1", "98", "EUR", fx_rate=Decimal("7.80"), allocate=lines(("E1", "98", "2")))
        assert [a.fx_difference for a in paid.allocations] == [0]

    async def test_never_drifts_by_roundings(self, tx: Transaction) -> None:
        await open_account(tx)
        await invoice(tx, "E1", "1.00", "EUR", fx_rate=Decimal("0.333"))
        for n in range(10):
            await pay(tx, f"P{n}", "0.10", "EUR", fx_rate=Decimal("0.777"))
            await prove(tx)
        assert (await exposure_of(tx)).total.amount == 0
        for n in (3, 0, 9, 7):
            await receivables.reverse_payment(tx, segment="main", payment_ref=f"P{n}", reason="bounced")
            await prove(tx)
        assert (await exposure_of(tx)).receivables == Decimal("0.13")


class TestAllocateLater:
    async def test_uses_what_is_left(self, tx: Transaction) -> None:
        await three_invoices(tx)
        await pay(tx, "P1", "250.00", allocate=NOTHING)
        tx.take_events()
        named = await receivables.allocate_payment(
            tx, segment="main", payment_ref="P1", instruction=lines(("I3", "30.00"))
        )
        assert named.payment.open == 220
        oldest = await receivables.allocate_payment(tx, segment="main", payment_ref="P1", instruction=OLDEST)
        assert oldest.payment.open == 0
        assert sorted(settled(oldest)) == [("I1", "20.00"), ("I2", "200.00"), ("I3", "30.00")]
        first, second = tx.take_events()
        assert isinstance(first, PaymentAllocated)
        assert (first.before["unallocated"], first.after["unallocated"]) == ("250.00", "220.00")
        assert [a["invoice_no"] for a in second.after["allocations"]] == ["I2", "I1"]
        await prove(tx)

    async def test_is_refused_when_there_is_nothing_to_do(self, tx: Transaction) -> None:
        await open_account(tx)
        await pay(tx, "P1", "250.00")
        with pytest.raises(refusals.NothingToAllocate):
            await receivables.allocate_payment(tx, segment="main", payment_ref="P1", instruction=OLDEST)

    async def test_is_refused_beyond_what_is_left(self, tx: Transaction) -> None:
        await three_invoices(tx)
        await pay(tx, "P1", "250.00")
        with pytest.raises(refusals.AllocationExceedsPayment):
            await receivables.allocate_payment(tx, segment="main", payment_ref="P1", instruction=lines(("I3", "1")))

    async def test_is_refused_for_what_there_is_not(self, tx: Transaction) -> None:
        with pytest.raises(refusals.PaymentNotFound):
            await receivables.allocate_payment(tx, segment="main", payment_ref="P1", instruction=OLDEST)


class TestReverse:
    async def test_opens_the_items_again(self, tx: Transaction) -> None:
        await three_invoices(tx)
        before = await exposure_of(tx)
        await pay(tx, "P1", "250.00", allocate=lines(("I1", "90.00", "10.00"), ("I2", "50.00")))
        tx.take_events()
        view = await receivables.reverse_payment(tx, segment="main", payment_ref="P1", reason="bounced")
        assert view.payment.status is PaymentStatus.REVERSED
        assert view.payment.open == 0
        assert settled(view) == []
        assert await exposure_of(tx) == before
        assert await open_amount(tx, "I1") == 100
        [event] = tx.take_events()
        assert isinstance(event, PaymentReversed)
        assert event.before["unallocated"] == "110.00"
        assert {a["invoice_no"] for a in event.before["allocations"]} == {"I1", "I2"}
        assert event.after["reason"] == "bounced"
        await prove(tx)

    async def test_makes_items_overdue_again(self, tx: Transaction) -> None:
        await open_account(tx, terms=PaymentTerms(net_days=10))
        await invoice(tx, "I1", "100.00", issued_on=day(-40))
        await pay(tx, "P1", "100.00")
        await receivables.reverse_payment(tx, segment="main", payment_ref="P1", reason="bounced")
        assert (await receivables.invoice(tx, segment="main", invoice_no="I1")).overdue_days == 30

    async def test_twice_is_refused(self, tx: Transaction) -> None:
        await three_invoices(tx)
        await pay(tx, "P1", "250.00")
        await receivables.reverse_payment(tx, segment="main", payment_ref="P1", reason="bounced")
        with pytest.raises(refusals.PaymentAlreadyReversed):
            await receivables.reverse_payment(tx, segment="main", payment_ref="P1", reason="bounced")
        with pytest.raises(refusals.PaymentAlreadyReversed):
            await receivables.allocate_payment(tx, segment="main", payment_ref="P1", instruction=OLDEST)

    async def test_leaves_other_payments_of_the_item(self, tx: Transaction) -> None:
        await three_invoices(tx)
        await pay(tx, "P1", "60.00", allocate=lines(("I1", "60.00")))
        await pay(tx, "P2", "40.00", allocate=lines(("I1", "40.00")))
        await receivables.reverse_payment(tx, segment="main", payment_ref="P1", reason="bounced")
        view = await receivables.invoice(tx, segment="main", invoice_no="I1")
        assert view.item.open == 60
        assert [a.credit_ref for a in view.allocations] == ["P2"]
        await prove(tx)
