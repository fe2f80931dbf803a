"""The account: totals, limits, holds, ledger, due ladder, commitments, exchange rates.

Revision ID: exposure
Revises: policies
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "exposure"
down_revision: str | None = "policies"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_AMOUNT = sa.Numeric(24, 4)
_RATE = sa.Numeric(24, 12)
_INSTANT = sa.DateTime(timezone=True)
_ID = postgresql.UUID(as_uuid=True)


def upgrade() -> None:
    # The exclusion constraint on limits compares ids and days in one index.
    op.execute("create extension if not exists btree_gist")
    _create_groups()
    _create_accounts()
    _create_memberships()
    _create_limits()
    _create_holds()
    _create_ledger()
    _create_due_rungs()
    _create_commitments()
    _create_fx_rates()


def downgrade() -> None:
    for table in (
        "fx_rates",
        "commitments",
        "due_rungs",
        "ledger",
        "holds",
        "limits",
        "memberships",
        "accounts",
        "groups",
    ):
        op.drop_table(table)


def _total(name: str) -> sa.Column[Any]:
    return sa.Column(name, _AMOUNT, server_default="0", nullable=False)


def _limit_columns() -> list[sa.Column[Any]]:
    return [
        column
        for which in ("base", "temporary")
        for column in (
            sa.Column(f"{which}_kind", sa.Text()),
            sa.Column(f"{which}_amount", _AMOUNT),
            sa.Column(f"{which}_from", sa.Date()),
            sa.Column(f"{which}_until", sa.Date()),
        )
    ]


def _create_groups() -> None:
    op.create_table(
        "groups",
        sa.Column("id", _ID, nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("segment", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="0", nullable=False),
        *_limit_columns(),
        sa.Column("totals", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("fresh_until", _INSTANT, server_default=sa.text("'epoch'"), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_groups"),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.customer_id"], name="fk_groups_customer_id_customers"),
        sa.ForeignKeyConstraint(["segment"], ["segments.segment"], name="fk_groups_segment_segments"),
        postgresql_with={"fillfactor": 70},
    )


def _create_accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", _ID, nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("segment", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="0", nullable=False),
        *map(_total, ("receivables", "open_orders", "delivered", "unallocated_credits")),
        *map(_total, ("held_orders", "beyond_horizon")),
        *_limit_columns(),
        sa.Column("hold", sa.Text(), server_default="none", nullable=False),
        _total("overdue_amount"),
        sa.Column("oldest_due_on", sa.Date()),
        sa.Column("breaching_due_on", sa.Date()),
        _total("overdue_breaching"),
        _total("overdue_aged"),
        sa.Column("fresh_until", _INSTANT, server_default=sa.text("'epoch'"), nullable=False),
        sa.Column("basis", sa.Text(), server_default="", nullable=False),
        sa.Column("group_id", _ID),
        sa.Column("dunning_level", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("payment_index", _AMOUNT),
        sa.Column("grade", sa.Text()),
        sa.Column("assessed_on", sa.Date()),
        sa.Column("cover_amount", _AMOUNT),
        sa.Column("cover_until", sa.Date()),
        sa.Column("opened_at", _INSTANT, nullable=False),
        sa.Column("changed_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_accounts"),
        sa.UniqueConstraint("customer_id", "segment", name="uq_accounts_customer_id_segment"),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.customer_id"], name="fk_accounts_customer_id_customers"),
        sa.ForeignKeyConstraint(["segment"], ["segments.segment"], name="fk_accounts_segment_segments"),
        sa.ForeignKeyConstraint(["group_id"], ["groups.id"], name="fk_accounts_group_id_groups"),
        sa.CheckConstraint("hold in ('none', 'soft', 'forced')", name=op.f("ck_accounts_hold_known")),
        sa.CheckConstraint(
            "delivered >= 0 and open_orders >= 0 and held_orders >= 0", name=op.f("ck_accounts_orders_not_negative")
        ),
        sa.CheckConstraint("unallocated_credits >= 0", name=op.f("ck_accounts_credits_not_negative")),
        postgresql_with={"fillfactor": 70},
    )
    op.create_index("ix_accounts_group_id", "accounts", ["group_id"], postgresql_where=sa.text("group_id is not null"))


def _create_memberships() -> None:
    op.create_table(
        "memberships",
        sa.Column("id", _ID, nullable=False),
        sa.Column("account_id", _ID, nullable=False),
        sa.Column("group_id", _ID, nullable=False),
        sa.Column("joined_at", _INSTANT, nullable=False),
        sa.Column("left_at", _INSTANT),
        sa.PrimaryKeyConstraint("id", name="pk_memberships"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_memberships_account_id_accounts"),
        sa.ForeignKeyConstraint(["group_id"], ["accounts.id"], name="fk_memberships_group_id_accounts"),
    )
    op.create_index(
        "uq_memberships_account_id",
        "memberships",
        ["account_id"],
        unique=True,
        postgresql_where=sa.text("left_at is null"),
    )
    op.create_index("ix_memberships_group_id", "memberships", ["group_id"])


def _create_limits() -> None:
    op.create_table(
        "limits",
        sa.Column("id", _ID, nullable=False),
        sa.Column("account_id", _ID, nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("temporary", sa.Boolean(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("amount", _AMOUNT),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date()),
        sa.Column(
            "days",
            postgresql.DATERANGE(),
            sa.Computed("daterange(valid_from, valid_until, '[]')", persisted=True),
            nullable=False,
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("set_at", _INSTANT, nullable=False),
        sa.Column("superseded_at", _INSTANT),
        sa.PrimaryKeyConstraint("id", name="pk_limits"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_limits_account_id_accounts"),
        sa.CheckConstraint("kind in ('granted', 'unlimited', 'none')", name=op.f("ck_limits_kind_known")),
        sa.CheckConstraint("scope in ('own', 'group')", name=op.f("ck_limits_scope_known")),
        sa.CheckConstraint("(kind = 'granted') = (amount is not null)", name=op.f("ck_limits_amount_when_granted")),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_limits_amount_not_negative")),
        sa.CheckConstraint("not temporary or valid_until is not null", name=op.f("ck_limits_temporary_ends")),
        postgresql.ExcludeConstraint(
            ("account_id", "="),
            ("scope", "="),
            (sa.text("(temporary::int)"), "="),
            ("days", "&&"),
            name="ex_limits_one_in_force",
            using="gist",
            where=sa.text("superseded_at is null"),
        ),
    )
    op.create_index("ix_limits_account_id", "limits", ["account_id"])


def _create_holds() -> None:
    op.create_table(
        "holds",
        sa.Column("id", _ID, nullable=False),
        sa.Column("account_id", _ID, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("set_at", _INSTANT, nullable=False),
        sa.Column("lifted_by", sa.Text()),
        sa.Column("lifted_at", _INSTANT),
        sa.Column("lift_reason", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_holds"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_holds_account_id_accounts"),
        sa.CheckConstraint("kind in ('soft', 'forced')", name=op.f("ck_holds_kind_known")),
    )
    op.create_index(
        "uq_holds_account_id_source",
        "holds",
        ["account_id", "source"],
        unique=True,
        postgresql_where=sa.text("lifted_at is null"),
    )


def _create_ledger() -> None:
    op.create_table(
        "ledger",
        sa.Column("account_id", _ID, nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("component", sa.Text(), nullable=False),
        sa.Column("amount", _AMOUNT, nullable=False),
        sa.Column("balance", _AMOUNT, nullable=False),
        sa.Column("due_on", sa.Date()),
        sa.Column("source_type", sa.Text(), nullable=False),
        sa.Column("source_ref", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "seq", name="pk_ledger"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_ledger_account_id_accounts"),
        sa.CheckConstraint(
            "component in ('receivables', 'open_orders', 'delivered', 'unallocated_credits')",
            name=op.f("ck_ledger_component_known"),
        ),
    )


def _create_due_rungs() -> None:
    op.create_table(
        "due_rungs",
        sa.Column("account_id", _ID, nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("amount", _AMOUNT, nullable=False),
        sa.PrimaryKeyConstraint("account_id", "due_on", name="pk_due_rungs"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_due_rungs_account_id_accounts"),
    )


def _create_commitments() -> None:
    op.create_table(
        "commitments",
        sa.Column("segment", sa.Text(), nullable=False),
        sa.Column("order_ref", sa.Text(), nullable=False),
        sa.Column("account_id", _ID, nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("account_currency", sa.Text(), nullable=False),
        sa.Column("rate", _RATE, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("approved", _AMOUNT, nullable=False),
        sa.Column("shipped", _AMOUNT, nullable=False),
        sa.Column("invoiced", _AMOUNT, nullable=False),
        sa.Column("waived", _AMOUNT, nullable=False),
        sa.Column("held", _AMOUNT, nullable=False),
        sa.Column("open_amount", _AMOUNT, nullable=False),
        sa.Column("delivered_amount", _AMOUNT, nullable=False),
        sa.Column("held_amount", _AMOUNT, nullable=False),
        sa.Column("ship_on", sa.Date()),
        sa.Column("expires_at", _INSTANT),
        sa.Column("review_id", _ID),
        sa.Column("release", postgresql.JSONB()),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("changed_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("segment", "order_ref", name="pk_commitments"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_commitments_account_id_accounts"),
        sa.CheckConstraint(
            "approved >= 0 and shipped >= 0 and invoiced >= 0 and waived >= 0 and held >= 0",
            name=op.f("ck_commitments_signs"),
        ),
        sa.CheckConstraint(
            "open_amount >= 0 and delivered_amount >= 0 and held_amount >= 0",
            name=op.f("ck_commitments_amount_signs"),
        ),
        postgresql_with={"fillfactor": 80},
    )
    still_open = sa.text("open_amount > 0")
    op.create_index("ix_commitments_account_id_open", "commitments", ["account_id"], postgresql_where=still_open)
    op.create_index("ix_commitments_customer_id", "commitments", ["customer_id"])
    op.create_index("ix_commitments_expires_at", "commitments", ["expires_at"], postgresql_where=still_open)


def _create_fx_rates() -> None:
    op.create_table(
        "fx_rates",
        sa.Column("base", sa.Text(), nullable=False),
        sa.Column("quote", sa.Text(), nullable=False),
        sa.Column("on_date", sa.Date(), nullable=False),
        sa.Column("rate", _RATE, nullable=False),
        sa.Column("entered_by", sa.Text(), nullable=False),
        sa.Column("entered_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("base", "quote", "on_date", name="pk_fx_rates"),
        sa.CheckConstraint("rate > 0", name=op.f("ck_fx_rates_rate_positive")),
        sa.CheckConstraint("base <> quote", name=op.f("ck_fx_rates_two_currencies")),
    )
