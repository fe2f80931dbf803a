"""Use cases of payments."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from app.domains.receivables.core import events, posting, reversals
from app.domains.receivables.core.allocations import Allocation
from app.domains.receivables.core.book import Book
from app.domains.receivables.core.payments import Payment
from app.domains.receivables.core.posting import Posted
from app.domains.receivables.core.refunds import Refund
from app.domains.receivables.core.refusals import PaymentNotFound
from app.domains.receivables.core.requests import Instruction, PaymentRequest
from app.domains.receivables.core.reversals import Fee
from app.domains.receivables.repository import documents, endings, lists
from app.domains.receivables.service import books, holds
from app.domains.receivables.service.days import today
from app.domains.receivables.service.entering import enter
from app.infra.db.paging import PageRequest
from app.infra.transaction import Transaction
from app.kernel.errors import Refusal


@dataclass(frozen=True, slots=True)
class PaymentView:
    """A payment, what it settles now and what was refunded of it. `created` is false for a request that repeated one
    posted before; `charged` are the debit notes that a reversal has just made."""

    payment: Payment
    allocations: Sequence[Allocation]
    created: bool = False
    refunds: Sequence[Refund] = ()
    charged: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class PaymentPage:
    """One page of a list of payments and the cursor of the next."""

    items: Sequence[PaymentView]
    next_cursor: str | None


async def post_payments(tx: Transaction, *, requests: Sequence[PaymentRequest]) -> Sequence[PaymentView | Refusal]:
    """Posts and allocates each payment, or says why not: one outcome a request, in their order.

    A request that was posted before answers with what there is. Raises `AccountBusy` and `DocumentBusy` for the whole
    when others are in the way.
    """
    book, outcomes = await enter(tx, requests)
    return await _seen(tx, book, outcomes)


async def allocate_payment(tx: Transaction, *, segment: str, payment_ref: str, instruction: Instruction) -> PaymentView:
    """Settles items by what is left of a payment.

    Raises `PaymentNotFound`, `PaymentAlreadyReversed`, `NothingToAllocate` and what `allocations.listed` raises.
    """
    found = await find_payment(tx, segment, payment_ref)
    book = await books.open_for_claims(tx, [books.Claim.of_credit(found, instruction)])
    book.read(payments=await documents.find_payments(tx.session, [found.key]))
    before = book.payments[found.key]
    after = posting.allocate_payment(book, before, instruction, by=books.bookkeeper(tx))
    await books.close(tx, book)
    tx.emit(events.payment_allocated(before, after, book.live_allocations(after.id)))
    await holds.follow_recoveries(tx, book)
    return (await _views(tx, [after]))[0]


async def reverse_payment(
    tx: Transaction, *, segment: str, payment_ref: str, reason: str, fee: Fee | None = None
) -> PaymentView:
    """Takes a payment back: what it settled is open again. What was refunded of it, and the bank's `fee`, is charged by
    debit notes, due today.

    Raises `PaymentNotFound`, `PaymentAlreadyReversed`, `InvoiceConflict`.
    """
    found = await find_payment(tx, segment, payment_ref)
    book = await books.open_for_reversal(tx, found)
    before, by = book.payments[found.key], books.bookkeeper(tx)
    posting.check_standing(before)
    undone = book.live_allocations(before.id)
    refunded = [refund for refund in await endings.refunds_of(tx.session, [before.id]) if refund.refund_ref]
    charges = reversals.charges(before, refunded, fee, today=await today(tx, segment))
    book.read(items=await documents.find_items(tx.session, [charge.key for charge in charges]))
    reversals.check_numbers(book, charges)
    quotes = await books.quotes_of(tx, book, charges)
    after = posting.reverse_payment(book, before, reason=reason, by=by)
    charged = [posting.post_invoice(book, c, terms={}, quotes=quotes(c), by=by).document for c in charges]
    await books.close(tx, book)
    tx.emit(events.payment_reversed(before, after, undone, charged))
    for debit_note in charged:
        tx.emit(events.invoice_posted(debit_note, ()))
    return PaymentView(after, (), refunds=tuple(refunded), charged=tuple(item.invoice_no for item in charged))


async def payment(tx: Transaction, *, segment: str, payment_ref: str) -> PaymentView:
    """One payment. Raises `PaymentNotFound`."""
    return (await _views(tx, [await find_payment(tx, segment, payment_ref)]))[0]


async def list_payments(
    tx: Transaction, *, segment: str, page: PageRequest, customer_id: str | None = None
) -> PaymentPage:
    """Payments of a segment by the instant of their last change."""
    found = await lists.payments_page(tx.session, page, segment=segment, customer_id=customer_id)
    return PaymentPage(await _views(tx, found.rows), found.next_cursor)


async def find_payment(tx: Transaction, segment: str, payment_ref: str) -> Payment:
    """The payment with this reference, for this package. Raises `PaymentNotFound`."""
    found = await documents.find_payments(tx.session, [(segment, payment_ref)])
    if not found:
        raise PaymentNotFound(f"there is no payment {payment_ref} in segment {segment}")
    return found[0]


async def _seen(
    tx: Transaction, book: Book, outcomes: Sequence[Posted[Payment] | Refusal]
) -> Sequence[PaymentView | Refusal]:
    posted = [outcome for outcome in outcomes if isinstance(outcome, Posted)]
    as_they_are = [book.payments[outcome.document.key] for outcome in posted]
    views = iter(await _views(tx, as_they_are, [outcome.created for outcome in posted]))
    return [outcome if isinstance(outcome, Refusal) else next(views) for outcome in outcomes]


async def _views(
    tx: Transaction, payments: Sequence[Payment], created: Sequence[bool] | None = None
) -> Sequence[PaymentView]:
    settling = [payment.id for payment in payments if payment.open != payment.amount]
    found = _by_payment(await documents.allocations_of_credits(tx.session, settling))
    left: dict[UUID, list[Refund]] = defaultdict(list)
    for refund in await endings.refunds_of(tx.session, settling):
        left[refund.credit_id].append(refund)
    return [
        PaymentView(payment, found[payment.id], new, left[payment.id])
        for payment, new in zip(payments, created or [False] * len(payments), strict=True)
    ]


def _by_payment(allocations: Iterable[Allocation]) -> Mapping[UUID, Sequence[Allocation]]:
    found: dict[UUID, list[Allocation]] = defaultdict(list)
    for allocation in allocations:
        found[allocation.credit_id].append(allocation)
    return found
