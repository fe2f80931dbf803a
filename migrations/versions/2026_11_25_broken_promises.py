"""Broken promises to pay, as payment behaviour remembers them.

Revision ID: broken_promises
Revises: audits
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "broken_promises"
down_revision: str | None = "audits"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "broken_promises",
        sa.Column("promise_id", postgresql.UUID(as_uuid=True), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("segment", sa.Text(), nullable=False),
        sa.Column("broken_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("promise_id", name="pk_broken_promises"),
    )
    op.create_index(
        "ix_broken_promises_customer_id_segment_broken_on", "broken_promises", ["customer_id", "segment", "broken_on"]
    )


def downgrade() -> None:
    op.drop_table("broken_promises")
