"""Credit checks with their facts and reviews, shipments with their reversals.

Revision ID: orders
Revises: receivables
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "orders"
down_revision: str | None = "receivables"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_AMOUNT = sa.Numeric(24, 4)
_INSTANT = sa.DateTime(timezone=True)
_ID = postgresql.UUID(as_uuid=True)


def upgrade() -> None:
    _create_credit_checks()
    _index_credit_checks()
    _create_shipments()


def downgrade() -> None:
    op.drop_table("shipments")
    op.drop_table("credit_checks")


def _create_credit_checks() -> None:
    op.create_table(
        "credit_checks",
        sa.Column("id", _ID, nullable=False),
        sa.Column("account_id", _ID, nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("segment", sa.Text(), nullable=False),
        sa.Column("order_ref", sa.Text(), nullable=False),
        sa.Column("checkpoint", sa.Text(), nullable=False),
        sa.Column("amount", _AMOUNT, nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("codes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("policy_version", sa.BigInteger(), nullable=False),
        sa.Column("policy_profile", sa.Text(), nullable=False),
        sa.Column("policy_override_id", _ID),
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("caller_name", sa.Text(), nullable=False),
        sa.Column("on_behalf_of", sa.Text()),
        sa.Column("decided_at", _INSTANT, nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("review", sa.Text(), nullable=False),
        sa.Column("review_until", _INSTANT),
        sa.Column("reviewed_by", sa.Text()),
        sa.Column("reviewed_at", _INSTANT),
        sa.Column("review_reason", sa.Text()),
        sa.Column("released_amount", _AMOUNT),
        sa.Column("changed_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_credit_checks"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_credit_checks_account_id_accounts"),
        sa.CheckConstraint(
            "outcome in ('approved', 'referred', 'declined')", name=op.f("ck_credit_checks_outcome_known")
        ),
        sa.CheckConstraint(
            "review in ('none', 'open', 'released', 'rejected', 'superseded', 'lapsed')",
            name=op.f("ck_credit_checks_review_known"),
        ),
        sa.CheckConstraint(
            "review = 'none' or outcome = 'referred'", name=op.f("ck_credit_checks_only_referred_reviewed")
        ),
        sa.CheckConstraint(
            "(review in ('released', 'rejected')) = (reviewed_by is not null)",
            name=op.f("ck_credit_checks_review_signed"),
        ),
        sa.CheckConstraint(
            "review <> 'released' or reviewed_by <> caller_name", name=op.f("ck_credit_checks_four_eyes")
        ),
        sa.CheckConstraint("review <> 'open' or review_until is not null", name=op.f("ck_credit_checks_open_until")),
        postgresql_with={"fillfactor": 90},
    )


def _index_credit_checks() -> None:
    op.create_index("ix_credit_checks_customer_id_id", "credit_checks", ["customer_id", "id"])
    op.create_index("ix_credit_checks_segment_order_ref_id", "credit_checks", ["segment", "order_ref", "id"])
    op.create_index(
        "ix_credit_checks_open",
        "credit_checks",
        ["segment", "id"],
        postgresql_where=sa.text("review = 'open' and review_until is not null"),
    )


def _create_shipments() -> None:
    op.create_table(
        "shipments",
        sa.Column("segment", sa.Text(), nullable=False),
        sa.Column("shipment_ref", sa.Text(), nullable=False),
        sa.Column("order_ref", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("amount", _AMOUNT, nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("already_left", sa.Boolean(), nullable=False),
        sa.Column("shipped_at", _INSTANT, nullable=False),
        sa.Column("shipped_by", sa.Text(), nullable=False),
        sa.Column("reversed_at", _INSTANT),
        sa.Column("reversed_by", sa.Text()),
        sa.Column("reversal_reason", sa.Text()),
        sa.Column("reorder", sa.Boolean()),
        sa.Column("changed_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("segment", "shipment_ref", name="pk_shipments"),
        sa.ForeignKeyConstraint(
            ["segment", "order_ref"],
            ["commitments.segment", "commitments.order_ref"],
            name="fk_shipments_segment_order_ref_commitments",
        ),
        sa.CheckConstraint("amount > 0", name=op.f("ck_shipments_amount_positive")),
        sa.CheckConstraint("(reversed_at is null) = (reversed_by is null)", name=op.f("ck_shipments_reversal_whole")),
    )
    op.create_index("ix_shipments_segment_order_ref", "shipments", ["segment", "order_ref"])
    op.create_index("ix_shipments_changed_at", "shipments", ["changed_at", "segment", "shipment_ref"])
