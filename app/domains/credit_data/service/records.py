"""Use cases of what is filed for the customer as a whole, and of answers: enter, put, correct, retract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from app.domains.credit_data.core.answers import Answer, check
from app.domains.credit_data.core.records import Filed, Key, Kind, Origin
from app.domains.credit_data.core.references import AdverseEvent, TradeReference
from app.domains.credit_data.core.refusals import CreditReportConflict, RecordNotFound
from app.domains.credit_data.core.reports import CreditReport
from app.domains.credit_data.core.statements import FinancialStatement
from app.domains.credit_data.repository import records as repository
from app.domains.credit_data.service import covers
from app.domains.credit_data.service.filing import (
    Filing,
    Precondition,
    Request,
    anything,
    check_day,
    file,
    withdraw,
)
from app.domains.customers import service as customers
from app.domains.policies import service as policies
from app.domains.policies.core.factors import Independence
from app.infra.transaction import Transaction
from app.kernel.periods import local_day


async def put_statement(
    tx: Transaction,
    *,
    customer_id: str,
    statement: FinancialStatement,
    source: str,
    precondition: Precondition = anything,
) -> Filing[FinancialStatement]:
    """Makes `statement` what is known of the period; another one before it becomes an earlier version.

    Raises `CustomerNotFound`, `FiguresMissing`, `FiguresDisagree`, `DayAhead`, and what `precondition` raises.
    """
    statement.check()
    independence = Independence.AUDITED if statement.audited else Independence.SELF_DECLARED
    origin = Origin(valid_on=statement.period_end, source=source, independence=independence)
    check_day(tx, "/path/period_end", origin)
    key = Key(customer_id, Kind.STATEMENT, statement.period_end.isoformat())
    return await file(tx, key=key, request=Request(statement, origin), precondition=precondition)


async def enter_report(tx: Transaction, *, customer_id: str, report: CreditReport) -> Filing[CreditReport]:
    """Files an agency's report; the same again is what there is.

    Raises `CustomerNotFound`, `CreditReportConflict` when the reference has said something else, `ReportEmpty`,
    `ScaleMissing`, `ScoreOutsideScale`, `DayAhead`.
    """
    request = report_request(tx, report)
    key = Key(customer_id, Kind.REPORT, report_ref(report))
    await repository.lock(tx.session, customer_id, Kind.REPORT)
    before = await repository.of_key(tx.session, key, known_at=None)
    if before is not None and not before.retracted and before.content != report:
        raise CreditReportConflict(
            f"{report.agency} {report.report_ref} was entered with other contents; correct it by PUT",
            record_id=str(before.id),
        )
    return await file(tx, key=key, request=request)


async def enter_reference(tx: Transaction, *, customer_id: str, reference: TradeReference) -> Filing[TradeReference]:
    """Files what another supplier says. Raises `CustomerNotFound`, `DayAhead`."""
    return await _enter(tx, customer_id, Kind.REFERENCE, reference_request(tx, reference))


async def enter_adverse_event(
    tx: Transaction, *, customer_id: str, event: AdverseEvent, source: str
) -> Filing[AdverseEvent]:
    """Files something bad that happened to the customer. Raises `CustomerNotFound`, `ResolvedTooEarly`, `DayAhead`."""
    return await _enter(tx, customer_id, Kind.ADVERSE_EVENT, event_request(tx, event, source))


async def correct_report(
    tx: Transaction,
    *,
    customer_id: str,
    record_id: UUID,
    report: CreditReport,
    precondition: Precondition = anything,
) -> Filing[CreditReport]:
    """Makes `report` the newest version of a report that there is.

    Raises `RecordNotFound`, `CreditReportConflict` when it would get another reference, what `enter_report` raises of
    its contents, and what `precondition` raises.
    """
    request = report_request(tx, report)
    before = await _locked(tx, customer_id, record_id, Kind.REPORT)
    if report_ref(report) != before.ref:
        raise CreditReportConflict(f"the report is {before.ref}; a correction keeps its agency and reference")
    return await file(tx, key=before.key, request=request, precondition=precondition)


async def correct_reference(
    tx: Transaction,
    *,
    customer_id: str,
    record_id: UUID,
    reference: TradeReference,
    precondition: Precondition = anything,
) -> Filing[TradeReference]:
    """Makes `reference` the newest version of a trade reference that there is.

    Raises `RecordNotFound`, `DayAhead`, and what `precondition` raises.
    """
    request = reference_request(tx, reference)
    before = await _locked(tx, customer_id, record_id, Kind.REFERENCE)
    return await file(tx, key=before.key, request=request, precondition=precondition)


async def correct_adverse_event(
    tx: Transaction,
    *,
    customer_id: str,
    record_id: UUID,
    event: AdverseEvent,
    source: str,
    precondition: Precondition = anything,
) -> Filing[AdverseEvent]:
    """Makes `event` the newest version of an adverse event that there is.

    Raises `RecordNotFound`, `ResolvedTooEarly`, `DayAhead`, and what `precondition` raises.
    """
    request = event_request(tx, event, source)
    before = await _locked(tx, customer_id, record_id, Kind.ADVERSE_EVENT)
    return await file(tx, key=before.key, request=request, precondition=precondition)


async def answer_questions(
    tx: Transaction,
    *,
    customer_id: str,
    segment: str,
    answers: Mapping[str, int],
    source: str,
    answered_on: date | None = None,
    self_declared: bool = False,
    note: str | None = None,
    at: str = "/answers",
) -> Sequence[Filing[Answer]]:
    """Files an answer to each of the questions named; others keep theirs. Without a day they are of today, there; `at`
    is where they stand in the request.

    Raises `CustomerNotFound`, `SegmentNotFound`, `PolicyMissing`, `QuestionUnknown`, `AnswerOutOfRange`, `DayAhead`.
    """
    customer = await customers.get(tx, customer_id=customer_id)
    rules = await policies.effective_policy(tx, segment=segment, customer=customer)
    scorecard = rules.policy.scorecard
    check(answers, scorecard.questions if scorecard else (), at=at)
    answered_on = answered_on or local_day(tx.now, (await policies.segment(tx, segment=segment)).zone)
    independence = Independence.SELF_DECLARED if self_declared else Independence.OWN_EXPERIENCE
    origin = Origin(valid_on=answered_on, source=source, independence=independence)
    check_day(tx, "/answered_on", origin)
    return [
        await file(
            tx,
            key=Key(customer_id, Kind.ANSWER, item, segment),
            request=Request(Answer(item, answer, answered_on, note), origin),
        )
        for item, answer in answers.items()
    ]


async def retract(tx: Transaction, *, customer_id: str, record_id: UUID, reason: str) -> Filed[Any]:
    """Takes back a record that should not have been entered: from now on it is not known any more.

    Raises `RecordNotFound`, also for one that was taken back before.
    """
    seen = await repository.of_id(tx.session, customer_id, record_id, known_at=None)
    if seen is None:
        raise RecordNotFound(f"{customer_id} has no record {record_id}")
    found = await _locked(tx, customer_id, record_id, seen.kind)
    after = await withdraw(tx, record=found, reason=reason)
    if found.kind is Kind.COVER and found.segment is not None:
        await covers.plan_turn(tx, customer_id=customer_id, segment=found.segment)
    return after


def report_request(tx: Transaction, report: CreditReport) -> Request[CreditReport]:
    """A report to be filed. Raises `ReportEmpty`, `ScaleMissing`, `ScoreOutsideScale`, `DayAhead`."""
    report.check()
    origin = Origin(valid_on=report.reported_on, source=report.agency, independence=Independence.AGENCY)
    check_day(tx, "/reported_on", origin)
    return Request(report, origin)


def reference_request(tx: Transaction, reference: TradeReference) -> Request[TradeReference]:
    """A trade reference to be filed. Raises `DayAhead`."""
    origin = Origin(valid_on=reference.reported_on, source=reference.supplier, independence=Independence.AGENCY)
    check_day(tx, "/reported_on", origin)
    return Request(reference, origin)


def event_request(tx: Transaction, event: AdverseEvent, source: str) -> Request[AdverseEvent]:
    """An adverse event to be filed. Raises `ResolvedTooEarly`, `DayAhead`."""
    event.check()
    over = event.resolved_on
    if over is not None:
        check_day(tx, "/resolved_on", Origin(valid_on=over, source=source, independence=Independence.AGENCY))
    origin = Origin(valid_on=event.occurred_on, source=source, independence=Independence.AGENCY)
    check_day(tx, "/occurred_on", origin)
    return Request(event, origin)


def report_ref(report: CreditReport) -> str:
    """What names a report among the customer's: an agency's name has no slash."""
    return f"{report.agency}/{report.report_ref}"


async def _locked(tx: Transaction, customer_id: str, record_id: UUID, kind: Kind) -> Filed[Any]:
    """The newest version of a record, which nobody else changes until the transaction ends. Raises
    `RecordNotFound`."""
    await repository.lock(tx.session, customer_id, kind)
    found = await repository.of_id(tx.session, customer_id, record_id, known_at=None)
    if found is None or found.retracted or found.kind is not kind:
        raise RecordNotFound(f"{customer_id} has no such record {record_id}")
    return found


async def _enter(tx: Transaction, customer_id: str, kind: Kind, request: Request[Any]) -> Filing[Any]:
    record_id = tx.new_id()
    return await file(tx, key=Key(customer_id, kind, str(record_id)), request=request, new_id=record_id)
