"""Invoices, debit notes and credit notes over HTTP."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import ValidationError

from app.domains.receivables import service as receivables
from app.domains.receivables.core.items import ItemStatus
from app.domains.receivables.core.requests import InvoiceRequest
from app.domains.receivables.schemas.answers import InvoiceOut, RefundOut, invoice_out, refund_out
from app.domains.receivables.schemas.changes import PlanIn, RefundIn
from app.domains.receivables.schemas.documents import CreditNoteAllocationIn, InvoiceIn, ReasonIn
from app.infra.http.batches import BatchIn, BatchOut, batch_response, item_problem
from app.infra.http.fields import PathReference, Reference, SegmentName
from app.infra.http.paging import Page, PageQuery
from app.infra.http.problem import problems
from app.kernel.errors import Refusal
from app.support.auth.core.principals import Principal
from app.support.auth.core.scopes import Scope
from app.support.auth.dependencies import Caller, Tx, requires
from app.support.idempotency.routing import IdempotentRoute

router = APIRouter(prefix="/v1/invoices", tags=["invoices"], route_class=IdempotentRoute)

WRITING = (Scope.RECEIVABLES_WRITE,)
READING = (Scope.RECEIVABLES_WRITE, Scope.REPORTS_READ)


@router.post(
    "",
    summary="Post an invoice, debit note or credit note",
    status_code=201,
    dependencies=[requires(*WRITING)],
    responses={200: {"model": InvoiceOut, "description": "Posted before"}, **problems(404, 409, 503)},
)
async def post_invoice(tx: Tx, caller: Caller, body: InvoiceIn, response: Response) -> InvoiceOut:
    """Bills orders and raises what the customer owes; a credit note settles the invoice it names, or waits to be used.

    The same number with the same contents answers 200 with what there is.
    """
    caller.confine(body.segment)
    [outcome] = await receivables.post_invoices(tx, requests=[body.request()])
    if isinstance(outcome, Refusal):
        raise outcome
    response.status_code = 201 if outcome.created else 200
    return invoice_out(outcome)


@router.post(
    "/batch",
    summary="Post up to 1,000 invoices",
    status_code=207,
    response_model=BatchOut,
    dependencies=[requires(*WRITING)],
    responses=problems(404, 409, 503),
)
async def post_invoice_batch(tx: Tx, caller: Caller, request: Request, body: BatchIn) -> Response:
    """Each item like the single request; they succeed and fail on their own, in order, in one transaction."""
    asked = [_asked(caller, item) for item in body.items]
    posted = await receivables.post_invoices(tx, requests=[ask for ask in asked if isinstance(ask, InvoiceRequest)])
    outcomes = iter(posted)
    return batch_response(
        _rendered(request, next(outcomes) if isinstance(ask, InvoiceRequest) else ask) for ask in asked
    )


@router.get("", summary="Invoices, the last changed first", dependencies=[requires(*READING)], responses=problems(404))
async def list_invoices(
    tx: Tx,
    caller: Caller,
    page: PageQuery,
    segment: SegmentName = "main",
    customer_id: Annotated[Reference | None, Query(description="Only this customer's")] = None,
    status: Annotated[ItemStatus | None, Query(description="Only those in this status")] = None,
    overdue: Annotated[bool | None, Query(description="Only those that are overdue today, or that are not")] = None,
) -> Page[InvoiceOut]:
    """Invoices, debit notes and credit notes of a segment."""
    found = await receivables.list_invoices(
        tx, segment=caller.confine(segment), page=page, customer_id=customer_id, status=status, overdue=overdue
    )
    return Page(items=[invoice_out(view) for view in found.items], next_cursor=found.next_cursor)


@router.get("/{invoice_no}", summary="One invoice", dependencies=[requires(*READING)], responses=problems(404))
async def get_invoice(tx: Tx, caller: Caller, invoice_no: PathReference, segment: SegmentName = "main") -> InvoiceOut:
    """What is open of it, how late it is, and what has settled it."""
    view = await receivables.invoice(tx, segment=caller.confine(segment), invoice_no=invoice_no)
    return invoice_out(view)


@router.post(
    "/{invoice_no}/cancel",
    summary="Cancel an invoice",
    dependencies=[requires(*WRITING)],
    responses=problems(404, 409, 503),
)
async def cancel_invoice(
    tx: Tx, caller: Caller, invoice_no: PathReference, body: ReasonIn, segment: SegmentName = "main"
) -> InvoiceOut:
    """Only while nothing is allocated. Its orders are as before it: what was delivered is delivered again."""
    view = await receivables.cancel_invoice(
        tx, segment=caller.confine(segment), invoice_no=invoice_no, reason=body.reason
    )
    return invoice_out(view)


@router.post(
    "/{invoice_no}/allocate",
    summary="Allocate a credit note",
    dependencies=[requires(*WRITING)],
    responses=problems(404, 409, 503),
)
async def allocate_credit_note(
    tx: Tx, caller: Caller, invoice_no: PathReference, body: CreditNoteAllocationIn, segment: SegmentName = "main"
) -> InvoiceOut:
    """Settles the items named by what is left of the credit note."""
    view = await receivables.allocate_credit_note(
        tx, segment=caller.confine(segment), invoice_no=invoice_no, instruction=body.instruction()
    )
    return invoice_out(view)


@router.post(
    "/{invoice_no}/instalments",
    summary="Pay what is open in instalments",
    dependencies=[requires(*WRITING)],
    responses=problems(404, 409, 503),
)
async def plan_instalments(
    tx: Tx, caller: Caller, invoice_no: PathReference, body: PlanIn, segment: SegmentName = "main"
) -> InvoiceOut:
    """Each part is due on its own day; what settles the invoice fills the oldest part first."""
    view = await receivables.plan_instalments(
        tx, segment=caller.confine(segment), invoice_no=invoice_no, plan=body.plan(), reason=body.reason
    )
    return invoice_out(view)


@router.post(
    "/{invoice_no}/refund",
    summary="Pay out what is left of a credit note",
    status_code=201,
    dependencies=[requires(*WRITING)],
    responses={200: {"model": RefundOut, "description": "Refunded before"}, **problems(404, 409, 503)},
)
async def refund_credit_note(
    tx: Tx,
    caller: Caller,
    invoice_no: PathReference,
    body: RefundIn,
    response: Response,
    segment: SegmentName = "main",
) -> RefundOut:
    """All that is not allocated, or a part of it. The same reference with the same contents answers 200."""
    done = await receivables.refund_credit_note(
        tx, segment=caller.confine(segment), invoice_no=invoice_no, request=body.request()
    )
    response.status_code = 201 if done.created else 200
    return refund_out(done.refund)


def _asked(caller: Principal, item: Any) -> InvoiceRequest | Refusal | ValidationError:
    try:
        body = InvoiceIn.model_validate(item)
        caller.confine(body.segment)
        return body.request()
    except (Refusal, ValidationError) as error:
        return error


def _rendered(request: Request, outcome: receivables.InvoiceView | Refusal | ValidationError) -> tuple[int, bytes]:
    if isinstance(outcome, Refusal | ValidationError):
        return item_problem(request.scope, outcome)
    return 201 if outcome.created else 200, invoice_out(outcome).model_dump_json().encode()
