"""Disputes: what a customer says they don't owe, and how that ends."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final
from uuid import UUID

from app.kernel.lifecycle import Lifecycle


class DisputeReason(StrEnum):
    """Why an item is disputed."""

    PRICE = "price"
    QUANTITY = "quantity"
    QUALITY = "quality"
    DAMAGED = "damaged"
    NOT_DELIVERED = "not_delivered"
    WRONG_GOODS = "wrong_goods"
    LATE_DELIVERY = "late_delivery"
    DUPLICATE = "duplicate"
    TAX = "tax"
    TERMS = "terms"
    ALREADY_PAID = "already_paid"
    OTHER = "other"


class DisputeState(StrEnum):
    """How far a dispute is."""

    OPEN = "open"
    UPHELD = "upheld"
    REJECTED = "rejected"
    LAPSED = "lapsed"


class DisputeMove(StrEnum):
    """What happens to a dispute."""

    UPHOLD = "uphold"
    REJECT = "reject"
    LAPSE = "lapse"


LIFECYCLE: Final = Lifecycle(
    {
        DisputeState.OPEN: {
            DisputeMove.UPHOLD: DisputeState.UPHELD,
            DisputeMove.REJECT: DisputeState.REJECTED,
            DisputeMove.LAPSE: DisputeState.LAPSED,
        },
        DisputeState.UPHELD: {},
        DisputeState.REJECTED: {},
        DisputeState.LAPSED: {},
    }
)
"""A dispute lapses when the item it is about is cancelled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute:
    """A part of an item, in its currency, that the customer does not want to pay; days are the segment's."""

    id: UUID
    item_id: UUID
    segment: str
    invoice_no: str
    customer_id: str
    amount: Decimal
    currency: str
    reason: DisputeReason
    note: str | None
    opened_by: str
    opened_at: datetime
    opened_on: date
    state: DisputeState = DisputeState.OPEN
    resolved_by: str | None = None
    resolved_at: datetime | None = None
    resolved_on: date | None = None
    resolution: str | None = None
    credit_note_no: str | None = None


def ended(
    dispute: Dispute,
    move: DisputeMove,
    *,
    by: str,
    now: datetime,
    on: date,
    resolution: str | None,
    credit_note_no: str | None = None,
) -> Dispute:
    """The dispute after `move`, which must be possible."""
    return replace(
        dispute,
        state=LIFECYCLE.after(dispute.state, move),
        resolved_by=by,
        resolved_at=now,
        resolved_on=on,
        resolution=resolution,
        credit_note_no=credit_note_no,
    )
