"""Credit reports, trade references and adverse events on the wire."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from app.domains.credit_data.core.records import Filed
from app.domains.credit_data.core.references import (
    SEVERITY_MAX,
    SEVERITY_MIN,
    AdverseEvent,
    AdverseKind,
    TradeReference,
)
from app.domains.credit_data.core.reports import CreditReport, Scale
from app.domains.credit_data.schemas.parts import AmountIn, AmountOut, RecordOut, amount_out, origin_of, plain
from app.infra.http.fields import (
    AmountText,
    BusinessDay,
    Flag,
    Line,
    MoneyText,
    NonNegativeAmount,
    Prose,
    Reference,
    Whole,
    Wire,
)


def _probability(value: Decimal) -> Decimal:
    if value > 1:
        raise PydanticCustomError("probability_out_of_range", "a probability lies within 0 and 1: 2 % is '0.02'")
    return value


Probability = Annotated[NonNegativeAmount, AfterValidator(_probability)]
"""A probability from 0 to 1."""
AgencyName = Annotated[Line, Field(max_length=64, pattern=r"^[^/]+$", examples=["D&B"])]
"""The name of an agency, without a slash."""
DaysLate = Annotated[Whole, Field(ge=-365, le=3650)]


class ScaleWire(Wire):
    """The scale of a score. D&B's class has `higher_is_better` false, its percentile true."""

    min: AmountText
    max: AmountText
    higher_is_better: Flag

    def scale(self) -> Scale:
        """As the core knows it."""
        return Scale(self.min, self.max, self.higher_is_better)


class ReportIn(Wire):
    """What an agency reports. A score needs its scale; something has to be said."""

    agency: AgencyName
    report_ref: Reference
    reported_on: BusinessDay
    score: AmountText | None = None
    scale: ScaleWire | None = None
    rating: Annotated[Line, Field(max_length=20)] | None = None
    probability_of_default: Probability | None = None
    recommended_limit: AmountIn | None = None

    def report(self) -> CreditReport:
        """As the core knows it."""
        return CreditReport(
            agency=self.agency,
            report_ref=self.report_ref,
            reported_on=self.reported_on,
            score=self.score,
            scale=self.scale.scale() if self.scale else None,
            rating=self.rating,
            probability_of_default=self.probability_of_default,
            recommended_limit=self.recommended_limit.money() if self.recommended_limit else None,
        )


class ScaleOut(Wire):
    """The scale of a score."""

    min: MoneyText
    max: MoneyText
    higher_is_better: bool


class ReportOut(RecordOut):
    """A credit report; `normalised_score` is its score from 0, worst, to 100, best."""

    agency: str
    report_ref: str
    reported_on: date
    score: MoneyText | None
    scale: ScaleOut | None
    normalised_score: MoneyText | None
    rating: str | None
    probability_of_default: MoneyText | None
    recommended_limit: AmountOut | None


class TradeReferenceIn(Wire):
    """What another supplier says of its business with the customer; `days_late` below zero is early."""

    supplier: Line
    reported_on: BusinessDay
    credit_limit: AmountIn | None = None
    highest_balance: AmountIn | None = None
    past_due: AmountIn | None = None
    terms_days: Annotated[Whole, Field(ge=0, le=3650)] | None = None
    days_late: DaysLate | None = None
    known_since: BusinessDay | None = None
    note: Prose | None = None

    def reference(self) -> TradeReference:
        """As the core knows it."""
        return TradeReference(
            supplier=self.supplier,
            reported_on=self.reported_on,
            credit_limit=self.credit_limit.money() if self.credit_limit else None,
            highest_balance=self.highest_balance.money() if self.highest_balance else None,
            past_due=self.past_due.money() if self.past_due else None,
            terms_days=self.terms_days,
            days_late=self.days_late,
            known_since=self.known_since,
            note=self.note,
        )


class TradeReferenceOut(RecordOut):
    """A trade reference."""

    supplier: str
    reported_on: date
    credit_limit: AmountOut | None
    highest_balance: AmountOut | None
    past_due: AmountOut | None
    terms_days: int | None
    days_late: int | None
    known_since: date | None
    note: str | None


class AdverseEventIn(Wire):
    """Something bad that happened to the customer. Severity from 1, slight, to 5, grave."""

    kind: AdverseKind
    occurred_on: BusinessDay
    severity: Annotated[Whole, Field(ge=SEVERITY_MIN, le=SEVERITY_MAX)]
    amount: AmountIn | None = None
    description: Prose | None = None
    resolved_on: BusinessDay | None = None
    source: Line = "public record"

    def event(self) -> AdverseEvent:
        """As the core knows it."""
        return AdverseEvent(
            kind=self.kind,
            occurred_on=self.occurred_on,
            severity=self.severity,
            amount=self.amount.money() if self.amount else None,
            description=self.description,
            resolved_on=self.resolved_on,
        )


class AdverseEventOut(RecordOut):
    """An adverse event."""

    kind: AdverseKind
    occurred_on: date
    severity: int
    amount: AmountOut | None
    description: str | None
    resolved_on: date | None


def report_out(record: Filed[CreditReport]) -> ReportOut:
    """A report as it travels."""
    report, scale = record.content, record.content.scale
    return ReportOut(
        **origin_of(record),
        agency=report.agency,
        report_ref=report.report_ref,
        reported_on=report.reported_on,
        score=plain(report.score),
        scale=ScaleOut(min=format(scale.min, "f"), max=format(scale.max, "f"), higher_is_better=scale.higher_is_better)
        if scale
        else None,
        normalised_score=plain(report.normalised_score),
        rating=report.rating,
        probability_of_default=plain(report.probability_of_default),
        recommended_limit=amount_out(report.recommended_limit),
    )


def reference_out(record: Filed[TradeReference]) -> TradeReferenceOut:
    """A trade reference as it travels."""
    reference = record.content
    return TradeReferenceOut(
        **origin_of(record),
        supplier=reference.supplier,
        reported_on=reference.reported_on,
        credit_limit=amount_out(reference.credit_limit),
        highest_balance=amount_out(reference.highest_balance),
        past_due=amount_out(reference.past_due),
        terms_days=reference.terms_days,
        days_late=reference.days_late,
        known_since=reference.known_since,
        note=reference.note,
    )


def event_out(record: Filed[AdverseEvent]) -> AdverseEventOut:
    """An adverse event as it travels."""
    event = record.content
    return AdverseEventOut(
        **origin_of(record),
        kind=event.kind,
        occurred_on=event.occurred_on,
        severity=event.severity,
        amount=amount_out(event.amount),
        description=event.description,
        resolved_on=event.resolved_on,
    )
