"""Limit requests, deputies, reviews of accounts, and the history of limits over HTTP."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query

from app.domains.exposure import service as exposure
from app.domains.limits import service as limits
from app.domains.limits.core.requests import RequestStatus
from app.domains.limits.schemas import (
    AcceptanceIn,
    AccountReviewIn,
    AccountReviewOut,
    ApprovalIn,
    DeputyIn,
    DeputyOut,
    JudgementReplayOut,
    LimitRequestIn,
    LimitRequestOut,
    NoteIn,
    SetLimitOut,
    deputy_out,
    replay_out,
    request_out,
    review_out,
    set_limit_out,
)
from app.infra.http.fields import BusinessDay, PathReference, Reference, SegmentName, Timestamp
from app.infra.http.paging import Page, PageQuery
from app.infra.http.problem import problems
from app.support.auth.core.principals import Principal
from app.support.auth.core.scopes import Scope
from app.support.auth.dependencies import Caller, Tx, requires
from app.support.idempotency.routing import IdempotentRoute

router: Final = APIRouter(prefix="/v1/limit-requests", tags=["limits"], route_class=IdempotentRoute)
deputies_router: Final = APIRouter(prefix="/v1/deputies", tags=["limits"], route_class=IdempotentRoute)
reviews_router: Final = APIRouter(prefix="/v1/reviews", tags=["limits"], route_class=IdempotentRoute)
history_router: Final = APIRouter(tags=["limits"], route_class=IdempotentRoute)

REQUEST: Final = "/{request_id}"
READING: Final = (Scope.LIMITS_REQUEST, Scope.LIMITS_APPROVE, Scope.LIMITS_SET, Scope.REPORTS_READ)
LIMIT_READING: Final = (Scope.CUSTOMERS_READ, *READING)
REVIEWING: Final = (Scope.ASSESSMENTS_WRITE, Scope.LIMITS_APPROVE)

InSegment = Annotated[SegmentName | None, Query(description="Only of this segment")]
OfCustomer = Annotated[Reference | None, Query(description="Only this customer's")]

# ---- requests ----------------------------------------------------------------------------------------------


@router.post(
    "",
    summary="Ask for a limit",
    status_code=201,
    dependencies=[requires(Scope.LIMITS_REQUEST)],
    responses=problems(404, 409, 422, 503),
)
async def request_limit(tx: Tx, caller: Caller, body: LimitRequestIn) -> LimitRequestOut:
    """Judged at once: granted, declined, or up to people, perhaps with an offer that can be accepted meanwhile."""
    caller.confine(body.segment)
    return request_out(await limits.request_limit(tx, ask=body.ask(), requester=caller.id))


@router.get("", summary="Limit requests, the latest first", dependencies=[requires(*READING)], responses=problems(404))
async def list_limit_requests(
    tx: Tx,
    caller: Caller,
    page: PageQuery,
    segment: InSegment = None,
    customer_id: OfCustomer = None,
    status: Annotated[RequestStatus | None, Query(description="Only those that stand there")] = None,
    mine: Annotated[bool, Query(description="Only those that wait for a decision the caller may take")] = False,
    overdue: Annotated[bool, Query(description="Only those that everybody has let their time pass on")] = False,
) -> Page[LimitRequestOut]:
    """In the order in which they were made. `status=pending&mine=true` is an approver's inbox."""
    wanted = limits.RequestFilter(
        segments=_segments(caller, segment),
        customer_id=customer_id,
        status=RequestStatus.PENDING if mine and status is None else status,
        turns=await limits.turns_of(tx, caller=caller, segments=_segments(caller, segment)) if mine else None,
        overdue=overdue,
    )
    found = await limits.list_requests(tx, page=page, wanted=wanted)
    return Page(items=[request_out(request) for request in found.rows], next_cursor=found.next_cursor)


@router.get(REQUEST, summary="One limit request", dependencies=[requires(*READING)], responses=problems(404))
async def get_limit_request(tx: Tx, caller: Caller, request_id: UUID) -> LimitRequestOut:
    """What is asked, who has decided what, and who is to decide now."""
    return request_out(await limits.find(tx, request_id=request_id, caller=caller))


@router.get(
    f"{REQUEST}/replay",
    summary="Judge a limit request again from its stored facts",
    dependencies=[requires(*READING)],
    responses=problems(404),
)
async def replay_limit_request(tx: Tx, caller: Caller, request_id: UUID) -> JudgementReplayOut:
    """Under the policy that judged it. The same facts give the identical judgement, years later."""
    request = await limits.find(tx, request_id=request_id, caller=caller)
    return replay_out(await limits.replay(tx, request=request))


@router.post(
    f"{REQUEST}/approve",
    summary="Approve a step of a limit request",
    dependencies=[requires(Scope.LIMITS_APPROVE)],
    responses=problems(404, 409, 503),
)
async def approve_limit_request(tx: Tx, caller: Caller, request_id: UUID, body: ApprovalIn) -> LimitRequestOut:
    """Of all that is asked for, or of less. Refused to services, to whoever asked, to whoever has decided a step of it
    before, and beyond the caller's authority; each refusal is journalled. After the last step the limit is in force."""
    request = await limits.approve(
        tx,
        request_id=request_id,
        caller=caller,
        note=body.note,
        amount=body.amount,
        acknowledge_overdrawn=body.acknowledge_overdrawn,
    )
    return request_out(request)


@router.post(
    f"{REQUEST}/reject",
    summary="Reject a limit request",
    dependencies=[requires(Scope.LIMITS_APPROVE)],
    responses=problems(404, 409),
)
async def reject_limit_request(tx: Tx, caller: Caller, request_id: UUID, body: NoteIn) -> LimitRequestOut:
    """By whoever may decide the step that is due; nobody else is asked."""
    return request_out(await limits.reject(tx, request_id=request_id, caller=caller, note=body.note))


@router.post(
    f"{REQUEST}/cancel",
    summary="Cancel a limit request",
    dependencies=[requires(Scope.LIMITS_REQUEST)],
    responses=problems(404, 409),
)
async def cancel_limit_request(tx: Tx, caller: Caller, request_id: UUID) -> LimitRequestOut:
    """By whoever asked, or on whose behalf it was asked."""
    return request_out(await limits.cancel(tx, request_id=request_id, caller=caller))


@router.post(
    f"{REQUEST}/accept",
    summary="Accept the counter-offer",
    dependencies=[requires(Scope.LIMITS_REQUEST)],
    responses=problems(404, 409, 503),
)
async def accept_counter_offer(tx: Tx, caller: Caller, request_id: UUID, body: AcceptanceIn) -> LimitRequestOut:
    """The amount offered is in force at once; people are not asked for the rest any more."""
    request = await limits.accept(
        tx, request_id=request_id, caller=caller, acknowledge_overdrawn=body.acknowledge_overdrawn
    )
    return request_out(request)


# ---- deputies ----------------------------------------------------------------------------------------------


@deputies_router.post(
    "",
    summary="Appoint a deputy",
    status_code=201,
    dependencies=[requires(Scope.LIMITS_APPROVE)],
    responses=problems(404, 409),
)
async def appoint_deputy(tx: Tx, caller: Caller, body: DeputyIn) -> DeputyOut:
    """The deputy decides on limit requests in their own name, with the roles and authority that the caller has now.

    Their own key needs this scope, too.
    """
    made = await limits.appoint(
        tx,
        caller=caller,
        segment=caller.confine(body.segment),
        deputy=body.deputy,
        valid_from=body.valid_from,
        valid_until=body.valid_until,
        reason=body.reason,
    )
    return deputy_out(made)


@deputies_router.get(
    "", summary="Deputies, the last appointed first", dependencies=[requires(*READING)], responses=problems(404)
)
async def list_deputies(tx: Tx, caller: Caller, page: PageQuery, segment: InSegment = None) -> Page[DeputyOut]:
    """Those whose time is over included."""
    found = await limits.list_deputies(tx, page=page, segments=_segments(caller, segment))
    return Page(items=[deputy_out(each) for each in found.rows], next_cursor=found.next_cursor)


@deputies_router.post(
    "/{deputy_id}/end",
    summary="End a deputyship",
    dependencies=[requires(Scope.LIMITS_APPROVE)],
    responses=problems(404, 409),
)
async def end_deputyship(tx: Tx, caller: Caller, deputy_id: UUID) -> DeputyOut:
    """By the deputy, or by whom they stand in for. What was decided stays."""
    return deputy_out(await limits.dismiss(tx, deputy_id=deputy_id, caller=caller))


# ---- reviews -----------------------------------------------------------------------------------------------


@reviews_router.get(
    "",
    summary="Reviews of accounts by their day",
    dependencies=[requires(*REVIEWING, Scope.REPORTS_READ)],
    responses=problems(404),
)
async def list_account_reviews(
    tx: Tx,
    caller: Caller,
    page: PageQuery,
    segment: InSegment = None,
    customer_id: OfCustomer = None,
    due_before: Annotated[BusinessDay | None, Query(description="Only those due before this day")] = None,
    completed: Annotated[bool, Query(description="Those that were completed")] = False,
) -> Page[AccountReviewOut]:
    """The last day first, unless `order=asc`. Each account is reviewed on a day that its grade gives."""
    wanted = limits.ReviewFilter(_segments(caller, segment), customer_id, due_before, completed)
    found = await limits.list_reviews(tx, page=page, wanted=wanted)
    return Page(items=[review_out(review) for review in found.rows], next_cursor=found.next_cursor)


@reviews_router.post(
    "/{review_id}/complete",
    summary="Complete the review of an account",
    dependencies=[requires(*REVIEWING)],
    responses=problems(404, 409),
)
async def complete_account_review(tx: Tx, caller: Caller, review_id: UUID, body: AccountReviewIn) -> AccountReviewOut:
    """By a person, resting on a recent assessment. The next review is scheduled by its grade."""
    review = await limits.complete_review(
        tx,
        review_id=review_id,
        caller=caller,
        assessment_id=body.assessment_id,
        outcome=body.outcome,
        note=body.note,
    )
    return review_out(review)


# ---- the history of limits ---------------------------------------------------------------------------------


@history_router.get(
    "/v1/customers/{customer_id}/accounts/{segment}/limits",
    summary="Every decision about an account's limits, the latest first",
    dependencies=[requires(*LIMIT_READING)],
    responses=problems(404),
)
async def list_account_limits(
    tx: Tx,
    caller: Caller,
    customer_id: PathReference,
    segment: SegmentName,
    page: PageQuery,
    on: Annotated[BusinessDay | None, Query(description="Only those that hold on this day")] = None,
    as_of: Annotated[Timestamp | None, Query(description="Only those known to hold at this instant")] = None,
) -> Page[SetLimitOut]:
    """Base, temporary and group limits; superseded ones included unless `as_of` is given."""
    found = await exposure.list_limits(
        tx, customer_id=customer_id, segment=caller.confine(segment), page=page, on=on, known_at=as_of
    )
    return Page(items=[set_limit_out(each) for each in found.rows], next_cursor=found.next_cursor)


def _segments(caller: Principal, segment: str | None) -> list[str] | None:
    if segment is not None:
        return [caller.confine(segment)]
    return None if caller.segments is None else sorted(caller.segments)
