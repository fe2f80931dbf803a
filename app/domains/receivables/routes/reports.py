"""Aging and the statement of account over HTTP."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Header, Query, Response

from app.domains.receivables import service as receivables
from app.domains.receivables.core.sheets import Sheet
from app.domains.receivables.schemas.reports import (
    AgingOut,
    OpenItemsOut,
    StatementOut,
    aging_out,
    open_items_out,
    statement_out,
)
from app.infra.http.fields import BusinessDay, PathReference, SegmentName
from app.infra.http.problem import problems
from app.infra.transaction import Transaction
from app.support.auth.core.scopes import Scope
from app.support.auth.dependencies import Caller, Tx, requires
from app.support.idempotency.routing import IdempotentRoute

router = APIRouter(prefix="/v1/customers/{customer_id}", tags=["receivables"], route_class=IdempotentRoute)

JSON: Final = "application/json"
CSV: Final = "text/csv"
PDF: Final = "application/pdf"
FORMATS: Final = {CSV: {"schema": {"type": "string"}}, PDF: {"schema": {"type": "string", "format": "binary"}}}

Accept = Annotated[str, Header(max_length=500, description="`text/csv`, `application/pdf`, or JSON")]

READING = (Scope.RECEIVABLES_WRITE, Scope.REPORTS_READ)


@router.get(
    "/aging",
    summary="What a customer owes, by how long it is due",
    dependencies=[requires(*READING)],
    responses=problems(404),
)
async def get_aging(
    tx: Tx,
    caller: Caller,
    customer_id: PathReference,
    segment: SegmentName = "main",
    on: Annotated[BusinessDay | None, Query(description="By the days of documents; default: today")] = None,
) -> AgingOut:
    """In account currency. A past day is answered as its documents say, as they are known now."""
    aging = await receivables.aging(tx, customer_id=customer_id, segment=caller.confine(segment), on=on)
    return aging_out(aging)


@router.get(
    "/statement",
    summary="A customer's statement of account",
    dependencies=[requires(*READING)],
    response_model=StatementOut,
    responses={200: {"content": FORMATS}, **problems(404, 503)},
)
async def get_statement(
    tx: Tx,
    caller: Caller,
    customer_id: PathReference,
    segment: SegmentName = "main",
    since: Annotated[BusinessDay | None, Query(alias="from", description="Default: the first of the month")] = None,
    until: Annotated[BusinessDay | None, Query(alias="to", description="Default: today")] = None,
    accept: Accept = JSON,
) -> StatementOut | Response:
    """Opening balance, movements, closing balance, by the days of documents as they are known now; at most 5,000
    movements, 50,000 in CSV."""
    caller.confine(segment)
    if PDF in accept or CSV in accept:
        sheet = await receivables.statement_sheet(
            tx, customer_id=customer_id, segment=segment, since=since, until=until, most=_most(accept)
        )
        return await _sheet(tx, sheet, accept)
    statement = await receivables.statement(tx, customer_id=customer_id, segment=segment, since=since, until=until)
    return statement_out(statement)


@router.get(
    "/open-items",
    summary="What a customer has to pay, item by item",
    dependencies=[requires(*READING)],
    response_model=OpenItemsOut,
    responses={200: {"content": FORMATS}, **problems(404, 503)},
)
async def get_open_items(
    tx: Tx, caller: Caller, customer_id: PathReference, segment: SegmentName = "main", accept: Accept = JSON
) -> OpenItemsOut | Response:
    """Open invoices and debit notes, each instalment on a line of its own, by due day; at most 5,000 lines, 50,000 in
    CSV."""
    caller.confine(segment)
    if PDF in accept or CSV in accept:
        sheet = await receivables.open_items_sheet(tx, customer_id=customer_id, segment=segment, most=_most(accept))
        return await _sheet(tx, sheet, accept)
    return open_items_out(await receivables.open_items(tx, customer_id=customer_id, segment=segment))


def _most(accept: str) -> int:
    """How many lines a sheet may have in the format that the caller takes."""
    return receivables.LINES_MAX if PDF in accept else receivables.TABLE_LINES_MAX


async def _sheet(tx: Transaction, sheet: Sheet, accept: str) -> Response:
    """The sheet as PDF or CSV, by what the caller takes."""
    varies = {"Vary": "Accept"}
    if PDF in accept:
        return Response(await receivables.pdf(tx, sheet=sheet), media_type=PDF, headers=varies)
    return Response(sheet.csv, media_type=f"{CSV}; charset=utf-8", headers=varies)
