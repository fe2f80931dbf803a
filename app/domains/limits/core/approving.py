"""Deciding on a step of a limit request: who may, and what it comes to.

    pending step ──approve──▶ the next one that is still needed, or the request is granted
                 ──reject───▶ the request is declined
                 ──in time nobody──▶ escalated: the next one decides without it; behind the last, whoever has a higher
                                     authority in the policy; above the highest nobody: the request is overdue

Four eyes: neither whoever asked nor on whose behalf; nobody twice; nobody beyond their authority; no service.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from app.domains.limits.core.refusals import AlreadyApproved, ApprovalExceedsRequest, NotTheRequester, RoleNotDue
from app.domains.limits.core.requests import REQUESTS, LimitRequest, RequestMove, Step, StepState
from app.domains.policies.core.approvals import Approvals
from app.domains.policies.core.four_eyes import require_person
from app.domains.policies.core.refusals import AuthorityExceeded, FourEyes
from app.kernel.errors import Fault, Forbidden
from app.kernel.identity import Actor, ActorKind
from app.kernel.money import Money, render

DECIDED: Final = (StepState.APPROVED, StepState.REJECTED)


@dataclass(frozen=True, slots=True)
class Standing:
    """In what capacity somebody decides: their own, or another's whose deputy they are.

    `authority` is in the segment's currency, null where there is none or nobody can tell it in that currency. Without
    `roles` the authority alone counts.
    """

    id: str
    name: str
    roles: frozenset[str]
    authority: Decimal | None


@dataclass(frozen=True, slots=True)
class Approver:
    """Who decides: a person in their own right, and those whom they stand in for."""

    kind: ActorKind
    own: Standing
    deputy_for: tuple[Standing, ...] = ()


def steps_for(roles: Sequence[str], approvals: Approvals, *, worth: Decimal, now: datetime) -> tuple[Step, ...]:
    """The steps of a request worth `worth` in the segment's currency: the first pending, the others waiting."""
    steps = [_step(level, role, approvals, worth) for level, role in enumerate(roles, start=1)]
    return (_due(steps[0], approvals, now), *steps[1:])


def standing_to_decide(request: LimitRequest, step: Step, approver: Approver, *, worth: Decimal) -> Standing:
    """In which capacity `approver` may decide `step` for `worth` (segment currency): their own first.

    Raises `PersonRequired`, `FourEyes`, `AlreadyApproved`, `RoleNotDue`, `AuthorityExceeded`: what stands against
    deciding in their own right, where standing in for others does not help.
    """
    require_person(Actor(approver.own.name, approver.kind))
    _check_apart(request, approver.own)
    refusal = _objection(request, step, approver.own, worth)
    if refusal is None:
        return approver.own
    for standing in approver.deputy_for:
        if _objection_to_deputy(request, standing) is None and _objection(request, step, standing, worth) is None:
            return standing
    raise refusal


def check_amount(request: LimitRequest, amount: Decimal) -> None:
    """Refuses more than is asked for, or than those before have approved. Raises `ApprovalExceedsRequest`."""
    most = Money(request.amount, request.ask.currency)
    if amount > most.amount:
        message = f"{Money(amount, most.currency)} is more than the {most} to be decided on"
        raise ApprovalExceedsRequest(message, faults=[Fault("/amount", ApprovalExceedsRequest.code, message)])


def check_requester(request: LimitRequest, *, principal_id: str, name: str) -> None:
    """Refuses whoever neither asked nor had it asked. Raises `NotTheRequester`."""
    if not {principal_id.casefold(), name.casefold()} & request.askers:
        raise NotTheRequester("only whoever asked, or on whose behalf it was asked, may do this")


def approved(
    request: LimitRequest,
    approvals: Approvals,
    standing: Standing,
    approver: Approver,
    *,
    amount: Decimal,
    worth: Decimal,
    roles: Sequence[str],
    note: str,
    now: datetime,
) -> LimitRequest:
    """The request after its pending step was approved for `amount`, worth `worth` in the segment's currency.

    `roles` are those that this amount needs: later steps of others are not needed any more. Without a later step the
    request is granted.
    """
    signed = _signed(request, standing, approver, StepState.APPROVED, note=note, now=now)
    steps, found = [], False
    for step in signed:
        if step.state is StepState.WAITING and step.role not in roles:
            step = replace(step, state=StepState.NOT_NEEDED)
        elif step.state is StepState.WAITING:
            step = replace(step, needed=_needed(step.authority_amount, worth))
            step, found = (step, found) if found else (_due(step, approvals, now), True)
        steps.append(step)
    after = replace(request, steps=tuple(steps), decided_amount=amount)
    return after if found else granted(after, amount, now=now)


def granted(request: LimitRequest, amount: Decimal, *, now: datetime) -> LimitRequest:
    """The request after `amount` was granted; steps that nobody decided are not needed."""
    move = RequestMove.APPROVE if amount == request.ask.amount else RequestMove.APPROVE_LESS
    return replace(_ended(request, move, now=now), decided_amount=amount)


def rejected(
    request: LimitRequest, standing: Standing, approver: Approver, *, note: str, now: datetime
) -> LimitRequest:
    """The request after its pending step was rejected: nobody else is asked."""
    signed = replace(request, steps=_signed(request, standing, approver, StepState.REJECTED, note=note, now=now))
    return replace(_ended(signed, RequestMove.DECLINE, now=now), decided_amount=None)


def withdrawn(request: LimitRequest, move: RequestMove, *, now: datetime) -> LimitRequest:
    """The request after it was cancelled or has expired."""
    return replace(_ended(request, move, now=now), decided_amount=None)


def escalated(request: LimitRequest, approvals: Approvals, *, now: datetime) -> LimitRequest | None:
    """The request after nobody decided its pending step in time: with the step behind it, or with one more for the role
    that is next in seniority; null where nobody is senior to the last."""
    pending = request.pending
    assert pending is not None, "an open request waits for somebody"
    passed = _replaced(request.steps, replace(pending, state=StepState.ESCALATED, at=now))
    following = next((step for step in passed if step.state is StepState.WAITING), None)
    if following is not None:
        return replace(request, steps=_replaced(passed, _due(following, approvals, now)))
    if not pending.seniors:
        return None
    more = _step(passed[-1].level + 1, pending.seniors[0], approvals, pending.needed)
    return replace(request, steps=(*passed, _due(more, approvals, now)))


def overdue(request: LimitRequest, *, now: datetime) -> LimitRequest:
    """The request after nobody decided its last step in time, and there is nobody to hand it on to: it still waits."""
    return replace(request, overdue_since=now)


def _check_apart(request: LimitRequest, standing: Standing) -> None:
    if {standing.id.casefold(), standing.name.casefold()} & request.askers:
        raise FourEyes("whoever asked for the limit, or had it asked for, can't decide on it")
    if _has_decided(request, standing):
        raise AlreadyApproved("the others have to be approved by somebody else")


def _objection_to_deputy(request: LimitRequest, standing: Standing) -> Forbidden | None:
    """Whom the requester, or somebody who has decided already, sends in their place is bound as they are."""
    try:
        _check_apart(request, standing)
    except Forbidden as refusal:
        return refusal
    return None


def _objection(request: LimitRequest, step: Step, standing: Standing, worth: Decimal) -> Forbidden | None:
    allowed = {step.role, *step.seniors}
    if standing.roles and not standing.roles & allowed:
        return RoleNotDue(f"the step is for {step.role}", role=step.role)
    needed = _needed(step.authority_amount, worth)
    if standing.authority is None or standing.authority < needed:
        most = render(needed, request.segment_currency)
        return AuthorityExceeded(f"this takes an authority of {most} {request.segment_currency}")
    return None


def _has_decided(request: LimitRequest, standing: Standing) -> bool:
    """Whether they, or a deputy in their place, have decided a step."""
    names = {standing.id.casefold(), standing.name.casefold()}
    for step in request.steps:
        signed = {name.casefold() for name in (step.by, step.by_name, step.deputy_for) if name is not None}
        if step.state in DECIDED and names & signed:
            return True
    return False


def _signed(
    request: LimitRequest, standing: Standing, approver: Approver, state: StepState, *, note: str, now: datetime
) -> tuple[Step, ...]:
    pending = request.pending
    assert pending is not None, "an open request waits for somebody"
    deputy_for = None if standing == approver.own else standing.name
    signed = replace(
        pending,
        state=state,
        by=approver.own.id,
        by_name=approver.own.name,
        deputy_for=deputy_for,
        at=now,
        note=note,
    )
    return _replaced(request.steps, signed)


def _replaced(steps: tuple[Step, ...], changed: Step) -> tuple[Step, ...]:
    return tuple(changed if step.level == changed.level else step for step in steps)


def _ended(request: LimitRequest, move: RequestMove, *, now: datetime) -> LimitRequest:
    steps = tuple(
        replace(step, state=StepState.NOT_NEEDED) if step.state in (StepState.PENDING, StepState.WAITING) else step
        for step in request.steps
    )
    return replace(request, status=REQUESTS.after(request.status, move), decided_at=now, steps=steps)


def _step(level: int, role: str, approvals: Approvals, worth: Decimal) -> Step:
    authority = approvals.authority_of(role)
    place = approvals.seniority(role)
    assert place is not None, "the matrix names roles that approve"
    seniors = tuple(each.role for each in approvals.authorities[place + 1 :])
    return Step(level, role, authority.max_amount, _needed(authority.max_amount, worth), seniors)


def _needed(authority_amount: Decimal | None, worth: Decimal) -> Decimal:
    """The authority that a step takes: for the last of a chain all, for those before what their role may."""
    return worth if authority_amount is None else min(authority_amount, worth)


def _due(step: Step, approvals: Approvals, now: datetime) -> Step:
    hours = approvals.escalate_after_hours
    return replace(step, state=StepState.PENDING, due_at=None if hours is None else now + timedelta(hours=hours))
