"""Rows of segments, policy versions and overrides."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from app.domains.policies.core.overrides import OverrideStatus, PolicyOverride
from app.domains.policies.core.segments import Segment
from app.domains.policies.core.versions import PolicyStatus, PolicyVersion
from app.infra.db.metadata import Base


class SegmentRow(Base):
    """One segment. Without a time zone of its own it follows the deployment's default."""

    __tablename__ = "segments"

    segment: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    currency: Mapped[str]
    time_zone: Mapped[str | None]
    default_time_zone: Mapped[str] = mapped_column(server_default="UTC")
    version: Mapped[int]
    created_at: Mapped[datetime]

    def facts(self) -> Segment:
        """The row as the core knows it."""
        zone = ZoneInfo(self.time_zone or self.default_time_zone)
        return Segment(self.segment, self.name, self.currency, zone, self.time_zone, self.version)


class PolicyVersionRow(Base):
    """One version of a segment's policy. Active is whichever approved one's instant was last to come."""

    __tablename__ = "policy_versions"
    __table_args__ = (
        UniqueConstraint("segment", "effective_at"),
        CheckConstraint("status in ('draft', 'submitted', 'approved', 'rejected')", name="status"),
        CheckConstraint("effective_at is null or status = 'approved'", name="effective_when_approved"),
        CheckConstraint("(approved_by is null) = (approved_at is null)", name="approval_whole"),
        CheckConstraint("approved_by is null or approved_by <> all (edited_by)", name="four_eyes"),
    )

    segment: Mapped[str] = mapped_column(ForeignKey("segments.segment"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    status: Mapped[str]
    document: Mapped[dict[str, Any]]
    note: Mapped[str | None]
    edited_by: Mapped[list[str]] = mapped_column(ARRAY(Text))
    submitted_by: Mapped[str | None]
    submitted_at: Mapped[datetime | None]
    approved_by: Mapped[str | None]
    approved_at: Mapped[datetime | None]
    rejected_by: Mapped[str | None]
    rejected_at: Mapped[datetime | None]
    activated_by: Mapped[str | None]
    effective_at: Mapped[datetime | None]
    revision: Mapped[int]
    created_at: Mapped[datetime]

    def facts(self) -> PolicyVersion:
        """The row as the core knows it."""
        return PolicyVersion(
            segment=self.segment,
            version=self.version,
            status=PolicyStatus(self.status),
            document=self.document,
            note=self.note,
            edited_by=tuple(self.edited_by),
            submitted_by=self.submitted_by,
            submitted_at=self.submitted_at,
            approved_by=self.approved_by,
            approved_at=self.approved_at,
            rejected_by=self.rejected_by,
            rejected_at=self.rejected_at,
            activated_by=self.activated_by,
            effective_at=self.effective_at,
            revision=self.revision,
            created_at=self.created_at,
        )


class PolicyOverrideRow(Base):
    """One customer's patch over the policy of one segment: at most one waits and one is approved at a time."""

    __tablename__ = "policy_overrides"
    __table_args__ = (
        CheckConstraint("status in ('pending', 'approved', 'rejected', 'replaced', 'expired')", name="status"),
        CheckConstraint("(decided_by is null) = (decided_at is null)", name="decision_whole"),
        CheckConstraint("status <> 'approved' or decided_by <> requested_by", name="four_eyes"),
        Index(None, "customer_id", "segment", "requested_at"),
        Index(
            "uq_policy_overrides_pending",
            "customer_id",
            "segment",
            unique=True,
            postgresql_where=text("status = 'pending'"),
        ),
        Index(
            "uq_policy_overrides_approved",
            "customer_id",
            "segment",
            unique=True,
            postgresql_where=text("status = 'approved'"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.customer_id"))
    segment: Mapped[str] = mapped_column(ForeignKey("segments.segment"))
    patch: Mapped[dict[str, Any]]
    valid_until: Mapped[date]
    reason: Mapped[str]
    status: Mapped[str]
    requested_by: Mapped[str]
    requested_at: Mapped[datetime]
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]

    def facts(self) -> PolicyOverride:
        """The row as the core knows it."""
        return PolicyOverride(
            id=self.id,
            customer_id=self.customer_id,
            segment=self.segment,
            patch=self.patch,
            valid_until=self.valid_until,
            reason=self.reason,
            status=OverrideStatus(self.status),
            requested_by=self.requested_by,
            requested_at=self.requested_at,
            decided_by=self.decided_by,
            decided_at=self.decided_at,
        )
