"""Covers and answers over HTTP: what is filed for a customer in one segment."""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter, Response

from app.domains.credit_data import service as credit_data
from app.domains.credit_data.core.records import Key, Kind
from app.domains.credit_data.routes.parts import PREFIX, READING, TAGS, WRITING, AsOf, filed, known, page_of
from app.domains.credit_data.schemas.covers import (
    AnswerIn,
    AnswerOut,
    AnswersIn,
    AnswersOut,
    CoverIn,
    CoverOut,
    answer_out,
    cover_out,
)
from app.infra.http.etag import IfMatch, check_if_match
from app.infra.http.fields import PathReference, SegmentName
from app.infra.http.paging import Page, PageQuery
from app.infra.http.problem import problems
from app.support.auth.dependencies import Caller, Tx, requires
from app.support.idempotency.routing import IdempotentRoute

router = APIRouter(prefix=PREFIX, tags=[*TAGS], route_class=IdempotentRoute)


@router.put(
    "/covers/{cover_ref}",
    summary="Enter or change a cover",
    dependencies=[requires(*WRITING)],
    responses={201: {"model": CoverOut, "description": "Entered"}, **problems(404, 412, 503)},
)
async def put_cover(
    tx: Tx,
    caller: Caller,
    customer_id: PathReference,
    cover_ref: PathReference,
    body: CoverIn,
    response: Response,
    if_match: IfMatch = None,
) -> CoverOut:
    """What covers the account follows at once. A change is a new version; the same again changes nothing.

    A cover in another currency than the account needs an exchange rate.
    """
    filing = await credit_data.put_cover(
        tx,
        customer_id=customer_id,
        segment=caller.confine(body.segment),
        cover_ref=cover_ref,
        cover=body.cover(),
        precondition=partial(check_if_match, if_match),
    )
    return filed(response, filing, cover_out)


@router.get(
    "/covers",
    summary="A customer's covers in a segment, the last changed first",
    dependencies=[requires(*READING)],
    responses=problems(404),
)
async def list_covers(
    tx: Tx,
    caller: Caller,
    customer_id: PathReference,
    page: PageQuery,
    segment: SegmentName = "main",
    as_of: AsOf = None,
) -> Page[CoverOut]:
    """Those too that do not cover anything yet or any more."""
    found = await credit_data.list_records(
        tx, customer_id=customer_id, kind=Kind.COVER, page=page, segment=caller.confine(segment), known_at=as_of
    )
    return page_of(found, cover_out)


@router.get("/covers/{cover_ref}", summary="One cover", dependencies=[requires(*READING)], responses=problems(404))
async def get_cover(
    tx: Tx,
    caller: Caller,
    customer_id: PathReference,
    cover_ref: PathReference,
    response: Response,
    segment: SegmentName = "main",
    as_of: AsOf = None,
) -> CoverOut:
    """As it was known at an instant, or last."""
    key = Key(customer_id, Kind.COVER, cover_ref, caller.confine(segment))
    record = await credit_data.record(tx, key=key, known_at=as_of)
    return known(response, record, cover_out)


@router.put(
    "/questionnaire-answers",
    summary="Answer questions of the policy",
    dependencies=[requires(*WRITING)],
    responses=problems(404, 409),
)
async def put_answers(tx: Tx, caller: Caller, customer_id: PathReference, body: AnswersIn) -> AnswersOut:
    """The questions are those of the policy in effect for the customer; answers to others stay as they are."""
    filings = await credit_data.answer_questions(
        tx,
        customer_id=customer_id,
        segment=caller.confine(body.segment),
        answers=body.answers,
        answered_on=body.answered_on,
        source=body.source,
        self_declared=body.self_declared,
        note=body.note,
    )
    return AnswersOut(items=[answer_out(filing.record) for filing in filings])


@router.put(
    "/questionnaire-answers/{item}",
    summary="Answer one question of the policy",
    dependencies=[requires(*WRITING)],
    responses={201: {"model": AnswerOut, "description": "Answered for the first time"}, **problems(404, 409)},
)
async def put_answer(
    tx: Tx, caller: Caller, customer_id: PathReference, item: PathReference, body: AnswerIn, response: Response
) -> AnswerOut:
    """The question is one of the policy in effect for the customer."""
    [filing] = await credit_data.answer_questions(
        tx,
        customer_id=customer_id,
        segment=caller.confine(body.segment),
        answers={item: body.answer},
        answered_on=body.answered_on,
        source=body.source,
        self_declared=body.self_declared,
        note=body.note,
        at="/path",
    )
    return filed(response, filing, answer_out)


@router.get(
    "/questionnaire-answers",
    summary="A customer's answers in a segment, the last given first",
    dependencies=[requires(*READING)],
    responses=problems(404),
)
async def list_answers(
    tx: Tx,
    caller: Caller,
    customer_id: PathReference,
    page: PageQuery,
    segment: SegmentName = "main",
    as_of: AsOf = None,
) -> Page[AnswerOut]:
    """Answers to questions that the policy does not ask any more, too."""
    found = await credit_data.list_records(
        tx, customer_id=customer_id, kind=Kind.ANSWER, page=page, segment=caller.confine(segment), known_at=as_of
    )
    return page_of(found, answer_out)
