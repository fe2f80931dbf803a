"""Shipments: goods that left for an order, and how they come back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from app.domains.exposure.core import commitments
from app.domains.exposure.core.commitments import Commitment
from app.domains.orders.core.refusals import ExceedsReservation, ShipmentAlreadyReversed, ShipmentConflict
from app.kernel.money import Money


@dataclass(frozen=True, slots=True)
class Shipment:
    """Goods worth `amount` (order currency) that left. `already_left` says that nobody asked before they did."""

    segment: str
    shipment_ref: str
    order_ref: str
    customer_id: str
    amount: Decimal
    currency: str
    already_left: bool
    shipped_at: datetime
    shipped_by: str
    reversed_at: datetime | None = None
    reversed_by: str | None = None
    reversal_reason: str | None = None
    reorder: bool | None = None

    @property
    def asked(self) -> tuple[str, str, str, Decimal, bool]:
        """What its sender said of it: the same again is the same shipment."""
        return self.segment, self.shipment_ref, self.order_ref, self.amount, self.already_left

    def reversed(self, *, at: datetime, by: str, reason: str, reorder: bool) -> Shipment:
        """The shipment after its goods came back. Raises `ShipmentAlreadyReversed`."""
        if self.reversed_at is not None:
            raise ShipmentAlreadyReversed(f"the goods of {self.shipment_ref!r} came back at {self.reversed_at}")
        return replace(self, reversed_at=at, reversed_by=by, reversal_reason=reason, reorder=reorder)


def check_same(known: Shipment, asked: Shipment) -> None:
    """Refuses another shipment under the reference of a known one. Raises `ShipmentConflict`."""
    if known.asked != asked.asked:
        raise ShipmentConflict(f"{known.shipment_ref!r} is another shipment of the segment, for {known.order_ref!r}")


def exceeds(order: Commitment, amount: Decimal) -> bool:
    """Whether `amount` more would leave than is approved."""
    return order.shipped + amount > order.approved


def check_approved(order: Commitment, shipment: Shipment) -> None:
    """Refuses to let leave what is not approved; what has left already is a fact. Raises `ExceedsReservation`."""
    if exceeds(order, shipment.amount) and not shipment.already_left:
        left = Money(order.approved - order.shipped, order.currency).floor_zero()
        raise ExceedsReservation(
            f"{Money(shipment.amount, order.currency)} would leave, {left} is approved and has not shipped",
            approved=str(Money(order.approved, order.currency)),
            shipped=str(Money(order.shipped, order.currency)),
        )


def taken_back(order: Commitment, shipment: Shipment, *, reorder: bool, until: datetime) -> Commitment:
    """The order after the goods of `shipment` came back; to be sent again they are set aside until `until` at least."""
    after = commitments.take_back(order, amount=shipment.amount, reorder=reorder)
    if not reorder or not after.open or (after.expires_at is not None and after.expires_at >= until):
        return after
    return replace(after, expires_at=until)
