"""Marks of accounts whose payment index is to be computed anew.

Revision ID: payment_behaviour
Revises: journal_blocks
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "payment_behaviour"
down_revision: str | None = "journal_blocks"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "behaviour_marks",
        sa.Column("account_id", postgresql.UUID(as_uuid=True), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("segment", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", name="pk_behaviour_marks"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_behaviour_marks_account_id_accounts"),
        postgresql_with={"fillfactor": "70"},
    )
    op.create_index("ix_behaviour_marks_segment_due_on", "behaviour_marks", ["segment", "due_on"])


def downgrade() -> None:
    op.drop_table("behaviour_marks")
