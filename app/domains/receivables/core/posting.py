"""Decides what is posted: each function checks everything before it changes the book, or raises and changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Final, Generic, TypeVar

from app.domains.customers.core.terms import PaymentTerms
from app.domains.exposure.core import commitments
from app.domains.exposure.core.account import Account
from app.domains.exposure.core.commitments import Commitment, OrderMove, OrderState
from app.domains.exposure.core.fx import RATE_QUANTUM, Quotes, rate_between
from app.domains.exposure.core.ledger import Source
from app.domains.exposure.core.refusals import FxRateMissing, OrderRefConflict
from app.domains.receivables.core import items, payments
from app.domains.receivables.core.book import Book, Bookkeeper
from app.domains.receivables.core.items import Discount, Item, OrderShare
from app.domains.receivables.core.payments import Payment
from app.domains.receivables.core.refusals import (
    FxRateContradictory,
    InvoiceAllocated,
    InvoiceAlreadyCancelled,
    InvoiceConflict,
    NotACreditNote,
    NothingToAllocate,
    OrderCurrencyMismatch,
    PaymentAlreadyReversed,
    PaymentConflict,
    at,
)
from app.domains.receivables.core.requests import Instruction, InvoiceRequest, PaymentRequest
from app.domains.receivables.core.settling import advances, credited, kept, planned, settled
from app.kernel.money import MAX_AMOUNT, ZERO, AmountOutOfRange

Document = TypeVar("Document", Item, Payment)

_PERCENT_QUANTUM: Final = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Posted(Generic[Document]):
    """A document as it stands; `created` unless the request repeated one that was posted before."""

    document: Document
    created: bool


def post_invoice(
    book: Book, request: InvoiceRequest, *, terms: Mapping[str, PaymentTerms], quotes: Quotes, by: Bookkeeper
) -> Posted[Item]:
    """Enters an invoice, debit note or credit note; `terms` are those of customers whose requests are due by them,
    `quotes` those of its day of issue.

    An invoice bills its orders; a credit note settles the item it names, as far as that is open.
    """
    known = book.items.get(request.key)
    if known is not None:
        if known.fingerprint != request.fingerprint:
            raise InvoiceConflict(f"{request.invoice_no} was posted with other contents")
        return Posted(known, created=False)
    account = book.account(request.account_key)
    request.check()
    item = _item(request, account, _rate(request, account, quotes), terms, by)
    billed = [_billed(book, item, index, share) for index, share in enumerate(item.orders)]
    settlements = credited(book, item, request)
    source = Source(item.kind.value, item.invoice_no)
    for order in billed:
        book.positions.change_order(order, source)
    book.put_item(settled(book, item, settlements, source=source, by=by), source)
    if not item.is_credit:
        advances(book, item, by=by)
    return Posted(book.items[item.key], created=True)


def cancel_invoice(book: Book, item: Item, *, reason: str, by: Bookkeeper) -> Item:
    """Takes an item back as if it had never been issued: its orders are no longer billed by it."""
    if item.cancellation is not None:
        raise InvoiceAlreadyCancelled(f"{item.invoice_no} was cancelled on {item.cancellation.at:%Y-%m-%d}")
    if item.open != item.amount:
        raise InvoiceAllocated(f"{item.amount - item.open} {item.currency} of {item.invoice_no} are allocated")
    source = Source("cancellation", item.invoice_no)
    for share in item.orders:
        order = book.positions.orders[item.segment, share.order_ref]
        book.positions.change_order(commitments.cancel_invoice(order, amount=share.amount), source)
    cancelled = items.cancel(item, by.cancellation(reason))
    book.put_item(cancelled, source)
    return cancelled


def post_payment(
    book: Book, request: PaymentRequest, *, quotes: Quotes, today: date, by: Bookkeeper
) -> Posted[Payment]:
    """Enters a payment and allocates it as it asks; `quotes` are those of the day it was received.

    A draft or cheque that clears by `today`, the segment's, is money.
    """
    known = book.payments.get(request.key)
    if known is not None:
        if known.fingerprint != request.fingerprint:
            raise PaymentConflict(f"{request.payment_ref} was posted with other contents")
        return Posted(known, created=False)
    account = book.account(request.account_key)
    request.check()
    payment = _payment(request, account, _rate(request, account, quotes), today, by)
    settlements = planned(book, payment, request.allocate)
    source = Source("payment", payment.payment_ref)
    payment = kept(book, settled(book, payment, settlements, source=source, by=by), settlements, by=by)
    book.put_payment(payment, source)
    return Posted(payment, created=True)


def allocate_payment(book: Book, payment: Payment, instruction: Instruction, *, by: Bookkeeper) -> Payment:
    """Allocates what is left of a payment."""
    if payment.reversal is not None:
        raise PaymentAlreadyReversed(f"{payment.payment_ref} was reversed on {payment.reversal.at:%Y-%m-%d}")
    settlements = planned(book, payment, instruction)
    if not settlements:
        raise NothingToAllocate(f"{payment.open} {payment.currency} of {payment.payment_ref} are left")
    source = Source("payment", payment.payment_ref)
    after = kept(book, settled(book, payment, settlements, source=source, by=by), settlements, by=by)
    book.put_payment(after, source)
    return after


def allocate_credit_note(book: Book, credit_note: Item, instruction: Instruction, *, by: Bookkeeper) -> Item:
    """Allocates what is left of a credit note."""
    if not credit_note.is_credit:
        raise NotACreditNote(f"{credit_note.invoice_no} is of kind {credit_note.kind}")
    if credit_note.cancellation is not None:
        raise InvoiceAlreadyCancelled(f"{credit_note.invoice_no} is cancelled")
    settlements = planned(book, credit_note, instruction)
    if not settlements:
        raise NothingToAllocate(f"{credit_note.open} {credit_note.currency} of {credit_note.invoice_no} are left")
    source = Source(credit_note.kind.value, credit_note.invoice_no)
    after = settled(book, credit_note, settlements, source=source, by=by)
    book.put_item(after, source)
    return after


def check_standing(payment: Payment) -> None:
    """Refuses to take back what was taken back before. Raises `PaymentAlreadyReversed`."""
    if payment.reversal is not None:
        raise PaymentAlreadyReversed(f"{payment.payment_ref} was reversed on {payment.reversal.at:%Y-%m-%d}")


def reverse_payment(book: Book, payment: Payment, *, reason: str, by: Bookkeeper) -> Payment:
    """Takes a payment back: its items are open again at their own due days, what was left of it is gone."""
    check_standing(payment)
    source = Source("reversal", payment.payment_ref)
    for allocation in book.live_allocations(payment.id):
        item = book.items[allocation.segment, allocation.invoice_no]
        book.put_item(items.reopen(item, allocation.settles, now=by.now), source)
        book.undo(allocation, now=by.now)
    after = payments.reverse(payment, by.cancellation(reason))
    book.put_payment(after, source)
    return after


# ---- documents out of requests -----------------------------------------------------------------------------


def _item(
    request: InvoiceRequest, account: Account, rate: Decimal, terms: Mapping[str, PaymentTerms], by: Bookkeeper
) -> Item:
    return Item(
        id=by.new_id(),
        segment=request.segment,
        invoice_no=request.invoice_no,
        customer_id=request.customer_id,
        account_id=account.id,
        kind=request.kind,
        currency=request.amount.currency,
        account_currency=account.currency,
        rate=rate,
        amount=request.amount.amount,
        open=request.amount.amount,
        issued_on=request.issued_on,
        due_on=_due_on(request, terms),
        fingerprint=request.fingerprint,
        entered_by=by.name,
        entered_at=by.now,
        changed_at=by.now,
        orders=request.orders,
        related_invoice_no=request.related_invoice_no,
        instalments=request.instalments,
        discount=_discount(request, terms),
    )


def _due_on(request: InvoiceRequest, terms: Mapping[str, PaymentTerms]) -> date:
    if request.due_by_terms:
        return terms[request.customer_id].due_on(request.issued_on)
    if request.instalments:
        return request.instalments[0].due_on
    if request.due_on is not None:
        return request.due_on
    if request.net_days is not None:
        return request.issued_on + timedelta(days=request.net_days)
    return request.issued_on


def _discount(request: InvoiceRequest, terms: Mapping[str, PaymentTerms]) -> Discount | None:
    """What the invoice offers, or else the customer's terms where they say when it is due; to four decimals."""
    offered = request.discount
    if offered is None and request.due_by_terms:
        agreed = terms[request.customer_id]
        offered = Discount(agreed.discount_percent, request.issued_on + timedelta(days=agreed.discount_days))
    percent = ZERO if offered is None else offered.percent.quantize(_PERCENT_QUANTUM, ROUND_HALF_UP)
    return replace(offered, percent=percent) if offered is not None and percent else None


def _payment(request: PaymentRequest, account: Account, rate: Decimal, today: date, by: Bookkeeper) -> Payment:
    return Payment(
        id=by.new_id(),
        segment=request.segment,
        payment_ref=request.payment_ref,
        customer_id=request.customer_id,
        account_id=account.id,
        currency=request.amount.currency,
        account_currency=account.currency,
        rate=rate,
        amount=request.amount.amount,
        open=request.amount.amount,
        received_on=request.received_on,
        fingerprint=request.fingerprint,
        entered_by=by.name,
        entered_at=by.now,
        changed_at=by.now,
        purpose=request.purpose,
        order_ref=request.order_ref,
        remittance=request.remittance,
        clears_on=request.clears_on,
        cleared_at=by.now if request.clears_on is not None and request.clears_on <= today else None,
    )


def _rate(request: InvoiceRequest | PaymentRequest, account: Account, quotes: Quotes) -> Decimal:
    """Account currency per unit of the document's: as entered, else the latest of `quotes`."""
    currency, into = request.amount.currency, account.currency
    if request.fx_rate is None:
        rate = rate_between(quotes, currency, into)
        if rate is None:
            raise at(FxRateMissing, "/fx_rate", f"no rate leads from {currency} to {into} on {request.dated_on}")
    elif currency == into and request.fx_rate != 1:
        raise at(FxRateContradictory, "/fx_rate", f"the account is kept in {into} too")
    else:
        rate = request.fx_rate.quantize(RATE_QUANTUM, ROUND_HALF_UP)
    if request.amount.amount * rate > MAX_AMOUNT:
        raise at(AmountOutOfRange, "/amount", f"{request.amount} is beyond {MAX_AMOUNT} {into}")
    return rate


# ---- orders ------------------------------------------------------------------------------------------------


def _billed(book: Book, item: Item, index: int, share: OrderShare) -> Commitment:
    """The order after `share` of it was billed. An order nobody has told us of begins with its first invoice."""
    order = book.positions.orders.get((item.segment, share.order_ref)) or _unknown_order(item, share.order_ref)
    if order.account_id != item.account_id:
        raise OrderRefConflict(f"order {share.order_ref} belongs to another customer")
    if order.currency != item.currency:
        message = f"order {share.order_ref} is in {order.currency}, not in {item.currency}"
        raise at(OrderCurrencyMismatch, f"/orders/{index}/order_ref", message)
    after = commitments.invoice(order, amount=share.amount)
    if not share.complete or not after.allows(OrderMove.CLOSE):
        return after
    # Whoever reviews a referred check of the order may still decide it: an approval opens the order again.
    return replace(commitments.close(after), held=after.held, review_id=after.review_id)


def _unknown_order(item: Item, order_ref: str) -> Commitment:
    return Commitment(
        segment=item.segment,
        order_ref=order_ref,
        account_id=item.account_id,
        customer_id=item.customer_id,
        currency=item.currency,
        account_currency=item.account_currency,
        rate=item.rate,
        state=OrderState.OPEN,
    )
