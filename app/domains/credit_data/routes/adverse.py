"""Adverse events over HTTP."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from fastapi import APIRouter, Response

from app.domains.credit_data import service as credit_data
from app.domains.credit_data.core.records import Kind
from app.domains.credit_data.routes.parts import PREFIX, READING, TAGS, WRITING, AsOf, filed, known, page_of
from app.domains.credit_data.schemas.reports import AdverseEventIn, AdverseEventOut, event_out
from app.infra.http.etag import IfMatch, check_if_match
from app.infra.http.fields import PathReference
from app.infra.http.paging import Page, PageQuery
from app.infra.http.problem import problems
from app.support.auth.dependencies import Tx, requires
from app.support.idempotency.routing import IdempotentRoute

router = APIRouter(prefix=f"{PREFIX}/adverse-events", tags=[*TAGS], route_class=IdempotentRoute)


@router.post(
    "", summary="Enter an adverse event", status_code=201, dependencies=[requires(*WRITING)], responses=problems(404)
)
async def post_adverse_event(
    tx: Tx, customer_id: PathReference, body: AdverseEventIn, response: Response
) -> AdverseEventOut:
    """Insolvency, litigation, enforcement, a dishonoured payment, tax arrears or another: what makes one careful."""
    filing = await credit_data.enter_adverse_event(tx, customer_id=customer_id, event=body.event(), source=body.source)
    return filed(response, filing, event_out)


@router.get(
    "",
    summary="A customer's adverse events, the last entered first",
    dependencies=[requires(*READING)],
    responses=problems(404),
)
async def list_adverse_events(
    tx: Tx, customer_id: PathReference, page: PageQuery, as_of: AsOf = None
) -> Page[AdverseEventOut]:
    """As they were known at an instant, or last."""
    found = await credit_data.list_records(
        tx, customer_id=customer_id, kind=Kind.ADVERSE_EVENT, page=page, known_at=as_of
    )
    return page_of(found, event_out)


@router.get(
    "/{id}", summary="One of a customer's adverse events", dependencies=[requires(*READING)], responses=problems(404)
)
async def get_adverse_event(
    tx: Tx, customer_id: PathReference, id: UUID, response: Response, as_of: AsOf = None
) -> AdverseEventOut:
    """As it was known at an instant, or last."""
    record = await credit_data.find_record(
        tx, customer_id=customer_id, kind=Kind.ADVERSE_EVENT, record_id=id, known_at=as_of
    )
    return known(response, record, event_out)


@router.put(
    "/{id}", summary="Correct an adverse event", dependencies=[requires(*WRITING)], responses=problems(404, 412)
)
async def put_adverse_event(
    tx: Tx, customer_id: PathReference, id: UUID, body: AdverseEventIn, response: Response, if_match: IfMatch = None
) -> AdverseEventOut:
    """A correction is a new version. The same again changes nothing."""
    filing = await credit_data.correct_adverse_event(
        tx,
        customer_id=customer_id,
        record_id=id,
        event=body.event(),
        source=body.source,
        precondition=partial(check_if_match, if_match),
    )
    return filed(response, filing, event_out)
