"""Score → grade and probability of default, and what caps the grade whatever the score."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum
from typing import Final

from app.domains.assessments.core.factors import read
from app.domains.assessments.core.factors.asked import Asked
from app.domains.assessments.core.facts import AssessmentFacts
from app.domains.assessments.core.scoring import Score
from app.domains.policies.core.grades import Grade, grade_of
from app.domains.policies.core.scorecard import CalibrationPoint, KnockOut, Scorecard

HUNDRED: Final = Decimal(100)
_PROBABILITY_STEP: Final = Decimal("0.000001")


class CapKind(StrEnum):
    """What caps a grade."""

    KNOCK_OUT = "knock_out"
    CONFIDENCE = "confidence"


@dataclass(frozen=True, slots=True)
class Cap:
    """The grade is `grade` at best. `value` is what struck: the factor's value, or the confidence in percent."""

    kind: CapKind
    code: str
    grade: str
    value: Decimal
    threshold: str


@dataclass(frozen=True, slots=True)
class Grading:
    """The grade, the one that the score alone would give, and the probability of default within twelve months."""

    grade: Grade
    uncapped: Grade
    caps: tuple[Cap, ...]
    probability_of_default: Decimal


def grade(facts: AssessmentFacts, score: Score, scorecard: Scorecard, grades: Sequence[Grade]) -> Grading:
    """Grades a score. A capped grade has the probability of the best score that the grade holds, if that is higher."""
    uncapped = grade_of(grades, score.score)
    caps = (*_knock_outs(facts, scorecard), *_confidence_caps(score, scorecard))
    names = [each.name for each in grades]
    rank = max([grades.index(uncapped), *(names.index(cap.grade) for cap in caps)])
    best = grades[rank - 1].min_score if rank else HUNDRED
    probability = probability_at(scorecard.calibration, min(score.score, best))
    return Grading(grades[rank], uncapped, caps, probability)


def probability_at(calibration: Sequence[CalibrationPoint], score: Decimal) -> Decimal:
    """The probability of default (0–1) at a score: between two points of the curve linear in its log-odds, beyond its
    ends the end's."""
    below = [point for point in calibration if point.score <= score]
    above = [point for point in calibration if point.score >= score]
    if not below or not above:
        nearest = calibration[0] if not below else calibration[-1]
        return (nearest.probability_percent / HUNDRED).quantize(_PROBABILITY_STEP, ROUND_HALF_EVEN)
    low, high = below[-1], above[0]
    if low.score == high.score:
        return (low.probability_percent / HUNDRED).quantize(_PROBABILITY_STEP, ROUND_HALF_EVEN)
    share = (score - low.score) / (high.score - low.score)
    log_odds = _log_odds(low) + share * (_log_odds(high) - _log_odds(low))
    odds = log_odds.exp()
    return (odds / (1 + odds)).quantize(_PROBABILITY_STEP, ROUND_HALF_EVEN)


def _log_odds(point: CalibrationPoint) -> Decimal:
    return (point.probability_percent / (HUNDRED - point.probability_percent)).ln()


def _knock_outs(facts: AssessmentFacts, scorecard: Scorecard) -> Iterator[Cap]:
    for rule in scorecard.knock_outs:
        asked = Asked(facts, scorecard, rule.item, rule.max_age_days)
        found = read(rule.factor, asked)
        if found is not None and asked.is_current(found.as_of) and rule.strikes(found.value):
            yield Cap(CapKind.KNOCK_OUT, rule.code, rule.grade, found.value, _threshold(rule))


def _threshold(rule: KnockOut) -> str:
    parts = ((">=", rule.at_least), ("<", rule.below))
    return ", ".join(f"{sign} {bound:f}" for sign, bound in parts if bound is not None)


def _confidence_caps(score: Score, scorecard: Scorecard) -> Iterator[Cap]:
    """The strictest that applies: caps are given from high to low confidence."""
    percent = score.confidence.percent
    struck = [cap for cap in scorecard.confidence_caps if percent < cap.below]
    if struck:
        cap = struck[-1]
        yield Cap(CapKind.CONFIDENCE, "low_confidence", cap.grade, percent, f"< {cap.below:f}")
