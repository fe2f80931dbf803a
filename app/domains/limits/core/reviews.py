"""Reviews of accounts: each account is looked at again by a person, on a day that its grade gives."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from app.domains.limits.core.refusals import AccountReviewCompleted


class ReviewOutcome(StrEnum):
    """What a person concluded of an account."""

    KEEP = "keep"
    RAISE = "raise"
    LOWER = "lower"
    WITHDRAW = "withdraw"
    WATCH = "watch"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountReview:
    """The review of an account that is due on a day, or was completed. An account has one that is not completed."""

    id: UUID
    account_id: UUID
    customer_id: str
    segment: str
    due_on: date
    announced_at: datetime | None = None
    completed_at: datetime | None = None
    completed_by: str | None = None
    assessment_id: UUID | None = None
    outcome: ReviewOutcome | None = None
    note: str | None = None


def check_uncompleted(review: AccountReview) -> None:
    """Refuses to complete a review twice. Raises `AccountReviewCompleted`."""
    if review.completed_at is not None:
        raise AccountReviewCompleted(f"{review.completed_by} completed it at {review.completed_at.isoformat()}")
