"""Rows of audits: the sample as it was drawn, and what was found."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.domains.control.core.audits import Audit, AuditState, DecisionKind, Finding, Item, Replayed
from app.infra.db.metadata import Base


class AuditRow(Base):
    """One audit. `since` and `until` are days of the segment."""

    __tablename__ = "audits"
    __table_args__ = (
        Index("ix_audits_segment_changed_at", "segment", "changed_at", "id"),
        CheckConstraint("state in ('open', 'signed_off')", name="state_known"),
        CheckConstraint("(state = 'signed_off') = (signed_at is not null)", name="signed_when_said"),
        CheckConstraint("until >= since", name="period_forward"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    segment: Mapped[str]
    since: Mapped[date]
    until: Mapped[date]
    seed: Mapped[str]
    sizes: Mapped[dict[str, Any]]
    population: Mapped[dict[str, Any]]
    through_seq: Mapped[int]
    state: Mapped[str]
    drawn_by: Mapped[str]
    drawn_at: Mapped[datetime]
    conclusion: Mapped[str | None]
    signed_by: Mapped[str | None]
    signed_at: Mapped[datetime | None]
    changed_at: Mapped[datetime]

    def facts(self) -> Audit:
        """The row as the core knows it."""
        return Audit(
            id=self.id,
            segment=self.segment,
            since=self.since,
            until=self.until,
            seed=self.seed,
            sizes=self.sizes,
            population=self.population,
            through_seq=self.through_seq,
            state=AuditState(self.state),
            drawn_by=self.drawn_by,
            drawn_at=self.drawn_at,
            conclusion=self.conclusion,
            signed_by=self.signed_by,
            signed_at=self.signed_at,
        )


class AuditItemRow(Base):
    """One decision of a sample, copied from the journal, which may be deleted in time."""

    __tablename__ = "audit_items"
    __table_args__ = (
        CheckConstraint("kind in ('credit_check', 'limit', 'release', 'write_off')", name="kind_known"),
        CheckConstraint("finding in ('satisfactory', 'exception')", name="finding_known"),
        CheckConstraint("(finding is null) = (found_at is null)", name="found_when_said"),
    )

    audit_id: Mapped[UUID] = mapped_column(ForeignKey("audits.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[str]
    seq: Mapped[int]
    type: Mapped[str]
    at: Mapped[datetime]
    actor: Mapped[str]
    subject_type: Mapped[str]
    subject_id: Mapped[str]
    customer_id: Mapped[str | None]
    after: Mapped[dict[str, Any]]
    replayed: Mapped[str]
    differing: Mapped[list[Any]] = mapped_column(JSONB)
    finding: Mapped[str | None]
    note: Mapped[str | None]
    found_by: Mapped[str | None]
    found_at: Mapped[datetime | None]

    def facts(self) -> Item:
        """The row as the core knows it."""
        return Item(
            position=self.position,
            kind=DecisionKind(self.kind),
            seq=self.seq,
            type=self.type,
            at=self.at,
            actor=self.actor,
            subject_type=self.subject_type,
            subject_id=self.subject_id,
            customer_id=self.customer_id,
            after=self.after,
            replayed=Replayed(self.replayed),
            differing=self.differing,
            finding=Finding(self.finding) if self.finding else None,
            note=self.note,
            found_by=self.found_by,
            found_at=self.found_at,
        )
