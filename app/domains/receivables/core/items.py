"""Open items: invoices and debit notes that are to be paid, credit notes that are to be used.

What an item counts in its account is its open amount at the rate it was entered at, rounded anew after each change; the
entry is the difference. So the account never drifts from its documents, not even by a rounding. What is disputed counts
as long as it is open, but falls due on no day.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from app.domains.exposure.core.ledger import Component, Entry, Source
from app.domains.receivables.core import instalments
from app.domains.receivables.core.instalments import Instalment
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
    WRITTEN_OFF = "written_off"
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


@dataclass(frozen=True, slots=True)
class Discount:
    """What paying until the day `until` earns: `percent` (0–100) of what is paid."""

    percent: Decimal
    until: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One invoice, debit note or credit note. Amounts are in `currency`; `rate` is account currency per unit of it.

    `due_on` is the due day of the oldest part that is open. `disputed` is what its open disputes are about, whether
    still open or not; `written_off` is net of what was recovered.
    """

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
    instalments: tuple[Instalment, ...] = ()
    discount: Discount | None = None
    disputed: Decimal = ZERO
    written_off: Decimal = ZERO

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
        if self.open:
            return ItemStatus.PARTLY_PAID
        return ItemStatus.WRITTEN_OFF if self.written_off else ItemStatus.PAID

    @property
    def disputed_open(self) -> Decimal:
        """What is open of it and disputed."""
        return min(self.disputed, self.open)

    @property
    def undisputed(self) -> Decimal:
        """What is open of it and not disputed: what is, or will be, due."""
        return self.open - self.disputed_open

    @property
    def parts(self) -> tuple[Instalment, ...]:
        """The undisputed part of it by due day, the oldest first; a dispute concerns the last parts."""
        undisputed = self.undisputed
        if not self.instalments:
            return (Instalment(self.due_on, undisputed),) if undisputed else ()
        settled = self.amount - self.open
        return instalments.between(self.instalments, settled, settled + undisputed)

    @property
    def ladder(self) -> dict[date | None, Decimal]:
        """What it counts in account currency by due day; under null what is disputed."""
        rungs: dict[date | None, Decimal] = {}
        reached = counted = ZERO
        for part in self.parts:
            reached += part.amount
            value = rounded(reached * self.rate, self.account_currency)
            rungs[part.due_on] = rungs.get(part.due_on, ZERO) + value - counted
            counted = value
        if self.value != counted:
            rungs[None] = self.value - counted
        return rungs

    def overdue_days(self, on: date) -> int:
        """Days since the due day; 0 when it is not overdue: settled, a credit note, or not due before the day `on`."""
        if self.is_credit or not self.open:
            return 0
        return max((on - self.due_on).days, 0)


def settle(item: Item, amount: Decimal, *, now: datetime) -> Item:
    """The item after `amount` of it was paid or used."""
    assert ZERO < amount <= item.open, f"{amount} of {item.open} open in {item.invoice_no}"
    return _left(item, item.open - amount, now)


def reopen(item: Item, amount: Decimal, *, now: datetime) -> Item:
    """The item after a settlement of `amount` was undone: open again, at its own due day."""
    assert ZERO < amount <= item.amount - item.open, f"{amount} was not settled in {item.invoice_no}"
    return _left(item, item.open + amount, now)


def dispute(item: Item, amount: Decimal, *, now: datetime) -> Item:
    """The item after `amount` more of it is disputed; less where that is negative."""
    assert item.disputed + amount >= 0, f"{item.disputed} of {item.invoice_no} are disputed"
    return replace(item, disputed=item.disputed + amount, changed_at=now)


def write_off(item: Item, amount: Decimal, *, now: datetime) -> Item:
    """The item after `amount` of it was given up."""
    return replace(settle(item, amount, now=now), written_off=item.written_off + amount)


def recover(item: Item, amount: Decimal, *, now: datetime) -> Item:
    """The item after `amount` of what was given up is open again, because it is paid after all."""
    assert ZERO < amount <= item.written_off, f"{item.written_off} of {item.invoice_no} are written off"
    return replace(reopen(item, amount, now=now), written_off=item.written_off - amount)


def replan(item: Item, plan: tuple[Instalment, ...], *, now: datetime) -> Item:
    """The item after its open amount was spread over `plan`. What is settled of it keeps its due day."""
    settled = item.amount - item.open
    first = (Instalment(min(item.due_on, plan[0].due_on), settled),) if settled else ()
    return replace(item, instalments=(*first, *plan), due_on=plan[0].due_on, changed_at=now)


def cancel(item: Item, cancellation: Cancellation) -> Item:
    """The item after it was cancelled, as if it had never been issued."""
    assert item.status is ItemStatus.OPEN, f"{item.invoice_no} is {item.status}"
    return replace(item, open=ZERO, disputed=ZERO, cancellation=cancellation, changed_at=cancellation.at)


def entries(before: Item | None, after: Item, source: Source) -> tuple[Entry, ...]:
    """The ledger entries, in account currency, that lead from `before` (null: not yet posted) to `after`."""
    if after.is_credit:
        moved = after.value - (before.value if before else ZERO)
        return (Entry(Component.UNALLOCATED_CREDITS, moved, source),) if moved else ()
    if _is_plain(after) and (before is None or _is_plain(before)):
        moved = after.value - (before.value if before else ZERO)
        return (Entry(Component.RECEIVABLES, moved, source, due_on=after.due_on),) if moved else ()
    had: dict[date | None, Decimal] = before.ladder if before else {}
    has = after.ladder
    days = sorted(had.keys() | has.keys(), key=lambda day: day or date.max)
    moves = ((day, has.get(day, ZERO) - had.get(day, ZERO)) for day in days)
    return tuple(Entry(Component.RECEIVABLES, moved, source, due_on=day) for day, moved in moves if moved)


def _left(item: Item, left: Decimal, now: datetime) -> Item:
    """The item with `left` of it open."""
    if not item.instalments:
        return replace(item, open=left, changed_at=now)
    due_on = instalments.due_on(item.instalments, item.amount - left)
    return replace(item, open=left, due_on=due_on, changed_at=now)


def _is_plain(item: Item) -> bool:
    """Whether all that is open of it falls due on its one due day."""
    return not item.instalments and not item.disputed
