"""Shipments: book what leaves, and what comes back."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from app.domains.exposure import service as exposure
from app.domains.exposure.core import commitments
from app.domains.exposure.core.commitments import Commitment
from app.domains.exposure.core.ledger import Source
from app.domains.orders import repository
from app.domains.orders.core.order_events import OrderShipped, ShipmentReversed, ShippedWithoutCredit
from app.domains.orders.core.orders import amounts, in_currency
from app.domains.orders.core.refusals import ShipmentConflict, ShipmentNotFound
from app.domains.orders.core.shipments import Shipment, check_approved, check_same, exceeds, taken_back
from app.domains.orders.repository import ShipmentFilter
from app.domains.orders.service.gathering import locked_order, reserved_until
from app.infra.db.paging import PageRequest, Slice
from app.infra.transaction import Transaction
from app.kernel.events import Event
from app.kernel.money import render


async def ship(
    tx: Transaction, *, segment: str, order_ref: str, shipment_ref: str, amount: Decimal, already_left: bool
) -> tuple[Shipment, bool]:
    """Books goods worth `amount` (order currency) that leave; True if the shipment was not there before.

    What has `already_left` is booked beyond the approved amount too. Raises `OrderNotFound`, `TooManyDecimals`,
    `ShipmentConflict`, `ExceedsReservation`.
    """
    positions, order = await locked_order(tx, segment=segment, order_ref=order_ref)
    shipment = _shipment(tx, order, shipment_ref, amount, already_left)
    known = await repository.find_shipment(tx.session, segment=segment, shipment_ref=shipment_ref)
    if known is not None:
        check_same(known, shipment)
        return known, False
    check_approved(order, shipment)
    await _add(tx, shipment)
    after = commitments.ship(order, amount=shipment.amount)
    positions.change_order(after, Source("shipment", shipment_ref))
    await exposure.save(tx, positions=positions)
    kind = ShippedWithoutCredit if exceeds(order, shipment.amount) else OrderShipped
    tx.emit(_told(kind, shipment, order, after))
    return shipment, True


async def reverse(
    tx: Transaction, *, segment: str, order_ref: str, shipment_ref: str, reason: str, reorder: bool
) -> Shipment:
    """Books that the goods of a shipment came back: S falls, and A with it unless they are to be sent again.

    Raises `OrderNotFound`, `ShipmentNotFound`, `ShipmentAlreadyReversed`.
    """
    positions, order = await locked_order(tx, segment=segment, order_ref=order_ref)
    known = await repository.find_shipment(tx.session, segment=segment, shipment_ref=shipment_ref)
    if known is None or known.order_ref != order_ref:
        raise ShipmentNotFound(f"the order {order_ref!r} has no shipment {shipment_ref!r}")
    back = known.reversed(at=tx.now, by=tx.actor.name, reason=reason, reorder=reorder)
    until = await reserved_until(tx, customer_id=order.customer_id, segment=segment)
    after = taken_back(order, known, reorder=reorder, until=until)
    await repository.write_shipment(tx.session, back, tx.now)
    positions.change_order(after, Source("shipment_reversal", shipment_ref))
    await exposure.save(tx, positions=positions)
    tx.emit(_told(ShipmentReversed, back, order, after, reorder=reorder, reason=reason))
    return back


async def list_shipments(tx: Transaction, *, page: PageRequest, wanted: ShipmentFilter) -> Slice[Shipment]:
    """Shipments by the instant of their last change."""
    return await repository.list_shipments(tx.session, page, wanted)


def _shipment(tx: Transaction, order: Commitment, shipment_ref: str, amount: Decimal, already_left: bool) -> Shipment:
    return Shipment(
        segment=order.segment,
        shipment_ref=shipment_ref,
        order_ref=order.order_ref,
        customer_id=order.customer_id,
        amount=in_currency(amount, order.currency),
        currency=order.currency,
        already_left=already_left,
        shipped_at=tx.now,
        shipped_by=tx.actor.name,
    )


async def _add(tx: Transaction, shipment: Shipment) -> None:
    """Adds a shipment whose reference another order may be taking at this moment."""
    if not await repository.add_shipment(tx.session, shipment):
        raise ShipmentConflict(f"{shipment.shipment_ref!r} has just been booked for another order")


def _told(kind: type[Event], shipment: Shipment, before: Commitment, after: Commitment, **more: Any) -> Event:
    about = {"order_ref": shipment.order_ref, "amount": render(shipment.amount, shipment.currency)}
    return kind(
        subject_id=shipment.shipment_ref,
        segment=shipment.segment,
        customer_id=shipment.customer_id,
        before=amounts(before),
        after={**about, **amounts(after), **more},
    )
