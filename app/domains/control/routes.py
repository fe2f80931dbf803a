"""Audits and the report on activity over HTTP."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Path, Query

from app.domains.control import service as control
from app.domains.control.core.audits import AuditState
from app.domains.control.schemas import (
    AuditedOut,
    AuditIn,
    AuditOut,
    FindingIn,
    ReportOut,
    SignOffIn,
    audit_out,
    audited_out,
    report_out,
)
from app.infra.http.fields import BusinessDay, SegmentName
from app.infra.http.paging import Page, PageQuery
from app.infra.http.problem import problems
from app.support.auth.core.scopes import Scope
from app.support.auth.dependencies import Caller, Tx, requires
from app.support.idempotency.routing import IdempotentRoute

router = APIRouter(tags=["control"], route_class=IdempotentRoute)

_READING: Final = requires(Scope.AUDITS_WRITE, Scope.JOURNAL_READ)
_WRITING: Final = requires(Scope.AUDITS_WRITE)

Position = Annotated[int, Path(ge=1, le=1_000, description="The place in the sample, from 1")]


@router.post(
    "/v1/audits",
    status_code=201,
    summary="Draw decisions at random to be audited",
    dependencies=[_WRITING],
    responses=problems(404, 409),
)
async def draw_audit(tx: Tx, caller: Caller, audit: AuditIn) -> AuditedOut:
    """Sealed decisions only. Credit checks of the sample are decided again from their stored facts, at once."""
    drawn = await control.draw(
        tx,
        caller=caller,
        segment=caller.confine(audit.segment),
        since=audit.since,
        until=audit.until,
        sizes=audit.sizes.by_kind(),
        seed=audit.seed,
    )
    return audited_out(drawn)


@router.get("/v1/audits", summary="Audits, the last changed first", dependencies=[_READING], responses=problems(404))
async def list_audits(
    tx: Tx,
    caller: Caller,
    page: PageQuery,
    segment: SegmentName = "main",
    state: Annotated[AuditState | None, Query(description="Only audits that stand so")] = None,
) -> Page[AuditOut]:
    """Without their samples."""
    found = await control.list_audits(tx, page=page, segment=caller.confine(segment), state=state)
    return Page(items=[audit_out(audit) for audit in found.rows], next_cursor=found.next_cursor)


@router.get("/v1/audits/{audit_id}", summary="One audit", dependencies=[_READING], responses=problems(404))
async def get_audit(tx: Tx, caller: Caller, audit_id: UUID) -> AuditedOut:
    """With its sample and what was found."""
    return audited_out(await control.get(tx, audit_id=audit_id, caller=caller))


@router.post(
    "/v1/audits/{audit_id}/items/{position}/finding",
    summary="Say what was found of one decision",
    dependencies=[_WRITING],
    responses=problems(404, 409),
)
async def record_finding(tx: Tx, caller: Caller, audit_id: UUID, position: Position, finding: FindingIn) -> AuditedOut:
    """Instead of what was found before. Nobody audits their own decision: 403 `four_eyes`."""
    found = await control.record(
        tx, audit_id=audit_id, position=position, caller=caller, finding=finding.finding, note=finding.note
    )
    return audited_out(found)


@router.post(
    "/v1/audits/{audit_id}/sign-off",
    summary="Close an audit",
    dependencies=[_WRITING],
    responses=problems(404, 409),
)
async def sign_audit_off(tx: Tx, caller: Caller, audit_id: UUID, signing: SignOffIn) -> AuditedOut:
    """Once every decision has a finding, by a person who recorded none of them: 403 `four_eyes`."""
    return audited_out(await control.sign_off(tx, audit_id=audit_id, caller=caller, conclusion=signing.conclusion))


@router.get(
    "/v1/reports/activity",
    summary="What each person decided, wrote and achieved",
    dependencies=[requires(Scope.ACTIVITY_READ)],
    responses=problems(404),
)
async def get_activity(
    tx: Tx,
    caller: Caller,
    segment: SegmentName = "main",
    since: Annotated[BusinessDay | None, Query(alias="from", description="Default: the first of the month")] = None,
    until: Annotated[BusinessDay | None, Query(alias="to", description="Default: today")] = None,
) -> ReportOut:
    """For a manager's eyes. From the journal, so a person's figures are those of the name they act under."""
    return report_out(await control.report(tx, segment=caller.confine(segment), since=since, until=until))
