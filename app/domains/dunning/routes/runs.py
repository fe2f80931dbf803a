"""Dunning runs over HTTP."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path

from app.domains.dunning import service as dunning
from app.domains.dunning.schemas.runs import (
    NoticeBriefOut,
    ReasonIn,
    RunBriefOut,
    RunIn,
    RunOut,
    SkippedOut,
    notice_brief,
    preview_out,
    run_brief,
    run_out,
    skipped_out,
)
from app.infra.http.fields import SegmentName
from app.infra.http.paging import Page, PageQuery
from app.infra.http.problem import problems
from app.support.auth.core.scopes import Scope
from app.support.auth.dependencies import Caller, Tx, requires
from app.support.idempotency.routing import IdempotentRoute

router = APIRouter(prefix="/v1/dunning-runs", tags=["dunning"], route_class=IdempotentRoute)

WRITING = (Scope.DUNNING_WRITE,)
READING = (Scope.DUNNING_WRITE, Scope.REPORTS_READ)
RunId = Annotated[UUID, Path(alias="dunning_run_id", description="The run's id")]


@router.post(
    "",
    summary="Propose who is to be reminded",
    status_code=201,
    dependencies=[requires(*WRITING)],
    responses=problems(404, 409, 503),
)
async def propose_run(tx: Tx, caller: Caller, body: RunIn) -> RunOut:
    """Looks at the customers of a segment: who gets a notice at which level, and why the others get none.

    Nothing is sent before the run is released. The same day again proposes nothing twice. In a large segment jobs go on
    with what the request began: see `complete`.
    """
    caller.confine(body.segment)
    if body.dry_run:
        return preview_out(await dunning.runs.preview(tx, segment=body.segment, run_on=body.run_on))
    return run_out(await dunning.runs.propose(tx, segment=body.segment, run_on=body.run_on))


@router.get("", summary="Dunning runs, the last first", dependencies=[requires(*READING)], responses=problems(404))
async def list_runs(tx: Tx, caller: Caller, page: PageQuery, segment: SegmentName = "main") -> Page[RunBriefOut]:
    """Runs of a segment."""
    found = await dunning.runs.list_runs(tx, segment=caller.confine(segment), page=page)
    return Page(items=[run_brief(run) for run in found.rows], next_cursor=found.next_cursor)


@router.get("/{dunning_run_id}", summary="One dunning run", dependencies=[requires(*READING)], responses=problems(404))
async def get_run(tx: Tx, caller: Caller, run_id: RunId) -> RunOut:
    """With its first notices, and who was skipped first."""
    return run_out(await dunning.runs.get(tx, run_id=run_id, segments=caller.segments))


@router.get(
    "/{dunning_run_id}/notices",
    summary="The notices of a run",
    dependencies=[requires(*READING)],
    responses=problems(404),
)
async def list_run_notices(tx: Tx, caller: Caller, run_id: RunId, page: PageQuery) -> Page[NoticeBriefOut]:
    """All of them, the last changed first."""
    run = (await dunning.runs.get(tx, run_id=run_id, segments=caller.segments)).run
    found = await dunning.pending.list_notices(tx, segment=run.segment, page=page, run_id=run_id)
    return Page(items=[notice_brief(notice) for notice in found.rows], next_cursor=found.next_cursor)


@router.get(
    "/{dunning_run_id}/skipped",
    summary="Who got nothing in a run",
    dependencies=[requires(*READING)],
    responses=problems(404),
)
async def list_run_skipped(tx: Tx, caller: Caller, run_id: RunId, page: PageQuery) -> Page[SkippedOut]:
    """Every customer with something due who got nothing, and why."""
    found = await dunning.runs.list_skipped(tx, run_id=run_id, page=page, segments=caller.segments)
    return Page(items=[skipped_out(skip) for skip in found.rows], next_cursor=found.next_cursor)


@router.post(
    "/{dunning_run_id}/release",
    summary="Release a run",
    dependencies=[requires(*WRITING)],
    responses=problems(404, 409, 503),
)
async def release_run(tx: Tx, caller: Caller, run_id: RunId) -> RunOut:
    """Its notices are sent by jobs from now on."""
    return run_out(await dunning.runs.release(tx, run_id=run_id, segments=caller.segments))


@router.post(
    "/{dunning_run_id}/withdraw",
    summary="Give a proposed run up",
    dependencies=[requires(*WRITING)],
    responses=problems(404, 409, 503),
)
async def withdraw_run(tx: Tx, caller: Caller, run_id: RunId, body: ReasonIn) -> RunOut:
    """Its notices are dropped; another run may propose them again."""
    return run_out(await dunning.runs.withdraw(tx, run_id=run_id, reason=body.reason, segments=caller.segments))
