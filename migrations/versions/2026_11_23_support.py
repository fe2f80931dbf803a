"""API keys, idempotency keys and the journal

Revision ID: support
Revises:
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.support.journal.tables import Xid8

revision: str = "support"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    _create_api_keys()
    _create_idempotency_keys()
    _create_events()
    _create_seals()


def downgrade() -> None:
    for table in ("journal_sealer", "event_seals", "events", "idempotency_keys", "api_keys"):
        op.drop_table(table)


def _create_api_keys() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=True),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("segments", postgresql.ARRAY(sa.Text()), nullable=True),
        sa.Column("authority_amount", sa.Numeric(24, 4), nullable=True),
        sa.Column("authority_currency", sa.Text(), nullable=True),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("previous_hash", sa.LargeBinary(), nullable=True),
        sa.Column("previous_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("rotated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind in ('person', 'service')", name=op.f("ck_api_keys_kind_known")),
        sa.CheckConstraint(
            "(authority_amount is null) = (authority_currency is null)", name=op.f("ck_api_keys_authority_whole")
        ),
        sa.CheckConstraint(
            "(previous_hash is null) = (previous_until is null)", name=op.f("ck_api_keys_overlap_whole")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
    )
    op.create_index(
        "uq_api_keys_live_name", "api_keys", ["name"], unique=True, postgresql_where=sa.text("revoked_at is null")
    )
    op.create_index("uq_api_keys_key_hash", "api_keys", ["key_hash"], unique=True)
    op.create_index(
        "uq_api_keys_previous_hash",
        "api_keys",
        ["previous_hash"],
        unique=True,
        postgresql_where=sa.text("previous_hash is not null"),
    )


def _create_idempotency_keys() -> None:
    op.create_table(
        "idempotency_keys",
        sa.Column("principal_id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("media_type", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("customer_ids", postgresql.ARRAY(sa.Text()), nullable=True),
        sa.PrimaryKeyConstraint("principal_id", "key", name=op.f("pk_idempotency_keys")),
        postgresql_with={"toast_tuple_target": 8160},
    )
    op.create_index("ix_idempotency_keys_created_at", "idempotency_keys", ["created_at"])
    op.create_index(
        "ix_idempotency_keys_customer_ids",
        "idempotency_keys",
        ["customer_ids"],
        postgresql_using="gin",
        postgresql_where=sa.text("customer_ids is not null"),
    )


def _create_events() -> None:
    op.create_table(
        "events",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("xid", Xid8(), server_default=sa.text("pg_current_xact_id()"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("segment", sa.Text(), nullable=True),
        sa.Column("customer_id", sa.Text(), nullable=True),
        sa.Column("subject_type", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("before", postgresql.JSONB(), nullable=False),
        sa.Column("after", postgresql.JSONB(), nullable=False),
        sa.CheckConstraint("actor_kind in ('person', 'service', 'system')", name=op.f("ck_events_actor_kind_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
    )
    op.create_index("ix_events_xid_id", "events", ["xid", "id"])
    op.create_index(
        "ix_events_customer_id_id",
        "events",
        ["customer_id", "id"],
        postgresql_where=sa.text("customer_id is not null"),
    )
    op.create_index("ix_events_type_id", "events", ["type", "id"])


def _create_seals() -> None:
    op.create_table(
        "event_seals",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["event_id"], ["events.id"], name=op.f("fk_event_seals_event_id_events")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_event_seals")),
        sa.UniqueConstraint("event_id", name=op.f("uq_event_seals_event_id")),
    )
    op.create_table(
        "journal_sealer",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("next_xid", Xid8(), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_journal_sealer_single_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal_sealer")),
    )
    op.execute("insert into journal_sealer (id, next_xid, last_seq) values (1, '0', 0)")
