"""`POST /v1/credit-checks` and its batch: from HTTP to the desk and back."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from pydantic import ValidationError

from app.domains.orders.check_schemas import CreditCheckIn, CreditCheckOut
from app.domains.orders.desk import Desk
from app.domains.orders.records import Question
from app.infra.http.batches import BatchIn, BatchOut, batch_response, item_problem
from app.infra.http.problem import problems, request_id_of
from app.kernel.errors import Refusal
from app.support.auth.core.principals import Principal
from app.support.auth.core.scopes import Scope
from app.support.auth.dependencies import Caller, requires
from app.support.idempotency.core import REPLAYED_HEADER, fingerprint
from app.support.idempotency.routing import IdempotentRoute, handles_idempotency_itself, key_and_fingerprint

router: Final = APIRouter(prefix="/v1", tags=["credit checks"], route_class=IdempotentRoute)

JSON: Final = "application/json"
REPLAYED: Final = {REPLAYED_HEADER: "true"}


@router.post(
    "/credit-checks",
    summary="May this order leave on credit?",
    status_code=201,
    response_model=CreditCheckOut,
    dependencies=[requires(Scope.ORDERS_CHECK)],
    responses=problems(404, 409, 422, 503),
)
@handles_idempotency_itself
async def check_credit(request: Request, caller: Caller, body: CreditCheckIn) -> Response:
    """Decides one order and, if it is approved, sets the credit aside in the same moment."""
    caller.confine(body.segment)
    key, asked = key_and_fingerprint(request) or (None, b"")
    answered = await _desk(request).decide(
        Question(
            request=body.request(),
            caller=caller.id,
            actor=caller.actor,
            request_id=request_id_of(request.scope),
            key=key,
            fingerprint=asked,
        )
    )
    return Response(answered.body, 201, REPLAYED if answered.replayed else None, JSON)


@router.post(
    "/credit-checks/batch",
    summary="Decide up to 1,000 orders",
    status_code=207,
    response_model=BatchOut,
    dependencies=[requires(Scope.ORDERS_CHECK)],
    responses=problems(404, 409, 422, 503),
)
async def check_credit_batch(request: Request, caller: Caller, body: BatchIn) -> Response:
    """Decides each item on its own, in their order.

    With an `Idempotency-Key` every item has a key of its own derived from it, so that a batch cut off in the middle
    and sent again decides nothing twice.
    """
    batch_key = key_and_fingerprint(request)
    key = batch_key[0] if batch_key else None
    desk = _desk(request)
    asked = [_item(desk, request, caller, key, index, item) for index, item in enumerate(body.items)]
    return batch_response(await asyncio.gather(*asked))


async def _item(
    desk: Desk, request: Request, caller: Principal, key: str | None, index: int, item: Any
) -> tuple[int, bytes]:
    """The status and body of one item; what is refused is a problem document like any other."""
    try:
        body = CreditCheckIn.model_validate(item)
        caller.confine(body.segment)
        answered = await desk.decide(_question(request, caller, key, index, item, body), bulk=True)
    except (Refusal, ValidationError) as error:
        return item_problem(request.scope, error)
    return 201, answered.body


def _question(
    request: Request, caller: Principal, key: str | None, index: int, item: Any, body: CreditCheckIn
) -> Question:
    return Question(
        request=body.request(),
        caller=f"{caller.id}:batch" if key else caller.id,
        actor=caller.actor,
        request_id=request_id_of(request.scope),
        key=f"{key}:{index}" if key else None,
        fingerprint=fingerprint("POST", b"/v1/credit-checks", item) if key else b"",
    )


def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk
