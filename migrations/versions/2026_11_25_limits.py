"""Limit requests with their steps, deputies, notices of limits that end, reviews of accounts

Revision ID: limits
Revises: report_orders
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "limits"
down_revision: str | None = "report_orders"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_AMOUNT = sa.Numeric(24, 4)
_INSTANT = sa.DateTime(timezone=True)
_ID = postgresql.UUID(as_uuid=True)


def upgrade() -> None:
    _create_requests()
    _create_steps()
    _create_deputies()
    _create_notices()
    _create_reviews()
    op.create_index(
        "ix_limits_valid_until", "limits", ["valid_until"], postgresql_where=sa.text("superseded_at is null")
    )


def downgrade() -> None:
    op.drop_index("ix_limits_valid_until", "limits")
    for table in ("account_reviews", "limit_notices", "deputies", "limit_request_steps", "limit_requests"):
        op.drop_table(table)


def _create_requests() -> None:
    op.create_table(
        "limit_requests",
        sa.Column("id", _ID, nullable=False),
        sa.Column("account_id", _ID, nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("segment", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("amount", _AMOUNT, nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date()),
        sa.Column("valid_until", sa.Date()),
        sa.Column("temporary", sa.Boolean(), nullable=False),
        sa.Column("justification", sa.Text(), nullable=False),
        sa.Column("on_behalf_of", sa.Text()),
        sa.Column("acknowledge_overdrawn", sa.Boolean(), nullable=False),
        sa.Column("cause", sa.Text()),
        sa.Column("requester", sa.Text(), nullable=False),
        sa.Column("requester_name", sa.Text(), nullable=False),
        sa.Column("requested_at", _INSTANT, nullable=False),
        sa.Column("expires_at", _INSTANT),
        sa.Column("segment_currency", sa.Text(), nullable=False),
        sa.Column("policy_version", sa.BigInteger(), nullable=False),
        sa.Column("policy_profile", sa.Text(), nullable=False),
        sa.Column("policy_override_id", _ID),
        sa.Column("assessment_id", _ID),
        sa.Column("grade", sa.Text()),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("offered_amount", _AMOUNT),
        sa.Column("decided_amount", _AMOUNT),
        sa.Column("decided_at", _INSTANT),
        sa.Column("overdue_since", _INSTANT),
        sa.Column("changed_at", _INSTANT, nullable=False),
        sa.CheckConstraint(
            "(status = 'pending') = (decided_at is null)", name=op.f("ck_limit_requests_decision_dated")
        ),
        sa.CheckConstraint(
            "kind in ('new', 'raise', 'lower', 'temporary', 'extension')", name=op.f("ck_limit_requests_kind_known")
        ),
        sa.CheckConstraint(
            "status <> 'approved' or decided_amount = amount", name=op.f("ck_limit_requests_approved_whole")
        ),
        sa.CheckConstraint(
            "status <> 'partly_approved' or decided_amount < amount", name=op.f("ck_limit_requests_approved_less")
        ),
        sa.CheckConstraint(
            "status in ('pending', 'approved', 'partly_approved', 'declined', 'cancelled', 'expired')",
            name=op.f("ck_limit_requests_status_known"),
        ),
        sa.CheckConstraint(
            "amount >= 0 and decided_amount >= 0 and decided_amount <= amount", name=op.f("ck_limit_requests_amounts")
        ),
        sa.CheckConstraint("not temporary or valid_until is not null", name=op.f("ck_limit_requests_temporary_ends")),
        sa.CheckConstraint(
            "offered_amount > 0 and offered_amount < amount", name=op.f("ck_limit_requests_offer_is_less")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_limit_requests_account_id_accounts"),
        sa.PrimaryKeyConstraint("id", name="pk_limit_requests"),
    )
    op.create_index("ix_limit_requests_account_id_id", "limit_requests", ["account_id", "id"])
    op.create_index(
        "ix_limit_requests_expires_at", "limit_requests", ["expires_at"], postgresql_where=sa.text("status = 'pending'")
    )
    op.create_index("ix_limit_requests_segment_id", "limit_requests", ["segment", "id"])


def _create_steps() -> None:
    op.create_table(
        "limit_request_steps",
        sa.Column("request_id", _ID, nullable=False),
        sa.Column("level", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("seniors", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("authority_amount", _AMOUNT),
        sa.Column("needed", _AMOUNT, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("due_at", _INSTANT),
        sa.Column("decided_by", sa.Text()),
        sa.Column("by_name", sa.Text()),
        sa.Column("deputy_for", sa.Text()),
        sa.Column("decided_at", _INSTANT),
        sa.Column("note", sa.Text()),
        sa.CheckConstraint(
            "(state in ('approved', 'rejected')) = (decided_by is not null and by_name is not null)",
            name=op.f("ck_limit_request_steps_signed"),
        ),
        sa.CheckConstraint(
            "not (state in ('approved', 'rejected')) or decided_at is not null",
            name=op.f("ck_limit_request_steps_decision_dated"),
        ),
        sa.CheckConstraint(
            "state in ('waiting', 'pending', 'approved', 'rejected', 'escalated', 'not_needed')",
            name=op.f("ck_limit_request_steps_state_known"),
        ),
        sa.ForeignKeyConstraint(
            ["request_id"], ["limit_requests.id"], name="fk_limit_request_steps_request_id_limit_requests"
        ),
        sa.PrimaryKeyConstraint("request_id", "level", name="pk_limit_request_steps"),
    )
    op.create_index(
        "ix_limit_request_steps_due_at",
        "limit_request_steps",
        ["due_at"],
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_index(
        "uq_limit_request_steps_decided_by",
        "limit_request_steps",
        ["request_id", "decided_by"],
        unique=True,
        postgresql_where=sa.text("decided_by is not null"),
    )
    op.create_index(
        "uq_limit_request_steps_pending",
        "limit_request_steps",
        ["request_id"],
        unique=True,
        postgresql_where=sa.text("state = 'pending'"),
    )


def _create_deputies() -> None:
    op.create_table(
        "deputies",
        sa.Column("id", _ID, nullable=False),
        sa.Column("segment", sa.Text(), nullable=False),
        sa.Column("principal", sa.Text(), nullable=False),
        sa.Column("principal_name", sa.Text(), nullable=False),
        sa.Column("deputy", sa.Text(), nullable=False),
        sa.Column("roles", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("authority_amount", _AMOUNT),
        sa.Column("authority_currency", sa.Text()),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("appointed_at", _INSTANT, nullable=False),
        sa.Column("ended_at", _INSTANT),
        sa.Column("ended_by", sa.Text()),
        sa.CheckConstraint(
            "(authority_amount is null) = (authority_currency is null)", name=op.f("ck_deputies_authority_whole")
        ),
        sa.CheckConstraint("(ended_at is null) = (ended_by is null)", name=op.f("ck_deputies_ending_whole")),
        sa.CheckConstraint("lower(deputy) <> lower(principal_name)", name=op.f("ck_deputies_another")),
        sa.CheckConstraint("valid_until >= valid_from", name=op.f("ck_deputies_window")),
        sa.ForeignKeyConstraint(["segment"], ["segments.segment"], name="fk_deputies_segment_segments"),
        sa.PrimaryKeyConstraint("id", name="pk_deputies"),
    )
    op.create_index("ix_deputies_appointed_at", "deputies", ["appointed_at", "id"])
    op.create_index(
        "ix_deputies_deputy",
        "deputies",
        [sa.literal_column("lower(deputy)")],
        postgresql_where=sa.text("ended_at is null"),
    )


def _create_notices() -> None:
    op.create_table(
        "limit_notices",
        sa.Column("limit_id", _ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("told_at", _INSTANT, nullable=False),
        sa.CheckConstraint("kind in ('expiring', 'expired')", name=op.f("ck_limit_notices_kind_known")),
        sa.ForeignKeyConstraint(["limit_id"], ["limits.id"], name="fk_limit_notices_limit_id_limits"),
        sa.PrimaryKeyConstraint("limit_id", "kind", name="pk_limit_notices"),
    )


def _create_reviews() -> None:
    op.create_table(
        "account_reviews",
        sa.Column("id", _ID, nullable=False),
        sa.Column("account_id", _ID, nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("segment", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("announced_at", _INSTANT),
        sa.Column("completed_at", _INSTANT),
        sa.Column("completed_by", sa.Text()),
        sa.Column("assessment_id", _ID),
        sa.Column("outcome", sa.Text()),
        sa.Column("note", sa.Text()),
        sa.CheckConstraint(
            "outcome in ('keep', 'raise', 'lower', 'withdraw', 'watch')", name=op.f("ck_account_reviews_outcome_known")
        ),
        sa.CheckConstraint(
            "(completed_at is null) = (completed_by is null) and (completed_at is null) = (assessment_id is null)"
            " and (completed_at is null) = (outcome is null)",
            name=op.f("ck_account_reviews_completion_whole"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_account_reviews_account_id_accounts"),
        sa.PrimaryKeyConstraint("id", name="pk_account_reviews"),
    )
    op.create_index("ix_account_reviews_account_id_id", "account_reviews", ["account_id", "id"])
    op.create_index(
        "ix_account_reviews_due_on",
        "account_reviews",
        ["due_on", "id"],
        postgresql_where=sa.text("completed_at is null"),
    )
    op.create_index(
        "uq_account_reviews_account_id",
        "account_reviews",
        ["account_id"],
        unique=True,
        postgresql_where=sa.text("completed_at is null"),
    )
