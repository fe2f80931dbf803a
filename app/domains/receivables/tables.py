"""The rows of receivables: open items, payments, and the allocations between them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.infra.db.metadata import Amount, Base, Rate

TO_BE_PAID: Final = "open_amount > 0 and kind <> 'credit_note'"


class OpenItemRow(Base):
    """One invoice, debit note or credit note. `amount` and `open_amount` are in `currency`, `account_open_amount` is in
    account currency."""

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
        Index("ix_open_items_customer_id", "customer_id", "segment", "changed_at", "id"),
        Index("ix_open_items_segment_changed_at", "segment", "changed_at", "id"),
        Index("ix_open_items_open", "segment", "changed_at", "id", postgresql_where=text("open_amount > 0")),
        CheckConstraint("kind in ('invoice', 'debit_note', 'credit_note')", name="kind_known"),
        CheckConstraint("status in ('open', 'partly_paid', 'paid', 'cancelled')", name="status_known"),
        CheckConstraint("amount > 0 and open_amount >= 0 and open_amount <= amount", name="open_within_amount"),
        CheckConstraint("rate > 0 and account_open_amount >= 0", name="account_signs"),
        CheckConstraint("(status = 'cancelled') = (cancelled_at is not null)", name="cancelled_when_said"),
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


class PaymentRow(Base):
    """One payment. `amount` and `open_amount` (not yet allocated) are in `currency`, `account_open_amount` is the
    unallocated credit in account currency."""

    __tablename__ = "payments"
    __table_args__ = (
        UniqueConstraint("segment", "payment_ref"),
        Index("ix_payments_customer_id", "customer_id", "segment", "changed_at", "id"),
        Index("ix_payments_segment_changed_at", "segment", "changed_at", "id"),
        CheckConstraint("status in ('posted', 'reversed')", name="status_known"),
        CheckConstraint("amount > 0 and open_amount >= 0 and open_amount <= amount", name="open_within_amount"),
        CheckConstraint("rate > 0 and account_open_amount >= 0", name="account_signs"),
        CheckConstraint("(status = 'reversed') = (reversed_at is not null)", name="reversed_when_said"),
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


class AllocationRow(Base):
    """An item settled by a part of a payment or of a credit note, in the item's currency; undone, never deleted."""

    __tablename__ = "allocations"
    __table_args__ = (
        Index("ix_allocations_item_id", "item_id"),
        Index("ix_allocations_payment_id", "payment_id", postgresql_where=text("payment_id is not null")),
        Index("ix_allocations_credit_note_id", "credit_note_id", postgresql_where=text("credit_note_id is not null")),
        CheckConstraint("num_nonnulls(payment_id, credit_note_id) = 1", name="one_credit"),
        CheckConstraint("amount > 0 and discount >= 0", name="signs"),
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


class BehaviourMarkRow(Base):
    """An account whose payment index is to be computed anew on a day: something was settled, or an item gets late."""

    __tablename__ = "behaviour_marks"
    __table_args__ = (Index(None, "segment", "due_on"), {"postgresql_with": {"fillfactor": 70}})

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    customer_id: Mapped[str]
    segment: Mapped[str]
    due_on: Mapped[date]
