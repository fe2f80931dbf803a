"""Audits of decisions

Revision ID: audits
Revises: assessments
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "audits"
down_revision: str | None = "assessments"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "audits",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("segment", sa.Text(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("seed", sa.Text(), nullable=False),
        sa.Column("sizes", postgresql.JSONB(), nullable=False),
        sa.Column("population", postgresql.JSONB(), nullable=False),
        sa.Column("through_seq", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("drawn_by", sa.Text(), nullable=False),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("conclusion", sa.Text(), nullable=True),
        sa.Column("signed_by", sa.Text(), nullable=True),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state in ('open', 'signed_off')", name=op.f("ck_audits_state_known")),
        sa.CheckConstraint("(state = 'signed_off') = (signed_at is not null)", name=op.f("ck_audits_signed_when_said")),
        sa.CheckConstraint("until >= since", name=op.f("ck_audits_period_forward")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audits")),
    )
    op.create_index("ix_audits_segment_changed_at", "audits", ["segment", "changed_at", "id"])
    op.create_table(
        "audit_items",
        sa.Column("audit_id", sa.UUID(), nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("subject_type", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=True),
        sa.Column("after", postgresql.JSONB(), nullable=False),
        sa.Column("replayed", sa.Text(), nullable=False),
        sa.Column("differing", postgresql.JSONB(), nullable=False),
        sa.Column("finding", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("found_by", sa.Text(), nullable=True),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind in ('credit_check', 'limit', 'release', 'write_off')", name=op.f("ck_audit_items_kind_known")
        ),
        sa.CheckConstraint("finding in ('satisfactory', 'exception')", name=op.f("ck_audit_items_finding_known")),
        sa.CheckConstraint("(finding is null) = (found_at is null)", name=op.f("ck_audit_items_found_when_said")),
        sa.ForeignKeyConstraint(["audit_id"], ["audits.id"], name=op.f("fk_audit_items_audit_id_audits")),
        sa.PrimaryKeyConstraint("audit_id", "position", name=op.f("pk_audit_items")),
    )


def downgrade() -> None:
    op.drop_table("audit_items")
    op.drop_table("audits")
