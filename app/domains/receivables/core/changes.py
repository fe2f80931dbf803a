"""Decides what becomes of documents that are posted: disputed, written off, recovered, paid in parts, refunded.

Like posting: each function checks everything before it changes the book, or raises and changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from app.domains.exposure.core.ledger import Source
from app.domains.receivables.core import instalments, items, payments
from app.domains.receivables.core.allocations import CreditKind
from app.domains.receivables.core.book import Book, Bookkeeper
from app.domains.receivables.core.disputes import LIFECYCLE, Dispute, DisputeMove, DisputeReason, ended
from app.domains.receivables.core.instalments import Instalment
from app.domains.receivables.core.items import Item, ItemKind
from app.domains.receivables.core.payments import Payment
from app.domains.receivables.core.refunds import Refund, RefundKind
from app.domains.receivables.core.refusals import (
    DisputeExceedsItem,
    DisputeResolved,
    InvoiceAlreadyCancelled,
    InvoiceIsACredit,
    InvoiceSettled,
    NothingToRefund,
    PaymentAlreadyReversed,
    RecoveryExceedsWriteOff,
    RefundExceedsCredit,
    WriteOffExceedsItem,
    at,
)
from app.domains.receivables.core.requests import InvoiceRequest
from app.domains.receivables.core.write_offs import BadDebtReason, WriteOff, WriteOffKind
from app.kernel.money import Money, exact


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """What is to be paid back of a payment or credit note; `amount` null: all that is left."""

    refund_ref: str
    amount: Decimal | None
    refunded_on: date
    reason: str


def open_dispute(
    book: Book,
    item: Item,
    *,
    amount: Decimal | None,
    reason: DisputeReason,
    note: str | None,
    today: date,
    by: Bookkeeper,
) -> Dispute:
    """Marks `amount` of an item, or all that is open, as disputed: it is owed as before, but due on no day.

    Raises `InvoiceIsACredit`, `InvoiceAlreadyCancelled`, `InvoiceSettled`, `DisputeExceedsItem`, `TooManyDecimals`.
    """
    _to_be_paid(item)
    if not item.undisputed:
        raise InvoiceSettled(f"nothing of {item.invoice_no} is open and undisputed")
    asked = item.undisputed if amount is None else exact(amount, item.currency).amount
    if asked > item.undisputed:
        message = f"{item.undisputed} {item.currency} of {item.invoice_no} are open and undisputed"
        raise at(DisputeExceedsItem, "/amount", message)
    book.put_item(items.dispute(item, asked, now=by.now), Source("dispute", item.invoice_no))
    return Dispute(
        id=by.new_id(),
        item_id=item.id,
        segment=item.segment,
        invoice_no=item.invoice_no,
        customer_id=item.customer_id,
        amount=asked,
        currency=item.currency,
        reason=reason,
        note=note,
        opened_by=by.name,
        opened_at=by.now,
        opened_on=today,
    )


def end_dispute(
    book: Book,
    item: Item,
    dispute: Dispute,
    move: DisputeMove,
    *,
    resolution: str | None,
    today: date,
    by: Bookkeeper,
    credit_note_no: str | None = None,
) -> Dispute:
    """Ends a dispute: its amount falls due again. Raises `DisputeResolved`."""
    if not LIFECYCLE.allows(dispute.state, move):
        raise DisputeResolved(f"the dispute is {dispute.state}")
    book.put_item(items.dispute(item, -dispute.amount, now=by.now), Source("dispute", item.invoice_no))
    return ended(dispute, move, by=by.name, now=by.now, on=today, resolution=resolution, credit_note_no=credit_note_no)


def credit_for(dispute: Dispute, item: Item, number: str, *, today: date) -> InvoiceRequest:
    """The credit note that an upheld dispute is settled by, at the invoice's own rate."""
    return InvoiceRequest(
        segment=item.segment,
        invoice_no=number,
        customer_id=item.customer_id,
        amount=Money(dispute.amount, item.currency),
        issued_on=max(today, item.issued_on),
        kind=ItemKind.CREDIT_NOTE,
        fx_rate=None if item.currency == item.account_currency else item.rate,
        related_invoice_no=item.invoice_no,
    )


def write_off(
    book: Book,
    item: Item,
    *,
    amount: Decimal | None,
    category: BadDebtReason,
    reason: str,
    today: date,
    by: Bookkeeper,
) -> Item:
    """Gives up `amount` of an item as bad debt, or all that is open.

    Raises `InvoiceIsACredit`, `InvoiceAlreadyCancelled`, `InvoiceSettled`, `WriteOffExceedsItem`, `TooManyDecimals`.
    """
    _to_be_paid(item)
    if not item.open:
        raise InvoiceSettled(f"nothing of {item.invoice_no} is open")
    given_up = item.open if amount is None else exact(amount, item.currency).amount
    if given_up > item.open:
        raise at(WriteOffExceedsItem, "/amount", f"{item.open} {item.currency} of {item.invoice_no} are open")
    after = items.write_off(item, given_up, now=by.now)
    book.put_item(after, Source("write_off", item.invoice_no))
    book.record_write_off(_write_off(item, WriteOffKind.WRITE_OFF, given_up, category, reason, today, by))
    return after


def recover(book: Book, item: Item, *, amount: Decimal | None, reason: str, today: date, by: Bookkeeper) -> Item:
    """Opens `amount` of what was written off again, or all of it.

    Raises `RecoveryExceedsWriteOff`, `TooManyDecimals`.
    """
    back = item.written_off if amount is None else exact(amount, item.currency).amount
    if back > item.written_off or not back:
        message = f"{item.written_off} {item.currency} of {item.invoice_no} are written off"
        raise at(RecoveryExceedsWriteOff, "/amount", message)
    after = items.recover(item, back, now=by.now)
    book.put_item(after, Source("recovery", item.invoice_no))
    book.record_write_off(_write_off(item, WriteOffKind.RECOVERY, back, None, reason, today, by))
    return after


def replan(book: Book, item: Item, plan: Sequence[Instalment], *, by: Bookkeeper) -> Item:
    """Spreads what is open of an item over `plan`.

    Raises `InvoiceIsACredit`, `InvoiceAlreadyCancelled`, `InvoiceSettled`, `InstalmentsContradictory`.
    """
    _to_be_paid(item)
    if not item.open:
        raise InvoiceSettled(f"nothing of {item.invoice_no} is open")
    after = items.replan(item, instalments.checked(plan, item.open), now=by.now)
    book.put_item(after, Source("instalments", item.invoice_no))
    return after


def refund_payment(book: Book, payment: Payment, request: RefundRequest, *, by: Bookkeeper) -> Refund:
    """Pays back what is left of a payment.

    Raises `PaymentAlreadyReversed`, `NothingToRefund`, `RefundExceedsCredit`.
    """
    if payment.reversal is not None:
        raise PaymentAlreadyReversed(f"{payment.payment_ref} was reversed on {payment.reversal.at:%Y-%m-%d}")
    refund = _refund(payment, request, by)
    after = replace(payment, open=payment.open - refund.amount, changed_at=by.now)
    book.put_payment(after, Source("refund", request.refund_ref))
    book.record_refund(refund)
    return refund


def refund_credit_note(book: Book, note: Item, request: RefundRequest, *, by: Bookkeeper) -> Refund:
    """Pays back what is left of a credit note. Raises `InvoiceAlreadyCancelled`, `NothingToRefund`,
    `RefundExceedsCredit`."""
    if note.cancellation is not None:
        raise InvoiceAlreadyCancelled(f"{note.invoice_no} is cancelled")
    refund = _refund(note, request, by)
    book.put_item(items.settle(note, refund.amount, now=by.now), Source("refund", request.refund_ref))
    book.record_refund(refund)
    return refund


def clear(book: Book, payment: Payment, *, by: Bookkeeper) -> Payment:
    """A draft or cheque became money: its amount is exposed no more."""
    after = payments.clear(payment, now=by.now)
    book.put_payment(after, Source("clearing", payment.payment_ref))
    return after


def _to_be_paid(item: Item) -> None:
    if item.is_credit:
        raise InvoiceIsACredit(f"{item.invoice_no} is a credit note")
    if item.cancellation is not None:
        raise InvoiceAlreadyCancelled(f"{item.invoice_no} was cancelled on {item.cancellation.at:%Y-%m-%d}")


def _write_off(
    item: Item,
    kind: WriteOffKind,
    amount: Decimal,
    category: BadDebtReason | None,
    reason: str,
    today: date,
    by: Bookkeeper,
) -> WriteOff:
    return WriteOff(
        id=by.new_id(),
        item_id=item.id,
        kind=kind,
        amount=amount,
        category=category,
        reason=reason,
        effective_on=max(today, item.issued_on),
        made_by=by.name,
        made_at=by.now,
    )


def _refund(credit: Item | Payment, request: RefundRequest, by: Bookkeeper) -> Refund:
    is_payment = isinstance(credit, Payment)
    ref = credit.payment_ref if isinstance(credit, Payment) else credit.invoice_no
    if not credit.open:
        raise NothingToRefund(f"nothing is left of {ref}")
    amount = credit.open if request.amount is None else exact(request.amount, credit.currency).amount
    if amount > credit.open:
        raise at(RefundExceedsCredit, "/amount", f"{credit.open} {credit.currency} are left of {ref}")
    return Refund(
        id=by.new_id(),
        segment=credit.segment,
        refund_ref=request.refund_ref,
        kind=RefundKind.REFUND,
        credit=CreditKind.PAYMENT if is_payment else CreditKind.CREDIT_NOTE,
        credit_id=credit.id,
        credit_ref=ref,
        customer_id=credit.customer_id,
        amount=amount,
        currency=credit.currency,
        refunded_on=max(request.refunded_on, credit.dated_on),
        reason=request.reason,
        made_by=by.name,
        made_at=by.now,
    )
