"""What happens to limit requests, deputies and reviews. Amounts are decimal strings in the account's currency."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from app.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitRequested(Event):
    """Somebody asked for a limit, and people have to decide."""

    type: ClassVar[str] = "limit_requested"
    subject_type: ClassVar[str] = "limit_request"


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitRequestStepApproved(Event):
    """One of several people who have to approve a request has done so."""

    type: ClassVar[str] = "limit_request_step_approved"
    subject_type: ClassVar[str] = "limit_request"


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitRequestApproved(Event):
    """A request was granted, in full or in part, by people or by the policy."""

    type: ClassVar[str] = "limit_request_approved"
    subject_type: ClassVar[str] = "limit_request"


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitRequestDeclined(Event):
    """A request was declined, by a person or by the policy."""

    type: ClassVar[str] = "limit_request_declined"
    subject_type: ClassVar[str] = "limit_request"


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitRequestCancelled(Event):
    """Whoever asked asks no more."""

    type: ClassVar[str] = "limit_request_cancelled"
    subject_type: ClassVar[str] = "limit_request"


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitRequestExpired(Event):
    """Nobody decided on a request in time."""

    type: ClassVar[str] = "limit_request_expired"
    subject_type: ClassVar[str] = "limit_request"


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitRequestEscalated(Event):
    """Nobody decided on a step in time: the next level, or the next higher authority, decides without it."""

    type: ClassVar[str] = "limit_request_escalated"
    subject_type: ClassVar[str] = "limit_request"


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitRequestOverdue(Event):
    """Nobody decided on the last step in time, and nobody has a higher authority: it waits all the same."""

    type: ClassVar[str] = "limit_request_overdue"
    subject_type: ClassVar[str] = "limit_request"


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitApprovalRefused(Event):
    """Somebody tried to decide on a request who may not. Nothing else has changed."""

    type: ClassVar[str] = "limit_approval_refused"
    subject_type: ClassVar[str] = "limit_request"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeputyAppointed(Event):
    """Somebody may decide in another's place, in their own name, for a time."""

    type: ClassVar[str] = "deputy_appointed"
    subject_type: ClassVar[str] = "deputy"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeputyDismissed(Event):
    """A deputyship was ended before its last day."""

    type: ClassVar[str] = "deputy_dismissed"
    subject_type: ClassVar[str] = "deputy"


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitExpiring(Event):
    """A limit ends soon, and no other follows it yet."""

    type: ClassVar[str] = "limit_expiring"
    subject_type: ClassVar[str] = "account"


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitExpired(Event):
    """A limit has ended by itself."""

    type: ClassVar[str] = "limit_expired"
    subject_type: ClassVar[str] = "account"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountReviewScheduled(Event):
    """The day on which an account is to be reviewed is known, or another one."""

    type: ClassVar[str] = "account_review_scheduled"
    subject_type: ClassVar[str] = "account_review"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountReviewDue(Event):
    """The day of a review is near."""

    type: ClassVar[str] = "account_review_due"
    subject_type: ClassVar[str] = "account_review"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountReviewed(Event):
    """A person has reviewed an account, by which assessment, and with what outcome."""

    type: ClassVar[str] = "account_reviewed"
    subject_type: ClassVar[str] = "account_review"
