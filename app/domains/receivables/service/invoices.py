"""Use cases of invoices, debit notes and credit notes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from app.domains.policies import service as policies
from app.domains.receivables.core import events, posting
from app.domains.receivables.core.allocations import Allocation
from app.domains.receivables.core.book import Book
from app.domains.receivables.core.items import Item, ItemStatus
from app.domains.receivables.core.posting import Posted
from app.domains.receivables.core.refusals import InvoiceNotFound
from app.domains.receivables.core.requests import Instruction, InvoiceRequest
from app.domains.receivables.repository import documents, lists
from app.domains.receivables.service import books
from app.domains.receivables.service.entering import enter
from app.infra.db.paging import PageRequest
from app.infra.transaction import Transaction
from app.kernel.errors import Refusal
from app.kernel.periods import local_day


@dataclass(frozen=True, slots=True)
class InvoiceView:
    """An item as people see it: what settles it (for a credit note: what it settles) and how late it is.

    `created` is false for a request that repeated one posted before.
    """

    item: Item
    allocations: Sequence[Allocation]
    overdue_days: int
    created: bool = False


@dataclass(frozen=True, slots=True)
class InvoicePage:
    """One page of a list of items and the cursor of the next."""

    items: Sequence[InvoiceView]
    next_cursor: str | None


async def post_invoices(tx: Transaction, *, requests: Sequence[InvoiceRequest]) -> Sequence[InvoiceView | Refusal]:
    """Posts each invoice, debit note or credit note, or says why not: one outcome a request, in their order.

    A request that was posted before answers with what there is. Raises `AccountBusy`, `DocumentBusy` and
    `OrderRefConflict` for the whole when others are in the way.
    """
    book, outcomes = await enter(tx, requests)
    return await _seen(tx, book, outcomes)


async def cancel_invoice(tx: Transaction, *, segment: str, invoice_no: str, reason: str) -> InvoiceView:
    """Takes an invoice or credit note back while nothing is allocated.

    Raises `InvoiceNotFound`, `InvoiceAllocated`, `InvoiceAlreadyCancelled`.
    """
    book = await books.open_for_item(tx, await _find(tx, segment, invoice_no))
    before = book.items[segment, invoice_no]
    after = posting.cancel_invoice(book, before, reason=reason, by=books.bookkeeper(tx))
    await books.close(tx, book)
    tx.emit(events.invoice_cancelled(before, after))
    return InvoiceView(after, (), overdue_days=0)


async def allocate_credit_note(
    tx: Transaction, *, segment: str, invoice_no: str, instruction: Instruction
) -> InvoiceView:
    """Settles items by what is left of a credit note.

    Raises `InvoiceNotFound`, `NotACreditNote`, `InvoiceAlreadyCancelled`, `NothingToAllocate` and what
    `allocations.listed` raises.
    """
    note = await _find(tx, segment, invoice_no)
    claim = books.Claim.of(note.customer_id, segment, note.currency, note.open, instruction)
    book = await books.open_for_claims(tx, [claim])
    book.read(items=await documents.find_items(tx.session, [note.key]))
    before = book.items[note.key]
    after = posting.allocate_credit_note(book, before, instruction, by=books.bookkeeper(tx))
    await books.close(tx, book)
    tx.emit(events.credit_note_allocated(before, after, book.live_allocations(after.id)))
    return (await _views(tx, [after]))[0]


async def invoice(tx: Transaction, *, segment: str, invoice_no: str) -> InvoiceView:
    """One invoice, debit note or credit note. Raises `InvoiceNotFound`."""
    return (await _views(tx, [await _find(tx, segment, invoice_no)]))[0]


async def list_invoices(
    tx: Transaction,
    *,
    segment: str,
    page: PageRequest,
    customer_id: str | None = None,
    status: ItemStatus | None = None,
    overdue: bool | None = None,
) -> InvoicePage:
    """Items of a segment by the instant of their last change; `overdue` is judged today, in the segment's zone."""
    found = await lists.items_page(
        tx.session,
        page,
        segment=segment,
        customer_id=customer_id,
        status=status,
        overdue=overdue,
        today=await today(tx, segment),
    )
    return InvoicePage(await _views(tx, found.rows), found.next_cursor)


async def today(tx: Transaction, segment: str) -> date:
    """What day it is in a segment. Raises `SegmentNotFound`."""
    return local_day(tx.now, (await policies.segment(tx, segment=segment)).zone)


async def _find(tx: Transaction, segment: str, invoice_no: str) -> Item:
    found = await documents.find_items(tx.session, [(segment, invoice_no)])
    if not found:
        raise InvoiceNotFound(f"there is no invoice {invoice_no} in segment {segment}")
    return found[0]


async def _seen(
    tx: Transaction, book: Book, outcomes: Sequence[Posted[Item] | Refusal]
) -> Sequence[InvoiceView | Refusal]:
    posted = [outcome for outcome in outcomes if isinstance(outcome, Posted)]
    as_they_are = [book.items[outcome.document.key] for outcome in posted]
    views = iter(await _views(tx, as_they_are, [outcome.created for outcome in posted]))
    return [outcome if isinstance(outcome, Refusal) else next(views) for outcome in outcomes]


async def _views(
    tx: Transaction, items: Sequence[Item], created: Sequence[bool] | None = None
) -> Sequence[InvoiceView]:
    allocations = await _allocations(tx, items)
    days = {segment: await today(tx, segment) for segment in {item.segment for item in items}}
    return [
        InvoiceView(item, allocations[item.id], item.overdue_days(days[item.segment]), new)
        for item, new in zip(items, created or [False] * len(items), strict=True)
    ]


async def _allocations(tx: Transaction, items: Sequence[Item]) -> Mapping[UUID, Sequence[Allocation]]:
    """What settles each item; for credit notes, what they settle. Only items of which something is settled have any."""
    found: dict[UUID, list[Allocation]] = defaultdict(list)
    settled = [item for item in items if item.open != item.amount and item.cancellation is None]
    notes = [item.id for item in settled if item.is_credit]
    others = [item.id for item in settled if not item.is_credit]
    for allocation in await documents.allocations_of_items(tx.session, others):
        found[allocation.item_id].append(allocation)
    for allocation in await documents.allocations_of_credits(tx.session, notes):
        found[allocation.credit_id].append(allocation)
    return found
