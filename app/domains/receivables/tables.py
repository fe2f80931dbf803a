"""The rows of receivables: open items, payments, the allocations between them, and what becomes of either."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.infra.db.metadata import Amount, Base, Rate

TO_BE_PAID: Final = "open_amount > 0 and kind <> 'credit_note'"
DISPUTED: Final = f"{TO_BE_PAID} and disputed_amount > 0"


class OpenItemRow(Base):
    """One invoice, debit note or credit note. Amounts are in `currency`, `account_open_amount` is in account currency.

    `due_on` is the due day of the oldest open part, `next_part_amount` what of it is undisputed; null without
    instalments.
    """

    __tablename__ = "open_items"
    __table_args__ = (
        UniqueConstraint("segment", "invoice_no"),
        Index(
            "ix_open_items_to_be_paid",
            "account_id",
            "currency",
            "due_on",
            "invoice_no",
            postgresql_where=text(TO_BE_PAID),
        ),
        Index("ix_open_items_disputed", "segment", "customer_id", "due_on", postgresql_where=text(DISPUTED)),
        Index("ix_open_items_credits", "account_id", postgresql_where=text("open_amount > 0 and kind = 'credit_note'")),
        Index("ix_open_items_customer_id", "customer_id", "segment", "changed_at", "id"),
        Index("ix_open_items_segment_changed_at", "segment", "changed_at", "id"),
        Index("ix_open_items_written_off", "account_id", postgresql_where=text("written_off_amount > 0")),
        Index("ix_open_items_open", "segment", "changed_at", "id", postgresql_where=text("open_amount > 0")),
        CheckConstraint("kind in ('invoice', 'debit_note', 'credit_note')", name="kind_known"),
        CheckConstraint("status in ('open', 'partly_paid', 'paid', 'written_off', 'cancelled')", name="status_known"),
        CheckConstraint("amount > 0 and open_amount >= 0 and open_amount <= amount", name="open_within_amount"),
        CheckConstraint("rate > 0 and account_open_amount >= 0", name="account_signs"),
        CheckConstraint("(status = 'cancelled') = (cancelled_at is not null)", name="cancelled_when_said"),
        CheckConstraint("disputed_amount between 0 and amount", name="disputed_within_amount"),
        CheckConstraint("written_off_amount between 0 and amount", name="written_off_within_amount"),
        {"postgresql_with": {"fillfactor": 80}},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    segment: Mapped[str]
    invoice_no: Mapped[str] = mapped_column(Text(collation="C"))
    """Sorted by code point, in the database as in the core: oldest first has one order."""
    customer_id: Mapped[str]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    kind: Mapped[str]
    currency: Mapped[str]
    account_currency: Mapped[str]
    rate: Mapped[Rate]
    amount: Mapped[Amount]
    open_amount: Mapped[Amount]
    account_open_amount: Mapped[Amount]
    status: Mapped[str]
    issued_on: Mapped[date]
    due_on: Mapped[date]
    orders: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    related_invoice_no: Mapped[str | None]
    fingerprint: Mapped[str]
    entered_by: Mapped[str]
    entered_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    cancelled_by: Mapped[str | None]
    cancelled_at: Mapped[datetime | None]
    cancel_reason: Mapped[str | None]
    instalments: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB(none_as_null=True))
    next_part_amount: Mapped[Amount | None]
    discount_percent: Mapped[Amount | None]
    discount_until: Mapped[date | None]
    disputed_amount: Mapped[Amount] = mapped_column(server_default="0")
    written_off_amount: Mapped[Amount] = mapped_column(server_default="0")


class PaymentRow(Base):
    """One payment. `amount` and `open_amount` (not yet allocated) are in `currency`, `account_open_amount` is the
    unallocated credit and `uncleared_amount` what is exposed until it clears, in account currency."""

    __tablename__ = "payments"
    __table_args__ = (
        UniqueConstraint("segment", "payment_ref"),
        Index("ix_payments_customer_id", "customer_id", "segment", "changed_at", "id"),
        Index("ix_payments_segment_changed_at", "segment", "changed_at", "id"),
        CheckConstraint("status in ('posted', 'reversed')", name="status_known"),
        CheckConstraint("amount > 0 and open_amount >= 0 and open_amount <= amount", name="open_within_amount"),
        CheckConstraint("rate > 0 and account_open_amount >= 0", name="account_signs"),
        CheckConstraint("(status = 'reversed') = (reversed_at is not null)", name="reversed_when_said"),
        CheckConstraint("purpose in ('settlement', 'advance', 'deposit')", name="purpose_known"),
        CheckConstraint("(purpose = 'advance') = (order_ref is not null)", name="advance_for_order"),
        CheckConstraint("uncleared_amount >= 0", name="uncleared_not_negative"),
        Index(
            "ix_payments_advances",
            "segment",
            "order_ref",
            postgresql_where=text("order_ref is not null and open_amount > 0"),
        ),
        Index("ix_payments_unallocated", "account_id", postgresql_where=text("open_amount > 0")),
        Index("ix_payments_clears_on", "clears_on", postgresql_where=text("uncleared_amount > 0")),
        Index("ix_payments_uncleared", "account_id", postgresql_where=text("uncleared_amount > 0")),
        {"postgresql_with": {"fillfactor": 80}},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    segment: Mapped[str]
    payment_ref: Mapped[str]
    customer_id: Mapped[str]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    currency: Mapped[str]
    account_currency: Mapped[str]
    rate: Mapped[Rate]
    amount: Mapped[Amount]
    open_amount: Mapped[Amount]
    account_open_amount: Mapped[Amount]
    status: Mapped[str]
    received_on: Mapped[date]
    fingerprint: Mapped[str]
    entered_by: Mapped[str]
    entered_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    reversed_by: Mapped[str | None]
    reversed_at: Mapped[datetime | None]
    reverse_reason: Mapped[str | None]
    purpose: Mapped[str] = mapped_column(server_default="settlement")
    order_ref: Mapped[str | None]
    remittance: Mapped[str | None]
    clears_on: Mapped[date | None]
    cleared_at: Mapped[datetime | None]
    uncleared_amount: Mapped[Amount] = mapped_column(server_default="0")


class AllocationRow(Base):
    """An item settled by a part of a payment or of a credit note, in the item's currency; undone, never deleted.

    `cash_amount` is what that used of the payment or credit note, in its currency.
    """

    __tablename__ = "allocations"
    __table_args__ = (
        Index("ix_allocations_item_id", "item_id"),
        Index("ix_allocations_payment_id", "payment_id", postgresql_where=text("payment_id is not null")),
        Index("ix_allocations_credit_note_id", "credit_note_id", postgresql_where=text("credit_note_id is not null")),
        CheckConstraint("num_nonnulls(payment_id, credit_note_id) = 1", name="one_credit"),
        CheckConstraint("amount > 0 and discount >= 0", name="signs"),
        CheckConstraint("cash_amount > 0 and difference >= 0", name="cash_signs"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    item_id: Mapped[UUID] = mapped_column(ForeignKey("open_items.id"))
    payment_id: Mapped[UUID | None] = mapped_column(ForeignKey("payments.id"))
    credit_note_id: Mapped[UUID | None] = mapped_column(ForeignKey("open_items.id"))
    amount: Mapped[Amount]
    discount: Mapped[Amount]
    fx_difference: Mapped[Amount | None]
    effective_on: Mapped[date]
    made_by: Mapped[str]
    made_at: Mapped[datetime]
    undone_at: Mapped[datetime | None]
    difference: Mapped[Amount] = mapped_column(server_default="0")
    cash_amount: Mapped[Amount]


class DisputeRow(Base):
    """A part of an item, in its currency, that the customer does not want to pay."""

    __tablename__ = "disputes"
    __table_args__ = (
        Index("ix_disputes_item_id", "item_id"),
        Index("ix_disputes_segment", "segment", "opened_at", "id"),
        CheckConstraint("state in ('open', 'upheld', 'rejected', 'lapsed')", name="state_known"),
        CheckConstraint("amount > 0", name="amount_positive"),
        CheckConstraint("(state = 'open') = (resolved_at is null)", name="resolved_when_said"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    item_id: Mapped[UUID] = mapped_column(ForeignKey("open_items.id"))
    segment: Mapped[str]
    customer_id: Mapped[str]
    amount: Mapped[Amount]
    reason: Mapped[str]
    note: Mapped[str | None]
    state: Mapped[str]
    opened_by: Mapped[str]
    opened_at: Mapped[datetime]
    opened_on: Mapped[date]
    resolved_by: Mapped[str | None]
    resolved_at: Mapped[datetime | None]
    resolved_on: Mapped[date | None]
    resolution: Mapped[str | None]
    credit_note_no: Mapped[str | None]


class WriteOffRow(Base):
    """A part of an item, in its currency, given up as bad debt, or recovered after all. Append-only."""

    __tablename__ = "write_offs"
    __table_args__ = (
        Index("ix_write_offs_item_id", "item_id"),
        CheckConstraint("kind in ('write_off', 'recovery')", name="kind_known"),
        CheckConstraint("(kind = 'write_off') = (category is not null)", name="category_when_given_up"),
        CheckConstraint("amount > 0", name="amount_positive"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    item_id: Mapped[UUID] = mapped_column(ForeignKey("open_items.id"))
    kind: Mapped[str]
    amount: Mapped[Amount]
    category: Mapped[str | None]
    reason: Mapped[str]
    effective_on: Mapped[date]
    made_by: Mapped[str]
    made_at: Mapped[datetime]


class RefundRow(Base):
    """A part of a payment or credit note, in its currency, that was paid back, or kept as a small difference."""

    __tablename__ = "refunds"
    __table_args__ = (
        UniqueConstraint("segment", "refund_ref"),
        Index("ix_refunds_payment_id", "payment_id", postgresql_where=text("payment_id is not null")),
        Index("ix_refunds_credit_note_id", "credit_note_id", postgresql_where=text("credit_note_id is not null")),
        CheckConstraint("kind in ('refund', 'small_difference')", name="kind_known"),
        CheckConstraint("(kind = 'refund') = (refund_ref is not null)", name="reference_when_paid"),
        CheckConstraint("num_nonnulls(payment_id, credit_note_id) = 1", name="one_credit"),
        CheckConstraint("amount > 0", name="amount_positive"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    segment: Mapped[str]
    refund_ref: Mapped[str | None]
    kind: Mapped[str]
    payment_id: Mapped[UUID | None] = mapped_column(ForeignKey("payments.id"))
    credit_note_id: Mapped[UUID | None] = mapped_column(ForeignKey("open_items.id"))
    customer_id: Mapped[str]
    amount: Mapped[Amount]
    refunded_on: Mapped[date]
    reason: Mapped[str]
    made_by: Mapped[str]
    made_at: Mapped[datetime]


class BehaviourMarkRow(Base):
    """An account whose payment index is to be computed anew on a day: something was settled, or an item gets late."""

    __tablename__ = "behaviour_marks"
    __table_args__ = (Index(None, "segment", "due_on"), {"postgresql_with": {"fillfactor": 70}})

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    customer_id: Mapped[str]
    segment: Mapped[str]
    due_on: Mapped[date]


class BrokenPromiseRow(Base):
    """A customer's promise to pay that was broken, and the day it was: what payment behaviour remembers of it."""

    __tablename__ = "broken_promises"
    __table_args__ = (Index(None, "customer_id", "segment", "broken_on"),)

    promise_id: Mapped[UUID] = mapped_column(primary_key=True)
    customer_id: Mapped[str]
    segment: Mapped[str]
    broken_on: Mapped[date]
