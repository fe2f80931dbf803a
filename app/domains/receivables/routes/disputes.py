"""Disputes over HTTP."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from app.domains.receivables import service as receivables
from app.domains.receivables.core.disputes import DisputeState
from app.domains.receivables.schemas.answers import DisputeOut, dispute_out
from app.domains.receivables.schemas.changes import DisputeIn, ResolutionIn
from app.infra.http.fields import PathReference, Reference, SegmentName
from app.infra.http.paging import Page, PageQuery
from app.infra.http.problem import problems
from app.support.auth.core.scopes import Scope
from app.support.auth.dependencies import Caller, Tx, requires
from app.support.idempotency.routing import IdempotentRoute

router = APIRouter(prefix="/v1", tags=["invoices"], route_class=IdempotentRoute)

WRITING = (Scope.RECEIVABLES_WRITE,)
READING = (Scope.RECEIVABLES_WRITE, Scope.REPORTS_READ)


@router.post(
    "/invoices/{invoice_no}/disputes",
    summary="Dispute an invoice or a part of it",
    status_code=201,
    dependencies=[requires(*WRITING)],
    responses=problems(404, 409, 503),
)
async def open_dispute(
    tx: Tx, caller: Caller, invoice_no: PathReference, body: DisputeIn, segment: SegmentName = "main"
) -> DisputeOut:
    """The part disputed is owed as before and due no more; the undisputed part stays due."""
    dispute = await receivables.open_dispute(
        tx,
        segment=caller.confine(segment),
        invoice_no=invoice_no,
        amount=body.amount,
        reason=body.listed,
        note=body.remark,
    )
    return dispute_out(dispute)


@router.post(
    "/invoices/{invoice_no}/disputes/{dispute_id}/resolve",
    summary="Resolve a dispute",
    dependencies=[requires(*WRITING)],
    responses=problems(404, 409, 503),
)
async def resolve_dispute(
    tx: Tx,
    caller: Caller,
    invoice_no: PathReference,
    dispute_id: UUID,
    body: ResolutionIn,
    segment: SegmentName = "main",
) -> DisputeOut:
    """Upheld: a credit note over the amount settles the invoice. Rejected: the amount is due again."""
    caller.confine(segment)
    if body.outcome == "rejected":
        ended = await receivables.reject_dispute(
            tx, segment=segment, invoice_no=invoice_no, dispute_id=dispute_id, note=body.note
        )
    else:
        ended = await receivables.uphold_dispute(
            tx,
            segment=segment,
            invoice_no=invoice_no,
            dispute_id=dispute_id,
            credit_note_no=body.credit_note_no,
            note=body.note,
        )
    return dispute_out(ended)


@router.get(
    "/invoices/{invoice_no}/disputes/{dispute_id}",
    summary="A dispute",
    dependencies=[requires(*READING)],
    responses=problems(404),
)
async def get_dispute(
    tx: Tx, caller: Caller, invoice_no: PathReference, dispute_id: UUID, segment: SegmentName = "main"
) -> DisputeOut:
    """As it stands: open, or how it ended."""
    found = await receivables.dispute(tx, segment=caller.confine(segment), invoice_no=invoice_no, dispute_id=dispute_id)
    return dispute_out(found)


@router.get(
    "/disputes", summary="Disputes, the last opened first", dependencies=[requires(*READING)], responses=problems(404)
)
async def list_disputes(
    tx: Tx,
    caller: Caller,
    page: PageQuery,
    segment: SegmentName = "main",
    customer_id: Annotated[Reference | None, Query(description="Only this customer's")] = None,
    state: Annotated[DisputeState | None, Query(description="Only those in this state")] = None,
) -> Page[DisputeOut]:
    """Disputes of a segment."""
    found = await receivables.list_disputes(
        tx, segment=caller.confine(segment), page=page, customer_id=customer_id, state=state
    )
    return Page(items=[dispute_out(dispute) for dispute in found.rows], next_cursor=found.next_cursor)
