"""The mark of exceptional events

Revision ID: exceptional
Revises: orders
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "exceptional"
down_revision: str | None = "orders"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("events", sa.Column("exceptional", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.create_index("ix_events_exceptional_id", "events", ["id"], postgresql_where=sa.text("exceptional"))


def downgrade() -> None:
    op.drop_index("ix_events_exceptional_id", "events")
    op.drop_column("events", "exceptional")
