"""Credit reports of agencies, on whatever scale each of them uses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from app.domains.credit_data.core.refusals import ReportEmpty, ScaleMissing, ScoreOutsideScale
from app.kernel.errors import Fault
from app.kernel.money import Money

HUNDRED: Final = Decimal(100)
_STEP: Final = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Scale:
    """From `min` to `max`, both included. D&B's risk class 1 is best (`higher_is_better` false), its percentile 1 is
    worst."""

    min: Decimal
    max: Decimal
    higher_is_better: bool


@dataclass(frozen=True, slots=True)
class CreditReport:
    """What an agency reports on a day. `probability_of_default` is within twelve months, from 0 to 1."""

    agency: str
    report_ref: str
    reported_on: date
    score: Decimal | None = None
    scale: Scale | None = None
    rating: str | None = None
    probability_of_default: Decimal | None = None
    recommended_limit: Money | None = None

    @property
    def normalised_score(self) -> Decimal | None:
        """The score from 0, worst, to 100, best; null without one."""
        return None if self.score is None or self.scale is None else normalised(self.score, self.scale)

    def check(self) -> None:
        """Raises `ReportEmpty`, `ScaleMissing`, `ScoreOutsideScale`."""
        said = (self.score, self.rating, self.probability_of_default, self.recommended_limit)
        if all(value is None for value in said):
            what = "a report says a score, a rating, a probability of default or a limit"
            raise ReportEmpty(what, faults=[Fault("", ReportEmpty.code, what)])
        if self.scale is not None and self.scale.min >= self.scale.max:
            what = "a scale's min is below its max; higher_is_better says which end is good"
            raise ScoreOutsideScale(what, faults=[Fault("/scale/max", ScoreOutsideScale.code, what)])
        if self.score is None:
            return
        if self.scale is None:
            what = "a score means nothing without its scale"
            raise ScaleMissing(what, faults=[Fault("/scale", ScaleMissing.code, what)])
        if not self.scale.min <= self.score <= self.scale.max:
            what = f"{self.score} is not within {self.scale.min} and {self.scale.max}"
            raise ScoreOutsideScale(what, faults=[Fault("/score", ScoreOutsideScale.code, what)])


def normalised(score: Decimal, scale: Scale) -> Decimal:
    """`score` from 0 (worst) to 100 (best) whatever the direction of `scale`, linear, rounded half up to two decimals.

    A score beyond the scale counts as its nearer end.
    """
    within = min(max(score, scale.min), scale.max)
    share = (within - scale.min) / (scale.max - scale.min)
    better = share if scale.higher_is_better else 1 - share
    return (better * HUNDRED).quantize(_STEP, ROUND_HALF_UP)
