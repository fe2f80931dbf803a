"""Refunds over HTTP: they are made at the payment or credit note that they pay back."""

from __future__ import annotations

from fastapi import APIRouter

from app.domains.receivables import service as receivables
from app.domains.receivables.schemas.answers import RefundOut, refund_out
from app.infra.http.fields import PathReference, SegmentName
from app.infra.http.problem import problems
from app.support.auth.core.scopes import Scope
from app.support.auth.dependencies import Caller, Tx, requires
from app.support.idempotency.routing import IdempotentRoute

router = APIRouter(prefix="/v1/refunds", tags=["receivables"], route_class=IdempotentRoute)

READING = (Scope.RECEIVABLES_WRITE, Scope.REPORTS_READ)


@router.get("/{refund_ref}", summary="A refund", dependencies=[requires(*READING)], responses=problems(404))
async def get_refund(tx: Tx, caller: Caller, refund_ref: PathReference, segment: SegmentName = "main") -> RefundOut:
    """What was paid back, of which payment or credit note."""
    return refund_out(await receivables.refund(tx, segment=caller.confine(segment), refund_ref=refund_ref))
