"""What a payment closes by itself and how it finds what it pays: discounts, references, advances, currencies."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from app.domains.customers.core.terms import PaymentTerms
from app.domains.policies import service as policies
from app.domains.policies.core.document import default_document
from app.domains.receivables import service as receivables
from app.domains.receivables.core.events import PaymentAllocated
from app.domains.receivables.core.items import Discount, ItemStatus
from app.domains.receivables.core.payments import Purpose
from app.domains.receivables.core.refunds import RefundKind
from app.domains.receivables.core.refusals import AdvanceWithoutOrder, AllocationExceedsPayment
from app.domains.receivables.core.requests import AllocationLine, Instruction
from app.infra.transaction import Transaction
from app.kernel.identity import Actor, ActorKind
from tests.domains.receivables.world import (
    NOTHING,
    OLDEST,
    TODAY,
    a_payment,
    an_invoice,
    billing,
    day,
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

TERMS = PaymentTerms(net_days=30, discount_percent=Decimal(2), discount_days=10)
BY_TEXT = Instruction(by_reference=True)
EXACT = Instruction(exact=True)
AUTO = Instruction(by_reference=True, exact=True, oldest_first=True)


async def with_rules(tx: Transaction, section: dict[str, Any], **more: Any) -> None:
    """Makes `section` the policy's section `receivables`."""
    document = default_document() | {"receivables": section} | more
    version = (await policies.draft(tx, segment="main", document=document, note="test")).version.version
    await policies.submit(tx, segment="main", number=version)
    other = Transaction(tx.session, now=tx.now, actor=Actor("bob", ActorKind.PERSON), request_id="test")
    await policies.approve(other, segment="main", number=version)
    await policies.activate(tx, segment="main", number=version, effective_at=None)


async def status(tx: Transaction, invoice_no: str) -> ItemStatus:
    return (await receivables.invoice(tx, segment="main", invoice_no=invoice_no)).item.status


class TestEarlyPayment:
    async def test_closes_an_invoice_by_the_customers_terms(self, tx: Transaction) -> None:
        await open_account(tx, terms=TERMS)
        await invoice(tx, "I1", "100.00", issued_on=day(-10))
        view = await pay(tx, "P1", "98.00")
        assert [(a.amount, a.discount) for a in view.allocations] == [(Decimal(98), Decimal(2))]
        assert await totals(tx) == ("0.00", "0.00")
        await prove(tx)

    async def test_is_too_late_a_day_after(self, tx: Transaction) -> None:
        await open_account(tx, terms=TERMS)
        await invoice(tx, "I1", "100.00", issued_on=day(-11))
        await pay(tx, "P1", "98.00")
        assert await open_amount(tx, "I1") == 2

    async def test_closes_several_at_once_and_reads_enough_of_them(self, tx: Transaction) -> None:
        await open_account(tx, terms=TERMS)
        for number in range(60):
            await invoice(tx, f"I{number:02}", "100.00")
        view = await pay(tx, "P1", "5880.00")
        assert len(view.allocations) == 60
        assert await totals(tx) == ("0.00", "0.00")
        await prove(tx)

    async def test_follows_the_invoices_own_offer(self, tx: Transaction) -> None:
        await open_account(tx)
        await invoice(tx, "I1", "200.00", due_on=day(20), discount=Discount(Decimal(5), day(3)))
        await pay(tx, "P1", "190.00", allocate=lines(("I1", "190.00")))
        assert await status(tx, "I1") is ItemStatus.PAID

    async def test_is_off_where_the_policy_says_nothing(self, tx: Transaction) -> None:
        await with_rules(tx, {"early_payment": None})
        await open_account(tx, terms=TERMS)
        await invoice(tx, "I1", "100.00")
        await pay(tx, "P1", "98.00")
        assert await open_amount(tx, "I1") == 2

    async def test_has_the_grace_days_of_the_customers_profile(self, tx: Transaction) -> None:
        profile = {"default": {"receivables": {"early_payment": {"grace_days": 1}}}}
        await with_rules(tx, {"early_payment": {"grace_days": 0}}, profiles=profile)
        await open_account(tx, terms=TERMS)
        await invoice(tx, "I1", "100.00", issued_on=day(-11))
        await pay(tx, "P1", "98.00")
        assert await open_amount(tx, "I1") == 0


class TestSmallDifferences:
    SECTION: dict[str, Any] = {"small_difference": {"max_amount": "1.00", "max_percent": "1"}}  # noqa: RUF012

    async def test_are_left_open_by_default(self, tx: Transaction) -> None:
        await open_account(tx)
        await invoice(tx, "I1", "100.00")
        await pay(tx, "P1", "99.99")
        assert await totals(tx) == ("0.01", "0.00")

    async def test_close_the_invoice_within_the_tolerance(self, tx: Transaction) -> None:
        await with_rules(tx, self.SECTION)
        await open_account(tx)
        await invoice(tx, "I1", "100.00")
        view = await pay(tx, "P1", "99.00")
        assert [(a.amount, a.discount, a.difference) for a in view.allocations] == [
            (Decimal(99), Decimal(0), Decimal(1))
        ]
        assert await totals(tx) == ("0.00", "0.00")
        await prove(tx)
        await receivables.reverse_payment(tx, segment="main", payment_ref="P1", reason="bounced")
        assert await totals(tx) == ("100.00", "0.00")
        await prove(tx)

    async def test_beyond_it_stay_open(self, tx: Transaction) -> None:
        await with_rules(tx, self.SECTION)
        await open_account(tx)
        await invoice(tx, "I1", "100.00")
        await invoice(tx, "I2", "20.00", due_on=day(90))
        await pay(tx, "P1", "98.99", allocate=lines(("I1", "98.99")))
        await pay(tx, "P2", "19.70", allocate=lines(("I2", "19.70")))
        assert await totals(tx) == ("1.31", "0.00"), "0.30 of 20.00 are more than 1 %"

    async def test_of_an_overpayment_are_kept(self, tx: Transaction) -> None:
        await with_rules(tx, self.SECTION)
        await open_account(tx)
        await invoice(tx, "I1", "100.00")
        view = await pay(tx, "P1", "100.60")
        assert [(found.kind, found.amount) for found in view.refunds] == [
            (RefundKind.SMALL_DIFFERENCE, Decimal("0.60"))
        ]
        assert await totals(tx) == ("0.00", "0.00")
        await prove(tx)
        found = await receivables.statement(tx, customer_id="C1", segment="main")
        assert [(m.type.value, m.effect) for m in found.movements][-1] == ("small_difference", Decimal("0.60"))
        assert found.closing == 0
        await receivables.reverse_payment(tx, segment="main", payment_ref="P1", reason="bounced")
        assert await totals(tx) == ("100.00", "0.00"), "what was kept never came"
        await prove(tx)

    async def test_of_money_on_account_are_left_alone(self, tx: Transaction) -> None:
        await with_rules(tx, self.SECTION)
        await open_account(tx)
        await pay(tx, "P1", "0.50")
        assert await totals(tx) == ("0.00", "0.50")

    async def test_are_measured_in_the_currency_of_the_segment(self, tx: Transaction) -> None:
        await with_rules(tx, self.SECTION)
        await open_account(tx, currency="JPY")
        await invoice(tx, "I1", "10000", "JPY")
        await pay(tx, "P1", "9980", "JPY")
        assert await totals(tx) == ("20", "0"), "no rate leads from CNY to JPY"
        await prove(tx)


class TestReferences:
    async def test_in_the_text_say_what_is_paid(self, tx: Transaction) -> None:
        await open_account(tx)
        for number, due in (("INV-1", 1), ("INV-2", 2), ("INV-3", 3)):
            await invoice(tx, number, "100.00", due_on=day(due))
        view = await pay(tx, "P1", "150.00", remittance="Payment for INV-3, INV-2.", allocate=BY_TEXT)
        assert settled(view) == [("INV-2", "100.00"), ("INV-3", "50.00")]
        await prove(tx)

    async def test_of_other_customers_are_no_business_of_it(self, tx: Transaction) -> None:
        await open_account(tx)
        await open_account(tx, "X1")
        await invoice(tx, "INV-1", "100.00", customer_id="X1")
        view = await pay(tx, "P1", "100.00", remittance="INV-1", allocate=BY_TEXT)
        assert settled(view) == []
        assert await totals(tx, "X1") == ("100.00", "0.00")

    async def test_of_the_group_are_paid_too(self, tx: Transaction) -> None:
        await open_account(tx)
        await open_account(tx, "C2", parent_id="C1")
        await invoice(tx, "INV-1", "100.00", customer_id="C2")
        view = await pay(tx, "P1", "100.00", remittance="for our daughter: INV-1", allocate=BY_TEXT)
        assert settled(view) == [("INV-1", "100.00")]
        await prove(tx)

    async def test_are_remembered_for_a_later_allocation(self, tx: Transaction) -> None:
        await open_account(tx)
        await pay(tx, "P1", "100.00", remittance="INV-1", allocate=NOTHING)
        await invoice(tx, "INV-0", "100.00", due_on=day(1))
        await invoice(tx, "INV-1", "100.00", due_on=day(2))
        view = await receivables.allocate_payment(tx, segment="main", payment_ref="P1", instruction=BY_TEXT)
        assert settled(view) == [("INV-1", "100.00")]


class TestExactAmounts:
    async def test_find_their_invoice_behind_older_ones(self, tx: Transaction) -> None:
        await open_account(tx)
        for number, amount in (("I1", "100.00"), ("I2", "77.00"), ("I3", "77.00")):
            await invoice(tx, number, amount, due_on=day(int(number[1])))
        assert settled(await pay(tx, "P1", "77.00", allocate=EXACT)) == [("I2", "77.00")]
        assert settled(await pay(tx, "P2", "76.00", allocate=EXACT)) == []
        await prove(tx)

    async def test_come_after_the_text_and_before_the_oldest(self, tx: Transaction) -> None:
        await open_account(tx)
        for number, amount in (("I1", "100.00"), ("I2", "77.00"), ("I3", "50.00")):
            await invoice(tx, number, amount, due_on=day(int(number[1])))
        assert settled(await pay(tx, "P1", "127.00", remittance="I3", allocate=AUTO)) == [
            ("I2", "77.00"),
            ("I3", "50.00"),
        ]
        assert settled(await pay(tx, "P2", "30.00", allocate=AUTO)) == [("I1", "30.00")]
        await prove(tx)


class TestAdvances:
    async def test_wait_for_the_invoice_of_their_order(self, tx: Transaction) -> None:
        await open_account(tx)
        await order(tx, "O1", "500.00")
        await invoice(tx, "I0", "80.00", due_on=day(-1), issued_on=day(-9))
        await pay(tx, "P1", "200.00", purpose=Purpose.ADVANCE, order_ref="O1", allocate=NOTHING)
        assert await totals(tx) == ("80.00", "200.00")
        tx.take_events()
        view = await invoice(tx, "I1", "150.00", orders=billing("O1", "150.00"))
        assert (view.item.status, settled(view)) == (ItemStatus.PAID, [("I1", "150.00")])
        assert [type(event) for event in tx.take_events()][-1] is PaymentAllocated
        assert await totals(tx) == ("80.00", "50.00")
        await invoice(tx, "I2", "150.00", orders=billing("O1", "150.00"))
        assert await totals(tx) == ("180.00", "0.00")
        await prove(tx)

    async def test_pay_no_other_order(self, tx: Transaction) -> None:
        await open_account(tx)
        await pay(tx, "P1", "200.00", purpose=Purpose.ADVANCE, order_ref="O1", allocate=NOTHING)
        await invoice(tx, "I1", "150.00", orders=billing("O2", "150.00"))
        assert await totals(tx) == ("150.00", "200.00")

    async def test_pay_only_the_part_that_bills_their_order(self, tx: Transaction) -> None:
        await open_account(tx)
        await pay(tx, "P1", "200.00", purpose=Purpose.ADVANCE, order_ref="O1", allocate=NOTHING)
        await invoice(tx, "I1", "150.00", orders=billing("O1", "60.00"))
        assert await totals(tx) == ("90.00", "140.00")
        await prove(tx)

    async def test_name_their_order_and_nothing_else_does(self, tx: Transaction) -> None:
        await open_account(tx)
        with pytest.raises(AdvanceWithoutOrder):
            await pay(tx, "P1", "1.00", purpose=Purpose.ADVANCE)
        with pytest.raises(AdvanceWithoutOrder):
            await pay(tx, "P1", "1.00", order_ref="O1")


class TestDeposits:
    async def test_lower_exposure_and_are_used_only_when_told(self, tx: Transaction) -> None:
        await open_account(tx)
        await invoice(tx, "I1", "100.00")
        await pay(tx, "P1", "300.00", purpose=Purpose.DEPOSIT, allocate=NOTHING)
        assert await totals(tx) == ("100.00", "300.00")
        await receivables.allocate_payment(tx, segment="main", payment_ref="P1", instruction=lines(("I1", "100.00")))
        assert await totals(tx) == ("0.00", "200.00")
        await prove(tx)


class TestOtherCurrencies:
    async def test_pay_what_they_are_told_and_show_the_difference(self, tx: Transaction) -> None:
        await open_account(tx)
        await invoice(tx, "I1", "100.00", "EUR", fx_rate=Decimal("7.8"))
        line = AllocationLine("I1", Decimal("790.00"), settles=Decimal("100.00"))
        view = await pay(tx, "P1", "800.00", allocate=Instruction((line,)))
        [made] = view.allocations
        assert (made.amount, made.cash, made.currency, made.fx_difference) == (
            Decimal(100),
            Decimal(790),
            "EUR",
            Decimal(10),
        )
        assert await totals(tx) == ("0.00", "10.00")
        await prove(tx)
        found = await receivables.statement(tx, customer_id="C1", segment="main")
        assert found.closing == -10

    async def test_use_no_more_than_the_cash(self, tx: Transaction) -> None:
        await open_account(tx)
        await invoice(tx, "I1", "100.00", "EUR", fx_rate=Decimal("7.8"))
        line = AllocationLine("I1", Decimal("790.00"), settles=Decimal("100.00"))
        with pytest.raises(AllocationExceedsPayment):
            await pay(tx, "P1", "789.99", allocate=Instruction((line,)))

    async def test_come_back_whole_when_the_payment_bounces(self, tx: Transaction) -> None:
        await open_account(tx)
        await invoice(tx, "I1", "100.00", "EUR", fx_rate=Decimal("7.8"))
        line = AllocationLine("I1", Decimal("79.00"), settles=Decimal("10.00"), discount=Decimal("0.50"))
        await pay(tx, "P1", "79.00", allocate=Instruction((line,)))
        assert await open_amount(tx, "I1") == Decimal("89.50")
        await receivables.reverse_payment(tx, segment="main", payment_ref="P1", reason="bounced")
        assert await open_amount(tx, "I1") == 100
        await prove(tx)


class TestBatches:
    async def test_see_what_went_before(self, tx: Transaction) -> None:
        """An advance, its invoice and an exact payment, all in one batch."""
        await open_account(tx)
        outcomes = await receivables.post_documents(
            tx,
            requests=[
                a_payment("P1", "40.00", purpose=Purpose.ADVANCE, order_ref="O1", allocate=NOTHING),
                an_invoice("I1", "100.00", orders=billing("O1", "100.00")),
                an_invoice("I2", "60.00", due_on=day(-1), issued_on=TODAY),
                a_payment("P2", "60.00", allocate=EXACT),
                a_payment("P3", "60.00", allocate=OLDEST),
            ],
        )
        assert outcomes == [True] * 5
        assert await totals(tx) == ("0.00", "0.00")
        await prove(tx)
