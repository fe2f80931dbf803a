"""Orders of reports over HTTP."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter

from app.domains.credit_data import service as credit_data
from app.domains.credit_data.dependencies import Agency
from app.domains.credit_data.routes.parts import PREFIX, READING, TAGS, WRITING
from app.domains.credit_data.schemas.orders import OrderIn, OrderOut, order_out
from app.infra.http.fields import PathReference, SegmentName
from app.infra.http.paging import Page, PageQuery
from app.infra.http.problem import problems
from app.support.auth.dependencies import Caller, Tx, requires
from app.support.idempotency.routing import IdempotentRoute

router = APIRouter(prefix=PREFIX, tags=[*TAGS], route_class=IdempotentRoute)


@router.post(
    "/credit-reports/fetch",
    summary="Order a report from the agency that is connected",
    status_code=202,
    dependencies=[requires(*WRITING)],
    responses=problems(404, 409),
)
async def fetch_report(tx: Tx, caller: Caller, agency: Agency, customer_id: PathReference, body: OrderIn) -> OrderOut:
    """A job asks the agency within a minute and files what it reports. An order that is waiting is not given twice, and
    none while the last report is younger than the policy says."""
    ordered = await credit_data.order_report(
        tx, customer_id=customer_id, segment=caller.confine(body.segment), agency=agency
    )
    return order_out(ordered.order)


@router.get(
    "/report-orders",
    summary="The reports that were ordered on a customer, the last first",
    dependencies=[requires(*READING)],
    responses=problems(404),
)
async def list_report_orders(
    tx: Tx, caller: Caller, customer_id: PathReference, page: PageQuery, segment: SegmentName = "main"
) -> Page[OrderOut]:
    """Under a segment's policy."""
    found = await credit_data.list_report_orders(
        tx, customer_id=customer_id, segment=caller.confine(segment), page=page
    )
    return Page(items=[order_out(order) for order in found.rows], next_cursor=found.next_cursor)


@router.get(
    "/report-orders/{id}",
    summary="One order of a report",
    dependencies=[requires(*READING)],
    responses=problems(404),
)
async def get_report_order(tx: Tx, caller: Caller, customer_id: PathReference, id: UUID) -> OrderOut:
    """How far it is, and what went wrong."""
    order = await credit_data.report_order(tx, customer_id=customer_id, order_id=id)
    caller.confine(order.segment)
    return order_out(order)
