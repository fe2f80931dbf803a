"""Assessments and their runs on the wire."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import ConfigDict, Field

from app.domains.assessments.core import words
from app.domains.assessments.core.assessment import Finding
from app.domains.assessments.core.capacity import MethodAmount
from app.domains.assessments.core.grading import CapKind
from app.domains.assessments.core.lifting import Lift, LiftAction
from app.domains.assessments.core.record import Assessment
from app.domains.assessments.core.runs import Run, RunState
from app.domains.assessments.core.scoring import FactorScore
from app.domains.assessments.core.words import Language
from app.domains.assessments.service import Replay
from app.domains.policies.core.factors import Independence
from app.domains.policies.core.grades import GradeTermsKind
from app.domains.policies.core.scorecard import Band, Question
from app.infra.http.fields import Reference, SegmentName, Wire
from app.kernel.money import render

DecimalText = Annotated[str, Field(pattern=r"^-?[0-9]+(\.[0-9]+)?$")]
JsonObject = Annotated[dict[str, Any], Field(json_schema_extra={"type": "object"})]
MAX_NAMED = 1_000


class AssessIn(Wire):
    """Which segment's policy and rates to assess by."""

    segment: SegmentName = "main"


class BandOut(Wire):
    """Values from `at_least`, included, to `below`, not included; null is no end."""

    at_least: DecimalText | None
    below: DecimalText | None


class FactorOut(Wire):
    """One factor as it was judged. `points` of `max_points` went into the score; `weight` is its share in percent."""

    code: str
    name: str
    group: str
    weight: DecimalText
    value: DecimalText | None
    band: BandOut | None
    points: DecimalText
    max_points: DecimalText
    source: str | None
    independence: Independence | None
    as_of: date | None
    age_days: int | None
    missing: bool


class ReasonOut(Wire):
    """A factor that lost points, in words."""

    code: str
    message: str
    value: DecimalText | None
    band: BandOut | None
    points: DecimalText
    max_points: DecimalText


class CapOut(Wire):
    """What caps the grade, in words."""

    kind: CapKind
    code: str
    grade: str
    value: DecimalText
    threshold: str
    message: str


class LiftOut(Wire):
    """What would lift the grade to `grade`: `enough` by itself, or a part of it."""

    action: LiftAction
    code: str
    grade: str
    band: BandOut | None
    gain: DecimalText | None
    enough: bool
    message: str


class ConfidenceOut(Wire):
    """How sure one can be, in percent, and what share of the weight rests on which sources."""

    percent: DecimalText
    by_source: dict[str, DecimalText]


class MethodOut(Wire):
    """What a method (`kind` capacity) or a bound says; no amount: its facts are missing, or it has none."""

    method: str
    kind: str
    amount: DecimalText | None
    inputs: dict[str, str]


class RecommendedLimitOut(Wire):
    """The recommended limit, and the method or bound that it comes from."""

    amount: DecimalText
    currency: str
    binding: str
    methods: list[MethodOut]


class RecommendedTermsOut(Wire):
    """The terms of the grade."""

    kind: GradeTermsKind
    net_days: int


class PolicyUsedOut(Wire):
    """The policy that it was made under."""

    segment: str
    version: int
    profile: str
    override_id: UUID | None


class AssessmentOut(Wire):
    """One assessment. `probability_of_default` is within twelve months, from 0 to 1."""

    id: UUID
    customer_id: str
    segment: str
    score: DecimalText
    grade: str
    uncapped_grade: str
    probability_of_default: DecimalText
    confidence: ConfidenceOut
    factors: list[FactorOut]
    reasons: list[ReasonOut]
    caps: list[CapOut]
    lifts: list[LiftOut]
    recommended_limit: RecommendedLimitOut
    recommended_terms: RecommendedTermsOut
    review_on: date
    policy: PolicyUsedOut
    facts_digest: str
    assessed_on: date
    assessed_at: datetime
    assessed_by: str


class AssessmentReplayOut(Wire):
    """An assessment decided again from its stored facts: what was found, and whether it came out the same."""

    id: UUID
    identical: bool
    differing: list[str]
    facts: JsonObject
    given: JsonObject
    replayed: JsonObject


class RunItemIn(Wire):
    """One customer to assess."""

    customer_id: Reference


class RunIn(Wire):
    """Whose assessments: those named, or everybody's who has an account in the segment, or in any."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"segment": "main", "stale": True}]})

    segment: SegmentName | None = None
    stale: bool = False
    """Only who was never assessed, is due for review, or was assessed under an earlier policy version."""
    items: Annotated[list[RunItemIn], Field(min_length=1, max_length=MAX_NAMED)] | None = None


class RunFailureOut(Wire):
    """An account that could not be assessed."""

    customer_id: str
    segment: str
    code: str


class RunOut(Wire):
    """How far a run is: of `total` accounts at the start so many were assessed, skipped as not stale, or failed."""

    id: UUID
    segment: str | None
    stale: bool
    state: RunState
    total: int
    assessed: int
    skipped: int
    failed: int
    failures: list[RunFailureOut]
    started_by: str
    started_at: datetime
    finished_at: datetime | None


def assessment_out(
    assessment: Assessment, language: Language, questions: Mapping[str, Question] | None = None
) -> AssessmentOut:
    """An assessment as an answer, its reasons in one language."""
    finding = assessment.finding
    return AssessmentOut(
        id=assessment.id,
        customer_id=assessment.customer_id,
        segment=assessment.segment,
        score=_text(finding.score),
        grade=finding.grade,
        uncapped_grade=finding.uncapped_grade,
        probability_of_default=_text(finding.probability_of_default),
        confidence=ConfidenceOut(
            percent=_text(finding.confidence.percent),
            by_source={source: _text(share) for source, share in finding.confidence.by_source.items()},
        ),
        factors=[_factor(factor, language, questions) for factor in finding.factors],
        reasons=[_reason(factor, language, questions) for factor in finding.reasons],
        caps=_caps(finding, language),
        lifts=[_lift(lift, language, questions) for lift in finding.lifts],
        recommended_limit=_limit(finding),
        recommended_terms=RecommendedTermsOut(
            kind=finding.recommended_terms.kind, net_days=finding.recommended_terms.net_days
        ),
        review_on=finding.review_on,
        policy=PolicyUsedOut(
            segment=assessment.policy.segment,
            version=assessment.policy.version,
            profile=assessment.policy.profile,
            override_id=assessment.policy.override_id,
        ),
        facts_digest=assessment.facts_digest,
        assessed_on=assessment.assessed_on,
        assessed_at=assessment.assessed_at,
        assessed_by=assessment.assessed_by,
    )


def replay_out(assessment_id: UUID, facts: dict[str, Any], replay: Replay) -> AssessmentReplayOut:
    """A replay as an answer."""
    return AssessmentReplayOut(
        id=assessment_id,
        identical=replay.identical,
        differing=list(replay.differing),
        facts=facts,
        given=replay.given,
        replayed=replay.replayed,
    )


def run_out(run: Run) -> RunOut:
    """A run as an answer."""
    return RunOut(
        id=run.id,
        segment=run.segment,
        stale=run.stale_only,
        state=run.state,
        total=run.total,
        assessed=run.assessed,
        skipped=run.skipped,
        failed=run.failed,
        failures=[RunFailureOut(**failure) for failure in run.failures],
        started_by=run.started_by,
        started_at=run.started_at,
        finished_at=run.finished_at,
    )


def _factor(factor: FactorScore, language: Language, questions: Mapping[str, Question] | None) -> FactorOut:
    return FactorOut(
        code=factor.code,
        name=words.name_of(factor.code, language, questions),
        group=factor.group,
        weight=_text(factor.weight),
        value=_optional(factor.value),
        band=_band(factor.band),
        points=_text(factor.points),
        max_points=_text(factor.max_points),
        source=factor.source,
        independence=factor.independence,
        as_of=factor.as_of,
        age_days=factor.age_days,
        missing=factor.missing,
    )


def _reason(factor: FactorScore, language: Language, questions: Mapping[str, Question] | None) -> ReasonOut:
    return ReasonOut(
        code=factor.code,
        message=words.reason(factor, language, questions),
        value=_optional(factor.value),
        band=_band(factor.band),
        points=_text(factor.points),
        max_points=_text(factor.max_points),
    )


def _caps(finding: Finding, language: Language) -> list[CapOut]:
    return [
        CapOut(
            kind=cap.kind,
            code=cap.code,
            grade=cap.grade,
            value=_text(cap.value),
            threshold=cap.threshold,
            message=words.cap_reason(cap, language),
        )
        for cap in finding.caps
    ]


def _lift(lift: Lift, language: Language, questions: Mapping[str, Question] | None) -> LiftOut:
    return LiftOut(
        action=lift.action,
        code=lift.code,
        grade=lift.grade,
        band=_band(lift.band),
        gain=_optional(lift.gain),
        enough=lift.enough,
        message=words.lift_text(lift, language, questions),
    )


def _limit(finding: Finding) -> RecommendedLimitOut:
    limit = finding.recommended_limit
    return RecommendedLimitOut(
        amount=render(limit.amount, limit.currency),
        currency=limit.currency,
        binding=limit.binding,
        methods=[_method(method, limit.currency) for method in limit.methods],
    )


def _method(method: MethodAmount, currency: str) -> MethodOut:
    return MethodOut(
        method=method.method,
        kind="capacity" if method.capacity else "bound",
        amount=None if method.amount is None else render(method.amount, currency),
        inputs=dict(method.inputs),
    )


def _band(band: Band | None) -> BandOut | None:
    return None if band is None else BandOut(at_least=_optional(band.at_least), below=_optional(band.below))


def _optional(number: Decimal | None) -> str | None:
    return None if number is None else _text(number)


def _text(number: Decimal) -> str:
    return format(number, "f")
