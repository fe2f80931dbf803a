"""What happens when an order is checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from app.domains.orders.core.decision import Outcome
from app.kernel.events import Event


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
