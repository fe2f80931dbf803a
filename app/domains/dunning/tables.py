"""The rows of dunning: runs, notices with their lines and documents, claims, stops, promises, collection tasks."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Numeric, Text, UniqueConstraint, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.infra.db.metadata import Amount, Base

PENDING: Final = "state in ('proposed', 'released')"
"""Notices that are not sent yet."""
TO_SEND: Final = "state = 'released' or state = 'sent' and came_back_at is not null"
"""Notices that jobs have to send: for the first time, or by the next channel."""


class DunningRunRow(Base):
    """One look at a segment's customers on one day. It goes from customer to customer: `after_customer` is how far."""

    __tablename__ = "dunning_runs"
    __table_args__ = (
        Index(
            "uq_dunning_runs_scheduled", "segment", "run_on", unique=True, postgresql_where=text("origin = 'schedule'")
        ),
        Index("ix_dunning_runs_segment", "segment", "created_at", "id"),
        Index("ix_dunning_runs_unfinished", "id", postgresql_where=text("state in ('proposed', 'released')")),
        CheckConstraint("state in ('proposed', 'released', 'done', 'withdrawn')", name="state_known"),
        CheckConstraint("origin in ('person', 'schedule')", name="origin_known"),
        CheckConstraint("state = 'proposed' or is_complete or state = 'withdrawn'", name="released_when_complete"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    segment: Mapped[str]
    run_on: Mapped[date]
    origin: Mapped[str]
    state: Mapped[str]
    after_customer: Mapped[str] = mapped_column(Text(collation="C"))
    is_complete: Mapped[bool]
    release_when_complete: Mapped[bool]
    notices: Mapped[int]
    skipped: Mapped[int]
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    released_by: Mapped[str | None]
    released_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class DunningSkipRow(Base):
    """Why a customer with something due got no notice in a run."""

    __tablename__ = "dunning_skips"

    run_id: Mapped[UUID] = mapped_column(ForeignKey("dunning_runs.id"), primary_key=True)
    customer_id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    reason: Mapped[str]
    until: Mapped[date | None]


class DunningNoticeRow(Base):
    """One message to one customer. `totals` has one member a currency; `content` is what was rendered when it was sent;
    of the contacts in it, the ids.

    At most one of a customer's is on its way at a time.
    """

    __tablename__ = "dunning_notices"
    __table_args__ = (
        Index("uq_dunning_notices_pending", "account_id", unique=True, postgresql_where=text(PENDING)),
        UniqueConstraint("segment", "reference"),
        Index("ix_dunning_notices_run", "run_id", "id"),
        Index("ix_dunning_notices_customer", "customer_id", "segment", "id"),
        Index("ix_dunning_notices_segment", "segment", "changed_at", "id"),
        Index("ix_dunning_notices_to_send", "id", postgresql_where=text(TO_SEND)),
        Index(
            "ix_dunning_notices_to_print",
            "segment",
            "changed_at",
            "id",
            postgresql_where=text("sent_by = 'letter' and printed_at is null and state in ('sent', 'settled')"),
        ),
        CheckConstraint(
            "state in ('proposed', 'released', 'sent', 'settled', 'dropped', 'failed')", name="state_known"
        ),
        CheckConstraint("level between 0 and 9", name="level_range"),
        CheckConstraint("(state in ('sent', 'settled')) <= (sent_at is not null)", name="sent_when_said"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    run_id: Mapped[UUID] = mapped_column(ForeignKey("dunning_runs.id"))
    segment: Mapped[str]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    customer_id: Mapped[str]
    reference: Mapped[str]
    state: Mapped[str]
    level: Mapped[int]
    run_on: Mapped[date]
    deadline_on: Mapped[date]
    channels: Mapped[list[str]] = mapped_column(ARRAY(Text))
    """What is still to be tried, in order; the first is next."""
    template: Mapped[str]
    note: Mapped[str | None]
    effect: Mapped[str]
    totals: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    rates: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    policy_version: Mapped[int]
    override_id: Mapped[UUID | None]
    content: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    sent_by: Mapped[str | None]
    sent_at: Mapped[datetime | None]
    sent_on: Mapped[date | None]
    next_attempt_at: Mapped[datetime]
    leased_until: Mapped[datetime | None]
    """Until when whoever has taken it to be sent is left alone with it."""
    came_back_at: Mapped[datetime | None]
    """When what was sent came back; null once it has gone by the next channel, or there is none."""
    failures: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    printed_at: Mapped[datetime | None]
    dropped_by: Mapped[str | None]
    drop_reason: Mapped[str | None]
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class DunningLineRow(Base):
    """An item in a notice, in the item's currency. A level is reached once: by the live line that raised to it."""

    __tablename__ = "dunning_lines"
    __table_args__ = (
        Index(
            "uq_dunning_lines_level",
            "item_id",
            "due_on",
            "level",
            unique=True,
            postgresql_where=text("is_raised and is_live"),
        ),
        Index("ix_dunning_lines_account", "account_id", postgresql_where=text("is_raised and is_live")),
        CheckConstraint("asked >= 0 and disputed >= 0 and promised >= 0 and interest >= 0", name="signs"),
        CheckConstraint("not is_raised or level is not null", name="raised_to_a_level"),
    )

    notice_id: Mapped[UUID] = mapped_column(ForeignKey("dunning_notices.id"), primary_key=True)
    item_id: Mapped[UUID] = mapped_column(ForeignKey("open_items.id"), primary_key=True)
    due_on: Mapped[date] = mapped_column(primary_key=True)
    account_id: Mapped[UUID]
    invoice_no: Mapped[str]
    issued_on: Mapped[date]
    currency: Mapped[str]
    amount: Mapped[Amount]
    open_amount: Mapped[Amount]
    disputed: Mapped[Amount]
    promised: Mapped[Amount]
    asked: Mapped[Amount]
    level: Mapped[int | None]
    is_raised: Mapped[bool]
    is_live: Mapped[bool]
    interest: Mapped[Amount]
    interest_from: Mapped[date | None]
    interest_until: Mapped[date | None]
    compensation: Mapped[Amount]


class DunningDocumentRow(Base):
    """What was sent, byte for byte, until one of the contacts that it names is erased: then the body is empty."""

    __tablename__ = "dunning_documents"
    __table_args__ = (
        UniqueConstraint("notice_id", "position"),
        Index("ix_dunning_documents_contact_ids", "contact_ids", postgresql_using="gin"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    notice_id: Mapped[UUID] = mapped_column(ForeignKey("dunning_notices.id"))
    position: Mapped[int]
    channel: Mapped[str]
    contact_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    media_type: Mapped[str]
    body: Mapped[bytes] = mapped_column(BYTEA)
    digest: Mapped[str]
    sent_at: Mapped[datetime]


class DunningClaimRow(Base):
    """A fee, a fixed sum or interest: a claim of its own. `booked_as` is the debit note it became, if it did."""

    __tablename__ = "dunning_claims"
    __table_args__ = (
        Index("uq_dunning_claims_fee", "notice_id", "currency", unique=True, postgresql_where=text("kind = 'fee'")),
        Index(
            "uq_dunning_claims_compensation",
            "item_id",
            "due_on",
            unique=True,
            postgresql_where=text("kind = 'compensation'"),
        ),
        Index(
            "uq_dunning_claims_interest",
            "item_id",
            "due_on",
            "accrued_from",
            unique=True,
            postgresql_where=text("kind = 'interest'"),
        ),
        Index("ix_dunning_claims_account", "account_id", "id"),
        CheckConstraint("kind in ('fee', 'compensation', 'interest')", name="kind_known"),
        CheckConstraint("state in ('open', 'booked', 'waived')", name="state_known"),
        CheckConstraint("amount > 0", name="amount_positive"),
        CheckConstraint("(kind = 'fee') = (item_id is null)", name="of_an_item_unless_fee"),
        CheckConstraint(
            "case state when 'open' then booked_as is null when 'booked' then booked_as is not null else true end",
            name="booked_when_said",
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    segment: Mapped[str]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    customer_id: Mapped[str]
    notice_id: Mapped[UUID] = mapped_column(ForeignKey("dunning_notices.id"))
    kind: Mapped[str]
    state: Mapped[str]
    item_id: Mapped[UUID | None]
    due_on: Mapped[date | None]
    invoice_no: Mapped[str | None]
    currency: Mapped[str]
    amount: Mapped[Amount]
    accrued_from: Mapped[date | None]
    accrued_until: Mapped[date | None]
    claimed_on: Mapped[date]
    booked_as: Mapped[str | None]
    waived_by: Mapped[str | None]
    waive_reason: Mapped[str | None]
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class DunningStopRow(Base):
    """Nobody reminds the customer, or of the invoice, until a day."""

    __tablename__ = "dunning_stops"
    __table_args__ = (
        Index("ix_dunning_stops_customer", "customer_id", "segment", "id"),
        CheckConstraint("kind in ('manual', 'legal_case')", name="kind_known"),
        CheckConstraint("until is not null or kind = 'legal_case'", name="until_a_day"),
        CheckConstraint("(lifted_at is null) = (lifted_by is null)", name="lifted_whole"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    segment: Mapped[str]
    customer_id: Mapped[str]
    invoice_no: Mapped[str | None]
    kind: Mapped[str]
    until: Mapped[date | None]
    reason: Mapped[str]
    set_by: Mapped[str]
    set_at: Mapped[datetime]
    lifted_by: Mapped[str | None]
    lifted_at: Mapped[datetime | None]
    lift_reason: Mapped[str | None]


class PromiseRow(Base):
    """A customer's promise to pay. `received` is what has come of it."""

    __tablename__ = "promises"
    __table_args__ = (
        Index("ix_promises_customer", "customer_id", "segment", "id"),
        Index("ix_promises_open", "promised_on", "id", postgresql_where=text("state = 'open'")),
        CheckConstraint("state in ('open', 'kept', 'partly_kept', 'broken', 'withdrawn')", name="state_known"),
        CheckConstraint("amount > 0 and received >= 0", name="signs"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    segment: Mapped[str]
    customer_id: Mapped[str]
    currency: Mapped[str]
    amount: Mapped[Amount]
    received: Mapped[Amount]
    promised_on: Mapped[date]
    invoices: Mapped[list[str]] = mapped_column(ARRAY(Text))
    receipts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    """By payment: how much of it counts for this promise, so that a bounced one can be taken back."""
    state: Mapped[str]
    made_by: Mapped[str]
    made_at: Mapped[datetime]
    ended_on: Mapped[date | None]
    changed_at: Mapped[datetime]


class CollectionTaskRow(Base):
    """Somebody is to be called. `rank` orders the work list: amount × risk × time since the last contact."""

    __tablename__ = "collection_tasks"
    __table_args__ = (
        Index("uq_collection_tasks_open", "account_id", unique=True, postgresql_where=text("state = 'open'")),
        Index("ix_collection_tasks_rank", "segment", "rank", "id", postgresql_where=text("state = 'open'")),
        Index("ix_collection_tasks_customer", "customer_id", "segment", "id"),
        CheckConstraint("state in ('open', 'done')", name="state_known"),
        CheckConstraint("kind in ('call', 'promise_broken', 'delivery_failed', 'follow_up')", name="kind_known"),
        CheckConstraint("(state = 'done') = (completed_at is not null)", name="completed_when_done"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    segment: Mapped[str]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    customer_id: Mapped[str]
    kind: Mapped[str]
    state: Mapped[str]
    notice_id: Mapped[UUID | None]
    due_on: Mapped[date]
    currency: Mapped[str]
    amount: Mapped[Amount]
    risk: Mapped[Amount]
    rank: Mapped[Decimal] = mapped_column(Numeric(30, 4))
    last_contact_on: Mapped[date | None]
    created_at: Mapped[datetime]
    completed_by: Mapped[str | None]
    completed_at: Mapped[datetime | None]
    outcome: Mapped[str | None]
    note: Mapped[str | None]
    next_on: Mapped[date | None]
    promise_id: Mapped[UUID | None]


class StatutoryRateRow(Base):
    """A reference rate that was added to those of the program, or replaces one of them."""

    __tablename__ = "statutory_rates"

    reference: Mapped[str] = mapped_column(primary_key=True)
    valid_from: Mapped[date] = mapped_column(primary_key=True)
    percent: Mapped[Decimal] = mapped_column(Numeric(9, 4))
    source: Mapped[str]
    entered_by: Mapped[str]
    entered_at: Mapped[datetime]
