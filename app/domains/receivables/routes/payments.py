"""Payments over HTTP."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import ValidationError

from app.domains.receivables import service as receivables
from app.domains.receivables.core.requests import PaymentRequest
from app.domains.receivables.schemas.answers import PaymentOut, RefundOut, payment_out, refund_out
from app.domains.receivables.schemas.changes import RefundIn, ReversalIn
from app.domains.receivables.schemas.documents import PaymentAllocationIn, PaymentIn
from app.infra.http.batches import BatchIn, BatchOut, batch_response, item_problem
from app.infra.http.fields import PathReference, Reference, SegmentName
from app.infra.http.paging import Page, PageQuery
from app.infra.http.problem import problems
from app.kernel.errors import Refusal
from app.support.auth.core.principals import Principal
from app.support.auth.core.scopes import Scope
from app.support.auth.dependencies import Caller, Tx, requires
from app.support.idempotency.routing import IdempotentRoute

router = APIRouter(prefix="/v1/payments", tags=["payments"], route_class=IdempotentRoute)

WRITING = (Scope.RECEIVABLES_WRITE,)
READING = (Scope.RECEIVABLES_WRITE, Scope.REPORTS_READ)


@router.post(
    "",
    summary="Post a payment",
    status_code=201,
    dependencies=[requires(*WRITING)],
    responses={200: {"model": PaymentOut, "description": "Posted before"}, **problems(404, 409, 503)},
)
async def post_payment(tx: Tx, caller: Caller, body: PaymentIn, response: Response) -> PaymentOut:
    """Settles the items it names or the oldest; what is left is an unallocated credit.

    The same reference with the same contents answers 200 with what there is.
    """
    caller.confine(body.segment)
    [outcome] = await receivables.post_payments(tx, requests=[body.request()])
    if isinstance(outcome, Refusal):
        raise outcome
    response.status_code = 201 if outcome.created else 200
    return payment_out(outcome)


@router.post(
    "/batch",
    summary="Post up to 1,000 payments",
    status_code=207,
    response_model=BatchOut,
    dependencies=[requires(*WRITING)],
    responses=problems(404, 409, 503),
)
async def post_payment_batch(tx: Tx, caller: Caller, request: Request, body: BatchIn) -> Response:
    """Each item like the single request; they succeed and fail on their own, in order, in one transaction."""
    asked = [_asked(caller, item) for item in body.items]
    posted = await receivables.post_payments(tx, requests=[ask for ask in asked if isinstance(ask, PaymentRequest)])
    outcomes = iter(posted)
    return batch_response(
        _rendered(request, next(outcomes) if isinstance(ask, PaymentRequest) else ask) for ask in asked
    )


@router.get("", summary="Payments, the last changed first", dependencies=[requires(*READING)], responses=problems(404))
async def list_payments(
    tx: Tx,
    caller: Caller,
    page: PageQuery,
    segment: SegmentName = "main",
    customer_id: Annotated[Reference | None, Query(description="Only this customer's")] = None,
) -> Page[PaymentOut]:
    """Payments of a segment."""
    found = await receivables.list_payments(tx, segment=caller.confine(segment), page=page, customer_id=customer_id)
    return Page(items=[payment_out(view) for view in found.items], next_cursor=found.next_cursor)


@router.get("/{payment_ref}", summary="One payment", dependencies=[requires(*READING)], responses=problems(404))
async def get_payment(tx: Tx, caller: Caller, payment_ref: PathReference, segment: SegmentName = "main") -> PaymentOut:
    """What it settles, and what is left of it."""
    return payment_out(await receivables.payment(tx, segment=caller.confine(segment), payment_ref=payment_ref))


@router.post(
    "/{payment_ref}/allocate",
    summary="Allocate what is left of a payment",
    dependencies=[requires(*WRITING)],
    responses=problems(404, 409, 503),
)
async def allocate_payment(
    tx: Tx, caller: Caller, payment_ref: PathReference, body: PaymentAllocationIn, segment: SegmentName = "main"
) -> PaymentOut:
    """Settles the items named, or the oldest."""
    view = await receivables.allocate_payment(
        tx, segment=caller.confine(segment), payment_ref=payment_ref, instruction=body.instruction()
    )
    return payment_out(view)


@router.post(
    "/{payment_ref}/reverse",
    summary="Reverse a payment",
    dependencies=[requires(*WRITING)],
    responses=problems(404, 409, 503),
)
async def reverse_payment(
    tx: Tx, caller: Caller, payment_ref: PathReference, body: ReversalIn, segment: SegmentName = "main"
) -> PaymentOut:
    """It bounced: what it settled is open again, at its own due day. The fee, and what was refunded of it, is charged
    by debit notes that are due today."""
    view = await receivables.reverse_payment(
        tx, segment=caller.confine(segment), payment_ref=payment_ref, reason=body.reason, fee=body.charged()
    )
    return payment_out(view)


@router.post(
    "/{payment_ref}/refund",
    summary="Pay back what is left of a payment",
    status_code=201,
    dependencies=[requires(*WRITING)],
    responses={200: {"model": RefundOut, "description": "Refunded before"}, **problems(404, 409, 503)},
)
async def refund_payment(
    tx: Tx,
    caller: Caller,
    payment_ref: PathReference,
    body: RefundIn,
    response: Response,
    segment: SegmentName = "main",
) -> RefundOut:
    """All that is not allocated, or a part of it. The same reference with the same contents answers 200."""
    done = await receivables.refund_payment(
        tx, segment=caller.confine(segment), payment_ref=payment_ref, request=body.request()
    )
    response.status_code = 201 if done.created else 200
    return refund_out(done.refund)


def _asked(caller: Principal, item: Any) -> PaymentRequest | Refusal | ValidationError:
    try:
        body = PaymentIn.model_validate(item)
        caller.confine(body.segment)
        return body.request()
    except (Refusal, ValidationError) as error:
        return error


def _rendered(request: Request, outcome: receivables.PaymentView | Refusal | ValidationError) -> tuple[int, bytes]:
    if isinstance(outcome, Refusal | ValidationError):
        return item_problem(request.scope, outcome)
    return 201 if outcome.created else 200, payment_out(outcome).model_dump_json().encode()
