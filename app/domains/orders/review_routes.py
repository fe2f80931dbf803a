"""Stored credit checks, and the review of referred orders, over HTTP."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Final
from uuid import UUID

import orjson
from fastapi import APIRouter, Query, Response

from app.domains.orders import service as orders
from app.domains.orders.core.decision import Outcome
from app.domains.orders.core.reviews import Review
from app.domains.orders.schemas import (
    HandOnIn,
    NoteIn,
    NoteOut,
    ReasonIn,
    ReleaseIn,
    ReplayOut,
    StoredCheckOut,
    check_document,
    note_out,
    replay_out,
)
from app.infra.http.fields import Reference, SegmentName
from app.infra.http.paging import Page, PageQuery
from app.infra.http.problem import problems
from app.infra.transaction import Transaction
from app.support.auth.core.scopes import Scope
from app.support.auth.dependencies import Caller, Tx, requires
from app.support.idempotency.routing import IdempotentRoute

router: Final = APIRouter(prefix="/v1/credit-checks", tags=["credit checks"], route_class=IdempotentRoute)

CHECK: Final = "/{check_id}"
READING: Final = (Scope.ORDERS_CHECK, Scope.ORDERS_RELEASE, Scope.REPORTS_READ)

OfCustomer = Annotated[Reference | None, Query(description="Only this customer's")]
OfOrder = Annotated[Reference | None, Query(description="Only of this order")]


class Sorting(StrEnum):
    """What comes first in a list of credit checks."""

    TIME = "time"
    STAKE = "stake"


@router.get(
    "",
    summary="Credit checks, the latest first",
    response_model=Page[StoredCheckOut],
    dependencies=[requires(*READING)],
    responses=problems(404),
)
async def list_credit_checks(
    tx: Tx,
    caller: Caller,
    page: PageQuery,
    segment: SegmentName = "main",
    customer_id: OfCustomer = None,
    order_ref: OfOrder = None,
    outcome: Annotated[Outcome | None, Query(description="Only those decided so")] = None,
    review: Annotated[Review | None, Query(description="Only those whose review stands there")] = None,
    sort: Annotated[Sorting, Query(description="stake: what puts most at stake first, of those under review")] = (
        Sorting.TIME
    ),
) -> Response:
    """In the order in which they were decided. `review=open` is a reviewer's inbox; with `sort=stake`, which shows
    nothing else, what puts most at stake comes first."""
    wanted = orders.CheckFilter(
        at=tx.now,
        segments=[caller.confine(segment)],
        customer_id=customer_id,
        order_ref=order_ref,
        outcome=outcome,
        review=review,
    )
    if sort is Sorting.STAKE:
        found = await orders.list_checks_by_stake(tx, page=page, segment=segment, wanted=wanted)
    else:
        found = await orders.list_checks(tx, page=page, wanted=wanted)
    return _json({"items": [check_document(view) for view in found.rows], "next_cursor": found.next_cursor})


@router.get(
    CHECK,
    summary="One credit check",
    response_model=StoredCheckOut,
    dependencies=[requires(*READING)],
    responses=problems(404),
)
async def get_credit_check(tx: Tx, caller: Caller, check_id: UUID) -> Response:
    """The decision as it was given, with its review and its reservation as they stand now."""
    return await _shown(tx, await orders.find(tx, check_id=check_id, caller=caller))


@router.get(
    f"{CHECK}/replay",
    summary="Decide a credit check again from its stored facts",
    dependencies=[requires(*READING)],
    responses=problems(404),
)
async def replay_credit_check(tx: Tx, caller: Caller, check_id: UUID) -> ReplayOut:
    """Under the policy that decided it. The same facts give the identical decision, years later."""
    return replay_out(await orders.replay(tx, stored=await orders.find(tx, check_id=check_id, caller=caller)))


@router.post(
    f"{CHECK}/release",
    summary="Release a referred order",
    response_model=StoredCheckOut,
    dependencies=[requires(Scope.ORDERS_RELEASE)],
    responses=problems(404, 409),
)
async def release_credit_check(tx: Tx, caller: Caller, check_id: UUID, body: ReleaseIn) -> Response:
    """A person answers for it; credit is set aside even beyond the limit. Neither who asked for the check nor on whose
    behalf it was asked may release it, nor anybody whose authority is less than what it leaves above the limit; each
    such refusal is journalled."""
    return await _shown(
        tx,
        await orders.release(
            tx,
            check_id=check_id,
            caller=caller,
            reason=body.reason,
            amount=body.amount,
            expires_on=body.expires_on,
        ),
    )


@router.post(
    f"{CHECK}/reject",
    summary="Reject a referred order",
    response_model=StoredCheckOut,
    dependencies=[requires(Scope.ORDERS_RELEASE)],
    responses=problems(404, 409),
)
async def reject_credit_check(tx: Tx, caller: Caller, check_id: UUID, body: ReasonIn) -> Response:
    """A person refuses it; what was approved of the order before stays."""
    return await _shown(tx, await orders.reject(tx, check_id=check_id, caller=caller, reason=body.reason))


@router.post(
    f"{CHECK}/reevaluate",
    summary="Judge a referred order anew",
    status_code=201,
    response_model=StoredCheckOut,
    dependencies=[requires(Scope.ORDERS_CHECK, Scope.ORDERS_RELEASE)],
    responses=problems(404, 409),
)
async def reevaluate_credit_check(tx: Tx, caller: Caller, check_id: UUID) -> Response:
    """Decides it by today's facts, as a check of its own. If nothing objects the order is approved and the review ends;
    else the review stays open and the new check has no consequences."""
    return await _shown(tx, await orders.reevaluate(tx, check_id=check_id, caller=caller), status=201)


@router.post(
    f"{CHECK}/claim",
    summary="Take on the review of a referred order",
    response_model=StoredCheckOut,
    dependencies=[requires(Scope.ORDERS_RELEASE)],
    responses=problems(404, 409),
)
async def claim_credit_check(tx: Tx, caller: Caller, check_id: UUID) -> Response:
    """Nobody else decides on it until it is given back or handed on."""
    return await _shown(tx, await orders.claim(tx, check_id=check_id, caller=caller))


@router.post(
    f"{CHECK}/unclaim",
    summary="Give back the review of a referred order",
    response_model=StoredCheckOut,
    dependencies=[requires(Scope.ORDERS_RELEASE)],
    responses=problems(404, 409),
)
async def unclaim_credit_check(tx: Tx, caller: Caller, check_id: UUID) -> Response:
    """By whoever has claimed it."""
    return await _shown(tx, await orders.unclaim(tx, check_id=check_id, caller=caller))


@router.post(
    f"{CHECK}/refer",
    summary="Hand the review of a referred order on",
    response_model=StoredCheckOut,
    dependencies=[requires(Scope.ORDERS_RELEASE)],
    responses=problems(404, 409),
)
async def hand_credit_check_on(tx: Tx, caller: Caller, check_id: UUID, body: HandOnIn) -> Response:
    """To a person or a role, with a note. Whoever had claimed it has done so no more."""
    return await _shown(tx, await orders.hand_on(tx, check_id=check_id, caller=caller, to=body.to, text=body.note))


@router.post(
    f"{CHECK}/notes",
    summary="Write something down about a referred order",
    status_code=201,
    dependencies=[requires(Scope.ORDERS_RELEASE)],
    responses=problems(404),
)
async def note_credit_check(tx: Tx, caller: Caller, check_id: UUID, body: NoteIn) -> NoteOut:
    """Notes stay with the check, also after it was decided."""
    return note_out(await orders.note(tx, check_id=check_id, caller=caller, text=body.note))


@router.get(
    f"{CHECK}/notes",
    summary="Notes about a credit check, the latest first",
    dependencies=[requires(Scope.ORDERS_RELEASE, Scope.REPORTS_READ)],
    responses=problems(404),
)
async def list_credit_check_notes(tx: Tx, caller: Caller, check_id: UUID, page: PageQuery) -> Page[NoteOut]:
    """In the order they were written."""
    found = await orders.list_notes(tx, check_id=check_id, caller=caller, page=page)
    return Page(items=[note_out(each) for each in found.rows], next_cursor=found.next_cursor)


async def _shown(tx: Transaction, stored: orders.StoredCheck, *, status: int = 200) -> Response:
    return _json(check_document(await orders.view(tx, stored=stored)), status=status)


def _json(document: dict[str, Any], *, status: int = 200) -> Response:
    """Rendered as the desk renders its answers."""
    return Response(orjson.dumps(document, option=orjson.OPT_UTC_Z), status, media_type="application/json")
