"""Orders, shipments, stored credit checks and their reviews over HTTP. Deciding new checks is in `check_routes`."""

from __future__ import annotations

from typing import Annotated, Any, Final
from uuid import UUID

import orjson
from fastapi import APIRouter, Query, Response

from app.domains.exposure.core.commitments import OrderState
from app.domains.orders import service as orders
from app.domains.orders.core.decision import Outcome
from app.domains.orders.core.reviews import Review
from app.domains.orders.schemas import (
    OrderIn,
    OrderOut,
    ReasonIn,
    ReleaseIn,
    ReplayOut,
    ReversalIn,
    ShipmentIn,
    ShipmentOut,
    StoredCheckOut,
    check_document,
    order_out,
    replay_out,
    shipment_out,
)
from app.infra.http.fields import PathReference, Reference, SegmentName
from app.infra.http.paging import Page, PageQuery
from app.infra.http.problem import problems
from app.infra.transaction import Transaction
from app.support.auth.core.scopes import Scope
from app.support.auth.dependencies import Caller, Tx, requires
from app.support.idempotency.routing import IdempotentRoute

router: Final = APIRouter(prefix="/v1/orders", tags=["orders"], route_class=IdempotentRoute)
shipments_router: Final = APIRouter(prefix="/v1/shipments", tags=["orders"], route_class=IdempotentRoute)
reviews_router: Final = APIRouter(prefix="/v1/credit-checks", tags=["credit checks"], route_class=IdempotentRoute)

ORDER: Final = "/{order_ref}"
CHECK: Final = "/{check_id}"
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


# ---- credit checks and their reviews -----------------------------------------------------------------------


@reviews_router.get(
    "",
    summary="Credit checks, the latest first",
    response_model=Page[StoredCheckOut],
    dependencies=[requires(*READING)],
    responses=problems(404),
)
async def list_credit_checks(
    tx: Tx,
    caller: Caller,
    page: PageQuery,
    segment: SegmentName = "main",
    customer_id: OfCustomer = None,
    order_ref: OfOrder = None,
    outcome: Annotated[Outcome | None, Query(description="Only those decided so")] = None,
    review: Annotated[Review | None, Query(description="Only those whose review stands there")] = None,
) -> Response:
    """In the order in which they were decided. `review=open` is a reviewer's inbox."""
    wanted = orders.CheckFilter(
        at=tx.now,
        segments=[caller.confine(segment)],
        customer_id=customer_id,
        order_ref=order_ref,
        outcome=outcome,
        review=review,
    )
    found = await orders.list_checks(tx, page=page, wanted=wanted)
    return _json({"items": [check_document(view) for view in found.rows], "next_cursor": found.next_cursor})


@reviews_router.get(
    CHECK,
    summary="One credit check",
    response_model=StoredCheckOut,
    dependencies=[requires(*READING)],
    responses=problems(404),
)
async def get_credit_check(tx: Tx, caller: Caller, check_id: UUID) -> Response:
    """The decision as it was given, with its review and its reservation as they stand now."""
    return await _shown(tx, await orders.find(tx, check_id=check_id, caller=caller))


@reviews_router.get(
    f"{CHECK}/replay",
    summary="Decide a credit check again from its stored facts",
    dependencies=[requires(*READING)],
    responses=problems(404),
)
async def replay_credit_check(tx: Tx, caller: Caller, check_id: UUID) -> ReplayOut:
    """Under the policy that decided it. The same facts give the identical decision, years later."""
    return replay_out(await orders.replay(tx, stored=await orders.find(tx, check_id=check_id, caller=caller)))


@reviews_router.post(
    f"{CHECK}/release",
    summary="Release a referred order",
    response_model=StoredCheckOut,
    dependencies=[requires(Scope.ORDERS_RELEASE)],
    responses=problems(404, 409),
)
async def release_credit_check(tx: Tx, caller: Caller, check_id: UUID, body: ReleaseIn) -> Response:
    """A person answers for it; credit is set aside even beyond the limit. Neither who asked for the check nor on whose
    behalf it was asked may release it."""
    return await _shown(
        tx, await orders.release(tx, check_id=check_id, caller=caller, reason=body.reason, amount=body.amount)
    )


@reviews_router.post(
    f"{CHECK}/reject",
    summary="Reject a referred order",
    response_model=StoredCheckOut,
    dependencies=[requires(Scope.ORDERS_RELEASE)],
    responses=problems(404, 409),
)
async def reject_credit_check(tx: Tx, caller: Caller, check_id: UUID, body: ReasonIn) -> Response:
    """A person refuses it; what was approved of the order before stays."""
    return await _shown(tx, await orders.reject(tx, check_id=check_id, caller=caller, reason=body.reason))


@reviews_router.post(
    f"{CHECK}/reevaluate",
    summary="Judge a referred order anew",
    status_code=201,
    response_model=StoredCheckOut,
    dependencies=[requires(Scope.ORDERS_CHECK, Scope.ORDERS_RELEASE)],
    responses=problems(404, 409),
)
async def reevaluate_credit_check(tx: Tx, caller: Caller, check_id: UUID) -> Response:
    """Decides it by today's facts, as a check of its own. If nothing objects the order is approved and the review ends;
    else the review stays open and the new check has no consequences."""
    return await _shown(tx, await orders.reevaluate(tx, check_id=check_id, caller=caller), status=201)


async def _shown(tx: Transaction, stored: orders.StoredCheck, *, status: int = 200) -> Response:
    return _json(check_document(await orders.view(tx, stored=stored)), status=status)


def _json(document: dict[str, Any], *, status: int = 200) -> Response:
    """Rendered as the desk renders its answers."""
    return Response(orjson.dumps(document, option=orjson.OPT_UTC_Z), status, media_type="application/json")
