"""Credit reports over HTTP."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from fastapi import APIRouter, Response

from app.domains.credit_data import service as credit_data
from app.domains.credit_data.core.records import Kind
from app.domains.credit_data.routes.parts import PREFIX, READING, TAGS, WRITING, AsOf, filed, known, page_of
from app.domains.credit_data.schemas.reports import ReportIn, ReportOut, report_out
from app.infra.http.etag import IfMatch, check_if_match
from app.infra.http.fields import PathReference
from app.infra.http.paging import Page, PageQuery
from app.infra.http.problem import problems
from app.support.auth.dependencies import Tx, requires
from app.support.idempotency.routing import IdempotentRoute

router = APIRouter(prefix=f"{PREFIX}/credit-reports", tags=[*TAGS], route_class=IdempotentRoute)


@router.post(
    "",
    summary="Enter an agency's report",
    status_code=201,
    dependencies=[requires(*WRITING)],
    responses={200: {"model": ReportOut, "description": "Entered before"}, **problems(404, 409)},
)
async def post_report(tx: Tx, customer_id: PathReference, body: ReportIn, response: Response) -> ReportOut:
    """The same reference of the agency with the same contents answers 200 with what there is."""
    filing = await credit_data.enter_report(tx, customer_id=customer_id, report=body.report())
    return filed(response, filing, report_out)


@router.get(
    "",
    summary="A customer's credit reports, the last entered first",
    dependencies=[requires(*READING)],
    responses=problems(404),
)
async def list_reports(tx: Tx, customer_id: PathReference, page: PageQuery, as_of: AsOf = None) -> Page[ReportOut]:
    """Of all agencies, each with its score on its own scale and normalised."""
    found = await credit_data.list_records(tx, customer_id=customer_id, kind=Kind.REPORT, page=page, known_at=as_of)
    return page_of(found, report_out)


@router.get("/{id:uuid}", summary="One credit report", dependencies=[requires(*READING)], responses=problems(404))
async def get_report(tx: Tx, customer_id: PathReference, id: UUID, response: Response, as_of: AsOf = None) -> ReportOut:
    """As it was known at an instant, or last."""
    record = await credit_data.find_record(tx, customer_id=customer_id, kind=Kind.REPORT, record_id=id, known_at=as_of)
    return known(response, record, report_out)


@router.put(
    "/{id:uuid}",
    summary="Correct a credit report",
    dependencies=[requires(*WRITING)],
    responses=problems(404, 409, 412),
)
async def put_report(
    tx: Tx, customer_id: PathReference, id: UUID, body: ReportIn, response: Response, if_match: IfMatch = None
) -> ReportOut:
    """A correction is a new version; agency and reference stay. The same again changes nothing."""
    filing = await credit_data.correct_report(
        tx,
        customer_id=customer_id,
        record_id=id,
        report=body.report(),
        precondition=partial(check_if_match, if_match),
    )
    return filed(response, filing, report_out)
