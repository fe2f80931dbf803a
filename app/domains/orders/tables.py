"""The rows of credit checks and shipments."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from app.infra.db.metadata import Amount, Base


class CreditCheckRow(Base):
    """One decision on one order: what was asked, the facts it was decided from, the answer as it was sent, its review.

    `facts` and `answer` are JSON kept as text, byte for byte: nothing queries inside them. `caller` is the principal
    that asked.
    """

    __tablename__ = "credit_checks"
    __table_args__ = (
        Index("ix_credit_checks_customer_id_id", "customer_id", "id"),
        Index("ix_credit_checks_segment_order_ref_id", "segment", "order_ref", "id"),
        Index(
            "ix_credit_checks_open",
            "segment",
            "id",
            postgresql_where=text("review = 'open' and review_until is not null"),
        ),
        Index("ix_credit_checks_waiting", "customer_id", "segment", "id", postgresql_where=text("review = 'open'")),
        CheckConstraint("outcome in ('approved', 'referred', 'declined')", name="outcome_known"),
        CheckConstraint(
            "review in ('none', 'open', 'released', 'rejected', 'superseded', 'lapsed')", name="review_known"
        ),
        CheckConstraint("review = 'none' or outcome = 'referred'", name="only_referred_reviewed"),
        CheckConstraint("(review in ('released', 'rejected')) = (reviewed_by is not null)", name="review_signed"),
        CheckConstraint("review <> 'released' or reviewed_by <> caller_name", name="four_eyes"),
        CheckConstraint("review <> 'open' or review_until is not null", name="open_until"),
        {"postgresql_with": {"fillfactor": 90}},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    customer_id: Mapped[str]
    segment: Mapped[str]
    order_ref: Mapped[str]
    checkpoint: Mapped[str]
    amount: Mapped[Amount]
    currency: Mapped[str]
    outcome: Mapped[str]
    codes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    policy_version: Mapped[int]
    policy_profile: Mapped[str]
    policy_override_id: Mapped[UUID | None]
    caller: Mapped[str]
    caller_name: Mapped[str]
    on_behalf_of: Mapped[str | None]
    decided_at: Mapped[datetime]
    facts: Mapped[str]
    answer: Mapped[str]
    review: Mapped[str]
    review_until: Mapped[datetime | None]
    reviewed_by: Mapped[str | None]
    reviewed_at: Mapped[datetime | None]
    review_reason: Mapped[str | None]
    released_amount: Mapped[Amount | None]
    changed_at: Mapped[datetime]


class ReviewCaseRow(Base):
    """Who works on the review of a referred order, and whom it was handed to. It goes with its check."""

    __tablename__ = "review_cases"
    __table_args__ = (
        CheckConstraint(
            "(claimed_by is null) = (claimed_at is null) and (claimed_by is null) = (claimed_by_name is null)",
            name="claim_whole",
        ),
    )

    check_id: Mapped[UUID] = mapped_column(ForeignKey("credit_checks.id", ondelete="cascade"), primary_key=True)
    claimed_by: Mapped[str | None]
    claimed_by_name: Mapped[str | None]
    claimed_at: Mapped[datetime | None]
    referred_to: Mapped[str | None]


class ReviewNoteRow(Base):
    """What somebody wrote down about a referred order. It goes with its check."""

    __tablename__ = "review_notes"
    __table_args__ = (Index("ix_review_notes_check_id_id", "check_id", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    check_id: Mapped[UUID] = mapped_column(ForeignKey("credit_checks.id", ondelete="cascade"))
    note: Mapped[str]
    written_by: Mapped[str]
    written_at: Mapped[datetime]


class WaitingAccountRow(Base):
    """An account whose waiting orders are to be judged anew, because it has more room. `token` is another each time."""

    __tablename__ = "waiting_accounts"

    customer_id: Mapped[str] = mapped_column(primary_key=True)
    segment: Mapped[str] = mapped_column(primary_key=True)
    token: Mapped[UUID]
    since: Mapped[datetime]


class WokenSegmentRow(Base):
    """The last day on which all waiting orders of a segment were woken, for what a new day brings."""

    __tablename__ = "woken_segments"

    segment: Mapped[str] = mapped_column(ForeignKey("segments.segment"), primary_key=True)
    woken_on: Mapped[date]


class ShipmentRow(Base):
    """Goods that left for an order, in the order's currency, and when they came back."""

    __tablename__ = "shipments"
    __table_args__ = (
        ForeignKeyConstraint(["segment", "order_ref"], ["commitments.segment", "commitments.order_ref"]),
        Index("ix_shipments_segment_order_ref", "segment", "order_ref"),
        Index("ix_shipments_changed_at", "changed_at", "segment", "shipment_ref"),
        CheckConstraint("amount > 0", name="amount_positive"),
        CheckConstraint("(reversed_at is null) = (reversed_by is null)", name="reversal_whole"),
    )

    segment: Mapped[str] = mapped_column(primary_key=True)
    shipment_ref: Mapped[str] = mapped_column(primary_key=True)
    order_ref: Mapped[str]
    customer_id: Mapped[str]
    amount: Mapped[Amount]
    currency: Mapped[str]
    already_left: Mapped[bool]
    shipped_at: Mapped[datetime]
    shipped_by: Mapped[str]
    reversed_at: Mapped[datetime | None]
    reversed_by: Mapped[str | None]
    reversal_reason: Mapped[str | None]
    reorder: Mapped[bool | None]
    changed_at: Mapped[datetime]
