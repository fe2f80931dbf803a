"""An assessment as it is kept: what was found, from which facts, under which policy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from app.domains.assessments.core.assessment import Finding
from app.domains.assessments.core.facts import AssessmentFacts
from app.kernel.money import Money


@dataclass(frozen=True, slots=True)
class PolicyUsed:
    """The policy that an assessment was made under."""

    segment: str
    version: int
    profile: str
    override_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """One scoring of a customer in a segment. It never changes; a later one takes its place."""

    id: UUID
    customer_id: str
    segment: str
    facts: AssessmentFacts
    facts_digest: str
    finding: Finding
    policy: PolicyUsed
    assessed_at: datetime
    assessed_by: str

    @property
    def grade(self) -> str:
        """The risk class."""
        return self.finding.grade

    @property
    def score(self) -> Decimal:
        """From 0 to 100."""
        return self.finding.score

    @property
    def recommended_limit(self) -> Money:
        """What the policy recommends as a limit, in the segment's currency."""
        return Money(self.finding.recommended_limit.amount, self.finding.recommended_limit.currency)

    @property
    def assessed_on(self) -> date:
        """The day of the segment on which it was made."""
        return self.facts.on

    @property
    def review_on(self) -> date:
        """The day from which on it is stale."""
        return self.finding.review_on


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the journal tells of an assessment; `limit_amount` is the recommended limit in `currency`."""

    grade: str
    score: Decimal
    limit_amount: Decimal
    currency: str
    policy_version: int
    review_on: date


@dataclass(frozen=True, slots=True)
class Standing:
    """What decides whether an account's latest assessment is stale."""

    review_on: date
    policy_version: int


def is_stale(latest: Standing | None, *, on: date, policy_version: int) -> bool:
    """Whether a customer has to be assessed anew: never was, is due for review, or was under another policy version."""
    return latest is None or latest.review_on <= on or latest.policy_version != policy_version
