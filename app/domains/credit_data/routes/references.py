"""Trade references over HTTP."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from fastapi import APIRouter, Response

from app.domains.credit_data import service as credit_data
from app.domains.credit_data.core.records import Kind
from app.domains.credit_data.routes.parts import PREFIX, READING, TAGS, WRITING, AsOf, filed, known, page_of
from app.domains.credit_data.schemas.reports import TradeReferenceIn, TradeReferenceOut, reference_out
from app.infra.http.etag import IfMatch, check_if_match
from app.infra.http.fields import PathReference
from app.infra.http.paging import Page, PageQuery
from app.infra.http.problem import problems
from app.support.auth.dependencies import Tx, requires
from app.support.idempotency.routing import IdempotentRoute

router = APIRouter(prefix=f"{PREFIX}/trade-references", tags=[*TAGS], route_class=IdempotentRoute)


@router.post(
    "", summary="Enter a trade reference", status_code=201, dependencies=[requires(*WRITING)], responses=problems(404)
)
async def post_reference(
    tx: Tx, customer_id: PathReference, body: TradeReferenceIn, response: Response
) -> TradeReferenceOut:
    """What another supplier says of its business with the customer."""
    filing = await credit_data.enter_reference(tx, customer_id=customer_id, reference=body.reference())
    return filed(response, filing, reference_out)


@router.get(
    "",
    summary="A customer's trade references, the last entered first",
    dependencies=[requires(*READING)],
    responses=problems(404),
)
async def list_references(
    tx: Tx, customer_id: PathReference, page: PageQuery, as_of: AsOf = None
) -> Page[TradeReferenceOut]:
    """As they were known at an instant, or last."""
    found = await credit_data.list_records(tx, customer_id=customer_id, kind=Kind.REFERENCE, page=page, known_at=as_of)
    return page_of(found, reference_out)


@router.get(
    "/{id}", summary="One of a customer's trade references", dependencies=[requires(*READING)], responses=problems(404)
)
async def get_reference(
    tx: Tx, customer_id: PathReference, id: UUID, response: Response, as_of: AsOf = None
) -> TradeReferenceOut:
    """As it was known at an instant, or last."""
    record = await credit_data.find_record(
        tx, customer_id=customer_id, kind=Kind.REFERENCE, record_id=id, known_at=as_of
    )
    return known(response, record, reference_out)


@router.put(
    "/{id}", summary="Correct a trade reference", dependencies=[requires(*WRITING)], responses=problems(404, 412)
)
async def put_reference(
    tx: Tx, customer_id: PathReference, id: UUID, body: TradeReferenceIn, response: Response, if_match: IfMatch = None
) -> TradeReferenceOut:
    """A correction is a new version. The same again changes nothing."""
    filing = await credit_data.correct_reference(
        tx,
        customer_id=customer_id,
        record_id=id,
        reference=body.reference(),
        precondition=partial(check_if_match, if_match),
    )
    return filed(response, filing, reference_out)
