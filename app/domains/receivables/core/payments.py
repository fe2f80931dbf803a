"""Payments: money received, and how much of it is not yet matched to what it pays.

A draft or cheque settles items when it is received, but its amount stays exposed until it clears: so long it counts as
a receivable that falls due on no day.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final
from uuid import UUID

from app.domains.exposure.core.ledger import Component, Entry, Source
from app.domains.receivables.core.items import Cancellation
from app.kernel.money import ZERO, rounded

UNCLEARED: Final = "uncleared"
"""The source of the ledger entries of drafts and cheques that are not yet money."""


class PaymentStatus(StrEnum):
    """Whether a payment stands."""

    POSTED = "posted"
    REVERSED = "reversed"


class Purpose(StrEnum):
    """What a payment is for: what is owed, an order that is not yet invoiced, or security."""

    SETTLEMENT = "settlement"
    ADVANCE = "advance"
    DEPOSIT = "deposit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """One payment. `amount` and `open`, what is not allocated, are in `currency`; `rate` is account currency per
    unit of it. `order_ref` is the order that an advance payment is for; `clears_on` the day on which a draft or cheque
    is money, null for money."""

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
    purpose: Purpose = Purpose.SETTLEMENT
    order_ref: str | None = None
    remittance: str | None = None
    clears_on: date | None = None
    cleared_at: datetime | None = None

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
    def uncleared(self) -> Decimal:
        """What of it is still exposed, in account currency: all until it clears."""
        if self.clears_on is None or self.cleared_at is not None or self.reversal is not None:
            return ZERO
        return rounded(self.amount * self.rate, self.account_currency)

    @property
    def status(self) -> PaymentStatus:
        """Whether it stands."""
        return PaymentStatus.POSTED if self.reversal is None else PaymentStatus.REVERSED


def reverse(payment: Payment, reversal: Cancellation) -> Payment:
    """The payment after it bounced: nothing of it is left."""
    assert payment.reversal is None, f"{payment.payment_ref} is reversed"
    return replace(payment, open=ZERO, reversal=reversal, changed_at=reversal.at)


def clear(payment: Payment, *, now: datetime) -> Payment:
    """The payment after its draft or cheque was honoured."""
    assert payment.clears_on is not None, f"{payment.payment_ref} is money"
    return replace(payment, cleared_at=now, changed_at=now)


def entries(before: Payment | None, after: Payment, source: Source) -> tuple[Entry, ...]:
    """The ledger entries, in account currency, that lead from `before` (null: not yet posted) to `after`."""
    moved = after.value - (before.value if before else ZERO)
    exposed = after.uncleared - (before.uncleared if before else ZERO)
    credit = (Entry(Component.UNALLOCATED_CREDITS, moved, source),) if moved else ()
    draft = (Entry(Component.RECEIVABLES, exposed, Source(UNCLEARED, after.payment_ref)),) if exposed else ()
    return credit + draft
