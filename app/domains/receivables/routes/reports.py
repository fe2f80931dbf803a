"""Aging and the statement of account over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from app.domains.receivables import service as receivables
from app.domains.receivables.schemas.reports import AgingOut, StatementOut, aging_out, statement_out
from app.infra.http.fields import BusinessDay, PathReference, SegmentName
from app.infra.http.problem import problems
from app.support.auth.core.scopes import Scope
from app.support.auth.dependencies import Caller, Tx, requires
from app.support.idempotency.routing import IdempotentRoute

router = APIRouter(prefix="/v1/customers/{customer_id}", tags=["receivables"], route_class=IdempotentRoute)

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
    responses=problems(404),
)
async def get_statement(
    tx: Tx,
    caller: Caller,
    customer_id: PathReference,
    segment: SegmentName = "main",
    since: Annotated[BusinessDay | None, Query(alias="from", description="Default: the first of the month")] = None,
    until: Annotated[BusinessDay | None, Query(alias="to", description="Default: today")] = None,
) -> StatementOut:
    """Opening balance, movements, closing balance, by the days of documents as they are known now."""
    statement = await receivables.statement(
        tx, customer_id=customer_id, segment=caller.confine(segment), since=since, until=until
    )
    return statement_out(statement)
