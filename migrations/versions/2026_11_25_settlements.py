"""Disputes, write-offs and refunds.

Revision ID: settlements
Revises: payment_behaviour
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "settlements"
down_revision: str | None = "payment_behaviour"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_AMOUNT = sa.Numeric(24, 4)
_INSTANT = sa.DateTime(timezone=True)
_ID = postgresql.UUID(as_uuid=True)


def upgrade() -> None:
    _create_disputes()
    _create_write_offs()
    _create_refunds()


def downgrade() -> None:
    for table in ("refunds", "write_offs", "disputes"):
        op.drop_table(table)


def _create_disputes() -> None:
    op.create_table(
        "disputes",
        sa.Column("id", _ID, nullable=False),
        sa.Column("item_id", _ID, nullable=False),
        sa.Column("segment", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("amount", _AMOUNT, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("note", sa.Text()),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("opened_by", sa.Text(), nullable=False),
        sa.Column("opened_at", _INSTANT, nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("resolved_by", sa.Text()),
        sa.Column("resolved_at", _INSTANT),
        sa.Column("resolved_on", sa.Date()),
        sa.Column("resolution", sa.Text()),
        sa.Column("credit_note_no", sa.Text()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_disputes")),
        sa.ForeignKeyConstraint(["item_id"], ["open_items.id"], name=op.f("fk_disputes_item_id_open_items")),
        sa.CheckConstraint("state in ('open', 'upheld', 'rejected', 'lapsed')", name=op.f("ck_disputes_state_known")),
        sa.CheckConstraint("amount > 0", name=op.f("ck_disputes_amount_positive")),
        sa.CheckConstraint("(state = 'open') = (resolved_at is null)", name=op.f("ck_disputes_resolved_when_said")),
    )
    op.create_index("ix_disputes_item_id", "disputes", ["item_id"])
    op.create_index("ix_disputes_segment", "disputes", ["segment", "opened_at", "id"])


def _create_write_offs() -> None:
    op.create_table(
        "write_offs",
        sa.Column("id", _ID, nullable=False),
        sa.Column("item_id", _ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("amount", _AMOUNT, nullable=False),
        sa.Column("category", sa.Text()),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_write_offs")),
        sa.ForeignKeyConstraint(["item_id"], ["open_items.id"], name=op.f("fk_write_offs_item_id_open_items")),
        sa.CheckConstraint("kind in ('write_off', 'recovery')", name=op.f("ck_write_offs_kind_known")),
        sa.CheckConstraint(
            "(kind = 'write_off') = (category is not null)", name=op.f("ck_write_offs_category_when_given_up")
        ),
        sa.CheckConstraint("amount > 0", name=op.f("ck_write_offs_amount_positive")),
    )
    op.create_index("ix_write_offs_item_id", "write_offs", ["item_id"])


def _create_refunds() -> None:
    op.create_table(
        "refunds",
        sa.Column("id", _ID, nullable=False),
        sa.Column("segment", sa.Text(), nullable=False),
        sa.Column("refund_ref", sa.Text()),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("payment_id", _ID),
        sa.Column("credit_note_id", _ID),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("amount", _AMOUNT, nullable=False),
        sa.Column("refunded_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refunds")),
        sa.UniqueConstraint("segment", "refund_ref", name=op.f("uq_refunds_segment_refund_ref")),
        sa.ForeignKeyConstraint(["payment_id"], ["payments.id"], name=op.f("fk_refunds_payment_id_payments")),
        sa.ForeignKeyConstraint(
            ["credit_note_id"], ["open_items.id"], name=op.f("fk_refunds_credit_note_id_open_items")
        ),
        sa.CheckConstraint("kind in ('refund', 'small_difference')", name=op.f("ck_refunds_kind_known")),
        sa.CheckConstraint("(kind = 'refund') = (refund_ref is not null)", name=op.f("ck_refunds_reference_when_paid")),
        sa.CheckConstraint("num_nonnulls(payment_id, credit_note_id) = 1", name=op.f("ck_refunds_one_credit")),
        sa.CheckConstraint("amount > 0", name=op.f("ck_refunds_amount_positive")),
    )
    paid, noted = sa.text("payment_id is not null"), sa.text("credit_note_id is not null")
    op.create_index("ix_refunds_payment_id", "refunds", ["payment_id"], postgresql_where=paid)
    op.create_index("ix_refunds_credit_note_id", "refunds", ["credit_note_id"], postgresql_where=noted)
