"""The work list of calls, and the law of late payment, over HTTP."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query

from app.domains.dunning import service as dunning
from app.domains.dunning.core.interest import ReferenceRate
from app.domains.dunning.schemas.customers import CallIn, TaskOut, task_out
from app.domains.dunning.schemas.law import RateIn, RateRowOut, StatutesOut, rate_out, statutes_out
from app.infra.http.fields import BusinessDay, PathReference, Reference, SegmentName
from app.infra.http.paging import Page, PageQuery
from app.infra.http.problem import problems
from app.support.auth.core.scopes import Scope
from app.support.auth.dependencies import Caller, Tx, requires
from app.support.idempotency.routing import IdempotentRoute

router = APIRouter(tags=["dunning"], route_class=IdempotentRoute)

WRITING = (Scope.DUNNING_WRITE,)
READING = (Scope.DUNNING_WRITE, Scope.REPORTS_READ)


@router.get(
    "/v1/collection-tasks",
    summary="Whom to call, the most urgent first",
    dependencies=[requires(*READING)],
    responses=problems(404),
)
async def list_tasks(
    tx: Tx,
    caller: Caller,
    page: PageQuery,
    segment: SegmentName = "main",
    customer_id: Annotated[Reference | None, Query(description="Only this customer's")] = None,
    due: Annotated[bool, Query(description="Only what is to be done by today")] = False,
) -> Page[TaskOut]:
    """Open tasks, by amount × risk × time since the last contact."""
    found = await dunning.tasks.list_tasks(
        tx, segment=caller.confine(segment), page=page, customer_id=customer_id, due=due
    )
    return Page(items=[task_out(row) for row in found.rows], next_cursor=found.next_cursor)


@router.post(
    "/v1/collection-tasks/{task_id}/complete",
    summary="What came of a call",
    dependencies=[requires(*WRITING)],
    responses=problems(404, 409, 503),
)
async def complete_task(
    tx: Tx, caller: Caller, task_id: Annotated[UUID, Path(description="The task's id")], body: CallIn
) -> TaskOut:
    """Outcome, note, a promise if one was made, and when to call again."""
    return task_out(await dunning.tasks.complete(tx, task_id=task_id, call=body.call(), segments=caller.segments))


@router.get(
    "/v1/statutory-rates",
    summary="What the law grants for late payment",
    dependencies=[requires(*READING)],
    responses=problems(403),
)
async def get_statutes(tx: Tx) -> StatutesOut:
    """The rules of each jurisdiction, and the reference rates known to them."""
    return statutes_out(await dunning.rates.law(tx), tx.now.date())


@router.put(
    "/v1/statutory-rates/{reference}/{valid_from}",
    summary="Enter a reference rate",
    dependencies=[requires(Scope.POLICIES_WRITE)],
    responses=problems(404),
)
async def enter_rate(
    tx: Tx,
    reference: PathReference,
    valid_from: Annotated[BusinessDay, Path(description="From which day on")],
    body: RateIn,
) -> RateRowOut:
    """Adds one, or replaces the one of that day; notices that were sent keep the rates they used."""
    rate = ReferenceRate(reference, valid_from, body.percent, body.source or "")
    await dunning.rates.enter(tx, rate=rate)
    return rate_out(rate)
