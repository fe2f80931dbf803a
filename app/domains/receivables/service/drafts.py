"""Use cases of drafts and cheques: on the day that they clear, what they kept exposed is free."""

from __future__ import annotations

from collections.abc import Sequence

from app.domains.exposure.core.signals import AccountsRolled
from app.domains.policies import service as policies
from app.domains.receivables.core import change_events, changes
from app.domains.receivables.core.book import Book
from app.domains.receivables.core.payments import Payment
from app.domains.receivables.repository import documents, endings
from app.domains.receivables.service import books
from app.domains.receivables.service.days import today
from app.domains.receivables.service.payments import find_payment
from app.infra.transaction import Transaction
from app.kernel.periods import local_day


async def clear_drafts(tx: Transaction, rolled: AccountsRolled) -> None:
    """Frees the drafts of accounts that are being brought to a day on which they clear, so that whatever is decided on
    that day, from midnight on, is decided without them."""
    book = Book(rolled.positions)
    book.read(payments=await endings.cleared_drafts(tx.session, rolled.today))
    for payment in tuple(book.payments.values()):
        _clear(tx, book, payment)
    await documents.write(tx.session, book)


async def clear_payment(tx: Transaction, *, segment: str, payment_ref: str) -> bool:
    """Frees what a draft or cheque keeps exposed, if its day has come; says whether that was so.

    Raises `PaymentNotFound`, `AccountBusy`.
    """
    found = await find_payment(tx, segment, payment_ref)
    if not found.uncleared or found.clears_on is None or found.clears_on > await today(tx, segment):
        return False
    book = await books.open_for_payment(tx, found)
    if book.payments[found.key].uncleared:  # opening the book has freed it, where the account was not of today
        _clear(tx, book, book.payments[found.key])
        await books.close(tx, book)
    return True


async def payments_that_clear(tx: Transaction, *, batch: int) -> Sequence[tuple[str, str]]:
    """At most `batch` payments of each segment (segment, reference) whose draft or cheque is money by today."""
    found: list[tuple[str, str]] = []
    for segment in await policies.list_segments(tx):
        on = local_day(tx.now, segment.zone)
        found += await endings.clearing(tx.session, segment=segment.segment, until=on, most=batch)
    return found


def _clear(tx: Transaction, book: Book, payment: Payment) -> None:
    after = changes.clear(book, payment, by=books.bookkeeper(tx))
    tx.emit(change_events.payment_cleared(payment, after))
