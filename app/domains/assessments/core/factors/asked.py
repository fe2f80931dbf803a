"""What a factor is asked, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

from app.domains.assessments.core.facts import AssessmentFacts
from app.domains.policies.core.factors import Independence
from app.domains.policies.core.scorecard import Scorecard

ENDLESS: Final = Decimal(1_000_000)
"""Stands for a ratio without a finite value, such as a cover by which nothing has to be covered. No value is larger."""
_STEP: Final = Decimal("0.0001")
"""Values are rounded half to even before they are banded, so that the value one reads is the value judged."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question to the facts: `item` narrows the factor down, facts older than `max_age_days` are not current."""

    facts: AssessmentFacts
    scorecard: Scorecard
    item: str | None = None
    max_age_days: int | None = None

    def is_current(self, day: date) -> bool:
        """Whether a fact of the day is young enough."""
        return self.max_age_days is None or day >= self.facts.on - timedelta(days=self.max_age_days)


@dataclass(frozen=True, slots=True)
class Reading:
    """The value of a factor, what it was read from, and the day it is of."""

    value: Decimal
    source: str
    independence: Independence
    as_of: date


def reading(value: Decimal | int | None, source: str, independence: Independence, as_of: date) -> Reading | None:
    """A reading of `value`, rounded and bounded; null without one."""
    if value is None:
        return None
    bounded = max(-ENDLESS, min(ENDLESS, Decimal(value)))
    return Reading(bounded.quantize(_STEP, ROUND_HALF_EVEN), source, independence, as_of)


def over(numerator: Decimal | None, denominator: Decimal | None) -> Decimal | None:
    """The quotient; null where a part is unknown.

    Over nothing it is without end on the side of its numerator: no debts are covered any number of times. A negative
    denominator gives no ratio that means anything, so it is null too; who divides by equity says what that means.
    """
    if numerator is None or denominator is None or denominator < 0:
        return None
    if denominator == 0:
        return ENDLESS if numerator >= 0 else -ENDLESS
    return numerator / denominator


def per(numerator: Decimal | None, denominator: Decimal | None) -> Decimal | None:
    """The quotient; null where a part is unknown or the denominator is not positive: nothing is per no sales."""
    return None if denominator is None or denominator <= 0 else over(numerator, denominator)
