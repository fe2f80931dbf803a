"""Finds, locks, adds, changes and lists limit requests."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import ColumnElement, and_, exists, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from app.domains.limits.core.requests import (
    Ask,
    LimitRequest,
    Reason,
    RequestKind,
    RequestStatus,
    Step,
    StepState,
)
from app.domains.limits.tables import LimitRequestRow, LimitRequestStepRow
from app.infra.db.paging import PageRequest, Slice, fetch


@dataclass(frozen=True, slots=True)
class Turn:
    """What somebody may decide in a segment, in one capacity: up to `authority` (segment currency); without `roles` the
    authority alone counts."""

    segment: str
    roles: frozenset[str]
    authority: Decimal
    apart_from: frozenset[str]
    """Names (case-folded) of those whose requests and decisions keep them from deciding."""


@dataclass(frozen=True, slots=True)
class RequestFilter:
    """Which requests a list shows; null: all. `turns`: only those that somebody may decide in one of them; `overdue`:
    only those that nobody decided in time."""

    segments: Collection[str] | None = None
    customer_id: str | None = None
    status: RequestStatus | None = None
    turns: Collection[Turn] | None = None
    overdue: bool = False


async def find(session: AsyncSession, request_id: UUID) -> LimitRequest | None:
    """The request as it is stored now, whatever this transaction has read before."""
    row = await session.get(LimitRequestRow, request_id, populate_existing=True)
    return None if row is None else (await _with_steps(session, [row]))[0]


async def lock(session: AsyncSession, request_id: UUID) -> LimitRequest | None:
    """The request, which nobody else changes until the transaction ends."""
    await session.execute(select(LimitRequestRow.id).where(LimitRequestRow.id == request_id).with_for_update())
    return await find(session, request_id)


async def list_requests(session: AsyncSession, page: PageRequest, wanted: RequestFilter) -> Slice[LimitRequest]:
    """A page of requests in the order in which they were made; `changed_after` filters and does not order."""
    statement = select(LimitRequestRow).where(*_conditions(wanted))
    if page.changed_after is not None:
        statement = statement.where(LimitRequestRow.changed_at > page.changed_after)
    found = await fetch(session, statement, replace(page, changed_after=None), keys=[LimitRequestRow.id])
    return Slice(await _with_steps(session, found.rows), found.next_cursor)


async def add(session: AsyncSession, request: LimitRequest) -> None:
    """Adds a request with its steps."""
    ask = request.ask
    values = {
        "id": request.id,
        "account_id": request.account_id,
        "customer_id": ask.customer_id,
        "segment": ask.segment,
        "kind": request.kind.value,
        "amount": ask.amount,
        "currency": ask.currency,
        "valid_from": ask.valid_from,
        "valid_until": ask.valid_until,
        "temporary": ask.temporary,
        "justification": ask.justification,
        "on_behalf_of": ask.on_behalf_of,
        "acknowledge_overdrawn": ask.acknowledge_overdrawn,
        "cause": ask.cause,
        "requester": request.requester,
        "requester_name": request.requester_name,
        "requested_at": request.requested_at,
        "expires_at": request.expires_at,
        "segment_currency": request.segment_currency,
        "policy_version": request.policy_version,
        "policy_profile": request.policy_profile,
        "policy_override_id": request.policy_override_id,
        "assessment_id": request.assessment_id,
        "grade": request.grade,
        "facts": request.facts,
        "reasons": orjson.dumps([{"code": each.code, "message": each.message} for each in request.reasons]).decode(),
        "offered_amount": request.offered_amount,
        "changed_at": request.requested_at,
        **_outcome(request),
    }
    await session.execute(insert(LimitRequestRow).values(values))
    await _write_steps(session, request)


async def write(session: AsyncSession, request: LimitRequest, now: datetime) -> None:
    """Writes what became of a request and of its steps."""
    await session.execute(
        update(LimitRequestRow).where(LimitRequestRow.id == request.id).values(**_outcome(request), changed_at=now)
    )
    await _write_steps(session, request)


async def expired(session: AsyncSession, now: datetime, limit: int) -> Sequence[UUID]:
    """At most `limit` pending requests that nobody decided in time."""
    statement = (
        select(LimitRequestRow.id)
        .where(LimitRequestRow.status == RequestStatus.PENDING.value, LimitRequestRow.expires_at <= now)
        .order_by(LimitRequestRow.expires_at)
        .limit(limit)
    )
    return (await session.scalars(statement)).all()


async def overdue(session: AsyncSession, now: datetime, limit: int) -> Sequence[UUID]:
    """At most `limit` requests with a pending step that nobody decided in time, without those known to be overdue."""
    statement = (
        select(LimitRequestStepRow.request_id)
        .join(LimitRequestRow, LimitRequestRow.id == LimitRequestStepRow.request_id)
        .where(
            LimitRequestStepRow.state == StepState.PENDING.value,
            LimitRequestStepRow.due_at <= now,
            LimitRequestRow.overdue_since.is_(None),
        )
        .order_by(LimitRequestStepRow.due_at)
        .limit(limit)
    )
    return (await session.scalars(statement)).all()


async def pending_cause(session: AsyncSession, account_id: UUID) -> LimitRequest | None:
    """The request that Headroom made by itself and that waits, locked; whoever finds it locked does not wait."""
    found = select(LimitRequestRow.id).where(
        LimitRequestRow.account_id == account_id,
        LimitRequestRow.status == RequestStatus.PENDING.value,
        LimitRequestRow.cause.is_not(None),
    )
    request_id = await session.scalar(found.order_by(LimitRequestRow.id).limit(1).with_for_update(nowait=True))
    return None if request_id is None else await find(session, request_id)


_Later = LimitRequestStepRow.__table__.alias("later").c


def _conditions(wanted: RequestFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.segments is not None:
        conditions.append(LimitRequestRow.segment.in_(wanted.segments))
    if wanted.customer_id is not None:
        conditions.append(LimitRequestRow.customer_id == wanted.customer_id)
    if wanted.status is not None:
        conditions.append(LimitRequestRow.status == wanted.status.value)
    if wanted.overdue:
        conditions.append(LimitRequestRow.overdue_since.is_not(None))
    if wanted.turns is not None:
        conditions.append(or_(False, *(_is_turn(turn) for turn in wanted.turns)))
    return conditions


def _is_turn(turn: Turn) -> ColumnElement[bool]:
    step = LimitRequestStepRow
    its = and_(step.request_id == LimitRequestRow.id, step.state == StepState.PENDING.value)
    within = [its, step.needed <= turn.authority]
    if turn.roles:
        within.append(or_(step.role.in_(turn.roles), step.seniors.overlap(sorted(turn.roles))))
    asked = (LimitRequestRow.requester, LimitRequestRow.requester_name, LimitRequestRow.on_behalf_of)
    signed = (_Later.decided_by, _Later.by_name, _Later.deputy_for)
    decided = exists().where(_Later.request_id == LimitRequestRow.id, or_(*(_is(c, turn) for c in signed)))
    return and_(
        LimitRequestRow.segment == turn.segment,
        exists().where(*within),
        *(func.coalesce(~_is(column, turn), True) for column in asked),
        ~decided,
    )


def _is(column: Any, turn: Turn) -> ColumnElement[bool]:
    found: ColumnElement[bool] = func.lower(func.btrim(column)).in_(turn.apart_from)
    return found


def _outcome(request: LimitRequest) -> dict[str, Any]:
    return {
        "status": request.status.value,
        "decided_amount": request.decided_amount,
        "decided_at": request.decided_at,
        "overdue_since": request.overdue_since,
    }


async def _write_steps(session: AsyncSession, request: LimitRequest) -> None:
    if not request.steps:
        return
    statement = upsert(LimitRequestStepRow)
    keys = ("request_id", "level")
    moved = {name: statement.excluded[name] for name in _step_values(request.id, request.steps[0]) if name not in keys}
    statement = statement.on_conflict_do_update(index_elements=keys, set_=moved)
    # One at a time in their order: a step ends before the next becomes the pending one.
    for step in request.steps:
        await session.execute(statement, _step_values(request.id, step))


def _step_values(request_id: UUID, step: Step) -> dict[str, Any]:
    return {
        "request_id": request_id,
        "level": step.level,
        "role": step.role,
        "seniors": list(step.seniors),
        "authority_amount": step.authority_amount,
        "needed": step.needed,
        "state": step.state.value,
        "due_at": step.due_at,
        "decided_by": step.by,
        "by_name": step.by_name,
        "deputy_for": step.deputy_for,
        "decided_at": step.at,
        "note": step.note,
    }


async def _with_steps(session: AsyncSession, rows: Sequence[LimitRequestRow]) -> list[LimitRequest]:
    if not rows:
        return []
    statement = (
        select(LimitRequestStepRow)
        .where(LimitRequestStepRow.request_id.in_([row.id for row in rows]))
        .order_by(LimitRequestStepRow.request_id, LimitRequestStepRow.level)
    )
    steps: dict[UUID, list[Step]] = defaultdict(list)
    for step in await session.scalars(statement, execution_options={"populate_existing": True}):
        steps[step.request_id].append(_step(step))
    return [_request(row, tuple(steps[row.id])) for row in rows]


def _step(row: LimitRequestStepRow) -> Step:
    return Step(
        level=row.level,
        role=row.role,
        authority_amount=row.authority_amount,
        needed=row.needed,
        seniors=tuple(row.seniors),
        state=StepState(row.state),
        due_at=row.due_at,
        by=row.decided_by,
        by_name=row.by_name,
        deputy_for=row.deputy_for,
        at=row.decided_at,
        note=row.note,
    )


def _request(row: LimitRequestRow, steps: tuple[Step, ...]) -> LimitRequest:
    return LimitRequest(
        id=row.id,
        account_id=row.account_id,
        ask=Ask(
            customer_id=row.customer_id,
            segment=row.segment,
            amount=row.amount,
            currency=row.currency,
            justification=row.justification,
            valid_from=row.valid_from,
            valid_until=row.valid_until,
            temporary=row.temporary,
            on_behalf_of=row.on_behalf_of,
            acknowledge_overdrawn=row.acknowledge_overdrawn,
            cause=row.cause,
        ),
        kind=RequestKind(row.kind),
        status=RequestStatus(row.status),
        requester=row.requester,
        requester_name=row.requester_name,
        requested_at=row.requested_at,
        expires_at=row.expires_at,
        segment_currency=row.segment_currency,
        policy_version=row.policy_version,
        policy_profile=row.policy_profile,
        policy_override_id=row.policy_override_id,
        assessment_id=row.assessment_id,
        grade=row.grade,
        facts=row.facts,
        reasons=tuple(Reason(each["code"], each["message"]) for each in orjson.loads(row.reasons)),
        offered_amount=row.offered_amount,
        decided_amount=row.decided_amount,
        decided_at=row.decided_at,
        overdue_since=row.overdue_since,
        steps=steps,
    )
