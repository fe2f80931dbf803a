"""The rows of the account. Everything a decision reads or locks is here."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Computed, ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import DATERANGE, JSONB, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column

from app.infra.db.metadata import Amount, Base, Rate

_LIMIT_KIND = "kind in ('granted', 'unlimited', 'none')"


class AccountRow(Base):
    """One customer in one segment: running totals, the limits in force and the standing facts of the day.

    No index on a column that changes, and room on each page, so that updates stay heap-only.
    """

    __tablename__ = "accounts"
    __table_args__ = (
        UniqueConstraint("customer_id", "segment"),
        Index("ix_accounts_group_id", "group_id", postgresql_where=text("group_id is not null")),
        CheckConstraint("hold in ('none', 'soft', 'forced')", name="hold_known"),
        CheckConstraint("delivered >= 0 and open_orders >= 0 and held_orders >= 0", name="orders_not_negative"),
        CheckConstraint("unallocated_credits >= 0", name="credits_not_negative"),
        {"postgresql_with": {"fillfactor": 70}},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.customer_id"))
    segment: Mapped[str] = mapped_column(ForeignKey("segments.segment"))
    currency: Mapped[str]
    version: Mapped[int] = mapped_column(server_default="0")
    receivables: Mapped[Amount] = mapped_column(server_default="0")
    open_orders: Mapped[Amount] = mapped_column(server_default="0")
    delivered: Mapped[Amount] = mapped_column(server_default="0")
    unallocated_credits: Mapped[Amount] = mapped_column(server_default="0")
    held_orders: Mapped[Amount] = mapped_column(server_default="0")
    beyond_horizon: Mapped[Amount] = mapped_column(server_default="0")
    base_kind: Mapped[str | None]
    base_amount: Mapped[Amount | None]
    base_from: Mapped[date | None]
    base_until: Mapped[date | None]
    temporary_kind: Mapped[str | None]
    temporary_amount: Mapped[Amount | None]
    temporary_from: Mapped[date | None]
    temporary_until: Mapped[date | None]
    hold: Mapped[str] = mapped_column(server_default="none")
    overdue_amount: Mapped[Amount] = mapped_column(server_default="0")
    oldest_due_on: Mapped[date | None]
    breaching_due_on: Mapped[date | None]
    overdue_breaching: Mapped[Amount] = mapped_column(server_default="0")
    overdue_aged: Mapped[Amount] = mapped_column(server_default="0")
    fresh_until: Mapped[datetime] = mapped_column(server_default=text("'epoch'"))
    basis: Mapped[str] = mapped_column(server_default="")
    group_id: Mapped[UUID | None] = mapped_column(ForeignKey("groups.id"))
    dunning_level: Mapped[int] = mapped_column(server_default="0")
    payment_index: Mapped[Amount | None]
    grade: Mapped[str | None]
    assessed_on: Mapped[date | None]
    cover_amount: Mapped[Amount | None]
    cover_until: Mapped[date | None]
    opened_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class GroupRow(Base):
    """The shared limit of a customer and its descendants in a segment, and its members' exposure by currency.

    Its id is the account of the customer that carries the limit.
    """

    __tablename__ = "groups"
    __table_args__ = ({"postgresql_with": {"fillfactor": 70}},)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.customer_id"))
    segment: Mapped[str] = mapped_column(ForeignKey("segments.segment"))
    currency: Mapped[str]
    version: Mapped[int] = mapped_column(server_default="0")
    base_kind: Mapped[str | None]
    base_amount: Mapped[Amount | None]
    base_from: Mapped[date | None]
    base_until: Mapped[date | None]
    temporary_kind: Mapped[str | None]
    temporary_amount: Mapped[Amount | None]
    temporary_from: Mapped[date | None]
    temporary_until: Mapped[date | None]
    totals: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    fresh_until: Mapped[datetime] = mapped_column(server_default=text("'epoch'"))


class MembershipRow(Base):
    """Which accounts shared a group's limit, and when: `accounts.group_id` with its past."""

    __tablename__ = "memberships"
    __table_args__ = (
        Index("uq_memberships_account_id", "account_id", unique=True, postgresql_where=text("left_at is null")),
        Index("ix_memberships_group_id", "group_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    group_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    joined_at: Mapped[datetime]
    left_at: Mapped[datetime | None]


class LimitRow(Base):
    """One decision about credit and the days it holds. Rows are never edited, only superseded: what was known at any
    instant can be read again."""

    __tablename__ = "limits"
    __table_args__ = (
        CheckConstraint(_LIMIT_KIND, name="kind_known"),
        CheckConstraint("scope in ('own', 'group')", name="scope_known"),
        CheckConstraint("(kind = 'granted') = (amount is not null)", name="amount_when_granted"),
        CheckConstraint("amount >= 0", name="amount_not_negative"),
        CheckConstraint("not temporary or valid_until is not null", name="temporary_ends"),
        ExcludeConstraint(
            ("account_id", "="),
            ("scope", "="),
            (text("(temporary::int)"), "="),
            ("days", "&&"),
            name="ex_limits_one_in_force",
            using="gist",
            where=text("superseded_at is null"),
        ),
        Index("ix_limits_account_id", "account_id"),
        Index("ix_limits_valid_until", "valid_until", postgresql_where=text("superseded_at is null")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    scope: Mapped[str]
    temporary: Mapped[bool]
    kind: Mapped[str]
    amount: Mapped[Amount | None]
    valid_from: Mapped[date]
    valid_until: Mapped[date | None]
    days: Mapped[Range[date]] = mapped_column(DATERANGE, Computed("daterange(valid_from, valid_until, '[]')"))
    reason: Mapped[str]
    set_by: Mapped[str]
    set_at: Mapped[datetime]
    superseded_at: Mapped[datetime | None]


class HoldRow(Base):
    """One source's hold, and when it was lifted."""

    __tablename__ = "holds"
    __table_args__ = (
        CheckConstraint("kind in ('soft', 'forced')", name="kind_known"),
        Index(
            "uq_holds_account_id_source",
            "account_id",
            "source",
            unique=True,
            postgresql_where=text("lifted_at is null"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    source: Mapped[str]
    kind: Mapped[str]
    reason: Mapped[str]
    set_by: Mapped[str]
    set_at: Mapped[datetime]
    lifted_by: Mapped[str | None]
    lifted_at: Mapped[datetime | None]
    lift_reason: Mapped[str | None]


class LedgerRow(Base):
    """One change of one component of an account's exposure. Append-only; `seq` is the account's version after it."""

    __tablename__ = "ledger"
    __table_args__ = (
        CheckConstraint(
            "component in ('receivables', 'open_orders', 'delivered', 'unallocated_credits')", name="component_known"
        ),
    )

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    component: Mapped[str]
    amount: Mapped[Amount]
    balance: Mapped[Amount]
    due_on: Mapped[date | None]
    source_type: Mapped[str]
    source_ref: Mapped[str]


class DueRungRow(Base):
    """The ladder of an account: what is open and falls due on one day, in account currency."""

    __tablename__ = "due_rungs"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    due_on: Mapped[date] = mapped_column(primary_key=True)
    amount: Mapped[Amount]


class CommitmentRow(Base):
    """What one order binds. A, S, I, waived and held are in order currency, the `_amount`s in account currency."""

    __tablename__ = "commitments"
    __table_args__ = (
        Index("ix_commitments_account_id_open", "account_id", postgresql_where=text("open_amount > 0")),
        Index("ix_commitments_customer_id", "customer_id"),
        Index("ix_commitments_expires_at", "expires_at", postgresql_where=text("open_amount > 0")),
        CheckConstraint("approved >= 0 and shipped >= 0 and invoiced >= 0 and waived >= 0 and held >= 0", name="signs"),
        CheckConstraint("open_amount >= 0 and delivered_amount >= 0 and held_amount >= 0", name="amount_signs"),
        {"postgresql_with": {"fillfactor": 80}},
    )

    segment: Mapped[str] = mapped_column(primary_key=True)
    order_ref: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    customer_id: Mapped[str]
    currency: Mapped[str]
    account_currency: Mapped[str]
    rate: Mapped[Rate]
    state: Mapped[str]
    approved: Mapped[Amount]
    shipped: Mapped[Amount]
    invoiced: Mapped[Amount]
    waived: Mapped[Amount]
    held: Mapped[Amount]
    open_amount: Mapped[Amount]
    delivered_amount: Mapped[Amount]
    held_amount: Mapped[Amount]
    ship_on: Mapped[date | None]
    expires_at: Mapped[datetime | None]
    review_id: Mapped[UUID | None]
    release: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class FxRateRow(Base):
    """1 `base` = `rate` `quote` on a day."""

    __tablename__ = "fx_rates"
    __table_args__ = (
        CheckConstraint("rate > 0", name="rate_positive"),
        CheckConstraint("base <> quote", name="two_currencies"),
    )

    base: Mapped[str] = mapped_column(Text, primary_key=True)
    quote: Mapped[str] = mapped_column(Text, primary_key=True)
    on_date: Mapped[date] = mapped_column(primary_key=True)
    rate: Mapped[Rate]
    entered_by: Mapped[str]
    entered_at: Mapped[datetime]
