"""What happens to the credit file of a customer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from app.domains.credit_data.core.orders import ReportOrder
from app.domains.credit_data.core.records import Filed, Kind
from app.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditRecordEvent(Event):
    """A record has a new version; `before` and `after` hold the members of it that differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FinancialStatementFiled(CreditRecordEvent):
    """A financial statement became known, or was corrected."""

    type: ClassVar[str] = "financial_statement_filed"
    subject_type: ClassVar[str] = "financial_statement"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditReportFiled(CreditRecordEvent):
    """A credit report became known, or was corrected."""

    type: ClassVar[str] = "credit_report_filed"
    subject_type: ClassVar[str] = "credit_report"


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeReferenceFiled(CreditRecordEvent):
    """A trade reference became known, or was corrected."""

    type: ClassVar[str] = "trade_reference_filed"
    subject_type: ClassVar[str] = "trade_reference"


@dataclass(frozen=True, slots=True, kw_only=True)
class AdverseEventFiled(CreditRecordEvent):
    """An adverse event became known, or was corrected; `after` has its kind and severity if they are new."""

    type: ClassVar[str] = "adverse_event_filed"
    subject_type: ClassVar[str] = "adverse_event"


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverChanged(CreditRecordEvent):
    """A cover was entered, or its provider decided anew."""

    type: ClassVar[str] = "cover_changed"
    subject_type: ClassVar[str] = "cover"


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionAnswered(CreditRecordEvent):
    """A question of the policy was answered, or answered anew."""

    type: ClassVar[str] = "question_answered"
    subject_type: ClassVar[str] = "questionnaire_answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditRecordRetracted(CreditRecordEvent):
    """A record was taken back: it should not have been entered."""

    type: ClassVar[str] = "credit_record_retracted"
    subject_type: ClassVar[str] = "credit_record"


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverTurned(Event):
    """A day has come on which covers of an account begin or end by themselves; `after` says what they amount to."""

    type: ClassVar[str] = "cover_turned"
    subject_type: ClassVar[str] = "account_covers"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportOrdered(Event):
    """An agency is to be asked for a report."""

    type: ClassVar[str] = "report_ordered"
    subject_type: ClassVar[str] = "report_order"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportOrderEnded(Event):
    """A report that was ordered was delivered, or will not be; `after` says which, and why."""

    type: ClassVar[str] = "report_order_ended"
    subject_type: ClassVar[str] = "report_order"


_FILED: Final[Mapping[Kind, type[CreditRecordEvent]]] = {
    Kind.STATEMENT: FinancialStatementFiled,
    Kind.REPORT: CreditReportFiled,
    Kind.REFERENCE: TradeReferenceFiled,
    Kind.ADVERSE_EVENT: AdverseEventFiled,
    Kind.COVER: CoverChanged,
    Kind.ANSWER: QuestionAnswered,
}


def filed(before: Mapping[str, Any] | None, after: Mapping[str, Any], record: Filed[Any]) -> Event:
    """That `record` is the newest version; `before` and `after` are the contents (JSON) of the last one and of it."""
    gone, new = _differences(before or {}, after)
    return _FILED[record.kind](
        subject_id=str(record.id),
        customer_id=record.customer_id,
        segment=record.segment,
        before=gone,
        after={"ref": record.ref, "version": record.version, **new},
    )


def ordered(order: ReportOrder) -> Event:
    """That `order` waits."""
    return ReportOrdered(
        subject_id=str(order.id),
        customer_id=order.customer_id,
        segment=order.segment,
        after={"agency": order.agency, "state": order.state.value},
    )


def order_ended(before: ReportOrder, after: ReportOrder) -> Event:
    """That an order waits no more."""
    told = {"state": after.state.value, "attempts": after.attempts, "failure": after.failure}
    return ReportOrderEnded(
        subject_id=str(after.id),
        customer_id=after.customer_id,
        segment=after.segment,
        before={"state": before.state.value},
        after={**told, "record_id": str(after.record_id) if after.record_id else None},
    )


def retracted(record: Filed[Any]) -> Event:
    """That `record` was taken back."""
    return CreditRecordRetracted(
        subject_id=str(record.id),
        customer_id=record.customer_id,
        segment=record.segment,
        after={"kind": record.kind.value, "ref": record.ref, "version": record.version, "reason": record.reason},
    )


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return {name: before[name] for name in names if name in before}, {name: after.get(name) for name in names}
