"""Use cases of disputes: open, uphold, reject, list."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from app.domains.receivables.core import change_events, changes, events, posting
from app.domains.receivables.core.disputes import Dispute, DisputeMove, DisputeReason, DisputeState
from app.domains.receivables.core.refusals import DisputeNotFound, InvoiceConflict
from app.domains.receivables.repository import documents, endings
from app.domains.receivables.service import books
from app.domains.receivables.service.days import today
from app.domains.receivables.service.invoices import InvoiceView, find_item, seen
from app.infra.db.paging import PageRequest, Slice
from app.infra.transaction import Transaction


async def open_dispute(
    tx: Transaction,
    *,
    segment: str,
    invoice_no: str,
    amount: Decimal | None = None,
    reason: DisputeReason,
    note: str | None = None,
) -> Dispute:
    """Disputes a part of an invoice, or all that is open: that part is owed as before, but no longer due.

    Raises `InvoiceNotFound` and what `changes.open_dispute` raises.
    """
    book = await books.open_for_item(tx, await find_item(tx, segment, invoice_no))
    dispute = changes.open_dispute(
        book,
        book.items[segment, invoice_no],
        amount=amount,
        reason=reason,
        note=note,
        today=await today(tx, segment),
        by=books.bookkeeper(tx),
    )
    await books.close(tx, book)
    await endings.add_dispute(tx.session, dispute)
    tx.emit(change_events.dispute_opened(dispute, book.items[segment, invoice_no]))
    return dispute


async def reject_dispute(
    tx: Transaction, *, segment: str, invoice_no: str, dispute_id: UUID, note: str | None = None
) -> Dispute:
    """The customer owes the amount after all: it is due again, at its own due day.

    Raises `InvoiceNotFound`, `DisputeNotFound`, `DisputeResolved`.
    """
    book = await books.open_for_item(tx, await find_item(tx, segment, invoice_no))
    rejected = changes.end_dispute(
        book,
        book.items[segment, invoice_no],
        await _find(tx, book.items[segment, invoice_no].id, dispute_id),
        DisputeMove.REJECT,
        resolution=note,
        today=await today(tx, segment),
        by=books.bookkeeper(tx),
    )
    await books.close(tx, book)
    await endings.end_dispute(tx.session, rejected)
    tx.emit(change_events.dispute_resolved(rejected, book.items[segment, invoice_no]))
    return rejected


async def uphold_dispute(
    tx: Transaction,
    *,
    segment: str,
    invoice_no: str,
    dispute_id: UUID,
    credit_note_no: str | None = None,
    note: str | None = None,
) -> Dispute:
    """The customer is right: a credit note over the amount settles the invoice, as far as that is open; the rest is an
    unallocated credit. Without `credit_note_no` the note is numbered after the dispute.

    Raises `InvoiceNotFound`, `DisputeNotFound`, `DisputeResolved`, `InvoiceConflict`.
    """
    number = credit_note_no or f"CN-{dispute_id}"
    book = await books.open_for_item(tx, await find_item(tx, segment, invoice_no))
    if await documents.find_items(tx.session, [(segment, number)]):
        raise InvoiceConflict(f"{number} was posted before")
    item, on, by = book.items[segment, invoice_no], await today(tx, segment), books.bookkeeper(tx)
    dispute = await _find(tx, item.id, dispute_id)
    upheld = changes.end_dispute(
        book, item, dispute, DisputeMove.UPHOLD, resolution=note, credit_note_no=number, today=on, by=by
    )
    request = changes.credit_for(dispute, item, number, today=on)
    credit_note = posting.post_invoice(book, request, terms={}, quotes={}, by=by).document
    await books.close(tx, book)
    await endings.end_dispute(tx.session, upheld)
    tx.emit(events.invoice_posted(credit_note, book.live_allocations(credit_note.id)))
    tx.emit(change_events.dispute_resolved(upheld, book.items[segment, invoice_no]))
    return upheld


async def dispute(tx: Transaction, *, segment: str, invoice_no: str, dispute_id: UUID) -> Dispute:
    """One dispute of an invoice. Raises `InvoiceNotFound`, `DisputeNotFound`."""
    return await _find(tx, (await find_item(tx, segment, invoice_no)).id, dispute_id)


async def list_disputes(
    tx: Transaction,
    *,
    segment: str,
    page: PageRequest,
    customer_id: str | None = None,
    state: DisputeState | None = None,
) -> Slice[Dispute]:
    """Disputes of a segment, the last opened first unless asked otherwise."""
    return await endings.disputes_page(tx.session, page, segment=segment, customer_id=customer_id, state=state)


async def disputed_invoice(tx: Transaction, *, dispute: Dispute) -> InvoiceView:
    """The invoice a dispute is about, as it stands."""
    return await seen(tx, await find_item(tx, dispute.segment, dispute.invoice_no))


async def _find(tx: Transaction, item_id: UUID, dispute_id: UUID) -> Dispute:
    found = await endings.disputes_of(tx.session, [item_id])
    for dispute in found:
        if dispute.id == dispute_id:
            return dispute
    raise DisputeNotFound(f"the invoice has no dispute {dispute_id}")
