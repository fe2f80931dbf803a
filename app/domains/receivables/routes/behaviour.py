"""Payment behaviour over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from app.domains.receivables import service as receivables
from app.domains.receivables.schemas.behaviour import PaymentBehaviourOut, behaviour_out
from app.infra.http.fields import BusinessDay, PathReference, SegmentName
from app.infra.http.problem import problems
from app.support.auth.core.scopes import Scope
from app.support.auth.dependencies import Caller, Tx, requires
from app.support.idempotency.routing import IdempotentRoute

router = APIRouter(prefix="/v1/customers/{customer_id}", tags=["receivables"], route_class=IdempotentRoute)


@router.get(
    "/payment-behaviour",
    summary="How a customer pays",
    dependencies=[requires(Scope.RECEIVABLES_WRITE, Scope.ASSESSMENTS_WRITE, Scope.REPORTS_READ)],
    responses=problems(404),
)
async def get_payment_behaviour(
    tx: Tx,
    caller: Caller,
    customer_id: PathReference,
    segment: SegmentName = "main",
    on: Annotated[BusinessDay | None, Query(description="By the days of documents; default: today")] = None,
) -> PaymentBehaviourOut:
    """From the company's own items, point in time: what was issued or paid after the day is left out of sight."""
    found = await receivables.behaviour(tx, customer_id=customer_id, segment=caller.confine(segment), on=on)
    return behaviour_out(found, customer_id=customer_id, segment=segment)
