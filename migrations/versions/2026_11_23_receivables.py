"""Receivables: open items, payments, allocations.

Revision ID: receivables
Revises: exposure
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "receivables"
down_revision: str | None = "exposure"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_AMOUNT = sa.Numeric(24, 4)
_RATE = sa.Numeric(24, 12)
_INSTANT = sa.DateTime(timezone=True)
_ID = postgresql.UUID(as_uuid=True)


def upgrade() -> None:
    _create_open_items()
    _index_open_items()
    _create_payments()
    _create_allocations()


def downgrade() -> None:
    for table in ("allocations", "payments", "open_items"):
        op.drop_table(table)


def _create_open_items() -> None:
    op.create_table(
        "open_items",
        sa.Column("id", _ID, nullable=False),
        sa.Column("segment", sa.Text(), nullable=False),
        sa.Column("invoice_no", sa.Text(collation="C"), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("account_id", _ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("account_currency", sa.Text(), nullable=False),
        sa.Column("rate", _RATE, nullable=False),
        sa.Column("amount", _AMOUNT, nullable=False),
        sa.Column("open_amount", _AMOUNT, nullable=False),
        sa.Column("account_open_amount", _AMOUNT, nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("orders", postgresql.JSONB(), nullable=False),
        sa.Column("related_invoice_no", sa.Text()),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("entered_by", sa.Text(), nullable=False),
        sa.Column("entered_at", _INSTANT, nullable=False),
        sa.Column("changed_at", _INSTANT, nullable=False),
        sa.Column("cancelled_by", sa.Text()),
        sa.Column("cancelled_at", _INSTANT),
        sa.Column("cancel_reason", sa.Text()),
        sa.Column("instalments", postgresql.JSONB()),
        sa.Column("next_part_amount", _AMOUNT),
        sa.Column("discount_percent", _AMOUNT),
        sa.Column("discount_until", sa.Date()),
        sa.Column("disputed_amount", _AMOUNT, server_default="0", nullable=False),
        sa.Column("written_off_amount", _AMOUNT, server_default="0", nullable=False),
        sa.CheckConstraint("kind in ('invoice', 'debit_note', 'credit_note')", name=op.f("ck_open_items_kind_known")),
        sa.CheckConstraint(
            "status in ('open', 'partly_paid', 'paid', 'written_off', 'cancelled')",
            name=op.f("ck_open_items_status_known"),
        ),
        sa.CheckConstraint("disputed_amount between 0 and amount", name=op.f("ck_open_items_disputed_within_amount")),
        sa.CheckConstraint(
            "written_off_amount between 0 and amount", name=op.f("ck_open_items_written_off_within_amount")
        ),
        sa.CheckConstraint(
            "amount > 0 and open_amount >= 0 and open_amount <= amount", name=op.f("ck_open_items_open_within_amount")
        ),
        sa.CheckConstraint("rate > 0 and account_open_amount >= 0", name=op.f("ck_open_items_account_signs")),
        sa.CheckConstraint(
            "(status = 'cancelled') = (cancelled_at is not null)", name=op.f("ck_open_items_cancelled_when_said")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_open_items_account_id_accounts"),
        sa.PrimaryKeyConstraint("id", name="pk_open_items"),
        sa.UniqueConstraint("segment", "invoice_no", name="uq_open_items_segment_invoice_no"),
        postgresql_with={"fillfactor": 80},
    )


def _index_open_items() -> None:
    op.create_index(
        "ix_open_items_to_be_paid",
        "open_items",
        ["account_id", "currency", "due_on", "invoice_no"],
        postgresql_where=sa.text("open_amount > 0 and kind <> 'credit_note'"),
    )
    op.create_index(
        "ix_open_items_disputed",
        "open_items",
        ["segment", "customer_id", "due_on"],
        postgresql_where=sa.text("open_amount > 0 and kind <> 'credit_note' and disputed_amount > 0"),
    )
    op.create_index(
        "ix_open_items_credits",
        "open_items",
        ["account_id"],
        postgresql_where=sa.text("open_amount > 0 and kind = 'credit_note'"),
    )
    op.create_index("ix_open_items_customer_id", "open_items", ["customer_id", "segment", "changed_at", "id"])
    op.create_index("ix_open_items_segment_changed_at", "open_items", ["segment", "changed_at", "id"])
    op.create_index(
        "ix_open_items_open", "open_items", ["segment", "changed_at", "id"], postgresql_where=sa.text("open_amount > 0")
    )
    given_up = sa.text("written_off_amount > 0")
    op.create_index("ix_open_items_written_off", "open_items", ["account_id"], postgresql_where=given_up)


def _create_payments() -> None:
    op.create_table(
        "payments",
        sa.Column("id", _ID, nullable=False),
        sa.Column("segment", sa.Text(), nullable=False),
        sa.Column("payment_ref", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("account_id", _ID, nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("account_currency", sa.Text(), nullable=False),
        sa.Column("rate", _RATE, nullable=False),
        sa.Column("amount", _AMOUNT, nullable=False),
        sa.Column("open_amount", _AMOUNT, nullable=False),
        sa.Column("account_open_amount", _AMOUNT, nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("entered_by", sa.Text(), nullable=False),
        sa.Column("entered_at", _INSTANT, nullable=False),
        sa.Column("changed_at", _INSTANT, nullable=False),
        sa.Column("reversed_by", sa.Text()),
        sa.Column("reversed_at", _INSTANT),
        sa.Column("reverse_reason", sa.Text()),
        sa.Column("purpose", sa.Text(), server_default="settlement", nullable=False),
        sa.Column("order_ref", sa.Text()),
        sa.Column("remittance", sa.Text()),
        sa.Column("clears_on", sa.Date()),
        sa.Column("cleared_at", _INSTANT),
        sa.Column("uncleared_amount", _AMOUNT, server_default="0", nullable=False),
        sa.CheckConstraint("status in ('posted', 'reversed')", name=op.f("ck_payments_status_known")),
        sa.CheckConstraint(
            "amount > 0 and open_amount >= 0 and open_amount <= amount", name=op.f("ck_payments_open_within_amount")
        ),
        sa.CheckConstraint("rate > 0 and account_open_amount >= 0", name=op.f("ck_payments_account_signs")),
        sa.CheckConstraint(
            "(status = 'reversed') = (reversed_at is not null)", name=op.f("ck_payments_reversed_when_said")
        ),
        sa.CheckConstraint("purpose in ('settlement', 'advance', 'deposit')", name=op.f("ck_payments_purpose_known")),
        sa.CheckConstraint(
            "(purpose = 'advance') = (order_ref is not null)", name=op.f("ck_payments_advance_for_order")
        ),
        sa.CheckConstraint("uncleared_amount >= 0", name=op.f("ck_payments_uncleared_not_negative")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_payments_account_id_accounts"),
        sa.PrimaryKeyConstraint("id", name="pk_payments"),
        sa.UniqueConstraint("segment", "payment_ref", name="uq_payments_segment_payment_ref"),
        postgresql_with={"fillfactor": 80},
    )
    op.create_index("ix_payments_unallocated", "payments", ["account_id"], postgresql_where=sa.text("open_amount > 0"))
    op.create_index("ix_payments_customer_id", "payments", ["customer_id", "segment", "changed_at", "id"])
    op.create_index("ix_payments_segment_changed_at", "payments", ["segment", "changed_at", "id"])
    advances = sa.text("order_ref is not null and open_amount > 0")
    op.create_index("ix_payments_advances", "payments", ["segment", "order_ref"], postgresql_where=advances)
    uncleared = sa.text("uncleared_amount > 0")
    op.create_index("ix_payments_clears_on", "payments", ["clears_on"], postgresql_where=uncleared)
    op.create_index("ix_payments_uncleared", "payments", ["account_id"], postgresql_where=uncleared)


def _create_allocations() -> None:
    op.create_table(
        "allocations",
        sa.Column("id", _ID, nullable=False),
        sa.Column("item_id", _ID, nullable=False),
        sa.Column("payment_id", _ID),
        sa.Column("credit_note_id", _ID),
        sa.Column("amount", _AMOUNT, nullable=False),
        sa.Column("cash_amount", _AMOUNT, nullable=False),
        sa.Column("discount", _AMOUNT, nullable=False),
        sa.Column("difference", _AMOUNT, server_default="0", nullable=False),
        sa.Column("fx_difference", _AMOUNT),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", _INSTANT, nullable=False),
        sa.Column("undone_at", _INSTANT),
        sa.CheckConstraint("num_nonnulls(payment_id, credit_note_id) = 1", name=op.f("ck_allocations_one_credit")),
        sa.CheckConstraint("amount > 0 and discount >= 0", name=op.f("ck_allocations_signs")),
        sa.CheckConstraint("cash_amount > 0 and difference >= 0", name=op.f("ck_allocations_cash_signs")),
        sa.ForeignKeyConstraint(["item_id"], ["open_items.id"], name="fk_allocations_item_id_open_items"),
        sa.ForeignKeyConstraint(["payment_id"], ["payments.id"], name="fk_allocations_payment_id_payments"),
        sa.ForeignKeyConstraint(["credit_note_id"], ["open_items.id"], name="fk_allocations_credit_note_id_open_items"),
        sa.PrimaryKeyConstraint("id", name="pk_allocations"),
    )
    op.create_index("ix_allocations_item_id", "allocations", ["item_id"])
    op.create_index(
        "ix_allocations_payment_id",
        "allocations",
        ["payment_id"],
        postgresql_where=sa.text("payment_id is not null"),
    )
    op.create_index(
        "ix_allocations_credit_note_id",
        "allocations",
        ["credit_note_id"],
        postgresql_where=sa.text("credit_note_id is not null"),
    )
