"""Disputes: what is disputed is owed and not due; the rest stays due; and each way a dispute can end."""

from __future__ import annotations

from decimal import Decimal
from uuid import uuid4

import pytest

from app.domains.exposure import service as exposure
from app.domains.receivables import service as receivables
from app.domains.receivables.core.change_events import DisputeOpened, DisputeResolved
from app.domains.receivables.core.disputes import LIFECYCLE, Dispute, DisputeMove, DisputeReason, DisputeState
from app.domains.receivables.core.items import ItemKind
from app.domains.receivables.core.refusals import (
    DisputeExceedsItem,
    DisputeNotFound,
    InvoiceConflict,
    InvoiceIsACredit,
    InvoiceSettled,
)
from app.domains.receivables.core.refusals import DisputeResolved as AlreadyResolved
from app.infra.transaction import Transaction
from app.kernel.money import TooManyDecimals
from tests.domains.receivables.world import (
    OLDEST,
    TODAY,
    day,
    invoice,
    lines,
    open_account,
    open_amount,
    pay,
    prove,
    settled,
    totals,
)


async def overdue_invoice(tx: Transaction, amount: str = "100.00") -> None:
    await open_account(tx)
    await invoice(tx, "I1", amount, issued_on=day(-60), due_on=day(-30))


async def dispute(tx: Transaction, amount: str | None = None, invoice_no: str = "I1") -> Dispute:
    return await receivables.open_dispute(
        tx,
        segment="main",
        invoice_no=invoice_no,
        amount=None if amount is None else Decimal(amount),
        reason=DisputeReason.QUALITY,
        note="scratched",
    )


async def overdue(tx: Transaction) -> Decimal:
    return (await exposure.account(tx, customer_id="C1", segment="main")).overdue.amount


class TestOpening:
    async def test_leaves_the_undisputed_part_due(self, tx: Transaction) -> None:
        await overdue_invoice(tx)
        assert await overdue(tx) == 100
        await dispute(tx, "30.00")
        assert await overdue(tx) == 70
        assert await totals(tx) == ("100.00", "0.00"), "what is disputed is still owed"
        view = await receivables.invoice(tx, segment="main", invoice_no="I1")
        assert (view.item.disputed_open, view.item.open) == (Decimal(30), Decimal(100))
        assert [found.reason for found in view.disputes] == [DisputeReason.QUALITY]
        await prove(tx)

    async def test_takes_all_that_is_open_unless_told(self, tx: Transaction) -> None:
        await overdue_invoice(tx)
        await pay(tx, "P1", "25.00")
        assert (await dispute(tx)).amount == 75
        assert await overdue(tx) == 0
        await prove(tx)

    async def test_says_what_happened_once(self, tx: Transaction) -> None:
        await overdue_invoice(tx)
        tx.take_events()
        made = await dispute(tx, "30.00")
        [event] = tx.take_events()
        assert isinstance(event, DisputeOpened)
        assert (event.subject_id, event.customer_id, event.segment) == (str(made.id), "C1", "main")
        assert (event.after["amount"], event.after["disputed_amount"]) == ("30.00", "30.00")

    @pytest.mark.parametrize(("amount", "refusal"), [("100.01", DisputeExceedsItem), ("0.001", TooManyDecimals)])
    async def test_is_refused_beyond_what_is_open(self, tx: Transaction, amount: str, refusal: type[Exception]) -> None:
        await overdue_invoice(tx)
        with pytest.raises(refusal):
            await dispute(tx, amount)

    async def test_is_refused_for_what_is_disputed_already(self, tx: Transaction) -> None:
        await overdue_invoice(tx)
        await dispute(tx, "60.00")
        with pytest.raises(DisputeExceedsItem):
            await dispute(tx, "40.01")
        await dispute(tx, "40.00")
        with pytest.raises(InvoiceSettled):
            await dispute(tx)
        await prove(tx)

    async def test_is_refused_for_credit_notes_and_what_is_paid(self, tx: Transaction) -> None:
        await overdue_invoice(tx)
        await pay(tx, "P1", "100.00")
        await invoice(tx, "N1", "10.00", kind=ItemKind.CREDIT_NOTE)
        with pytest.raises(InvoiceSettled):
            await dispute(tx)
        with pytest.raises(InvoiceIsACredit):
            await dispute(tx, "1.00", "N1")


class TestPaying:
    async def test_by_rule_leaves_the_disputed_part_alone(self, tx: Transaction) -> None:
        await overdue_invoice(tx)
        await invoice(tx, "I2", "50.00")
        await dispute(tx, "30.00")
        assert settled(await pay(tx, "P1", "200.00")) == [("I1", "70.00"), ("I2", "50.00")]
        await prove(tx)

    async def test_by_name_pays_the_disputed_part_too(self, tx: Transaction) -> None:
        await overdue_invoice(tx)
        await dispute(tx, "30.00")
        await pay(tx, "P1", "90.00", allocate=lines(("I1", "90.00")))
        view = await receivables.invoice(tx, segment="main", invoice_no="I1")
        assert (view.item.open, view.item.disputed_open) == (Decimal(10), Decimal(10))
        assert await overdue(tx) == 0
        await prove(tx)

    async def test_that_bounces_is_disputed_again(self, tx: Transaction) -> None:
        await overdue_invoice(tx)
        await dispute(tx, "30.00")
        await pay(tx, "P1", "100.00", allocate=lines(("I1", "100.00")))
        await receivables.reverse_payment(tx, segment="main", payment_ref="P1", reason="bounced")
        assert await overdue(tx) == 70
        await prove(tx)


class TestRejecting:
    async def test_makes_the_amount_due_again_at_its_own_day(self, tx: Transaction) -> None:
        await overdue_invoice(tx)
        made = await dispute(tx, "30.00")
        tx.take_events()
        ended = await receivables.reject_dispute(tx, segment="main", invoice_no="I1", dispute_id=made.id, note="no")
        assert (ended.state, ended.resolved_on, ended.resolution) == (DisputeState.REJECTED, TODAY, "no")
        assert await overdue(tx) == 100
        [event] = tx.take_events()
        assert isinstance(event, DisputeResolved)
        assert (event.before["state"], event.after["state"], event.after["disputed_amount"]) == (
            "open",
            "rejected",
            "0.00",
        )
        await prove(tx)

    async def test_is_possible_once(self, tx: Transaction) -> None:
        await overdue_invoice(tx)
        made = await dispute(tx)
        await receivables.reject_dispute(tx, segment="main", invoice_no="I1", dispute_id=made.id)
        with pytest.raises(AlreadyResolved):
            await receivables.reject_dispute(tx, segment="main", invoice_no="I1", dispute_id=made.id)
        with pytest.raises(AlreadyResolved):
            await receivables.uphold_dispute(tx, segment="main", invoice_no="I1", dispute_id=made.id)
        with pytest.raises(DisputeNotFound):
            await receivables.reject_dispute(tx, segment="main", invoice_no="I1", dispute_id=uuid4())


class TestUpholding:
    async def test_settles_the_invoice_by_a_credit_note(self, tx: Transaction) -> None:
        await overdue_invoice(tx)
        made = await dispute(tx, "30.00")
        upheld = await receivables.uphold_dispute(
            tx, segment="main", invoice_no="I1", dispute_id=made.id, credit_note_no="N1"
        )
        assert (upheld.state, upheld.credit_note_no) == (DisputeState.UPHELD, "N1")
        note = await receivables.invoice(tx, segment="main", invoice_no="N1")
        assert (note.item.kind, note.item.open, settled(note)) == (ItemKind.CREDIT_NOTE, Decimal(0), [("I1", "30.00")])
        assert await open_amount(tx, "I1") == 70
        assert await overdue(tx) == 70
        await prove(tx)

    async def test_leaves_a_credit_when_it_was_paid_meanwhile(self, tx: Transaction) -> None:
        await overdue_invoice(tx)
        made = await dispute(tx, "30.00")
        await pay(tx, "P1", "100.00", allocate=lines(("I1", "100.00")))
        upheld = await receivables.uphold_dispute(tx, segment="main", invoice_no="I1", dispute_id=made.id)
        assert await totals(tx) == ("0.00", "30.00")
        note = await receivables.invoice(tx, segment="main", invoice_no=str(upheld.credit_note_no))
        assert note.item.open == 30
        await prove(tx)

    async def test_is_at_the_rate_of_the_invoice(self, tx: Transaction) -> None:
        await open_account(tx)
        await invoice(tx, "I1", "100.00", "EUR", fx_rate=Decimal("7.8125"))
        made = await dispute(tx, "33.33")
        await receivables.uphold_dispute(tx, segment="main", invoice_no="I1", dispute_id=made.id)
        assert await totals(tx) == ("520.86", "0.00")
        await prove(tx)

    async def test_is_refused_under_a_number_that_is_taken(self, tx: Transaction) -> None:
        await overdue_invoice(tx)
        made = await dispute(tx, "30.00")
        with pytest.raises(InvoiceConflict):
            await receivables.uphold_dispute(
                tx, segment="main", invoice_no="I1", dispute_id=made.id, credit_note_no="I1"
            )


class TestCancelling:
    async def test_lets_its_disputes_lapse(self, tx: Transaction) -> None:
        await overdue_invoice(tx)
        made = await dispute(tx, "30.00")
        await receivables.cancel_invoice(tx, segment="main", invoice_no="I1", reason="wrong customer")
        resolved = [event for event in tx.take_events() if isinstance(event, DisputeResolved)]
        assert [(event.subject_id, event.after["state"]) for event in resolved] == [(str(made.id), "lapsed")]
        assert await totals(tx) == ("0.00", "0.00")
        await prove(tx)


class TestLifecycle:
    def test_has_one_way_out_of_open_and_none_out_of_an_end(self) -> None:
        assert all(LIFECYCLE.allows(DisputeState.OPEN, move) for move in DisputeMove)
        assert all(LIFECYCLE.final(state) for state in DisputeState if state is not DisputeState.OPEN)


class TestDunnable:
    async def test_gives_customers_with_something_due_and_all_their_open_items(self, tx: Transaction) -> None:
        for customer in ("C1", "C2", "C3", "C4"):
            await open_account(tx, customer)
        await invoice(tx, "I1", "100.00", issued_on=day(-60), due_on=day(-30))
        await invoice(tx, "I2", "40.00", due_on=day(5))
        await invoice(tx, "I3", "10.00", customer_id="C2", due_on=day(5))
        await invoice(tx, "I4", "10.00", customer_id="C3", issued_on=day(-9), due_on=day(-2))
        await invoice(tx, "I5", "10.00", customer_id="C4", issued_on=day(-9), due_on=day(-2))
        await dispute(tx, "25.00")
        await dispute(tx, invoice_no="I4")
        await pay(tx, "P1", "7.00", customer_id="C4", allocate=lines())
        first, third, second = await receivables.dunnable(tx, segment="main", on=day(-1))
        assert (first.customer_id, second.customer_id) == ("C1", "C4")
        assert (third.customer_id, [item.parts for item in third.items]) == ("C3", [()]), "C3 disputes all that is due"
        assert [(item.invoice_no, item.open, item.disputed, item.due(TODAY)) for item in first.items] == [
            ("I1", Decimal(100), Decimal(25), Decimal(75)),
            ("I2", Decimal(40), Decimal(0), Decimal(0)),
        ]
        assert (second.credits, second.currency) == ({"CNY": Decimal(7)}, "CNY")
        for after, next_one in (("", "C1"), ("C1", "C3"), ("C3", "C4")):
            [behind] = await receivables.dunnable(tx, segment="main", on=day(-1), after_customer=after, limit=1)
            assert behind.customer_id == next_one
        assert [found.customer_id for found in await receivables.dunnable(tx, segment="main", on=day(5))] == [
            "C1",
            "C2",
            "C3",
            "C4",
        ]
        [named] = await receivables.dunnable_of(tx, segment="main", customer_ids=["C3", "nobody"])
        assert (named.customer_id, [item.parts for item in named.items]) == ("C3", [()])

    async def test_leaves_out_who_has_paid(self, tx: Transaction) -> None:
        await overdue_invoice(tx)
        await pay(tx, "P1", "100.00", allocate=OLDEST)
        assert await receivables.dunnable(tx, segment="main", on=TODAY) == []
