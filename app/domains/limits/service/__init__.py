"""Use cases of limits, by topic: requests, their way through approval, deputies, reviews and notices, lost cover."""

from app.domains.limits.repository.requests import RequestFilter
from app.domains.limits.repository.reviews import ReviewFilter
from app.domains.limits.service.covers import lower_for_announced_withdrawal, lower_for_lost_cover
from app.domains.limits.service.deputies import appoint, dismiss, end_with_key, list_deputies
from app.domains.limits.service.requests import (
    Replay,
    accept,
    cancel,
    find,
    list_requests,
    replay,
    request_limit,
)
from app.domains.limits.service.reviews import (
    announce_endings,
    announce_reviews,
    complete_review,
    ensure_review,
    list_reviews,
    schedule_reviews_of,
)
from app.domains.limits.service.steps import (
    approve,
    escalate,
    expire,
    expired_requests,
    overdue_steps,
    reject,
    turns_of,
)

__all__ = [
    "Replay",
    "RequestFilter",
    "ReviewFilter",
    "accept",
    "announce_endings",
    "announce_reviews",
    "appoint",
    "approve",
    "cancel",
    "complete_review",
    "dismiss",
    "end_with_key",
    "ensure_review",
    "escalate",
    "expire",
    "expired_requests",
    "find",
    "list_deputies",
    "list_requests",
    "list_reviews",
    "lower_for_announced_withdrawal",
    "lower_for_lost_cover",
    "overdue_steps",
    "reject",
    "replay",
    "request_limit",
    "schedule_reviews_of",
    "turns_of",
]
