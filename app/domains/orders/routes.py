"""Orders and shipments over HTTP. Credit checks are in `check_routes`, their reviews in `review_routes`."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Query, Response

from app.domains.exposure.core.commitments import OrderState
from app.domains.orders import service as orders
from app.domains.orders.schemas import (
    OrderIn,
    OrderOut,
    ReasonIn,
    ReversalIn,
    ShipmentIn,
    ShipmentOut,
    order_out,
    shipment_out,
)
from app.infra.http.fields import PathReference, Reference, SegmentName
from app.infra.http.paging import Page, PageQuery
from app.infra.http.problem import problems
from app.support.auth.core.scopes import Scope
from app.support.auth.dependencies import Caller, Tx, requires
from app.support.idempotency.routing import IdempotentRoute

router: Final = APIRouter(prefix="/v1/orders", tags=["orders"], route_class=IdempotentRoute)
shipments_router: Final = APIRouter(prefix="/v1/shipments", tags=["orders"], route_class=IdempotentRoute)

ORDER: Final = "/{order_ref}"
READING: Final = (Scope.ORDERS_CHECK, Scope.ORDERS_RELEASE, Scope.REPORTS_READ)

OfCustomer = Annotated[Reference | None, Query(description="Only this customer's")]
OfOrder = Annotated[Reference | None, Query(description="Only of this order")]

# ---- orders ------------------------------------------------------------------------------------------------


@router.post(
    "",
    summary="Load an accepted order without a decision",
    status_code=201,
    dependencies=[requires(Scope.ADMIN)],
    responses={200: {"model": OrderOut, "description": "Loaded before"}, **problems(404, 409)},
)
async def load_order(tx: Tx, caller: Caller, body: OrderIn, response: Response) -> OrderOut:
    """For cutover: what the system before has accepted is a fact, whatever the limit says.

    The same order again, as long as it stands as it was loaded, answers 200.
    """
    caller.confine(body.segment)
    filed, created = await orders.load(tx, accepted=body.accepted())
    response.status_code = 201 if created else 200
    return order_out(filed)


@router.get("", summary="Orders by reference", dependencies=[requires(*READING)], responses=problems(404))
async def list_orders(
    tx: Tx,
    caller: Caller,
    page: PageQuery,
    segment: SegmentName = "main",
    customer_id: OfCustomer = None,
    state: Annotated[OrderState | None, Query(description="Only those recorded in this state")] = None,
) -> Page[OrderOut]:
    """Every order that was ever checked, loaded or invoiced in a segment."""
    segments = [caller.confine(segment)]
    found = await orders.list_orders(tx, page=page, segments=segments, customer_id=customer_id, state=state)
    return Page(items=[order_out(filed) for filed in found.rows], next_cursor=found.next_cursor)


@router.get(ORDER, summary="One order", dependencies=[requires(*READING)], responses=problems(404))
async def get_order(tx: Tx, caller: Caller, order_ref: PathReference, segment: SegmentName = "main") -> OrderOut:
    """What it binds now; a reservation that has run out counts no more."""
    return order_out(await orders.get(tx, segment=caller.confine(segment), order_ref=order_ref))


@router.post(
    f"{ORDER}/shipments",
    summary="Book goods that leave",
    status_code=201,
    dependencies=[requires(Scope.ORDERS_CHECK)],
    responses={200: {"model": ShipmentOut, "description": "Booked before"}, **problems(404, 409)},
)
async def ship_order(
    tx: Tx,
    caller: Caller,
    order_ref: PathReference,
    body: ShipmentIn,
    response: Response,
    segment: SegmentName = "main",
) -> ShipmentOut:
    """Refused beyond what is approved, unless the goods have left already: that is booked, and an alert."""
    shipment, created = await orders.ship(
        tx,
        segment=caller.confine(segment),
        order_ref=order_ref,
        shipment_ref=body.shipment_ref,
        amount=body.amount,
        already_left=body.already_left,
    )
    response.status_code = 201 if created else 200
    return shipment_out(shipment)


@router.post(
    f"{ORDER}/shipments/{{shipment_ref}}/reverse",
    summary="Book goods that came back",
    dependencies=[requires(Scope.ORDERS_CHECK)],
    responses=problems(404, 409),
)
async def reverse_shipment(
    tx: Tx,
    caller: Caller,
    order_ref: PathReference,
    shipment_ref: PathReference,
    body: ReversalIn,
    segment: SegmentName = "main",
) -> ShipmentOut:
    """What has shipped falls, and what is approved with it, unless the goods are to be sent again."""
    shipment = await orders.reverse(
        tx,
        segment=caller.confine(segment),
        order_ref=order_ref,
        shipment_ref=shipment_ref,
        reason=body.reason,
        reorder=body.reorder,
    )
    return shipment_out(shipment)


@router.post(
    f"{ORDER}/cancel",
    summary="Cancel what is open of an order",
    dependencies=[requires(Scope.ORDERS_CHECK)],
    responses=problems(404, 409),
)
async def cancel_order(
    tx: Tx, caller: Caller, order_ref: PathReference, body: ReasonIn, segment: SegmentName = "main"
) -> OrderOut:
    """Frees what is reserved; what has shipped stays. An open review of the order ends."""
    filed = await orders.cancel(tx, segment=caller.confine(segment), order_ref=order_ref, reason=body.reason)
    return order_out(filed)


@router.post(
    f"{ORDER}/close",
    summary="Close an order",
    dependencies=[requires(Scope.ORDERS_CHECK)],
    responses=problems(404, 409),
)
async def close_order(
    tx: Tx, caller: Caller, order_ref: PathReference, body: ReasonIn, segment: SegmentName = "main"
) -> OrderOut:
    """Nothing more will be shipped or invoiced: frees what is reserved and what is delivered."""
    filed = await orders.close(tx, segment=caller.confine(segment), order_ref=order_ref, reason=body.reason)
    return order_out(filed)


@shipments_router.get(
    "", summary="Shipments, the last changed first", dependencies=[requires(*READING)], responses=problems(404)
)
async def list_shipments(
    tx: Tx,
    caller: Caller,
    page: PageQuery,
    segment: SegmentName = "main",
    customer_id: OfCustomer = None,
    order_ref: OfOrder = None,
) -> Page[ShipmentOut]:
    """What has left in a segment, and what came back."""
    wanted = orders.ShipmentFilter([caller.confine(segment)], customer_id, order_ref)
    found = await orders.list_shipments(tx, page=page, wanted=wanted)
    return Page(items=[shipment_out(shipment) for shipment in found.rows], next_cursor=found.next_cursor)
