"""What happens to invoices, credit notes and payments."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

from app.domains.receivables.core.allocations import Allocation
from app.domains.receivables.core.items import Item
from app.domains.receivables.core.payments import Payment
from app.kernel.events import Event
from app.kernel.money import render


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoicePosted(Event):
    """An invoice or debit note is to be paid."""

    type: ClassVar[str] = "invoice_posted"
    subject_type: ClassVar[str] = "invoice"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditNotePosted(Event):
    """A credit note can be used, or has settled the invoice it names."""

    type: ClassVar[str] = "credit_note_posted"
    subject_type: ClassVar[str] = "invoice"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditNoteAllocated(Event):
    """A credit note was used for items."""

    type: ClassVar[str] = "credit_note_allocated"
    subject_type: ClassVar[str] = "invoice"


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceCancelled(Event):
    """An invoice, debit note or credit note was taken back."""

    type: ClassVar[str] = "invoice_cancelled"
    subject_type: ClassVar[str] = "invoice"


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentPosted(Event):
    """Money was received; `after` says which items it settled."""

    type: ClassVar[str] = "payment_posted"
    subject_type: ClassVar[str] = "payment"


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentAllocated(Event):
    """What was left of a payment has settled items."""

    type: ClassVar[str] = "payment_allocated"
    subject_type: ClassVar[str] = "payment"


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentReversed(Event):
    """A payment bounced; `after` says which items are open again."""

    type: ClassVar[str] = "payment_reversed"
    subject_type: ClassVar[str] = "payment"


def invoice_posted(item: Item, allocations: Iterable[Allocation]) -> Event:
    """That `item` was posted, and for a credit note what it settled at once."""
    kind = CreditNotePosted if item.is_credit else InvoicePosted
    after = {
        "kind": item.kind.value,
        "currency": item.currency,
        "amount": render(item.amount, item.currency),
        **item_state(item),
        "issued_on": item.issued_on.isoformat(),
        "due_on": item.due_on.isoformat(),
        "orders": [
            {"order_ref": s.order_ref, "amount": render(s.amount, item.currency), "complete": s.complete}
            for s in item.orders
        ],
        "allocations": _rendered(allocations),
    }
    return kind(subject_id=item.invoice_no, segment=item.segment, customer_id=item.customer_id, after=after)


def invoice_cancelled(before: Item, after: Item) -> Event:
    """That `before` was cancelled."""
    assert after.cancellation is not None
    return InvoiceCancelled(
        subject_id=after.invoice_no,
        segment=after.segment,
        customer_id=after.customer_id,
        before=item_state(before),
        after=item_state(after) | {"currency": after.currency, "reason": after.cancellation.reason},
    )


def credit_note_allocated(before: Item, after: Item, allocations: Iterable[Allocation]) -> Event:
    """That a credit note has settled `allocations`."""
    return CreditNoteAllocated(
        subject_id=after.invoice_no,
        segment=after.segment,
        customer_id=after.customer_id,
        before=item_state(before),
        after=item_state(after) | {"currency": after.currency, "allocations": _rendered(allocations)},
    )


def payment_posted(payment: Payment, allocations: Iterable[Allocation]) -> Event:
    """That `payment` was posted and has settled `allocations`."""
    after = {
        "currency": payment.currency,
        "amount": render(payment.amount, payment.currency),
        **payment_state(payment),
        "received_on": payment.received_on.isoformat(),
        "allocations": _rendered(allocations),
    }
    return PaymentPosted(
        subject_id=payment.payment_ref, segment=payment.segment, customer_id=payment.customer_id, after=after
    )


def payment_allocated(before: Payment, after: Payment, allocations: Iterable[Allocation]) -> Event:
    """That what was left of a payment has settled `allocations`."""
    return PaymentAllocated(
        subject_id=after.payment_ref,
        segment=after.segment,
        customer_id=after.customer_id,
        before=payment_state(before),
        after={
            "currency": after.currency,
            "amount": render(after.amount, after.currency),
            **payment_state(after),
            "allocations": _rendered(allocations),
        },
    )


def payment_reversed(
    before: Payment, after: Payment, undone: Iterable[Allocation], charged: Iterable[Item] = ()
) -> Event:
    """That a payment was reversed, and `undone` with it; `charged` are the debit notes that go with it."""
    assert after.reversal is not None
    return PaymentReversed(
        subject_id=after.payment_ref,
        segment=after.segment,
        customer_id=after.customer_id,
        before=payment_state(before) | {"allocations": _rendered(undone)},
        after=payment_state(after)
        | {
            "currency": after.currency,
            "reason": after.reversal.reason,
            "charged": [debit_note.invoice_no for debit_note in charged],
        },
    )


def item_state(item: Item) -> dict[str, Any]:
    """How an item stands, as events say it."""
    return {"status": item.status.value, "open_amount": render(item.open, item.currency)}


def payment_state(payment: Payment) -> dict[str, Any]:
    """How a payment stands, as events say it."""
    return {"status": payment.status.value, "unallocated": render(payment.open, payment.currency)}


def _rendered(allocations: Iterable[Allocation]) -> list[dict[str, Any]]:
    return [
        {
            "invoice_no": allocation.invoice_no,
            "customer_id": allocation.customer_id,
            "amount": _text(allocation.amount, allocation),
            "discount": _text(allocation.discount, allocation),
            "difference": _text(allocation.difference, allocation),
        }
        for allocation in allocations
    ]


def _text(amount: Decimal, allocation: Allocation) -> str:
    return render(amount, allocation.currency)
