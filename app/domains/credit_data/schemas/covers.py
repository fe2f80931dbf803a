"""Covers, answers and the whole credit file on the wire."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Self

from pydantic import Field, model_validator

from app.domains.credit_data.core.answers import Answer
from app.domains.credit_data.core.covers import Cover, CoverKind, CoverStatus
from app.domains.credit_data.core.credit_file import CreditFile
from app.domains.credit_data.core.records import Filed
from app.domains.credit_data.schemas.parts import RecordOut, origin_of, plain
from app.domains.credit_data.schemas.reports import (
    AdverseEventOut,
    ReportOut,
    TradeReferenceOut,
    event_out,
    reference_out,
    report_out,
)
from app.domains.credit_data.schemas.statements import StatementOut, statement_out
from app.infra.http.fields import (
    BusinessDay,
    CurrencyCode,
    Flag,
    Line,
    MoneyText,
    NonNegativeAmount,
    Percentage,
    Prose,
    SegmentName,
    Whole,
    Wire,
    decimals_fit,
)
from app.kernel.money import Money, render

CREDIT_DEPARTMENT = "credit department"
Item = Annotated[str, Field(min_length=1, max_length=40)]
AnswerNumber = Annotated[Whole, Field(ge=0, le=100)]


class CoverIn(Wire):
    """Credit insurance or another security. `amount` is the limit that the provider approved, of which it pays
    `insured_percent`; the days are inclusive. An announced withdrawal covers until `valid_until`."""

    segment: SegmentName = "main"
    provider: Line
    kind: CoverKind
    status: CoverStatus
    provider_code: Annotated[Line, Field(max_length=64)] | None = None
    amount: NonNegativeAmount
    currency: CurrencyCode
    insured_percent: Percentage
    valid_from: BusinessDay
    valid_until: BusinessDay | None = None

    @model_validator(mode="after")
    def _decimals(self) -> Self:
        decimals_fit(self, "amount")
        return self

    def cover(self) -> Cover:
        """As the core knows it."""
        return Cover(
            provider=self.provider,
            kind=self.kind,
            status=self.status,
            amount=Money(self.amount, self.currency),
            insured_percent=self.insured_percent,
            valid_from=self.valid_from,
            valid_until=self.valid_until,
            provider_code=self.provider_code,
        )


class CoverOut(RecordOut):
    """A cover. `covered_amount` is what the provider would pay within its days; nothing by a status that never
    covers."""

    cover_ref: str
    segment: str
    provider: str
    kind: CoverKind
    status: CoverStatus
    provider_code: str | None
    amount: MoneyText
    currency: str
    insured_percent: MoneyText
    covered_amount: MoneyText
    valid_from: date
    valid_until: date | None


class _AnsweringIn(Wire):
    segment: SegmentName = "main"
    answered_on: BusinessDay | None = None
    source: Line = CREDIT_DEPARTMENT
    self_declared: Flag = False
    note: Prose | None = None


class AnswersIn(_AnsweringIn):
    """Answers by the item of the question; other answers stay. The day is today where none is given; `self_declared`
    when it is the customer who says so."""

    answers: Annotated[dict[Item, AnswerNumber], Field(min_length=1, max_length=50)]


class AnswerIn(_AnsweringIn):
    """The answer to one question."""

    answer: AnswerNumber


class AnswerOut(RecordOut):
    """The answer to a question of the policy."""

    segment: str
    item: str
    answer: int
    answered_on: date
    note: str | None


class AnswersOut(Wire):
    """The answers that a request has given, as they are filed."""

    items: list[AnswerOut]


class CreditFileOut(Wire):
    """All that was known at `known_at`, of covers and answers in the segment: each by the day it is valid for, newest
    first."""

    customer_id: str
    segment: str
    known_at: datetime
    financial_statements: list[StatementOut]
    credit_reports: list[ReportOut]
    trade_references: list[TradeReferenceOut]
    adverse_events: list[AdverseEventOut]
    covers: list[CoverOut]
    questionnaire_answers: list[AnswerOut]


def cover_out(record: Filed[Cover]) -> CoverOut:
    """A cover as it travels."""
    cover = record.content
    assert record.segment is not None, "a cover belongs to a segment"
    return CoverOut(
        **origin_of(record),
        cover_ref=record.ref,
        segment=record.segment,
        provider=cover.provider,
        kind=cover.kind,
        status=cover.status,
        provider_code=cover.provider_code,
        amount=render(cover.amount.amount, cover.amount.currency),
        currency=cover.amount.currency,
        insured_percent=plain(cover.insured_percent) or "0",
        covered_amount=render(cover.payable.amount, cover.payable.currency),
        valid_from=cover.valid_from,
        valid_until=cover.valid_until,
    )


def answer_out(record: Filed[Answer]) -> AnswerOut:
    """An answer as it travels."""
    answer = record.content
    assert record.segment is not None, "an answer belongs to a segment"
    return AnswerOut(
        **origin_of(record),
        segment=record.segment,
        item=answer.item,
        answer=answer.answer,
        answered_on=answer.answered_on,
        note=answer.note,
    )


def credit_file_out(file: CreditFile) -> CreditFileOut:
    """A credit file as it travels."""
    return CreditFileOut(
        customer_id=file.customer_id,
        segment=file.segment,
        known_at=file.known_at,
        financial_statements=[statement_out(record) for record in file.statements],
        credit_reports=[report_out(record) for record in file.reports],
        trade_references=[reference_out(record) for record in file.trade_references],
        adverse_events=[event_out(record) for record in file.adverse_events],
        covers=[cover_out(record) for record in file.covers],
        questionnaire_answers=[answer_out(record) for record in file.answers],
    )
