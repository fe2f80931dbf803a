"""The way of a request through approval: approve, reject, escalate, expire; and whose turn it is."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final
from uuid import UUID

from app.domains.exposure import service as exposure
from app.domains.exposure.core.fx import Quotes, rate_between
from app.domains.limits.core import approving
from app.domains.limits.core.approving import Approver, Standing
from app.domains.limits.core.deputies import Deputyship
from app.domains.limits.core.events import (
    LimitRequestEscalated,
    LimitRequestExpired,
    LimitRequestOverdue,
    LimitRequestStepApproved,
)
from app.domains.limits.core.judging import route_of
from app.domains.limits.core.requests import LimitRequest, RequestMove, RequestStatus, Step, check_open
from app.domains.limits.repository import deputies as deputy_rows
from app.domains.limits.repository import requests as repository
from app.domains.limits.repository.requests import Turn
from app.domains.limits.service.granting import declined, put_in_force, refused, told
from app.domains.limits.service.requests import facts_of, lock, policy_of
from app.domains.policies import service as policies
from app.domains.policies.core.segments import Segment
from app.infra.transaction import Transaction
from app.kernel.errors import Forbidden
from app.kernel.identity import ActorKind
from app.kernel.money import ZERO, Money, exact, rounded
from app.kernel.periods import local_day
from app.support.auth import service as auth
from app.support.auth.core.principals import Principal

BATCH: Final = 200


async def approve(
    tx: Transaction,
    *,
    request_id: UUID,
    caller: Principal,
    note: str,
    amount: Decimal | None = None,
    acknowledge_overdrawn: bool = False,
) -> LimitRequest:
    """Approves the step that is due, for `amount` (account currency; null: all that is to be decided on).

    After the last step the limit is in force.

    Raises `LimitRequestNotFound`, `LimitRequestClosed`, `TooManyDecimals`, `ApprovalExceedsRequest`, `PersonRequired`,
    `FourEyes`, `AlreadyApproved`, `RoleNotDue`, `AuthorityExceeded`, `LimitBelowExposure`, `LimitWindowMissed`,
    `AccountBusy`.
    """
    request = await lock(tx, request_id=request_id, caller=caller)
    check_open(request, now=tx.now)
    decided = request.amount if amount is None else exact(amount, request.ask.currency).amount
    approving.check_amount(request, decided)
    facts, policy = facts_of(request), await policy_of(tx, request=request)
    worth = rounded(decided * facts.rate, request.segment_currency)
    approver, standing = await _authorised(tx, request, caller, worth=worth, action="approve")
    after = approving.approved(
        request,
        policy.policy.approvals,
        standing,
        approver,
        amount=decided,
        worth=worth,
        roles=route_of(facts, policy.policy, worth),
        note=note,
        now=tx.now,
    )
    await repository.write(tx.session, after, tx.now)
    if after.status is RequestStatus.PENDING:
        tx.emit(told(LimitRequestStepApproved, after, before=request, note=note, deputy_for=_for(approver, standing)))
        return after
    await put_in_force(
        tx,
        request=after,
        acknowledged=acknowledge_overdrawn or request.ask.acknowledge_overdrawn,
        before=request,
        note=note,
        deputy_for=_for(approver, standing),
    )
    return after


async def reject(tx: Transaction, *, request_id: UUID, caller: Principal, note: str) -> LimitRequest:
    """Declines a request at the step that is due; nobody else is asked.

    Raises `LimitRequestNotFound`, `LimitRequestClosed`, `PersonRequired`, `FourEyes`, `AlreadyApproved`, `RoleNotDue`,
    `AuthorityExceeded` (of somebody without any authority).
    """
    request = await lock(tx, request_id=request_id, caller=caller)
    check_open(request, now=tx.now)
    approver, standing = await _authorised(tx, request, caller, worth=ZERO, action="reject")
    after = approving.rejected(request, standing, approver, note=note, now=tx.now)
    await repository.write(tx.session, after, tx.now)
    declined(tx, after, before=request, note=note, deputy_for=_for(approver, standing))
    return after


async def turns_of(tx: Transaction, *, caller: Principal, segments: Sequence[str] | None) -> Sequence[Turn]:
    """What the caller may decide, by segment: in their own right and as somebody's deputy. A service may nothing."""
    if caller.kind is not ActorKind.PERSON:
        return []
    found: list[Turn] = []
    for segment in await policies.list_segments(tx):
        if caller.sees(segment.segment) and (segments is None or segment.segment in segments):
            approver = await _approver(tx, caller, segment)
            apart = {approver.own.id.casefold(), approver.own.name.strip().casefold()}
            for standing in (approver.own, *approver.deputy_for):
                if standing.authority is not None:
                    kept = frozenset({*apart, standing.id.casefold(), standing.name.strip().casefold()})
                    found.append(Turn(segment.segment, standing.roles, standing.authority, kept))
    return found


async def overdue_steps(tx: Transaction) -> Sequence[UUID]:
    """At most `BATCH` requests whose step nobody decided in time."""
    return await repository.overdue(tx.session, tx.now, BATCH)


async def escalate(tx: Transaction, *, request_id: UUID) -> bool:
    """Hands a request to the next level where the step that is due was not decided in time, or to the next higher
    authority; above the highest it is overdue. False where the step was decided."""
    request = await repository.lock(tx.session, request_id)
    step = request.pending if request else None
    if request is None or step is None or step.due_at is None or step.due_at > tx.now:
        return False
    if request.overdue_since is not None:
        return False
    policy = await policy_of(tx, request=request)
    after = approving.escalated(request, policy.policy.approvals, now=tx.now)
    if after is None:
        after = approving.overdue(request, now=tx.now)
        tx.emit(told(LimitRequestOverdue, after, before=request, role=step.role))
    else:
        tx.emit(told(LimitRequestEscalated, after, before=request, role=step.role, to=_due_step(after).role))
    await repository.write(tx.session, after, tx.now)
    return True


async def expired_requests(tx: Transaction) -> Sequence[UUID]:
    """At most `BATCH` requests that nobody decided in time."""
    return await repository.expired(tx.session, tx.now, BATCH)


async def expire(tx: Transaction, *, request_id: UUID) -> bool:
    """Ends a request that nobody decided in time; False where somebody did."""
    request = await repository.lock(tx.session, request_id)
    if request is None or request.status is not RequestStatus.PENDING:
        return False
    if request.expires_at is None or request.expires_at > tx.now:
        return False
    after = approving.withdrawn(request, RequestMove.EXPIRE, now=tx.now)
    await repository.write(tx.session, after, tx.now)
    tx.emit(told(LimitRequestExpired, after, before=request))
    return True


async def _authorised(
    tx: Transaction, request: LimitRequest, caller: Principal, *, worth: Decimal, action: str
) -> tuple[Approver, Standing]:
    segment = await policies.segment(tx, segment=request.ask.segment)
    approver = await _approver(tx, caller, segment)
    try:
        return approver, approving.standing_to_decide(request, _due_step(request), approver, worth=worth)
    except Forbidden as refusal:
        raise refused(refusal, request, action) from None


async def _approver(tx: Transaction, caller: Principal, segment: Segment) -> Approver:
    """Who decides, with their authority in the segment's currency: null where no rate leads there.

    Nobody stands in for whoever may not decide any more themselves: their key has expired.
    """
    on = local_day(tx.now, segment.zone)
    appointed = await deputy_rows.of_deputy(tx.session, caller.name, segment=segment.segment, on=on)
    gone = await auth.gone(tx, principal_ids={deputyship.principal for deputyship in appointed})
    deputyships = [deputyship for deputyship in appointed if deputyship.principal not in gone]
    quotes = await exposure.quotes(tx, on=on)
    own = Standing(caller.id, caller.name, caller.roles, _worth(caller.authority, segment, quotes))
    return Approver(caller.kind, own, tuple(_in_place(each, segment, quotes) for each in deputyships))


def _in_place(deputyship: Deputyship, segment: Segment, quotes: Quotes) -> Standing:
    authority = _worth(deputyship.authority, segment, quotes)
    return Standing(deputyship.principal, deputyship.principal_name, deputyship.roles, authority)


def _worth(authority: Money | None, segment: Segment, quotes: Quotes) -> Decimal | None:
    if authority is None:
        return None
    rate = rate_between(quotes, authority.currency, segment.currency)
    return None if rate is None else authority.convert(rate, segment.currency).amount


def _due_step(request: LimitRequest) -> Step:
    step = request.pending
    assert step is not None, "an open request waits for somebody"
    return step


def _for(approver: Approver, standing: Standing) -> str | None:
    return None if standing == approver.own else standing.name
