"""Dunning: runs, notices, claims.

Revision ID: dunning
Revises: broken_promises
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "dunning"
down_revision: str | None = "broken_promises"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_AMOUNT, _INSTANT = sa.Numeric(24, 4), sa.DateTime(timezone=True)
_TABLES = "dunning_runs dunning_skips dunning_notices dunning_lines dunning_documents dunning_claims"


def upgrade() -> None:
    _create_dunning_runs()
    _create_dunning_skips()
    _create_dunning_notices()
    _create_dunning_lines()
    _create_dunning_documents()
    _create_dunning_claims()


def downgrade() -> None:
    for table in reversed(_TABLES.split()):
        op.drop_table(table)


def _create_dunning_runs() -> None:
    op.create_table(
        "dunning_runs",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("segment", sa.Text(), nullable=False),
        sa.Column("run_on", sa.Date(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("after_customer", sa.Text(collation="C"), nullable=False),
        sa.Column("is_complete", sa.Boolean(), nullable=False),
        sa.Column("release_when_complete", sa.Boolean(), nullable=False),
        sa.Column("notices", sa.BigInteger(), nullable=False),
        sa.Column("skipped", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("released_by", sa.Text()),
        sa.Column("released_at", _INSTANT),
        sa.Column("ended_at", _INSTANT),
        sa.CheckConstraint("origin in ('person', 'schedule')", name=op.f("ck_dunning_runs_origin_known")),
        sa.CheckConstraint(
            "state = 'proposed' or is_complete or state = 'withdrawn'",
            name=op.f("ck_dunning_runs_released_when_complete"),
        ),
        sa.CheckConstraint(
            "state in ('proposed', 'released', 'done', 'withdrawn')", name=op.f("ck_dunning_runs_state_known")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dunning_runs")),
    )
    op.create_index("ix_dunning_runs_segment", "dunning_runs", ["segment", "created_at", "id"])
    op.create_index(
        "ix_dunning_runs_unfinished",
        "dunning_runs",
        ["id"],
        postgresql_where=sa.text("state in ('proposed', 'released')"),
    )
    op.create_index(
        "uq_dunning_runs_scheduled",
        "dunning_runs",
        ["segment", "run_on"],
        unique=True,
        postgresql_where=sa.text("origin = 'schedule'"),
    )


def _create_dunning_skips() -> None:
    op.create_table(
        "dunning_skips",
        sa.Column("run_id", sa.UUID(), nullable=False),
        sa.Column("customer_id", sa.Text(collation="C"), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("until", sa.Date()),
        sa.ForeignKeyConstraint(["run_id"], ["dunning_runs.id"], name=op.f("fk_dunning_skips_run_id_dunning_runs")),
        sa.PrimaryKeyConstraint("run_id", "customer_id", name=op.f("pk_dunning_skips")),
    )


def _create_dunning_notices() -> None:
    op.create_table(
        "dunning_notices",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("run_id", sa.UUID(), nullable=False),
        sa.Column("segment", sa.Text(), nullable=False),
        sa.Column("account_id", sa.UUID(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("level", sa.BigInteger(), nullable=False),
        sa.Column("run_on", sa.Date(), nullable=False),
        sa.Column("deadline_on", sa.Date(), nullable=False),
        sa.Column("channels", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("template", sa.Text(), nullable=False),
        sa.Column("note", sa.Text()),
        sa.Column("effect", sa.Text(), nullable=False),
        sa.Column("totals", postgresql.JSONB(), nullable=False),
        sa.Column("rates", postgresql.JSONB(), nullable=False),
        sa.Column("policy_version", sa.BigInteger(), nullable=False),
        sa.Column("override_id", sa.UUID()),
        sa.Column("content", postgresql.JSONB(none_as_null=True)),
        sa.Column("sent_by", sa.Text()),
        sa.Column("sent_at", _INSTANT),
        sa.Column("sent_on", sa.Date()),
        sa.Column("next_attempt_at", _INSTANT, nullable=False),
        sa.Column("leased_until", _INSTANT),
        sa.Column("came_back_at", _INSTANT),
        sa.Column("failures", postgresql.JSONB(), nullable=False),
        sa.Column("printed_at", _INSTANT),
        sa.Column("dropped_by", sa.Text()),
        sa.Column("drop_reason", sa.Text()),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("changed_at", _INSTANT, nullable=False),
        sa.CheckConstraint(
            "(state in ('sent', 'settled')) <= (sent_at is not null)", name=op.f("ck_dunning_notices_sent_when_said")
        ),
        sa.CheckConstraint(
            "state in ('proposed', 'released', 'sent', 'settled', 'dropped', 'failed')",
            name=op.f("ck_dunning_notices_state_known"),
        ),
        sa.CheckConstraint("level between 0 and 9", name=op.f("ck_dunning_notices_level_range")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_dunning_notices_account_id_accounts")),
        sa.ForeignKeyConstraint(["run_id"], ["dunning_runs.id"], name=op.f("fk_dunning_notices_run_id_dunning_runs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dunning_notices")),
        sa.UniqueConstraint("segment", "reference", name=op.f("uq_dunning_notices_segment_reference")),
    )
    op.create_index("ix_dunning_notices_customer", "dunning_notices", ["customer_id", "segment", "id"])
    op.create_index("ix_dunning_notices_run", "dunning_notices", ["run_id", "id"])
    op.create_index("ix_dunning_notices_segment", "dunning_notices", ["segment", "changed_at", "id"])
    op.create_index(
        "ix_dunning_notices_to_print",
        "dunning_notices",
        ["segment", "changed_at", "id"],
        postgresql_where=sa.text("sent_by = 'letter' and printed_at is null and state in ('sent', 'settled')"),
    )
    op.create_index(
        "ix_dunning_notices_to_send",
        "dunning_notices",
        ["id"],
        postgresql_where=sa.text("state = 'released' or state = 'sent' and came_back_at is not null"),
    )
    op.create_index(
        "uq_dunning_notices_pending",
        "dunning_notices",
        ["account_id"],
        unique=True,
        postgresql_where=sa.text("state in ('proposed', 'released')"),
    )


def _create_dunning_lines() -> None:
    op.create_table(
        "dunning_lines",
        sa.Column("notice_id", sa.UUID(), nullable=False),
        sa.Column("item_id", sa.UUID(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("account_id", sa.UUID(), nullable=False),
        sa.Column("invoice_no", sa.Text(), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("amount", _AMOUNT, nullable=False),
        sa.Column("open_amount", _AMOUNT, nullable=False),
        sa.Column("disputed", _AMOUNT, nullable=False),
        sa.Column("promised", _AMOUNT, nullable=False),
        sa.Column("asked", _AMOUNT, nullable=False),
        sa.Column("level", sa.BigInteger()),
        sa.Column("is_raised", sa.Boolean(), nullable=False),
        sa.Column("is_live", sa.Boolean(), nullable=False),
        sa.Column("interest", _AMOUNT, nullable=False),
        sa.Column("interest_from", sa.Date()),
        sa.Column("interest_until", sa.Date()),
        sa.Column("compensation", _AMOUNT, nullable=False),
        sa.CheckConstraint(
            "asked >= 0 and disputed >= 0 and promised >= 0 and interest >= 0", name=op.f("ck_dunning_lines_signs")
        ),
        sa.CheckConstraint("not is_raised or level is not null", name=op.f("ck_dunning_lines_raised_to_a_level")),
        sa.ForeignKeyConstraint(["item_id"], ["open_items.id"], name=op.f("fk_dunning_lines_item_id_open_items")),
        sa.ForeignKeyConstraint(
            ["notice_id"], ["dunning_notices.id"], name=op.f("fk_dunning_lines_notice_id_dunning_notices")
        ),
        sa.PrimaryKeyConstraint("notice_id", "item_id", "due_on", name=op.f("pk_dunning_lines")),
    )
    op.create_index(
        "ix_dunning_lines_account", "dunning_lines", ["account_id"], postgresql_where=sa.text("is_raised and is_live")
    )
    op.create_index(
        "uq_dunning_lines_level",
        "dunning_lines",
        ["item_id", "due_on", "level"],
        unique=True,
        postgresql_where=sa.text("is_raised and is_live"),
    )


def _create_dunning_documents() -> None:
    op.create_table(
        "dunning_documents",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("notice_id", sa.UUID(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("contact_ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("body", postgresql.BYTEA(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("sent_at", _INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["notice_id"], ["dunning_notices.id"], name=op.f("fk_dunning_documents_notice_id_dunning_notices")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dunning_documents")),
        sa.UniqueConstraint("notice_id", "position", name=op.f("uq_dunning_documents_notice_id_position")),
    )
    op.create_index("ix_dunning_documents_contact_ids", "dunning_documents", ["contact_ids"], postgresql_using="gin")


def _create_dunning_claims() -> None:
    op.create_table(
        "dunning_claims",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("segment", sa.Text(), nullable=False),
        sa.Column("account_id", sa.UUID(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("notice_id", sa.UUID(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("item_id", sa.UUID()),
        sa.Column("due_on", sa.Date()),
        sa.Column("invoice_no", sa.Text()),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("amount", _AMOUNT, nullable=False),
        sa.Column("accrued_from", sa.Date()),
        sa.Column("accrued_until", sa.Date()),
        sa.Column("claimed_on", sa.Date(), nullable=False),
        sa.Column("booked_as", sa.Text()),
        sa.Column("waived_by", sa.Text()),
        sa.Column("waive_reason", sa.Text()),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("changed_at", _INSTANT, nullable=False),
        sa.CheckConstraint("(kind = 'fee') = (item_id is null)", name=op.f("ck_dunning_claims_of_an_item_unless_fee")),
        sa.CheckConstraint(
            "case state when 'open' then booked_as is null when 'booked' then booked_as is not null else true end",
            name=op.f("ck_dunning_claims_booked_when_said"),
        ),
        sa.CheckConstraint("kind in ('fee', 'compensation', 'interest')", name=op.f("ck_dunning_claims_kind_known")),
        sa.CheckConstraint("state in ('open', 'booked', 'waived')", name=op.f("ck_dunning_claims_state_known")),
        sa.CheckConstraint("amount > 0", name=op.f("ck_dunning_claims_amount_positive")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_dunning_claims_account_id_accounts")),
        sa.ForeignKeyConstraint(
            ["notice_id"], ["dunning_notices.id"], name=op.f("fk_dunning_claims_notice_id_dunning_notices")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dunning_claims")),
    )
    op.create_index("ix_dunning_claims_account", "dunning_claims", ["account_id", "id"])
    op.create_index(
        "uq_dunning_claims_compensation",
        "dunning_claims",
        ["item_id", "due_on"],
        unique=True,
        postgresql_where=sa.text("kind = 'compensation'"),
    )
    op.create_index(
        "uq_dunning_claims_fee",
        "dunning_claims",
        ["notice_id", "currency"],
        unique=True,
        postgresql_where=sa.text("kind = 'fee'"),
    )
    op.create_index(
        "uq_dunning_claims_interest",
        "dunning_claims",
        ["item_id", "due_on", "accrued_from"],
        unique=True,
        postgresql_where=sa.text("kind = 'interest'"),
    )
