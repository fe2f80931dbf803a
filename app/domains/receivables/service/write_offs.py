"""Use cases of bad debt: write a claim off, and open it again when it comes back."""

from __future__ import annotations

from decimal import Decimal

from app.domains.receivables.core import change_events, changes
from app.domains.receivables.core.write_offs import BadDebtReason
from app.domains.receivables.service import books, holds
from app.domains.receivables.service.days import today
from app.domains.receivables.service.invoices import InvoiceView, find_item, seen
from app.infra.transaction import Transaction


async def write_off(
    tx: Transaction,
    *,
    segment: str,
    invoice_no: str,
    amount: Decimal | None = None,
    category: BadDebtReason,
    reason: str,
) -> InvoiceView:
    """Gives up a part of an invoice as bad debt, or all that is open; the account is stopped by a forced hold.

    Raises `InvoiceNotFound` and what `changes.write_off` raises.
    """
    book = await books.open_for_item(tx, await find_item(tx, segment, invoice_no))
    before = book.items[segment, invoice_no]
    after = changes.write_off(
        book,
        before,
        amount=amount,
        category=category,
        reason=reason,
        today=await today(tx, segment),
        by=books.bookkeeper(tx),
    )
    await books.close(tx, book)
    tx.emit(change_events.invoice_written_off(before, after, book.write_offs[-1]))
    await holds.stop(tx, customer_id=after.customer_id, segment=segment, reason=f"{invoice_no}: {reason}"[:500])
    return await seen(tx, after)


async def recover(
    tx: Transaction, *, segment: str, invoice_no: str, amount: Decimal | None = None, reason: str
) -> InvoiceView:
    """Opens what was written off of an invoice again, so that it is claimed and can be paid. Once nothing of the
    account is written off any more its hold is lifted.

    Raises `InvoiceNotFound` and what `changes.recover` raises.
    """
    book = await books.open_for_item(tx, await find_item(tx, segment, invoice_no))
    before = book.items[segment, invoice_no]
    after = changes.recover(
        book, before, amount=amount, reason=reason, today=await today(tx, segment), by=books.bookkeeper(tx)
    )
    await books.close(tx, book)
    tx.emit(change_events.write_off_recovered(before, after, book.write_offs[-1]))
    await holds.follow_recoveries(tx, book)
    return await seen(tx, after)
