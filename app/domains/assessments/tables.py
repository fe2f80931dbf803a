"""The rows of assessments, and of the runs that assess a portfolio."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Numeric, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.domains.assessments.core.runs import Run, RunState
from app.infra.db.metadata import Amount, Base


class AssessmentRow(Base):
    """One assessment. The columns are for lists and reports; `finding` and `facts` are the dataclasses as JSON."""

    __tablename__ = "assessments"
    __table_args__ = (
        Index(None, "customer_id", "segment", "assessed_at", "id"),
        CheckConstraint("score between 0 and 100", name="score_in_range"),
        CheckConstraint("probability between 0 and 1", name="probability_in_range"),
        CheckConstraint("limit_amount >= 0", name="limit_not_negative"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.customer_id"))
    segment: Mapped[str] = mapped_column(ForeignKey("segments.segment"))
    score: Mapped[Decimal] = mapped_column(Numeric(5, 2))
    grade: Mapped[str]
    probability: Mapped[Decimal] = mapped_column(Numeric(7, 6))
    confidence: Mapped[Decimal] = mapped_column(Numeric(5, 2))
    limit_amount: Mapped[Amount]
    currency: Mapped[str]
    review_on: Mapped[date]
    policy_version: Mapped[int]
    policy_profile: Mapped[str]
    policy_override_id: Mapped[UUID | None]
    facts_digest: Mapped[str]
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    finding: Mapped[dict[str, Any]] = mapped_column(JSONB)
    assessed_by: Mapped[str]
    assessed_at: Mapped[datetime]


class AssessmentRunRow(Base):
    """One run over a portfolio. `after` is the account it has come to; `worked_at` says when somebody last worked on
    it, null while nobody has begun or somebody put it down."""

    __tablename__ = "assessment_runs"
    __table_args__ = (
        Index("ix_assessment_runs_running", "id", postgresql_where=text("state = 'running'")),
        CheckConstraint("state in ('running', 'done')", name="state_known"),
        CheckConstraint("(state = 'done') = (finished_at is not null)", name="finished_when_done"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    segment: Mapped[str | None] = mapped_column(ForeignKey("segments.segment"))
    stale_only: Mapped[bool]
    customers: Mapped[list[str] | None] = mapped_column(JSONB)
    state: Mapped[str]
    after: Mapped[UUID]
    total: Mapped[int]
    assessed: Mapped[int]
    skipped: Mapped[int]
    failed: Mapped[int]
    failures: Mapped[list[dict[str, str]]] = mapped_column(JSONB)
    started_by: Mapped[str]
    started_at: Mapped[datetime]
    worked_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

    def as_run(self) -> Run:
        """The row as the core knows it."""
        return Run(
            id=self.id,
            segment=self.segment,
            stale_only=self.stale_only,
            customers=None if self.customers is None else tuple(self.customers),
            state=RunState(self.state),
            after=self.after,
            total=self.total,
            assessed=self.assessed,
            skipped=self.skipped,
            failed=self.failed,
            failures=tuple(self.failures),
            started_by=self.started_by,
            started_at=self.started_at,
            finished_at=self.finished_at,
        )
