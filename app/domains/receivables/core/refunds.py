"""Refunds: credits that leave again, paid back to the customer or kept because they are too small to pay back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from app.domains.receivables.core.allocations import CreditKind


class RefundKind(StrEnum):
    """Where a credit went."""

    REFUND = "refund"
    SMALL_DIFFERENCE = "small_difference"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """`amount` of a payment or credit note, in its currency, that can settle nothing any more.

    `refund_ref` is the reference of the payment to the customer; null for a small difference.
    """

    id: UUID
    segment: str
    refund_ref: str | None
    kind: RefundKind
    credit: CreditKind
    credit_id: UUID
    credit_ref: str
    customer_id: str
    amount: Decimal
    currency: str
    refunded_on: date
    reason: str
    made_by: str
    made_at: datetime
