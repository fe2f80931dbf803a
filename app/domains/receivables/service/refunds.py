"""Use cases of refunds: pay back what is left of a payment or credit note."""

from __future__ import annotations

from dataclasses import dataclass

from app.domains.receivables.core import change_events, changes
from app.domains.receivables.core.changes import RefundRequest
from app.domains.receivables.core.items import Item
from app.domains.receivables.core.payments import Payment
from app.domains.receivables.core.refunds import Refund
from app.domains.receivables.core.refusals import NotACreditNote, RefundConflict, RefundNotFound
from app.domains.receivables.repository import endings
from app.domains.receivables.service import books
from app.domains.receivables.service.invoices import find_item
from app.domains.receivables.service.payments import find_payment
from app.infra.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Refunded:
    """A refund as it stands; `created` unless the request repeated one made before."""

    refund: Refund
    created: bool


async def refund_payment(tx: Transaction, *, segment: str, payment_ref: str, request: RefundRequest) -> Refunded:
    """Pays back what is left of a payment, or a part of that; the same reference and contents again changes nothing.

    Raises `PaymentNotFound`, `RefundConflict` and what `changes.refund_payment` raises.
    """
    found = await find_payment(tx, segment, payment_ref)
    known = await _known(tx, found, request)
    if known is not None:
        return Refunded(known, created=False)
    book = await books.open_for_payment(tx, found)
    before = book.payments[found.key]
    refund = changes.refund_payment(book, before, request, by=books.bookkeeper(tx))
    await books.close(tx, book)
    tx.emit(change_events.payment_refunded(before, book.payments[found.key], refund))
    return Refunded(refund, created=True)


async def refund_credit_note(tx: Transaction, *, segment: str, invoice_no: str, request: RefundRequest) -> Refunded:
    """Pays out what is left of a credit note, or a part of that; the same reference and contents change nothing.

    Raises `InvoiceNotFound`, `NotACreditNote`, `RefundConflict` and what `changes.refund_credit_note` raises.
    """
    found = await find_item(tx, segment, invoice_no)
    if not found.is_credit:
        raise NotACreditNote(f"{invoice_no} is of kind {found.kind}")
    known = await _known(tx, found, request)
    if known is not None:
        return Refunded(known, created=False)
    book = await books.open_for_item(tx, found)
    before = book.items[found.key]
    refund = changes.refund_credit_note(book, before, request, by=books.bookkeeper(tx))
    await books.close(tx, book)
    tx.emit(change_events.credit_note_refunded(before, book.items[found.key], refund))
    return Refunded(refund, created=True)


async def refund(tx: Transaction, *, segment: str, refund_ref: str) -> Refund:
    """One refund. Raises `RefundNotFound`."""
    found = await endings.find_refund(tx.session, segment, refund_ref)
    if found is None:
        raise RefundNotFound(f"there is no refund {refund_ref} in segment {segment}")
    return found


async def _known(tx: Transaction, credit: Item | Payment, request: RefundRequest) -> Refund | None:
    """The refund that the request repeats. Raises `RefundConflict` when the reference was used for another."""
    known = await endings.find_refund(tx.session, credit.segment, request.refund_ref)
    if known is None:
        return None
    amount = known.amount if request.amount is None else request.amount
    on = max(request.refunded_on, credit.dated_on)
    if (known.credit_id, known.amount, known.reason, known.refunded_on) != (credit.id, amount, request.reason, on):
        raise RefundConflict(f"{request.refund_ref} was refunded with other contents")
    return known
