"""Credit data: every version of every record of a customer's credit file, and the turns of covers.

Revision ID: credit_data
Revises: exceptional
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "credit_data"
down_revision: str | None = "exceptional"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_ID = postgresql.UUID(as_uuid=True)
_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _create_records()
    _index_records()
    _create_turns()


def downgrade() -> None:
    op.drop_table("cover_turns")
    op.drop_table("credit_records")


def _create_records() -> None:
    op.create_table(
        "credit_records",
        sa.Column("id", _ID, nullable=False),
        sa.Column("record_id", _ID, nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("segment", sa.Text()),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("valid_on", sa.Date(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("independence", sa.Text(), nullable=False),
        sa.Column("content", postgresql.JSONB(), nullable=False),
        sa.Column("retracted", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("entered_by", sa.Text(), nullable=False),
        sa.Column("known_at", _INSTANT, nullable=False),
        sa.Column("superseded_at", _INSTANT),
        sa.PrimaryKeyConstraint("id", name="pk_credit_records"),
        sa.UniqueConstraint("record_id", "version", name="uq_credit_records_record_id_version"),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.customer_id"], name="fk_credit_records_customer_id_customers"
        ),
        sa.ForeignKeyConstraint(["segment"], ["segments.segment"], name="fk_credit_records_segment_segments"),
        sa.CheckConstraint(
            "kind in ('financial_statement', 'credit_report', 'trade_reference', 'adverse_event', 'cover',"
            " 'questionnaire_answer')",
            name=op.f("ck_credit_records_kind_known"),
        ),
        sa.CheckConstraint(
            "independence in ('own_experience', 'audited', 'agency', 'self_declared')",
            name=op.f("ck_credit_records_independence_known"),
        ),
        sa.CheckConstraint(
            "(segment is not null) = (kind in ('cover', 'questionnaire_answer'))",
            name=op.f("ck_credit_records_segment_by_kind"),
        ),
        sa.CheckConstraint(
            "version > 0 and superseded_at >= known_at", name=op.f("ck_credit_records_versions_in_order")
        ),
        sa.CheckConstraint(
            "not retracted or reason is not null", name=op.f("ck_credit_records_retracted_for_a_reason")
        ),
    )


def _index_records() -> None:
    op.create_index(
        "uq_credit_records_current",
        "credit_records",
        ["customer_id", "kind", "ref", sa.text("coalesce(segment, '')")],
        unique=True,
        postgresql_where=sa.text("superseded_at is null"),
    )
    op.create_index("ix_credit_records_customer_id", "credit_records", ["customer_id", "kind", "known_at", "id"])


def _create_turns() -> None:
    op.create_table(
        "cover_turns",
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("segment", sa.Text(), nullable=False),
        sa.Column("turns_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("customer_id", "segment", name="pk_cover_turns"),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.customer_id"], name="fk_cover_turns_customer_id_customers"
        ),
        sa.ForeignKeyConstraint(["segment"], ["segments.segment"], name="fk_cover_turns_segment_segments"),
    )
    op.create_index("ix_cover_turns_segment_turns_on", "cover_turns", ["segment", "turns_on"])
