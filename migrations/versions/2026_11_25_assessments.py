"""Assessments, and the runs that assess a portfolio.

Revision ID: assessments
Revises: limits
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "assessments"
down_revision: str | None = "limits"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _create_assessments()
    _create_runs()


def downgrade() -> None:
    op.drop_table("assessment_runs")
    op.drop_table("assessments")


def _create_assessments() -> None:
    op.create_table(
        "assessments",
        sa.Column("id", postgresql.UUID(as_uuid=True), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("segment", sa.Text(), nullable=False),
        sa.Column("score", sa.Numeric(5, 2), nullable=False),
        sa.Column("grade", sa.Text(), nullable=False),
        sa.Column("probability", sa.Numeric(7, 6), nullable=False),
        sa.Column("confidence", sa.Numeric(5, 2), nullable=False),
        sa.Column("limit_amount", sa.Numeric(24, 4), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("review_on", sa.Date(), nullable=False),
        sa.Column("policy_version", sa.BigInteger(), nullable=False),
        sa.Column("policy_profile", sa.Text(), nullable=False),
        sa.Column("policy_override_id", postgresql.UUID(as_uuid=True)),
        sa.Column("facts_digest", sa.Text(), nullable=False),
        sa.Column("facts", postgresql.JSONB(), nullable=False),
        sa.Column("finding", postgresql.JSONB(), nullable=False),
        sa.Column("assessed_by", sa.Text(), nullable=False),
        sa.Column("assessed_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_assessments"),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.customer_id"], name="fk_assessments_customer_id_customers"
        ),
        sa.ForeignKeyConstraint(["segment"], ["segments.segment"], name="fk_assessments_segment_segments"),
        sa.CheckConstraint("score between 0 and 100", name=op.f("ck_assessments_score_in_range")),
        sa.CheckConstraint("probability between 0 and 1", name=op.f("ck_assessments_probability_in_range")),
        sa.CheckConstraint("limit_amount >= 0", name=op.f("ck_assessments_limit_not_negative")),
    )
    op.create_index(
        "ix_assessments_customer_id_segment_assessed_at_id",
        "assessments",
        ["customer_id", "segment", "assessed_at", "id"],
    )


def _create_runs() -> None:
    op.create_table(
        "assessment_runs",
        sa.Column("id", postgresql.UUID(as_uuid=True), nullable=False),
        sa.Column("segment", sa.Text()),
        sa.Column("stale_only", sa.Boolean(), nullable=False),
        sa.Column("customers", postgresql.JSONB()),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("after", postgresql.UUID(as_uuid=True), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("assessed", sa.BigInteger(), nullable=False),
        sa.Column("skipped", sa.BigInteger(), nullable=False),
        sa.Column("failed", sa.BigInteger(), nullable=False),
        sa.Column("failures", postgresql.JSONB(), nullable=False),
        sa.Column("started_by", sa.Text(), nullable=False),
        sa.Column("started_at", _INSTANT, nullable=False),
        sa.Column("worked_at", _INSTANT),
        sa.Column("finished_at", _INSTANT),
        sa.PrimaryKeyConstraint("id", name="pk_assessment_runs"),
        sa.ForeignKeyConstraint(["segment"], ["segments.segment"], name="fk_assessment_runs_segment_segments"),
        sa.CheckConstraint("state in ('running', 'done')", name=op.f("ck_assessment_runs_state_known")),
        sa.CheckConstraint(
            "(state = 'done') = (finished_at is not null)", name=op.f("ck_assessment_runs_finished_when_done")
        ),
    )
    op.create_index(
        "ix_assessment_runs_running",
        "assessment_runs",
        ["id"],
        postgresql_where=sa.text("state = 'running'"),
    )
