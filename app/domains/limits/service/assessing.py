"""What is known of a customer's creditworthiness, as a judgement needs it: the assessment, made anew where it is stale.

The only place of this slice that knows the assessments.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_FLOOR, Decimal
from uuid import UUID

from app.domains.assessments import service as assessments
from app.domains.assessments.core.events import CustomerAssessed
from app.domains.assessments.core.record import Assessment
from app.domains.assessments.core.refusals import AssessmentNotFound, LimitsNotInPolicy, ScorecardNotInPolicy
from app.domains.exposure.core.account import Account
from app.domains.limits.core.judging import Opinion
from app.infra.transaction import Transaction
from app.kernel.money import MAX_AMOUNT, quantum


@dataclass(frozen=True, slots=True)
class Assessed:
    """An assessment, as far as a review rests on it."""

    customer_id: str
    segment: str
    grade: str
    assessed_on: date
    review_on: date


async def opinion(tx: Transaction, *, account: Account, on: date, max_age_days: int, rate: Decimal) -> Opinion | None:
    """The latest assessment, made anew where it is older than that; null where the policy can't assess anybody.

    `rate` is segment currency per unit of account currency; what is recommended is rounded down. Raises `AccountBusy`,
    `OverrideUnfit`.
    """
    known = await assessments.latest(tx, customer_id=account.customer_id, segment=account.segment)
    if known is None or (on - known.assessed_on).days > max_age_days:
        try:
            known = await assessments.assess(tx, customer_id=account.customer_id, segment=account.segment)
        except (ScorecardNotInPolicy, LimitsNotInPolicy):
            return None
    recommended = min(known.recommended_limit.amount / rate, MAX_AMOUNT)
    return Opinion(
        known.id,
        known.grade,
        recommended.quantize(quantum(account.currency), ROUND_FLOOR),
        known.assessed_on,
    )


async def assessment(tx: Transaction, *, assessment_id: UUID) -> Assessed | None:
    """The assessment with this id; null where there is none."""
    try:
        found: Assessment = await assessments.find(tx, assessment_id=assessment_id)
    except AssessmentNotFound:
        return None
    return Assessed(found.customer_id, found.segment, found.grade, found.assessed_on, found.review_on)


def review_day(event: CustomerAssessed) -> date:
    """The day from which on the assessment that was made is to be looked at again."""
    return date.fromisoformat(event.after["review_on"])
