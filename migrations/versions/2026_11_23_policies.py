"""Segments, policy versions and overrides; the segment `main` with the default policy active.

Revision ID: policies
Revises: customers
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "policies"
down_revision: str | None = "customers"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_INSTANT = sa.DateTime(timezone=True)

BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
"""Before anything that can be asked about: whatever clock decides, the first version holds."""

_LONG_SECTIONS: dict[str, Any] = json.loads(
    Path(__file__).with_name("2026_11_23_policies_default.json").read_text(encoding="utf-8")
)
"""Grades, scorecard and limits."""

DEFAULT_POLICY: dict[str, Any] = {
    "order_checks": {
        "limit": {"effect": "refer", "tolerance_percent": "0"},
        "group_limit": {"effect": "refer", "tolerance_percent": "0"},
        "missing_limit": {"effect": "refer"},
        "limit_expiry": {"effect": "refer", "grace_days": 0},
        "hold": {"effect": "refer"},
        "fx_rate": {"effect": "refer"},
        "order_value": None,
        "oldest_item": {"effect": "refer", "max_days_overdue": 30, "min_amount": "1.00"},
        "overdue_share": None,
        "overdue_with_utilisation": None,
        "dunning_level": {"effect": "refer", "max_level": 2},
        "payment_index": None,
        "grade": None,
        "assessment_age": None,
        "terms": None,
        "cover": None,
        "utilisation_warning": {"effect": "warn", "percent": "90"},
        "horizon_days": None,
        "reservation_days": 30,
        "held_orders_count": False,
        "recheck_grace_days": 3,
    },
    **_LONG_SECTIONS,
    "approvals": {
        "assessment_max_age_days": 90,
        "automatic": {
            "ceilings": [
                {"grade": "A", "max_amount": "500000.00"},
                {"grade": "B", "max_amount": "250000.00"},
                {"grade": "C", "max_amount": "100000.00"},
            ],
            "lower": True,
        },
        "counter_offer": {"min_percent": "50"},
        "decline_worse_than": "G",
        "authorities": [
            {"role": "credit_manager", "max_amount": "1000000.00"},
            {"role": "finance_director", "max_amount": None},
        ],
        "matrix": [
            {"roles": ["credit_manager"], "up_to": "500000.00", "worst_grade": "D"},
            {"roles": ["credit_manager"], "up_to": "100000.00", "worst_grade": None},
            {"roles": ["credit_manager", "finance_director"], "up_to": None, "worst_grade": None},
        ],
        "escalate_after_hours": 48,
        "expire_after_days": 30,
        "expiry_notice_days": 14,
        "review_notice_days": 14,
        "ungraded_review_days": 180,
        "deputy_max_days": 60,
        "lower_on_cover_change": True,
        "release": {"authority_above": "100000.00", "reasons": [], "loss_given_default_percent": "45"},
    },
    "dunning": {
        "levels": [
            {
                "days_overdue": 5,
                "min_days_since_previous": 0,
                "min_item_amounts": [],
                "min_customer_amounts": [],
                "channel": "email",
                "fallbacks": ["letter"],
                "template": "reminder",
                "fees": [],
                "compensation": False,
                "interest": "none",
                "interest_percent": None,
                "jurisdiction": None,
                "effect": "none",
                "deadline_days": 7,
            },
            {
                "days_overdue": 20,
                "min_days_since_previous": 10,
                "min_item_amounts": [],
                "min_customer_amounts": [],
                "channel": "email",
                "fallbacks": ["letter"],
                "template": "second",
                "fees": [],
                "compensation": False,
                "interest": "none",
                "interest_percent": None,
                "jurisdiction": None,
                "effect": "none",
                "deadline_days": 7,
            },
            {
                "days_overdue": 35,
                "min_days_since_previous": 10,
                "min_item_amounts": [],
                "min_customer_amounts": [],
                "channel": "letter",
                "fallbacks": [],
                "template": "final",
                "fees": [],
                "compensation": False,
                "interest": "none",
                "interest_percent": None,
                "jurisdiction": None,
                "effect": "soft_hold",
                "deadline_days": 10,
            },
        ],
        "reminder": None,
        "business_days": "customer",
        "quiet_periods": [],
        "schedule": None,
        "promise_grace_days": 0,
        "claims_are_exposure": False,
        "claims_order": "after_principal",
        "sender": {"name": "", "address": [], "contact": [], "pay_to": []},
    },
    "receivables": {"early_payment": {"grace_days": 0}, "small_difference": None},
    "credit_data": {"report_min_age_days": 90, "adverse_event_hold": {"min_severity": 5, "hold": "soft"}},
    "profiles": {},
}
"""Written out: a migration keeps saying what it said, whatever the code says later."""


def upgrade() -> None:
    segments = _create_segments()
    versions = _create_versions()
    _create_overrides()
    op.bulk_insert(
        segments,
        [{"segment": "main", "name": "Main", "currency": "CNY", "version": 1, "created_at": BEGINNING}],
    )
    op.bulk_insert(
        versions,
        [
            {
                "segment": "main",
                "version": 1,
                "status": "approved",
                "document": DEFAULT_POLICY,
                "note": "The default policy",
                "edited_by": ["system"],
                "activated_by": "system",
                "effective_at": BEGINNING,
                "revision": 1,
                "created_at": BEGINNING,
            }
        ],
    )


def downgrade() -> None:
    for table in ("policy_overrides", "policy_versions", "segments"):
        op.drop_table(table)


def _create_segments() -> sa.Table:
    return op.create_table(
        "segments",
        sa.Column("segment", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.Text()),
        sa.Column("default_time_zone", sa.Text(), server_default="UTC", nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("segment", name="pk_segments"),
    )


def _create_versions() -> sa.Table:
    return op.create_table(
        "policy_versions",
        sa.Column("segment", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("document", postgresql.JSONB(), nullable=False),
        sa.Column("note", sa.Text()),
        sa.Column("edited_by", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("submitted_by", sa.Text()),
        sa.Column("submitted_at", _INSTANT),
        sa.Column("approved_by", sa.Text()),
        sa.Column("approved_at", _INSTANT),
        sa.Column("rejected_by", sa.Text()),
        sa.Column("rejected_at", _INSTANT),
        sa.Column("activated_by", sa.Text()),
        sa.Column("effective_at", _INSTANT),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("segment", "version", name="pk_policy_versions"),
        sa.UniqueConstraint("segment", "effective_at", name="uq_policy_versions_segment_effective_at"),
        sa.ForeignKeyConstraint(["segment"], ["segments.segment"], name="fk_policy_versions_segment_segments"),
        sa.CheckConstraint(
            "status in ('draft', 'submitted', 'approved', 'rejected')", name=op.f("ck_policy_versions_status")
        ),
        sa.CheckConstraint(
            "effective_at is null or status = 'approved'", name=op.f("ck_policy_versions_effective_when_approved")
        ),
        sa.CheckConstraint(
            "(approved_by is null) = (approved_at is null)", name=op.f("ck_policy_versions_approval_whole")
        ),
        sa.CheckConstraint(
            "approved_by is null or approved_by <> all (edited_by)", name=op.f("ck_policy_versions_four_eyes")
        ),
    )


def _create_overrides() -> None:
    op.create_table(
        "policy_overrides",
        sa.Column("id", postgresql.UUID(as_uuid=True), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("segment", sa.Text(), nullable=False),
        sa.Column("patch", postgresql.JSONB(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("requested_at", _INSTANT, nullable=False),
        sa.Column("decided_by", sa.Text()),
        sa.Column("decided_at", _INSTANT),
        sa.PrimaryKeyConstraint("id", name="pk_policy_overrides"),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.customer_id"], name="fk_policy_overrides_customer_id_customers"
        ),
        sa.ForeignKeyConstraint(["segment"], ["segments.segment"], name="fk_policy_overrides_segment_segments"),
        sa.CheckConstraint(
            "status in ('pending', 'approved', 'rejected', 'replaced')", name=op.f("ck_policy_overrides_status")
        ),
        sa.CheckConstraint(
            "(decided_by is null) = (decided_at is null)", name=op.f("ck_policy_overrides_decision_whole")
        ),
        sa.CheckConstraint(
            "status <> 'approved' or decided_by <> requested_by", name=op.f("ck_policy_overrides_four_eyes")
        ),
    )
    op.create_index(
        "ix_policy_overrides_customer_id_segment_requested_at",
        "policy_overrides",
        ["customer_id", "segment", "requested_at"],
    )
    for status in ("pending", "approved"):
        op.create_index(
            f"uq_policy_overrides_{status}",
            "policy_overrides",
            ["customer_id", "segment"],
            unique=True,
            postgresql_where=sa.text(f"status = '{status}'"),
        )
