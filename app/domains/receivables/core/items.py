"""Open items: invoices and debit notes that are to be paid, credit notes that are to be used.

What an item counts in its account is its open amount at the rate it was entered at, rounded anew after each change; the
entry is the difference. So the account never drifts from its documents, not even by a rounding.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from app.domains.exposure.core.ledger import Component, Entry, Source
from app.kernel.money import ZERO, rounded


class ItemKind(StrEnum):
    """What kind of document an item is."""

    INVOICE = "invoice"
    DEBIT_NOTE = "debit_note"
    CREDIT_NOTE = "credit_note"


class ItemStatus(StrEnum):
    """How far an item is settled."""

    OPEN = "open"
    PARTLY_PAID = "partly_paid"
    PAID = "paid"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class OrderShare:
    """The part of an invoice that bills one order, in the invoice's currency; `complete`: nothing more will come."""

    order_ref: str
    amount: Decimal
    complete: bool = False


@dataclass(frozen=True, slots=True)
class Cancellation:
    """Who cancelled an item or reversed a payment, when and why."""

    at: datetime
    by: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One invoice, debit note or credit note. `amount` and `open` are in `currency`; `rate` is account currency per
    unit of it."""

    id: UUID
    segment: str
    invoice_no: str
    customer_id: str
    account_id: UUID
    kind: ItemKind
    currency: str
    account_currency: str
    rate: Decimal
    amount: Decimal
    open: Decimal
    issued_on: date
    due_on: date
    fingerprint: str
    entered_by: str
    entered_at: datetime
    changed_at: datetime
    orders: tuple[OrderShare, ...] = ()
    related_invoice_no: str | None = None
    cancellation: Cancellation | None = None

    @property
    def key(self) -> tuple[str, str]:
        """The segment and the number: what names an item."""
        return self.segment, self.invoice_no

    @property
    def is_credit(self) -> bool:
        """Whether it settles other items instead of being settled."""
        return self.kind is ItemKind.CREDIT_NOTE

    @property
    def dated_on(self) -> date:
        """The day of the document."""
        return self.issued_on

    @property
    def value(self) -> Decimal:
        """What it counts, in account currency: a receivable, or for a credit note an unallocated credit."""
        return rounded(self.open * self.rate, self.account_currency)

    @property
    def status(self) -> ItemStatus:
        """How far it is settled; it follows from the amounts."""
        if self.cancellation is not None:
            return ItemStatus.CANCELLED
        if self.open == self.amount:
            return ItemStatus.OPEN
        return ItemStatus.PARTLY_PAID if self.open else ItemStatus.PAID

    def overdue_days(self, on: date) -> int:
        """Days since the due day; 0 when it is not overdue: settled, a credit note, or not due before the day `on`."""
        if self.is_credit or not self.open:
            return 0
        return max((on - self.due_on).days, 0)


def settle(item: Item, amount: Decimal, *, now: datetime) -> Item:
    """The item after `amount` of it was paid or used."""
    assert ZERO < amount <= item.open, f"{amount} of {item.open} open in {item.invoice_no}"
    return replace(item, open=item.open - amount, changed_at=now)


def reopen(item: Item, amount: Decimal, *, now: datetime) -> Item:
    """The item after a settlement of `amount` was undone: open again, at its own due day."""
    assert ZERO < amount <= item.amount - item.open, f"{amount} was not settled in {item.invoice_no}"
    return replace(item, open=item.open + amount, changed_at=now)


def cancel(item: Item, cancellation: Cancellation) -> Item:
    """The item after it was cancelled, as if it had never been issued."""
    assert item.status is ItemStatus.OPEN, f"{item.invoice_no} is {item.status}"
    return replace(item, open=ZERO, cancellation=cancellation, changed_at=cancellation.at)


def entries(before: Item | None, after: Item, source: Source) -> tuple[Entry, ...]:
    """The ledger entries, in account currency, that lead from `before` (null: not yet posted) to `after`."""
    moved = after.value - (before.value if before else ZERO)
    if not moved:
        return ()
    if after.is_credit:
        return (Entry(Component.UNALLOCATED_CREDITS, moved, source),)
    return (Entry(Component.RECEIVABLES, moved, source, due_on=after.due_on),)
