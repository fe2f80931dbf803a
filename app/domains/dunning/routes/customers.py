"""How a customer stands with dunning, over HTTP: outlook, promises, stops, claims."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path

from app.domains.dunning import service as dunning
from app.domains.dunning.schemas.customers import (
    ClaimOut,
    OutlookOut,
    PromiseIn,
    PromiseOut,
    StopIn,
    StopOut,
    claim_out,
    outlook_out,
    promise_out,
    stop_out,
)
from app.domains.dunning.schemas.runs import ReasonIn
from app.infra.http.fields import PathReference, SegmentName
from app.infra.http.paging import Page, PageQuery
from app.infra.http.problem import problems
from app.support.auth.core.scopes import Scope
from app.support.auth.dependencies import Caller, Tx, requires
from app.support.idempotency.routing import IdempotentRoute

router = APIRouter(tags=["dunning"], route_class=IdempotentRoute)

WRITING = (Scope.DUNNING_WRITE,)
READING = (Scope.DUNNING_WRITE, Scope.REPORTS_READ, Scope.ORDERS_CHECK)
Id = Annotated[UUID, Path(description="The id")]
CUSTOMER = "/v1/customers/{customer_id}"


@router.get(
    CUSTOMER + "/dunning",
    summary="How a customer stands with dunning",
    dependencies=[requires(*READING)],
    responses=problems(404),
)
async def get_outlook(tx: Tx, caller: Caller, customer_id: PathReference, segment: SegmentName = "main") -> OutlookOut:
    """Level, what is overdue since when, what comes next and when, and why nothing happens when nothing does."""
    found = await dunning.outlook.outlook(tx, customer_id=customer_id, segment=caller.confine(segment))
    return outlook_out(found)


@router.post(
    CUSTOMER + "/promises",
    summary="A customer promises to pay",
    status_code=201,
    dependencies=[requires(*WRITING)],
    responses=problems(404, 409, 503),
)
async def make_promise(tx: Tx, caller: Caller, customer_id: PathReference, body: PromiseIn) -> PromiseOut:
    """Until its day has passed what it is about is not reminded of; payments are counted for it."""
    segment = caller.confine(body.segment)
    promise = await dunning.promises.make(tx, customer_id=customer_id, segment=segment, request=body.request())
    await dunning.standing.bring_in_line(tx, segment=segment, customer_ids=[customer_id])
    return promise_out(promise)


@router.get(
    CUSTOMER + "/promises",
    summary="A customer's promises",
    dependencies=[requires(*READING)],
    responses=problems(404),
)
async def list_promises(
    tx: Tx, caller: Caller, customer_id: PathReference, page: PageQuery, segment: SegmentName = "main"
) -> Page[PromiseOut]:
    """Open, kept, partly kept and broken ones, the last changed first."""
    found = await dunning.promises.list_promises(
        tx, customer_id=customer_id, segment=caller.confine(segment), page=page
    )
    return Page(items=[promise_out(row) for row in found.rows], next_cursor=found.next_cursor)


@router.post(
    "/v1/promises/{promise_id}/withdraw",
    summary="Take a promise back",
    dependencies=[requires(*WRITING)],
    responses=problems(404, 409),
)
async def withdraw_promise(tx: Tx, caller: Caller, promise_id: Id) -> PromiseOut:
    """It was entered by mistake: it puts nothing off any more, and nobody broke it."""
    return promise_out(await dunning.promises.withdraw(tx, promise_id=promise_id, segments=caller.segments))


@router.post(
    CUSTOMER + "/dunning-stops",
    summary="Stop reminding a customer",
    status_code=201,
    dependencies=[requires(*WRITING)],
    responses=problems(404, 409, 503),
)
async def stop_dunning(tx: Tx, caller: Caller, customer_id: PathReference, body: StopIn) -> StopOut:
    """Until a day, of one invoice or of any; a notice that waits is dropped."""
    segment = caller.confine(body.segment)
    return stop_out(await dunning.stops.stop(tx, customer_id=customer_id, segment=segment, request=body.request()))


@router.get(
    CUSTOMER + "/dunning-stops",
    summary="A customer's stops",
    dependencies=[requires(*READING)],
    responses=problems(404),
)
async def list_stops(
    tx: Tx, caller: Caller, customer_id: PathReference, page: PageQuery, segment: SegmentName = "main"
) -> Page[StopOut]:
    """Those that are over included."""
    found = await dunning.stops.list_stops(tx, customer_id=customer_id, segment=caller.confine(segment), page=page)
    return Page(items=[stop_out(row) for row in found.rows], next_cursor=found.next_cursor)


@router.post(
    "/v1/dunning-stops/{stop_id}/lift",
    summary="Lift a stop before its day",
    dependencies=[requires(*WRITING)],
    responses=problems(404, 409),
)
async def lift_stop(tx: Tx, caller: Caller, stop_id: Id, body: ReasonIn) -> StopOut:
    """The next run looks at the customer again."""
    return stop_out(await dunning.stops.lift(tx, stop_id=stop_id, reason=body.reason, segments=caller.segments))


@router.get(
    CUSTOMER + "/dunning-claims",
    summary="A customer's fees and interest",
    dependencies=[requires(*READING)],
    responses=problems(404),
)
async def list_claims(
    tx: Tx, caller: Caller, customer_id: PathReference, page: PageQuery, segment: SegmentName = "main"
) -> Page[ClaimOut]:
    """Each a claim of its own, apart from the items it arose from."""
    found = await dunning.claims.list_claims(tx, customer_id=customer_id, segment=caller.confine(segment), page=page)
    return Page(items=[claim_out(row) for row in found.rows], next_cursor=found.next_cursor)


@router.post(
    "/v1/dunning-claims/{claim_id}/book",
    summary="Book a fee or interest to the account",
    dependencies=[requires(*WRITING)],
    responses=problems(404, 409, 503),
)
async def book_claim(tx: Tx, caller: Caller, claim_id: Id) -> ClaimOut:
    """It becomes a debit note: it counts as exposure, and payments can settle it."""
    return claim_out(await dunning.claims.book(tx, claim_id=claim_id, segments=caller.segments))


@router.post(
    "/v1/dunning-claims/{claim_id}/waive",
    summary="Waive a fee or interest",
    dependencies=[requires(*WRITING)],
    responses=problems(404, 409, 503),
)
async def waive_claim(tx: Tx, caller: Caller, claim_id: Id, body: ReasonIn) -> ClaimOut:
    """By a person, up to their authority. What is open of a booked one is credited."""
    return claim_out(
        await dunning.claims.waive(
            tx,
            claim_id=claim_id,
            reason=body.reason,
            authority=caller.authority,
            is_administrator=caller.may(Scope.ADMIN),
            segments=caller.segments,
        )
    )
