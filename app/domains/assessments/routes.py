"""Assessments over HTTP: of one customer, of a portfolio, looked up and replayed."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Header, Query

from app.domains.assessments import service as assessments
from app.domains.assessments.core.facts import as_document
from app.domains.assessments.core.words import language_of
from app.domains.assessments.schemas import (
    AssessIn,
    AssessmentOut,
    AssessmentReplayOut,
    RunIn,
    RunOut,
    assessment_out,
    replay_out,
    run_out,
)
from app.domains.policies.core.segments import MAIN
from app.infra.http.fields import PathReference, SegmentName
from app.infra.http.paging import Page, PageQuery
from app.infra.http.problem import problems
from app.support.auth.core.principals import Principal
from app.support.auth.core.scopes import Scope
from app.support.auth.dependencies import Caller, Tx, requires
from app.support.idempotency.routing import IdempotentRoute

router: Final = APIRouter(tags=["assessments"], route_class=IdempotentRoute)

READING: Final = (Scope.ASSESSMENTS_WRITE, Scope.LIMITS_APPROVE, Scope.LIMITS_REQUEST, Scope.REPORTS_READ)
_READ: Final = requires(*READING)
_WRITE: Final = requires(Scope.ASSESSMENTS_WRITE)

AcceptLanguage = Annotated[
    str | None, Header(alias="Accept-Language", description="en or zh: the language of reasons", max_length=200)
]


@router.post(
    "/v1/customers/{customer_id}/assessments",
    summary="Assess a customer",
    status_code=201,
    dependencies=[_WRITE],
    responses=problems(404, 409, 503),
)
async def assess_customer(
    tx: Tx,
    caller: Caller,
    customer_id: PathReference,
    body: AssessIn | None = None,
    accept_language: AcceptLanguage = None,
) -> AssessmentOut:
    """From what is known now, under the policy in force. The account, if there is one, has the new grade at once."""
    segment = caller.confine((body or AssessIn()).segment)
    found = await assessments.assess(tx, customer_id=customer_id, segment=segment)
    return assessment_out(found, language_of(accept_language), await assessments.questions_of(tx, assessment=found))


@router.get(
    "/v1/customers/{customer_id}/assessments",
    summary="The assessments of a customer, the latest first",
    dependencies=[_READ],
    responses=problems(404),
)
async def list_assessments(
    tx: Tx,
    caller: Caller,
    customer_id: PathReference,
    page: PageQuery,
    segment: Annotated[SegmentName | None, Query(description="Only in this segment")] = None,
    accept_language: AcceptLanguage = None,
) -> Page[AssessmentOut]:
    """Those that the caller may see."""
    segments = caller.segments if segment is None else [caller.confine(segment)]
    found = await assessments.list_assessments(tx, customer_id=customer_id, page=page, segments=segments)
    language = language_of(accept_language)
    return Page(
        items=[
            assessment_out(each, language, await assessments.questions_of(tx, assessment=each)) for each in found.rows
        ],
        next_cursor=found.next_cursor,
    )


@router.post(
    "/v1/assessments/batch",
    summary="Assess a portfolio",
    status_code=202,
    dependencies=[_WRITE],
    responses=problems(404),
)
async def start_assessment_run(tx: Tx, caller: Caller, body: RunIn) -> RunOut:
    """Begins a job, and answers at once with its id: the accounts of a segment or all, of everybody or of those named,
    all of them or the stale ones."""
    segment = body.segment or _only_segment(caller)
    named = None if body.items is None else [item.customer_id for item in body.items]
    run = await assessments.start_run(
        tx,
        segment=None if segment is None else caller.confine(segment),
        stale_only=body.stale,
        customers_named=named,
    )
    return run_out(run)


@router.get(
    "/v1/assessments/batch",
    summary="Runs over a portfolio, the latest first",
    dependencies=[_READ],
    responses=problems(401),
)
async def list_assessment_runs(tx: Tx, caller: Caller, page: PageQuery) -> Page[RunOut]:
    """Running and done."""
    found = await assessments.list_runs(tx, page=page, segments=caller.segments)
    return Page(items=[run_out(run) for run in found.rows], next_cursor=found.next_cursor)


@router.get(
    "/v1/assessments/batch/{run_id}",
    summary="How far a run is",
    dependencies=[_READ],
    responses=problems(404),
)
async def get_assessment_run(tx: Tx, caller: Caller, run_id: UUID) -> RunOut:
    """Its counts grow account by account."""
    return run_out(await assessments.run(tx, run_id=run_id, segments=caller.segments))


@router.get(
    "/v1/assessments/{assessment_id}",
    summary="One assessment",
    dependencies=[_READ],
    responses=problems(404),
)
async def get_assessment(
    tx: Tx, caller: Caller, assessment_id: UUID, accept_language: AcceptLanguage = None
) -> AssessmentOut:
    """As it was found; only its words are of today."""
    found = await assessments.find(tx, assessment_id=assessment_id, segments=caller.segments)
    return assessment_out(found, language_of(accept_language), await assessments.questions_of(tx, assessment=found))


@router.get(
    "/v1/assessments/{assessment_id}/replay",
    summary="Decide a stored assessment again",
    dependencies=[_READ],
    responses=problems(404, 409),
)
async def replay_assessment(tx: Tx, caller: Caller, assessment_id: UUID) -> AssessmentReplayOut:
    """From its stored facts, under the policy that it was made under."""
    found = await assessments.find(tx, assessment_id=assessment_id, segments=caller.segments)
    return replay_out(found.id, as_document(found.facts), await assessments.replay(tx, assessment=found))


def _only_segment(caller: Principal) -> str | None:
    """Every segment (null) for whoever is not confined; else the first of those that the caller may see."""
    return None if caller.segments is None else min(caller.segments, default=MAIN)
