"""Orders of credit reports.

Revision ID: report_orders
Revises: settlements
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "report_orders"
down_revision: str | None = "settlements"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_INSTANT = sa.DateTime(timezone=True)
_WAITING = sa.text("state = 'waiting'")


def upgrade() -> None:
    op.create_table(
        "report_orders",
        sa.Column("id", postgresql.UUID(as_uuid=True), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("segment", sa.Text(), nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("ordered_by", sa.Text(), nullable=False),
        sa.Column("ordered_at", _INSTANT, nullable=False),
        sa.Column("next_at", _INSTANT),
        sa.Column("record_id", postgresql.UUID(as_uuid=True)),
        sa.Column("failure", sa.Text()),
        sa.Column("ended_at", _INSTANT),
        sa.PrimaryKeyConstraint("id", name="pk_report_orders"),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.customer_id"], name="fk_report_orders_customer_id_customers"
        ),
        sa.ForeignKeyConstraint(["segment"], ["segments.segment"], name="fk_report_orders_segment_segments"),
        sa.CheckConstraint(
            "state in ('waiting', 'delivered', 'unknown', 'failed')", name=op.f("ck_report_orders_state_known")
        ),
        sa.CheckConstraint("(state = 'waiting') = (ended_at is null)", name=op.f("ck_report_orders_ended_when_said")),
        sa.CheckConstraint(
            "(state = 'delivered') = (record_id is not null)", name=op.f("ck_report_orders_delivered_as_a_record")
        ),
    )
    op.create_index(
        "uq_report_orders_waiting", "report_orders", ["customer_id", "agency"], unique=True, postgresql_where=_WAITING
    )
    op.create_index("ix_report_orders_next_at", "report_orders", ["next_at"], postgresql_where=_WAITING)
    op.create_index("ix_report_orders_customer_id", "report_orders", ["customer_id", "ordered_at", "id"])


def downgrade() -> None:
    op.drop_table("report_orders")
