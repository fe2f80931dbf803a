"""The work on referred orders: claims, notes, and the accounts whose waiting orders are judged anew

Revision ID: waiting_orders
Revises: override_expiry
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "waiting_orders"
down_revision: str | None = "override_expiry"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_INSTANT = sa.DateTime(timezone=True)
_ID = postgresql.UUID(as_uuid=True)


def upgrade() -> None:
    _create_cases()
    _create_notes()
    op.create_table(
        "waiting_accounts",
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("segment", sa.Text(), nullable=False),
        sa.Column("token", _ID, nullable=False),
        sa.Column("since", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("customer_id", "segment", name="pk_waiting_accounts"),
    )
    op.create_table(
        "woken_segments",
        sa.Column("segment", sa.Text(), nullable=False),
        sa.Column("woken_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["segment"], ["segments.segment"], name="fk_woken_segments_segment_segments"),
        sa.PrimaryKeyConstraint("segment", name="pk_woken_segments"),
    )
    op.create_index(
        "ix_credit_checks_waiting",
        "credit_checks",
        ["customer_id", "segment", "id"],
        postgresql_where=sa.text("review = 'open'"),
    )


def downgrade() -> None:
    op.drop_index("ix_credit_checks_waiting", "credit_checks")
    for table in ("woken_segments", "waiting_accounts", "review_notes", "review_cases"):
        op.drop_table(table)


def _create_cases() -> None:
    op.create_table(
        "review_cases",
        sa.Column("check_id", _ID, nullable=False),
        sa.Column("claimed_by", sa.Text()),
        sa.Column("claimed_by_name", sa.Text()),
        sa.Column("claimed_at", _INSTANT),
        sa.Column("referred_to", sa.Text()),
        sa.CheckConstraint(
            "(claimed_by is null) = (claimed_at is null) and (claimed_by is null) = (claimed_by_name is null)",
            name=op.f("ck_review_cases_claim_whole"),
        ),
        sa.ForeignKeyConstraint(
            ["check_id"], ["credit_checks.id"], name="fk_review_cases_check_id_credit_checks", ondelete="cascade"
        ),
        sa.PrimaryKeyConstraint("check_id", name="pk_review_cases"),
    )


def _create_notes() -> None:
    op.create_table(
        "review_notes",
        sa.Column("id", _ID, nullable=False),
        sa.Column("check_id", _ID, nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("written_by", sa.Text(), nullable=False),
        sa.Column("written_at", _INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["check_id"], ["credit_checks.id"], name="fk_review_notes_check_id_credit_checks", ondelete="cascade"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_review_notes"),
    )
    op.create_index("ix_review_notes_check_id_id", "review_notes", ["check_id", "id"])
