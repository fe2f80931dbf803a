"""Financial statements over HTTP."""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter, Response

from app.domains.credit_data import service as credit_data
from app.domains.credit_data.core.records import Key, Kind
from app.domains.credit_data.routes.parts import PREFIX, READING, TAGS, WRITING, AsOf, filed, known, page_of
from app.domains.credit_data.schemas.statements import StatementIn, StatementOut, statement_out
from app.infra.http.etag import IfMatch, check_if_match
from app.infra.http.fields import BusinessDay, PathReference
from app.infra.http.paging import Page, PageQuery
from app.infra.http.problem import problems
from app.support.auth.dependencies import Tx, requires
from app.support.idempotency.routing import IdempotentRoute

router = APIRouter(prefix=f"{PREFIX}/financial-statements", tags=[*TAGS], route_class=IdempotentRoute)


@router.put(
    "/{period_end}",
    summary="Enter or correct a financial statement",
    dependencies=[requires(*WRITING)],
    responses={201: {"model": StatementOut, "description": "Entered"}, **problems(404, 412)},
)
async def put_statement(
    tx: Tx,
    customer_id: PathReference,
    period_end: BusinessDay,
    body: StatementIn,
    response: Response,
    if_match: IfMatch = None,
) -> StatementOut:
    """Of the period that ends with this day. A correction is a new version; the same again changes nothing."""
    filing = await credit_data.put_statement(
        tx,
        customer_id=customer_id,
        statement=body.statement(period_end),
        source=body.source,
        precondition=partial(check_if_match, if_match),
    )
    return filed(response, filing, statement_out)


@router.get(
    "",
    summary="A customer's financial statements, the last entered first",
    dependencies=[requires(*READING)],
    responses=problems(404),
)
async def list_statements(
    tx: Tx, customer_id: PathReference, page: PageQuery, as_of: AsOf = None
) -> Page[StatementOut]:
    """Of all periods."""
    found = await credit_data.list_records(tx, customer_id=customer_id, kind=Kind.STATEMENT, page=page, known_at=as_of)
    return page_of(found, statement_out)


@router.get(
    "/{period_end}", summary="One financial statement", dependencies=[requires(*READING)], responses=problems(404)
)
async def get_statement(
    tx: Tx, customer_id: PathReference, period_end: BusinessDay, response: Response, as_of: AsOf = None
) -> StatementOut:
    """Of the period that ends with this day."""
    key = Key(customer_id, Kind.STATEMENT, period_end.isoformat())
    record = await credit_data.record(tx, key=key, known_at=as_of)
    return known(response, record, statement_out)
