"""Collecting: dunning stops, promises, collection tasks; reference rates of statutory interest.

Revision ID: collecting
Revises: dunning
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "collecting"
down_revision: str | None = "dunning"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_AMOUNT, _INSTANT = sa.Numeric(24, 4), sa.DateTime(timezone=True)
_TABLES = "dunning_stops promises collection_tasks statutory_rates"


def upgrade() -> None:
    _create_dunning_stops()
    _create_promises()
    _create_collection_tasks()
    _create_statutory_rates()


def downgrade() -> None:
    for table in reversed(_TABLES.split()):
        op.drop_table(table)


def _create_dunning_stops() -> None:
    op.create_table(
        "dunning_stops",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("segment", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("invoice_no", sa.Text()),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("until", sa.Date()),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("set_at", _INSTANT, nullable=False),
        sa.Column("lifted_by", sa.Text()),
        sa.Column("lifted_at", _INSTANT),
        sa.Column("lift_reason", sa.Text()),
        sa.CheckConstraint("kind in ('manual', 'legal_case')", name=op.f("ck_dunning_stops_kind_known")),
        sa.CheckConstraint("until is not null or kind = 'legal_case'", name=op.f("ck_dunning_stops_until_a_day")),
        sa.CheckConstraint("(lifted_at is null) = (lifted_by is null)", name=op.f("ck_dunning_stops_lifted_whole")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dunning_stops")),
    )
    op.create_index("ix_dunning_stops_customer", "dunning_stops", ["customer_id", "segment", "id"])


def _create_promises() -> None:
    op.create_table(
        "promises",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("segment", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("amount", _AMOUNT, nullable=False),
        sa.Column("received", _AMOUNT, nullable=False),
        sa.Column("promised_on", sa.Date(), nullable=False),
        sa.Column("invoices", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("receipts", postgresql.JSONB(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", _INSTANT, nullable=False),
        sa.Column("ended_on", sa.Date()),
        sa.Column("changed_at", _INSTANT, nullable=False),
        sa.CheckConstraint(
            "state in ('open', 'kept', 'partly_kept', 'broken', 'withdrawn')", name=op.f("ck_promises_state_known")
        ),
        sa.CheckConstraint("amount > 0 and received >= 0", name=op.f("ck_promises_signs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promises")),
    )
    op.create_index("ix_promises_customer", "promises", ["customer_id", "segment", "id"])
    op.create_index("ix_promises_open", "promises", ["promised_on", "id"], postgresql_where=sa.text("state = 'open'"))


def _create_collection_tasks() -> None:
    op.create_table(
        "collection_tasks",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("segment", sa.Text(), nullable=False),
        sa.Column("account_id", sa.UUID(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("notice_id", sa.UUID()),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("amount", _AMOUNT, nullable=False),
        sa.Column("risk", _AMOUNT, nullable=False),
        sa.Column("rank", sa.Numeric(precision=30, scale=4), nullable=False),
        sa.Column("last_contact_on", sa.Date()),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("completed_by", sa.Text()),
        sa.Column("completed_at", _INSTANT),
        sa.Column("outcome", sa.Text()),
        sa.Column("note", sa.Text()),
        sa.Column("next_on", sa.Date()),
        sa.Column("promise_id", sa.UUID()),
        sa.CheckConstraint(
            "(state = 'done') = (completed_at is not null)", name=op.f("ck_collection_tasks_completed_when_done")
        ),
        sa.CheckConstraint(
            "kind in ('call', 'promise_broken', 'delivery_failed', 'follow_up')",
            name=op.f("ck_collection_tasks_kind_known"),
        ),
        sa.CheckConstraint("state in ('open', 'done')", name=op.f("ck_collection_tasks_state_known")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_collection_tasks_account_id_accounts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_collection_tasks")),
    )
    op.create_index("ix_collection_tasks_customer", "collection_tasks", ["customer_id", "segment", "id"])
    op.create_index(
        "ix_collection_tasks_rank",
        "collection_tasks",
        ["segment", "rank", "id"],
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index(
        "uq_collection_tasks_open",
        "collection_tasks",
        ["account_id"],
        unique=True,
        postgresql_where=sa.text("state = 'open'"),
    )


def _create_statutory_rates() -> None:
    op.create_table(
        "statutory_rates",
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("percent", sa.Numeric(precision=9, scale=4), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("entered_by", sa.Text(), nullable=False),
        sa.Column("entered_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("reference", "valid_from", name=op.f("pk_statutory_rates")),
    )
