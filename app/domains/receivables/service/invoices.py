"""Use cases of invoices, debit notes and credit notes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from app.domains.receivables.core import change_events, changes, events, posting
from app.domains.receivables.core.allocations import Allocation
from app.domains.receivables.core.book import Book
from app.domains.receivables.core.disputes import Dispute, DisputeMove, DisputeState, ended
from app.domains.receivables.core.instalments import Instalment
from app.domains.receivables.core.items import Item, ItemStatus
from app.domains.receivables.core.posting import Posted
from app.domains.receivables.core.refunds import Refund
from app.domains.receivables.core.refusals import InvoiceNotFound
from app.domains.receivables.core.requests import Instruction, InvoiceRequest
from app.domains.receivables.core.write_offs import WriteOff
from app.domains.receivables.repository import documents, endings, lists
from app.domains.receivables.service import books, holds
from app.domains.receivables.service.days import days, today
from app.domains.receivables.service.entering import enter
from app.infra.db.paging import PageRequest
from app.infra.transaction import Transaction
from app.kernel.errors import Refusal

Found = TypeVar("Found", Allocation, Dispute, WriteOff, Refund)


@dataclass(frozen=True, slots=True)
class InvoiceView:
    """An item as people see it: what settles it (for a credit note: what it settles) and how late it is.

    `created` is false for a request that repeated one posted before.
    """

    item: Item
    allocations: Sequence[Allocation]
    overdue_days: int
    created: bool = False
    disputes: Sequence[Dispute] = ()
    write_offs: Sequence[WriteOff] = ()
    refunds: Sequence[Refund] = ()


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
    """Takes an invoice or credit note back while nothing is allocated; its open disputes lapse with it.

    Raises `InvoiceNotFound`, `InvoiceAllocated`, `InvoiceAlreadyCancelled`.
    """
    book = await books.open_for_item(tx, await find_item(tx, segment, invoice_no))
    before = book.items[segment, invoice_no]
    after = posting.cancel_invoice(book, before, reason=reason, by=books.bookkeeper(tx))
    await books.close(tx, book)
    tx.emit(events.invoice_cancelled(before, after))
    if before.disputed:
        await _lapse_disputes(tx, after)
    return InvoiceView(after, (), overdue_days=0)


async def plan_instalments(
    tx: Transaction, *, segment: str, invoice_no: str, plan: Sequence[Instalment], reason: str
) -> InvoiceView:
    """Spreads what is open of an invoice over `plan`; what is settled of it keeps its due day.

    Raises `InvoiceNotFound` and what `changes.replan` raises.
    """
    book = await books.open_for_item(tx, await find_item(tx, segment, invoice_no))
    before = book.items[segment, invoice_no]
    after = changes.replan(book, before, plan, by=books.bookkeeper(tx))
    await books.close(tx, book)
    tx.emit(change_events.instalments_planned(before, after, reason))
    return (await _views(tx, [after]))[0]


async def allocate_credit_note(
    tx: Transaction, *, segment: str, invoice_no: str, instruction: Instruction
) -> InvoiceView:
    """Settles items by what is left of a credit note.

    Raises `InvoiceNotFound`, `NotACreditNote`, `InvoiceAlreadyCancelled`, `NothingToAllocate` and what
    `allocations.listed` raises.
    """
    note = await find_item(tx, segment, invoice_no)
    book = await books.open_for_claims(tx, [books.Claim.of_credit(note, instruction)])
    book.read(items=await documents.find_items(tx.session, [note.key]))
    before = book.items[note.key]
    after = posting.allocate_credit_note(book, before, instruction, by=books.bookkeeper(tx))
    await books.close(tx, book)
    tx.emit(events.credit_note_allocated(before, after, book.live_allocations(after.id)))
    await holds.follow_recoveries(tx, book)
    return (await _views(tx, [after]))[0]


async def invoice(tx: Transaction, *, segment: str, invoice_no: str) -> InvoiceView:
    """One invoice, debit note or credit note. Raises `InvoiceNotFound`."""
    return (await _views(tx, [await find_item(tx, segment, invoice_no)]))[0]


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


async def _lapse_disputes(tx: Transaction, item: Item) -> None:
    on = await today(tx, item.segment)
    for dispute in await endings.disputes_of(tx.session, [item.id]):
        if dispute.state is not DisputeState.OPEN:
            continue
        lapsed = ended(
            dispute, DisputeMove.LAPSE, by=tx.actor.name, now=tx.now, on=on, resolution="the invoice was cancelled"
        )
        await endings.end_dispute(tx.session, lapsed)
        tx.emit(change_events.dispute_resolved(lapsed, item))


async def seen(tx: Transaction, item: Item) -> InvoiceView:
    """An item as people see it. For this package only."""
    return (await _views(tx, [item]))[0]


async def find_item(tx: Transaction, segment: str, invoice_no: str) -> Item:
    """The item with this number. For this package only. Raises `InvoiceNotFound`."""
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
    settled = [item for item in items if item.open != item.amount and item.cancellation is None]
    notes = [item.id for item in settled if item.is_credit]
    owed = [item.id for item in settled if not item.is_credit]
    made = _by(await documents.allocations_of_items(tx.session, owed), "item_id")
    made |= _by(await documents.allocations_of_credits(tx.session, notes), "credit_id")
    disputed = [item.id for item in items if item.disputed]
    disputes = _by(await endings.disputes_of(tx.session, disputed, state=DisputeState.OPEN), "item_id")
    write_offs = _by(await endings.write_offs_of(tx.session, owed), "item_id")
    refunds = _by(await endings.refunds_of(tx.session, notes), "credit_id")
    on = await days(tx, {item.segment for item in items})
    return [
        InvoiceView(
            item,
            made.get(item.id, ()),
            item.overdue_days(on[item.segment]),
            new,
            disputes.get(item.id, ()),
            write_offs.get(item.id, ()),
            refunds.get(item.id, ()),
        )
        for item, new in zip(items, created or [False] * len(items), strict=True)
    ]


def _by(found: Iterable[Found], member: str) -> dict[UUID, Sequence[Found]]:
    """What was found by the id in `member`, in the order it was found."""
    sorted_out: dict[UUID, list[Found]] = defaultdict(list)
    for each in found:
        sorted_out[getattr(each, member)].append(each)
    return dict(sorted_out)
