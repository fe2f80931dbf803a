"""What happens when an order is checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from app.domains.orders.core.decision import Decision, Outcome
from app.domains.orders.core.facts import CheckRequest
from app.kernel.events import Event
from app.kernel.money import render


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditCheckApproved(Event):
    """An order may leave on credit; what it needs is set aside."""

    type: ClassVar[str] = "credit_check_approved"
    subject_type: ClassVar[str] = "credit_check"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditCheckReferred(Event):
    """An order waits for a person."""

    type: ClassVar[str] = "credit_check_referred"
    subject_type: ClassVar[str] = "credit_check"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditCheckDeclined(Event):
    """An order may not leave on credit, and nobody can release it."""

    type: ClassVar[str] = "credit_check_declined"
    subject_type: ClassVar[str] = "credit_check"


DECIDED: dict[Outcome, type[Event]] = {
    Outcome.APPROVED: CreditCheckApproved,
    Outcome.REFERRED: CreditCheckReferred,
    Outcome.DECLINED: CreditCheckDeclined,
}


def decided(request: CheckRequest, decision: Decision, check_id: UUID) -> Event:
    """That `decision` was taken on `request`."""
    return DECIDED[decision.outcome](
        subject_id=str(check_id),
        segment=request.segment,
        customer_id=request.customer_id,
        after=decided_members(request, decision),
    )


def decided_members(request: CheckRequest, decision: Decision) -> dict[str, Any]:
    """What the event says of the decision."""
    return {
        "order_ref": request.order_ref,
        "amount": render(request.amount, request.currency),
        "currency": request.currency,
        "checkpoint": request.checkpoint.value,
        "reserve": request.reserve,
        "reasons": [reason.code for reason in decision.reasons],
    }
