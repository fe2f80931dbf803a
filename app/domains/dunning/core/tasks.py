"""Collection tasks: whom to call first.

    rank = overdue amount × risk × (days since the last contact + 1)

Risk is 1 for a customer of whom nothing bad is known, and more for a higher dunning level, a poor payment index and a
worse grade.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final

NEVER_DAYS: Final = 365
"""A customer who was never contacted counts as one contacted a year ago."""
RANK_MAX: Final = Decimal(99999999999999999999999999)


class TaskKind(StrEnum):
    """Why somebody is to be called."""

    CALL = "call"
    PROMISE_BROKEN = "promise_broken"
    DELIVERY_FAILED = "delivery_failed"
    FOLLOW_UP = "follow_up"


class TaskState(StrEnum):
    """Whether the task is still to be done."""

    OPEN = "open"
    DONE = "done"


class CallOutcome(StrEnum):
    """How a call went."""

    NOT_REACHED = "not_reached"
    REACHED = "reached"
    PROMISED = "promised"
    DISPUTED = "disputed"
    REFUSED = "refused"
    PAID = "paid"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class RiskView:
    """What is known of a customer's risk; `grade_rank` is 0 for the best, null where there is no grade."""

    dunning_level: int = 0
    payment_index: Decimal | None = None
    grade_rank: int | None = None


def risk(view: RiskView) -> Decimal:
    """The factor by which a customer's amount counts: 1 to some 6."""
    level = Decimal(view.dunning_level) / 4
    index = (
        Decimal(0)
        if view.payment_index is None
        else (100 - min(max(view.payment_index, Decimal(0)), Decimal(100))) / 50
    )
    grade = Decimal(view.grade_rank or 0) / 5
    return (1 + level + index + grade).quantize(Decimal("0.01"))


def rank(amount: Decimal, factor: Decimal, last_contact_on: date | None, on: date) -> Decimal:
    """The place in the work list: the higher the earlier."""
    days = NEVER_DAYS if last_contact_on is None else max((on - last_contact_on).days, 0)
    return min(amount * factor * (days + 1), RANK_MAX).quantize(Decimal("0.0001"))
