"""Reports over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from app.domains.monitoring import service as monitoring
from app.domains.monitoring.core.aging import AgingBy
from app.domains.monitoring.schemas import AgingReportOut, CashForecastOut, aging_report_out, cash_forecast_out
from app.infra.db.paging import DEFAULT_LIMIT, MAX_CURSOR, MAX_LIMIT, PageRequest
from app.infra.http.fields import BusinessDay, CurrencyCode, Reference, SegmentName
from app.infra.http.problem import problems
from app.support.auth.core.scopes import Scope
from app.support.auth.dependencies import Caller, Tx, requires
from app.support.idempotency.routing import IdempotentRoute

router = APIRouter(prefix="/v1/reports", tags=["reports"], route_class=IdempotentRoute)

READING = (Scope.REPORTS_READ,)


@router.get(
    "/aging",
    summary="What is owed by how long it is due, by customer, group or segment",
    dependencies=[requires(*READING)],
    responses=problems(404),
)
async def get_aging_report(
    tx: Tx,
    caller: Caller,
    segment: SegmentName = "main",
    by: Annotated[AgingBy, Query(description="What is summed; each currency apart")] = AgingBy.CUSTOMER,
    on: Annotated[BusinessDay | None, Query(description="A past day as its ledger ended; default: today")] = None,
    customer_id: Annotated[Reference | None, Query(description="One customer, or one group's parent")] = None,
    currency: Annotated[CurrencyCode | None, Query(description="Only accounts in this currency")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Customers or groups per page")] = DEFAULT_LIMIT,
    cursor: Annotated[str | None, Query(max_length=MAX_CURSOR, description="next_cursor of the page before")] = None,
) -> AgingReportOut:
    """In account currency, in the order of customers or groups. Accounts without anything are left out."""
    report = await monitoring.aging_report(
        tx,
        segment=caller.confine(segment),
        by=by,
        page=PageRequest(limit, cursor, None, descending=False),
        on=on,
        customer_id=customer_id,
        currency=currency,
    )
    return aging_report_out(report)


@router.get(
    "/cash-forecast",
    summary="When what is open is expected to be paid, over 13 weeks",
    dependencies=[requires(*READING)],
    responses=problems(404),
)
async def get_cash_forecast(
    tx: Tx,
    caller: Caller,
    segment: SegmentName = "main",
    customer_id: Annotated[Reference | None, Query(description="One customer and all below it")] = None,
    currency: Annotated[CurrencyCode | None, Query(description="Only accounts in this currency")] = None,
) -> CashForecastOut:
    """Due day plus the customer's mean lateness of the last year; drafts on the day they clear."""
    forecast = await monitoring.cash_forecast(
        tx, segment=caller.confine(segment), customer_id=customer_id, currency=currency
    )
    return cash_forecast_out(forecast)
