"""Payments: money received, and how much of it is not yet matched to what it pays."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from app.domains.exposure.core.ledger import Component, Entry, Source
from app.domains.receivables.core.items import Cancellation
from app.kernel.money import ZERO, rounded


class PaymentStatus(StrEnum):
    """Whether a payment stands."""

    POSTED = "posted"
    REVERSED = "reversed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """One payment. `amount` and `open`, what is not allocated, are in `currency`; `rate` is account currency per
    unit of it."""

    id: UUID
    segment: str
    payment_ref: str
    customer_id: str
    account_id: UUID
    currency: str
    account_currency: str
    rate: Decimal
    amount: Decimal
    open: Decimal
    received_on: date
    fingerprint: str
    entered_by: str
    entered_at: datetime
    changed_at: datetime
    reversal: Cancellation | None = None

    @property
    def key(self) -> tuple[str, str]:
        """The segment and the reference: what names a payment."""
        return self.segment, self.payment_ref

    @property
    def dated_on(self) -> date:
        """The day of the document."""
        return self.received_on

    @property
    def value(self) -> Decimal:
        """The unallocated credit that is left of it, in account currency."""
        return rounded(self.open * self.rate, self.account_currency)

    @property
    def status(self) -> PaymentStatus:
        """Whether it stands."""
        return PaymentStatus.POSTED if self.reversal is None else PaymentStatus.REVERSED


def reverse(payment: Payment, reversal: Cancellation) -> Payment:
    """The payment after it bounced: nothing of it is left."""
    assert payment.reversal is None, f"{payment.payment_ref} is reversed"
    return replace(payment, open=ZERO, reversal=reversal, changed_at=reversal.at)


def entries(before: Payment | None, after: Payment, source: Source) -> tuple[Entry, ...]:
    """The ledger entries, in account currency, that lead from `before` (null: not yet posted) to `after`."""
    moved = after.value - (before.value if before else ZERO)
    return (Entry(Component.UNALLOCATED_CREDITS, moved, source),) if moved else ()
