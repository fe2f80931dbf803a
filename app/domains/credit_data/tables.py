"""The rows of credit data: every version of every record, and the accounts whose covers turn by the day."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.infra.db.metadata import Base


class CreditRecordRow(Base):
    """One version of one record of a customer's credit file. Only `superseded_at` ever changes, once.

    `record_id` is the same for all versions; `content` is the dataclass of its kind as JSON.
    """

    __tablename__ = "credit_records"
    __table_args__ = (
        UniqueConstraint("record_id", "version"),
        Index(
            "uq_credit_records_current",
            "customer_id",
            "kind",
            "ref",
            text("coalesce(segment, '')"),
            unique=True,
            postgresql_where=text("superseded_at is null"),
        ),
        Index("ix_credit_records_customer_id", "customer_id", "kind", "known_at", "id"),
        CheckConstraint(
            "kind in ('financial_statement', 'credit_report', 'trade_reference', 'adverse_event', 'cover',"
            " 'questionnaire_answer')",
            name="kind_known",
        ),
        CheckConstraint(
            "independence in ('own_experience', 'audited', 'agency', 'self_declared')", name="independence_known"
        ),
        CheckConstraint("(segment is not null) = (kind in ('cover', 'questionnaire_answer'))", name="segment_by_kind"),
        CheckConstraint("version > 0 and superseded_at >= known_at", name="versions_in_order"),
        CheckConstraint("not retracted or reason is not null", name="retracted_for_a_reason"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    record_id: Mapped[UUID]
    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.customer_id"))
    kind: Mapped[str]
    ref: Mapped[str]
    segment: Mapped[str | None] = mapped_column(ForeignKey("segments.segment"))
    version: Mapped[int]
    valid_on: Mapped[date]
    source: Mapped[str]
    independence: Mapped[str]
    content: Mapped[dict[str, Any]] = mapped_column(JSONB)
    retracted: Mapped[bool] = mapped_column(server_default=text("false"))
    reason: Mapped[str | None]
    entered_by: Mapped[str]
    known_at: Mapped[datetime]
    superseded_at: Mapped[datetime | None]


class CoverTurnRow(Base):
    """The next day on which what covers an account changes by itself; a row only while there is such a day."""

    __tablename__ = "cover_turns"
    __table_args__ = (Index(None, "segment", "turns_on"),)

    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.customer_id"), primary_key=True)
    segment: Mapped[str] = mapped_column(ForeignKey("segments.segment"), primary_key=True)
    turns_on: Mapped[date]


class ReportOrderRow(Base):
    """A report that an agency is asked for. One customer has one order waiting at an agency."""

    __tablename__ = "report_orders"
    __table_args__ = (
        Index(
            "uq_report_orders_waiting",
            "customer_id",
            "agency",
            unique=True,
            postgresql_where=text("state = 'waiting'"),
        ),
        Index("ix_report_orders_next_at", "next_at", postgresql_where=text("state = 'waiting'")),
        Index("ix_report_orders_customer_id", "customer_id", "ordered_at", "id"),
        CheckConstraint("state in ('waiting', 'delivered', 'unknown', 'failed')", name="state_known"),
        CheckConstraint("(state = 'waiting') = (ended_at is null)", name="ended_when_said"),
        CheckConstraint("(state = 'delivered') = (record_id is not null)", name="delivered_as_a_record"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.customer_id"))
    segment: Mapped[str] = mapped_column(ForeignKey("segments.segment"))
    agency: Mapped[str]
    state: Mapped[str]
    attempts: Mapped[int]
    ordered_by: Mapped[str]
    ordered_at: Mapped[datetime]
    next_at: Mapped[datetime | None]
    record_id: Mapped[UUID | None]
    failure: Mapped[str | None]
    ended_at: Mapped[datetime | None]
