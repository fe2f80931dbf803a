"""Facts + policy → assessment. Nothing else goes in: the same facts under the same policy give the same answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from typing import Final

from app.domains.assessments.core.capacity import RecommendedLimit, recommended_limit
from app.domains.assessments.core.facts import AssessmentFacts
from app.domains.assessments.core.grading import Cap, Grading, grade
from app.domains.assessments.core.lifting import Lift, lifts
from app.domains.assessments.core.refusals import LimitsNotInPolicy, ScorecardNotInPolicy
from app.domains.assessments.core.scoring import Confidence, FactorScore, Score, score
from app.domains.policies.core.document import Policy
from app.domains.policies.core.grades import GradeTerms

PRECISION: Final = 40
"""Digits of the arithmetic: amounts have 19, and quotients are rounded to 4 decimals only at the end."""
REASONS_MAX: Final = 4


@dataclass(frozen=True, slots=True)
class Finding:
    """What an assessment finds, and how it comes to it.

    `reasons` are the factors that lost most points against the best attainable, `lifts` what would lift the grade.
    """

    score: Decimal
    grade: str
    uncapped_grade: str
    caps: tuple[Cap, ...]
    probability_of_default: Decimal
    confidence: Confidence
    factors: tuple[FactorScore, ...]
    reasons: tuple[FactorScore, ...]
    lifts: tuple[Lift, ...]
    recommended_limit: RecommendedLimit
    recommended_terms: GradeTerms
    review_on: date


def assess(facts: AssessmentFacts, policy: Policy) -> Finding:
    """Assesses `facts` under `policy`. Raises `ScorecardNotInPolicy`, `LimitsNotInPolicy`."""
    if policy.scorecard is None:
        raise ScorecardNotInPolicy(f"the policy of {facts.segment!r} has no scorecard")
    if policy.limits is None:
        raise LimitsNotInPolicy(f"the policy of {facts.segment!r} does not say how limits are found")
    with localcontext() as context:
        context.prec, context.rounding = PRECISION, ROUND_HALF_EVEN
        scored = score(facts, policy.scorecard)
        graded = grade(facts, scored, policy.scorecard, policy.grades)
        limit = recommended_limit(facts, policy.limits, graded.grade)
        return _finding(facts, policy, scored, graded, limit)


def _finding(
    facts: AssessmentFacts, policy: Policy, scored: Score, graded: Grading, limit: RecommendedLimit
) -> Finding:
    assert policy.scorecard is not None, "scored by it"
    return Finding(
        score=scored.score,
        grade=graded.grade.name,
        uncapped_grade=graded.uncapped.name,
        caps=graded.caps,
        probability_of_default=graded.probability_of_default,
        confidence=scored.confidence,
        factors=scored.factors,
        reasons=_top_lost(scored.factors),
        lifts=lifts(scored, graded, policy.scorecard, policy.grades),
        recommended_limit=limit,
        recommended_terms=graded.grade.terms,
        review_on=facts.on + timedelta(days=graded.grade.review_days),
    )


def _top_lost(factors: tuple[FactorScore, ...]) -> tuple[FactorScore, ...]:
    """The factors that lost most points; of equals the first of the policy comes first."""
    ranked = sorted((factor for factor in factors if factor.lost > 0), key=lambda factor: -factor.lost)
    return tuple(ranked[:REASONS_MAX])
