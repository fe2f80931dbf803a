"""Putting a granted limit in force, and telling the journal what became of a request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from app.domains.exposure import service as exposure
from app.domains.exposure.core.limits import LimitKind, LimitScope
from app.domains.limits.core.events import LimitApprovalRefused, LimitRequestApproved, LimitRequestDeclined
from app.domains.limits.core.refusals import LimitBelowExposure, LimitWindowMissed
from app.domains.limits.core.requests import LimitRequest, RequestKind, StepState
from app.domains.policies import service as policies
from app.infra.transaction import Transaction
from app.kernel.errors import Forbidden
from app.kernel.events import Event
from app.kernel.money import Money, render

Refused = TypeVar("Refused", bound=Forbidden)


async def put_in_force(
    tx: Transaction,
    *,
    request: LimitRequest,
    acknowledged: bool,
    before: LimitRequest | Mapping[str, Any],
    **more: Any,
) -> None:
    """Makes the decided amount the customer's limit, from today at the earliest.

    Raises `AccountBusy`, `LimitWindowMissed` and, unless `acknowledged`, `LimitBelowExposure`.
    """
    ask, amount = request.ask, request.decided_amount
    assert amount is not None, "a granted request has an amount"
    today = await policies.today(tx, segment=ask.segment)
    start = max(today, ask.valid_from or today)
    if ask.valid_until is not None and ask.valid_until < start:
        raise LimitWindowMissed(f"{ask.valid_until} has passed")
    positions = await exposure.lock(tx, keys=[(ask.customer_id, ask.segment)])
    account = positions.of(ask.customer_id, ask.segment)
    owed = account.exposure.total
    if not acknowledged and owed.amount > amount:
        message = f"{owed} are owed or on order, more than the limit of {Money(amount, ask.currency)}"
        raise LimitBelowExposure(f"{message}; say acknowledge_overdrawn if this is meant", exposure=str(owed))
    await exposure.set_limit(
        tx,
        customer_id=ask.customer_id,
        segment=ask.segment,
        scope=LimitScope.OWN,
        kind=LimitKind.GRANTED,
        amount=amount,
        valid_from=start,
        valid_until=ask.valid_until,
        temporary=request.kind is RequestKind.TEMPORARY,
        reason=f"limit request {request.id}",
        outright=False,
    )
    tx.emit(told(LimitRequestApproved, request, before=before, overdrawn=owed.amount > amount, **more))


def declined(tx: Transaction, request: LimitRequest, *, before: LimitRequest | Mapping[str, Any], **more: Any) -> None:
    """Tells that a request was declined."""
    tx.emit(told(LimitRequestDeclined, request, before=before, **more))


def told(kind: type[Event], request: LimitRequest, *, before: LimitRequest | Mapping[str, Any], **more: Any) -> Event:
    """The event that `request` has become what it is; `before` is the request before, empty where there was none."""
    ask = request.ask
    return kind(
        subject_id=str(request.id),
        segment=ask.segment,
        customer_id=ask.customer_id,
        before=_state(before) if isinstance(before, LimitRequest) else before,
        after={
            **_state(request),
            "kind": request.kind.value,
            "amount": render(ask.amount, ask.currency),
            "currency": ask.currency,
            "requested_by": request.requester_name,
            "on_behalf_of": ask.on_behalf_of,
            "reasons": [reason.code for reason in request.reasons],
            **more,
        },
    )


def refused(refusal: Refused, request: LimitRequest, action: str) -> Refused:
    """`refusal`, which the journal will be told of although nothing else has happened."""
    ask = request.ask
    refusal.attempt = LimitApprovalRefused(
        subject_id=str(request.id),
        segment=ask.segment,
        customer_id=ask.customer_id,
        after={
            "action": action,
            "code": refusal.code,
            "amount": render(ask.amount, ask.currency),
            "currency": ask.currency,
        },
    )
    return refusal


def _state(request: LimitRequest) -> dict[str, Any]:
    decided, pending = request.decided_amount, request.pending
    return {
        "status": request.status.value,
        "decided_amount": None if decided is None else render(decided, request.ask.currency),
        "level": pending.level if pending else None,
        "approved_by": [step.by_name for step in request.steps if step.state is StepState.APPROVED],
    }
