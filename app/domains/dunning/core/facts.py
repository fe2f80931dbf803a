"""What a decision about one customer is made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from uuid import UUID

from app.kernel.money import ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class DunnableItem:
    """An open item, or the part of one that is due on a day of its own. Amounts are in `currency`.

    `level` is the highest level of a notice that was sent for it (null: none), `noticed_on` the day of the last one;
    `interest_until` the last day for which interest was claimed.
    """

    item_id: UUID
    invoice_no: str
    currency: str
    amount: Decimal
    open: Decimal
    issued_on: date
    due_on: date
    disputed: Decimal = ZERO
    level: int | None = None
    noticed_on: date | None = None
    interest_until: date | None = None
    is_compensated: bool = False

    @property
    def key(self) -> tuple[UUID, date]:
        """What a level is reached once for."""
        return self.item_id, self.due_on

    @property
    def undisputed(self) -> Decimal:
        """What is open of it and not disputed."""
        return max(self.open - self.disputed, ZERO)

    def days_overdue(self, on: date) -> int:
        """Days since the due day; negative before it."""
        return (on - self.due_on).days


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingPromise:
    """A promise that is not yet due; without `invoice_nos` it counts for the oldest items."""

    promised_on: date
    currency: str
    amount: Decimal
    """What is still to come of it."""
    invoice_nos: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """Nobody is reminded until the day `until` (null: for as long as it stands); of one invoice, or of any."""

    reason: str
    until: date | None
    is_legal: bool = False
    invoice_no: str | None = None

    def holds(self, on: date) -> bool:
        """Whether it is in force on the day `on`."""
        return self.until is None or on <= self.until


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerFacts:
    """One customer in one segment on the day of a decision.

    `credits` is what is unallocated, by the currency it was paid or credited in. `owes_claims`: fees or interest that
    were booked are overdue, which nobody is reminded of by themselves. `has_pending_notice`: one is proposed or on its
    way. `promise_broken_on` is the day of the last broken promise: the interval to the notice before is over then.
    """

    account_id: UUID
    customer_id: str
    segment: str
    currency: str
    items: tuple[DunnableItem, ...]
    credits: Mapping[str, Decimal] = field(default_factory=dict)
    promises: tuple[PendingPromise, ...] = ()
    stops: tuple[Stop, ...] = ()
    owes_claims: bool = False
    has_pending_notice: bool = False
    promise_broken_on: date | None = None
    is_business_day: bool = True
