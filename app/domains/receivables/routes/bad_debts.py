"""Write-offs and recoveries over HTTP."""

from __future__ import annotations

from fastapi import APIRouter

from app.domains.receivables import service as receivables
from app.domains.receivables.schemas.answers import InvoiceOut, invoice_out
from app.domains.receivables.schemas.changes import RecoveryIn, WriteOffIn
from app.infra.http.fields import PathReference, SegmentName
from app.infra.http.problem import problems
from app.support.auth.core.scopes import Scope
from app.support.auth.dependencies import Caller, Tx, requires
from app.support.idempotency.routing import IdempotentRoute

router = APIRouter(prefix="/v1/invoices", tags=["invoices"], route_class=IdempotentRoute)

GIVING_UP = (Scope.RECEIVABLES_WRITE_OFF,)


@router.post(
    "/{invoice_no}/write-off",
    summary="Write an invoice off as bad debt",
    dependencies=[requires(*GIVING_UP)],
    responses=problems(404, 409, 503),
)
async def write_off(
    tx: Tx, caller: Caller, invoice_no: PathReference, body: WriteOffIn, segment: SegmentName = "main"
) -> InvoiceOut:
    """All that is open, or a part of it. The customer's account is stopped by a forced hold of source `write_off`."""
    view = await receivables.write_off(
        tx,
        segment=caller.confine(segment),
        invoice_no=invoice_no,
        amount=body.amount,
        category=body.category,
        reason=body.reason,
    )
    return invoice_out(view)


@router.post(
    "/{invoice_no}/recover",
    summary="Claim again what was written off",
    dependencies=[requires(*GIVING_UP)],
    responses=problems(404, 409, 503),
)
async def recover(
    tx: Tx, caller: Caller, invoice_no: PathReference, body: RecoveryIn, segment: SegmentName = "main"
) -> InvoiceOut:
    """All, or a part of it, is open again; a payment that names a written-off invoice does so by
    itself. Once nothing of the account is written off any more, its hold is lifted."""
    view = await receivables.recover(
        tx, segment=caller.confine(segment), invoice_no=invoice_no, amount=body.amount, reason=body.reason
    )
    return invoice_out(view)
