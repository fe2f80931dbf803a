"""What happens to orders, shipments and reviews. Amounts are decimal strings, in order currency unless they say so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from app.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLoaded(Event):
    """An accepted order came over from the system before, without a decision."""

    type: ClassVar[str] = "order_loaded"
    subject_type: ClassVar[str] = "order"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCancelled(Event):
    """The open part of an order was freed."""

    type: ClassVar[str] = "order_cancelled"
    subject_type: ClassVar[str] = "order"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderClosed(Event):
    """Nothing more of an order will be shipped or invoiced."""

    type: ClassVar[str] = "order_closed"
    subject_type: ClassVar[str] = "order"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderShipped(Event):
    """Goods of an order left, within what was approved."""

    type: ClassVar[str] = "order_shipped"
    subject_type: ClassVar[str] = "shipment"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShippedWithoutCredit(Event):
    """Goods left beyond what was approved: a fact, and an alert."""

    type: ClassVar[str] = "shipped_without_credit"
    subject_type: ClassVar[str] = "shipment"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShipmentReversed(Event):
    """The goods of a shipment came back."""

    type: ClassVar[str] = "shipment_reversed"
    subject_type: ClassVar[str] = "shipment"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditCheckReleased(Event):
    """A person let a referred order pass, on their own authority."""

    type: ClassVar[str] = "credit_check_released"
    subject_type: ClassVar[str] = "credit_check"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditCheckRejected(Event):
    """A person refused a referred order."""

    type: ClassVar[str] = "credit_check_rejected"
    subject_type: ClassVar[str] = "credit_check"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditCheckReleaseRefused(Event):
    """Somebody tried to release a referred order who may not. Nothing else has changed."""

    type: ClassVar[str] = "credit_check_release_refused"
    subject_type: ClassVar[str] = "credit_check"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditCheckClaimed(Event):
    """Somebody works on the review of a referred order."""

    type: ClassVar[str] = "credit_check_claimed"
    subject_type: ClassVar[str] = "credit_check"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditCheckUnclaimed(Event):
    """Whoever worked on the review of a referred order does so no more."""

    type: ClassVar[str] = "credit_check_unclaimed"
    subject_type: ClassVar[str] = "credit_check"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditCheckNoted(Event):
    """Somebody wrote something down about a referred order."""

    type: ClassVar[str] = "credit_check_noted"
    subject_type: ClassVar[str] = "credit_check"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditCheckHandedOn(Event):
    """The review of a referred order was handed to somebody else."""

    type: ClassVar[str] = "credit_check_handed_on"
    subject_type: ClassVar[str] = "credit_check"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditCheckLapsed(Event):
    """Nobody decided on a referred order in time."""

    type: ClassVar[str] = "credit_check_lapsed"
    subject_type: ClassVar[str] = "credit_check"
