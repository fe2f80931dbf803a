"""Enters documents: one book for all of a batch, invoices and payments one after another as they are given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.domains.customers import service as customers
from app.domains.receivables.core import events, posting
from app.domains.receivables.core.book import Book
from app.domains.receivables.core.items import Item
from app.domains.receivables.core.posting import Posted
from app.domains.receivables.core.requests import InvoiceRequest, PaymentRequest
from app.domains.receivables.service import books, holds
from app.domains.receivables.service.days import days
from app.infra.transaction import Transaction
from app.kernel.errors import Refusal


async def post_documents(
    tx: Transaction, *, requests: Sequence[InvoiceRequest | PaymentRequest]
) -> Sequence[bool | Refusal]:
    """Posts invoices, credit notes and payments in the order given: true where one is new, false where it repeats one
    posted before, or why not.

    Each sees what those before it did, so a payment may settle an invoice of the same batch. Raises `AccountBusy`,
    `DocumentBusy` and `OrderRefConflict` for the whole when others are in the way.
    """
    _, outcomes = await enter(tx, requests)
    return [outcome if isinstance(outcome, Refusal) else outcome.created for outcome in outcomes]


async def enter(
    tx: Transaction, requests: Sequence[InvoiceRequest | PaymentRequest]
) -> tuple[Book, Sequence[Posted[Any] | Refusal]]:
    """Posts `requests`, writes the book and says what has happened; the book, and one outcome a request."""
    book = await books.open_for_posting(tx, requests)
    asked = {
        request.customer_id for request in requests if isinstance(request, InvoiceRequest) and request.due_by_terms
    }
    found = await customers.find(tx, customer_ids=asked) if asked else {}
    terms = {customer_id: customer.terms for customer_id, customer in found.items()}
    quotes = await books.quotes_of(tx, book, requests)
    by = books.bookkeeper(tx)
    on = await days(tx, {account.segment for account in book.positions.accounts.values()})

    def decide(request: InvoiceRequest | PaymentRequest) -> Posted[Any]:
        if isinstance(request, InvoiceRequest):
            return posting.post_invoice(book, request, terms=terms, quotes=quotes(request), by=by)
        today = on.get(request.segment, by.now.date())  # without an account there, it is refused anyway
        return posting.post_payment(book, request, quotes=quotes(request), today=today, by=by)

    outcomes = books.attempt(requests, decide)
    await books.close(tx, book)
    for outcome in outcomes:
        if isinstance(outcome, Posted) and outcome.created:
            tell = events.invoice_posted if isinstance(outcome.document, Item) else events.payment_posted
            tx.emit(tell(outcome.document, book.live_allocations(outcome.document.id)))
    for before, after in book.advanced:
        tx.emit(events.payment_allocated(before, after, book.live_allocations(after.id)))
    await holds.follow_recoveries(tx, book)
    return book, outcomes
