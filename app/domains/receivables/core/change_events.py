"""What becomes of documents that are posted: disputes, write-offs, refunds, drafts that clear, instalments.

And which events of receivables move what a customer has to pay, for those who react to that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final

from app.domains.receivables.core.disputes import Dispute, DisputeState
from app.domains.receivables.core.events import (
    CreditNoteAllocated,
    CreditNotePosted,
    InvoiceCancelled,
    InvoicePosted,
    PaymentAllocated,
    PaymentPosted,
    PaymentReversed,
    item_state,
    payment_state,
)
from app.domains.receivables.core.items import Item
from app.domains.receivables.core.payments import Payment
from app.domains.receivables.core.refunds import Refund
from app.domains.receivables.core.write_offs import WriteOff
from app.kernel.events import Event
from app.kernel.money import render


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentCleared(Event):
    """A draft or cheque became money: its amount is exposed no more."""

    type: ClassVar[str] = "payment_cleared"
    subject_type: ClassVar[str] = "payment"


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRefunded(Event):
    """What was left of a payment, or a part of it, was paid back."""

    type: ClassVar[str] = "payment_refunded"
    subject_type: ClassVar[str] = "payment"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditNoteRefunded(Event):
    """What was left of a credit note, or a part of it, was paid out."""

    type: ClassVar[str] = "credit_note_refunded"
    subject_type: ClassVar[str] = "invoice"


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeOpened(Event):
    """A part of an invoice is due no more until the dispute about it ends."""

    type: ClassVar[str] = "dispute_opened"
    subject_type: ClassVar[str] = "dispute"


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeResolved(Event):
    """A dispute was upheld or rejected, or lapsed with its invoice."""

    type: ClassVar[str] = "dispute_resolved"
    subject_type: ClassVar[str] = "dispute"


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceWrittenOff(Event):
    """An invoice, or a part of it, was given up as bad debt."""

    type: ClassVar[str] = "invoice_written_off"
    subject_type: ClassVar[str] = "invoice"


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteOffRecovered(Event):
    """What was given up of an invoice is claimed again."""

    type: ClassVar[str] = "write_off_recovered"
    subject_type: ClassVar[str] = "invoice"


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalmentsPlanned(Event):
    """What is open of an invoice is to be paid in parts, each with its due day."""

    type: ClassVar[str] = "instalments_planned"
    subject_type: ClassVar[str] = "invoice"


SETTLING: Final = (
    InvoicePosted,
    CreditNotePosted,
    CreditNoteAllocated,
    InvoiceCancelled,
    PaymentPosted,
    PaymentAllocated,
    InvoiceWrittenOff,
)
"""What settles items or takes them back; an invoice does when it was paid in advance. `customers_of` says whose."""

REOPENING: Final = (PaymentReversed, WriteOffRecovered)
"""What opens items again."""

RESCHEDULING: Final = (DisputeOpened, DisputeResolved, InstalmentsPlanned)
"""What changes how much of an item is due, and when."""


def customers_of(event: Event) -> set[str]:
    """The customers some of whose items an event of receivables has moved: the payer, and whose items were settled or
    are open again."""
    told = (*event.before.get("allocations", ()), *event.after.get("allocations", ()))
    own = set() if event.customer_id is None else {event.customer_id}
    return own | {allocation["customer_id"] for allocation in told}


def payment_cleared(before: Payment, after: Payment) -> Event:
    """That a draft or cheque was honoured."""
    return PaymentCleared(
        subject_id=after.payment_ref,
        segment=after.segment,
        customer_id=after.customer_id,
        before={"uncleared": render(before.uncleared, before.account_currency)},
        after={"uncleared": render(after.uncleared, after.account_currency), "currency": after.account_currency},
    )


def payment_refunded(before: Payment, after: Payment, refund: Refund) -> Event:
    """That `refund` was paid back of a payment."""
    return PaymentRefunded(
        subject_id=after.payment_ref,
        segment=after.segment,
        customer_id=after.customer_id,
        before=payment_state(before),
        after=payment_state(after) | _refunded(refund),
    )


def credit_note_refunded(before: Item, after: Item, refund: Refund) -> Event:
    """That `refund` was paid out of a credit note."""
    return CreditNoteRefunded(
        subject_id=after.invoice_no,
        segment=after.segment,
        customer_id=after.customer_id,
        before=item_state(before),
        after=item_state(after) | _refunded(refund),
    )


def dispute_opened(dispute: Dispute, item: Item) -> Event:
    """That a part of `item`, as it is now, is disputed."""
    return DisputeOpened(**_dispute_subject(dispute), after=_dispute_state(dispute, item))


def dispute_resolved(dispute: Dispute, item: Item) -> Event:
    """That a dispute about `item`, as it is now, has ended."""
    return DisputeResolved(
        **_dispute_subject(dispute),
        before={"state": DisputeState.OPEN.value},
        after=_dispute_state(dispute, item)
        | {"resolution": dispute.resolution, "credit_note_no": dispute.credit_note_no},
    )


def invoice_written_off(before: Item, after: Item, made: WriteOff) -> Event:
    """That a part of an item was given up."""
    return InvoiceWrittenOff(**_given_up(before, after, made), exceptional=True)


def write_off_recovered(before: Item, after: Item, made: WriteOff) -> Event:
    """That a part of an item that was given up is open again."""
    return WriteOffRecovered(**_given_up(before, after, made))


def instalments_planned(before: Item, after: Item, reason: str) -> Event:
    """That what is open of an item is to be paid in parts."""
    return InstalmentsPlanned(
        subject_id=after.invoice_no,
        segment=after.segment,
        customer_id=after.customer_id,
        before=_plan(before),
        after=_plan(after) | {"currency": after.currency, "reason": reason},
    )


def _given_up(before: Item, after: Item, made: WriteOff) -> dict[str, Any]:
    told = {
        "currency": after.currency,
        "amount": render(made.amount, after.currency),
        "category": made.category and made.category.value,
        "reason": made.reason,
    }
    return {
        "subject_id": after.invoice_no,
        "segment": after.segment,
        "customer_id": after.customer_id,
        "before": item_state(before),
        "after": item_state(after) | told,
    }


def _refunded(refund: Refund) -> dict[str, Any]:
    return {
        "refund_ref": refund.refund_ref,
        "currency": refund.currency,
        "amount": render(refund.amount, refund.currency),
        "refunded_on": refund.refunded_on.isoformat(),
        "reason": refund.reason,
    }


def _dispute_subject(dispute: Dispute) -> dict[str, Any]:
    return {"subject_id": str(dispute.id), "segment": dispute.segment, "customer_id": dispute.customer_id}


def _dispute_state(dispute: Dispute, item: Item) -> dict[str, Any]:
    return {
        "state": dispute.state.value,
        "invoice_no": dispute.invoice_no,
        "currency": dispute.currency,
        "amount": render(dispute.amount, dispute.currency),
        "reason": dispute.reason.value,
        "note": dispute.note,
        "disputed_amount": render(item.disputed_open, item.currency),
    }


def _plan(item: Item) -> dict[str, Any]:
    return {
        "due_on": item.due_on.isoformat(),
        "instalments": [
            {"due_on": part.due_on.isoformat(), "amount": render(part.amount, item.currency)}
            for part in item.instalments
        ],
    }
