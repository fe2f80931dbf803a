"""The rows of limit requests, their steps, deputies, notices of expiry, and the reviews of accounts."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from app.infra.db.metadata import Amount, Base

_OPEN = text("status = 'pending'")
_UNCOMPLETED = text("completed_at is null")
_SIGNED = "state in ('approved', 'rejected')"


class LimitRequestRow(Base):
    """One request for a limit: what is asked, the facts it was judged from (JSON, byte for byte), what came of it."""

    __tablename__ = "limit_requests"
    __table_args__ = (
        CheckConstraint("kind in ('new', 'raise', 'lower', 'temporary', 'extension')", name="kind_known"),
        CheckConstraint(
            "status in ('pending', 'approved', 'partly_approved', 'declined', 'cancelled', 'expired')",
            name="status_known",
        ),
        CheckConstraint("amount >= 0 and decided_amount >= 0 and decided_amount <= amount", name="amounts"),
        CheckConstraint("offered_amount > 0 and offered_amount < amount", name="offer_is_less"),
        CheckConstraint("(status = 'pending') = (decided_at is null)", name="decision_dated"),
        CheckConstraint("status <> 'approved' or decided_amount = amount", name="approved_whole"),
        CheckConstraint("status <> 'partly_approved' or decided_amount < amount", name="approved_less"),
        CheckConstraint("not temporary or valid_until is not null", name="temporary_ends"),
        Index("ix_limit_requests_account_id_id", "account_id", "id"),
        Index("ix_limit_requests_segment_id", "segment", "id"),
        Index("ix_limit_requests_expires_at", "expires_at", postgresql_where=_OPEN),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    customer_id: Mapped[str]
    segment: Mapped[str]
    kind: Mapped[str]
    status: Mapped[str]
    amount: Mapped[Amount]
    currency: Mapped[str]
    valid_from: Mapped[date | None]
    valid_until: Mapped[date | None]
    temporary: Mapped[bool]
    justification: Mapped[str]
    on_behalf_of: Mapped[str | None]
    acknowledge_overdrawn: Mapped[bool]
    cause: Mapped[str | None]
    requester: Mapped[str]
    requester_name: Mapped[str]
    requested_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    segment_currency: Mapped[str]
    policy_version: Mapped[int]
    policy_profile: Mapped[str]
    policy_override_id: Mapped[UUID | None]
    assessment_id: Mapped[UUID | None]
    grade: Mapped[str | None]
    facts: Mapped[str]
    reasons: Mapped[str]
    offered_amount: Mapped[Amount | None]
    decided_amount: Mapped[Amount | None]
    decided_at: Mapped[datetime | None]
    overdue_since: Mapped[datetime | None]
    changed_at: Mapped[datetime]


class LimitRequestStepRow(Base):
    """One approval of several. Amounts are in the segment's currency; `decided_by` is the principal, `by_name` the name
    that the journal has; whoever decides a step of a request decides no other."""

    __tablename__ = "limit_request_steps"
    __table_args__ = (
        CheckConstraint(
            "state in ('waiting', 'pending', 'approved', 'rejected', 'escalated', 'not_needed')", name="state_known"
        ),
        CheckConstraint(f"({_SIGNED}) = (decided_by is not null and by_name is not null)", name="signed"),
        CheckConstraint(f"not ({_SIGNED}) or decided_at is not null", name="decision_dated"),
        Index(
            "uq_limit_request_steps_decided_by",
            "request_id",
            "decided_by",
            unique=True,
            postgresql_where=text("decided_by is not null"),
        ),
        Index("uq_limit_request_steps_pending", "request_id", unique=True, postgresql_where=text("state = 'pending'")),
        Index("ix_limit_request_steps_due_at", "due_at", postgresql_where=text("state = 'pending'")),
    )

    request_id: Mapped[UUID] = mapped_column(ForeignKey("limit_requests.id"), primary_key=True)
    level: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    role: Mapped[str]
    seniors: Mapped[list[str]] = mapped_column(ARRAY(Text))
    authority_amount: Mapped[Amount | None]
    needed: Mapped[Amount]
    state: Mapped[str]
    due_at: Mapped[datetime | None]
    decided_by: Mapped[str | None]
    by_name: Mapped[str | None]
    deputy_for: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    note: Mapped[str | None]


class DeputyRow(Base):
    """Who decides in whose place, and when that ended before its last day."""

    __tablename__ = "deputies"
    __table_args__ = (
        CheckConstraint("valid_until >= valid_from", name="window"),
        CheckConstraint("lower(deputy) <> lower(principal_name)", name="another"),
        CheckConstraint("(authority_amount is null) = (authority_currency is null)", name="authority_whole"),
        CheckConstraint("(ended_at is null) = (ended_by is null)", name="ending_whole"),
        Index("ix_deputies_deputy", text("lower(deputy)"), postgresql_where=text("ended_at is null")),
        Index("ix_deputies_appointed_at", "appointed_at", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    segment: Mapped[str] = mapped_column(ForeignKey("segments.segment"))
    principal: Mapped[str]
    principal_name: Mapped[str]
    deputy: Mapped[str]
    roles: Mapped[list[str]] = mapped_column(ARRAY(Text))
    authority_amount: Mapped[Amount | None]
    authority_currency: Mapped[str | None]
    valid_from: Mapped[date]
    valid_until: Mapped[date]
    reason: Mapped[str]
    appointed_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None]


class LimitNoticeRow(Base):
    """That the end of a limit was announced, or told when it came: each once."""

    __tablename__ = "limit_notices"
    __table_args__ = (CheckConstraint("kind in ('expiring', 'expired')", name="kind_known"),)

    limit_id: Mapped[UUID] = mapped_column(ForeignKey("limits.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    told_at: Mapped[datetime]


class AccountReviewRow(Base):
    """One review of an account: due on a day, then completed. An account has one that is not completed."""

    __tablename__ = "account_reviews"
    __table_args__ = (
        CheckConstraint(
            "(completed_at is null) = (completed_by is null) and (completed_at is null) = (assessment_id is null)"
            " and (completed_at is null) = (outcome is null)",
            name="completion_whole",
        ),
        CheckConstraint("outcome in ('keep', 'raise', 'lower', 'withdraw', 'watch')", name="outcome_known"),
        Index("uq_account_reviews_account_id", "account_id", unique=True, postgresql_where=_UNCOMPLETED),
        Index("ix_account_reviews_due_on", "due_on", "id", postgresql_where=_UNCOMPLETED),
        Index("ix_account_reviews_account_id_id", "account_id", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    customer_id: Mapped[str]
    segment: Mapped[str]
    due_on: Mapped[date]
    announced_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    completed_by: Mapped[str | None]
    assessment_id: Mapped[UUID | None]
    outcome: Mapped[str | None]
    note: Mapped[str | None]
