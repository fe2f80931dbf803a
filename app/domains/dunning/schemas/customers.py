"""How a customer stands with dunning, its promises, stops, claims and calls, on the wire."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Final
from uuid import UUID

from pydantic import Field, model_validator

from app.domains.dunning.core.claims import ClaimKind, ClaimState
from app.domains.dunning.core.procedure import Reason
from app.domains.dunning.core.promises import PromiseState
from app.domains.dunning.core.tasks import CallOutcome, TaskKind, TaskState
from app.domains.dunning.schemas.runs import NoticeBriefOut, notice_brief
from app.domains.dunning.service.outlook import Outlook
from app.domains.dunning.service.promises import PromiseRequest
from app.domains.dunning.service.stops import StopKind, StopRequest
from app.domains.dunning.service.tasks import Call
from app.domains.dunning.tables import CollectionTaskRow, DunningClaimRow, DunningStopRow, PromiseRow
from app.domains.policies.core.dunning import DunningChannel
from app.infra.http.fields import (
    BusinessDay,
    CurrencyCode,
    MoneyText,
    PositiveAmount,
    Prose,
    Reference,
    SegmentName,
    Wire,
    decimals_fit,
)
from app.kernel.money import Money, render, rounded

MAX_INVOICES: Final = 200


class NextStepOut(Wire):
    """What comes next if nothing is paid."""

    on: date
    level: int
    channel: DunningChannel


class PromiseTermsIn(Wire):
    """An amount by a day, for the invoices named or for the oldest."""

    amount: PositiveAmount
    currency: CurrencyCode
    promised_on: BusinessDay
    invoices: Annotated[tuple[Reference, ...], Field(max_length=MAX_INVOICES)] = ()

    @model_validator(mode="after")
    def _fits(self) -> PromiseTermsIn:
        decimals_fit(self, "amount")
        return self

    def request(self) -> PromiseRequest:
        """The promise as the service takes it."""
        return PromiseRequest(Money(self.amount, self.currency), self.promised_on, self.invoices)


class PromiseIn(PromiseTermsIn):
    """A promise to pay."""

    segment: SegmentName = "main"


class PromiseOut(Wire):
    """A promise; `received` is what has come of it."""

    id: UUID
    customer_id: str
    segment: str
    amount: MoneyText
    currency: str
    received: MoneyText
    promised_on: date
    invoices: list[str]
    state: PromiseState
    made_by: str
    made_at: datetime
    ended_on: date | None


class StopIn(Wire):
    """No reminders until the day `until`, of one invoice or of any. A legal case may stay open."""

    segment: SegmentName = "main"
    until: BusinessDay | None = None
    reason: Prose
    kind: StopKind = StopKind.MANUAL
    invoice_no: Reference | None = None

    def request(self) -> StopRequest:
        """The stop as the service takes it."""
        return StopRequest(self.reason, self.until, self.kind, self.invoice_no)


class StopOut(Wire):
    """A stop."""

    id: UUID
    customer_id: str
    segment: str
    kind: StopKind
    until: date | None
    reason: str
    invoice_no: str | None
    set_by: str
    set_at: datetime
    lifted_by: str | None
    lifted_at: datetime | None
    lift_reason: str | None


class OutlookOut(Wire):
    """`reason` says why nothing happens today; amounts are in `currency`, the account's."""

    customer_id: str
    segment: str
    currency: str
    level: int
    overdue_amount: MoneyText
    oldest_due_on: date | None
    reason: Reason
    last_notice: NoticeBriefOut | None
    next_step: NextStepOut | None
    promises: list[PromiseOut]
    stopped: list[StopOut]


class ClaimOut(Wire):
    """A fee, a fixed sum or interest; `booked_as` is its debit note in the account."""

    id: UUID
    customer_id: str
    segment: str
    notice_id: UUID
    kind: ClaimKind
    state: ClaimState
    invoice_no: str | None
    amount: MoneyText
    currency: str
    accrued_from: date | None
    accrued_until: date | None
    claimed_on: date
    booked_as: str | None
    waived_by: str | None
    waive_reason: str | None


class TaskOut(Wire):
    """Somebody is to be called. `rank` = amount × risk × (days since the last contact + 1)."""

    id: UUID
    customer_id: str
    segment: str
    kind: TaskKind
    state: TaskState
    notice_id: UUID | None
    due_on: date
    amount: MoneyText
    currency: str
    risk: str
    rank: str
    last_contact_on: date | None
    created_at: datetime
    completed_by: str | None
    completed_at: datetime | None
    outcome: CallOutcome | None
    note: str | None
    next_on: date | None
    promise_id: UUID | None


class CallIn(Wire):
    """What came of a call; with `next_on` the customer is called again then."""

    outcome: CallOutcome
    note: Prose | None = None
    next_on: BusinessDay | None = None
    promise: PromiseTermsIn | None = None

    def call(self) -> Call:
        """The call as the service takes it."""
        return Call(self.outcome, self.note, self.next_on, self.promise.request() if self.promise else None)


def promise_out(row: PromiseRow) -> PromiseOut:
    """A promise as an answer."""
    return PromiseOut(
        id=row.id,
        customer_id=row.customer_id,
        segment=row.segment,
        amount=render(row.amount, row.currency),
        currency=row.currency,
        received=render(row.received, row.currency),
        promised_on=row.promised_on,
        invoices=list(row.invoices),
        state=PromiseState(row.state),
        made_by=row.made_by,
        made_at=row.made_at,
        ended_on=row.ended_on,
    )


def stop_out(row: DunningStopRow) -> StopOut:
    """A stop as an answer."""
    members = {name: getattr(row, name) for name in StopOut.model_fields}
    return StopOut(**members | {"kind": StopKind(row.kind)})


def outlook_out(outlook: Outlook) -> OutlookOut:
    """How a customer stands, as an answer."""
    step = outlook.next_step
    return OutlookOut(
        customer_id=outlook.customer_id,
        segment=outlook.segment,
        currency=outlook.currency,
        level=outlook.level,
        overdue_amount=render(rounded(outlook.overdue_amount, outlook.currency), outlook.currency),
        oldest_due_on=outlook.oldest_due_on,
        reason=outlook.reason,
        last_notice=notice_brief(outlook.last_notice) if outlook.last_notice else None,
        next_step=NextStepOut(on=step.on, level=step.level, channel=step.channel) if step else None,
        promises=[promise_out(row) for row in outlook.promises],
        stopped=[stop_out(row) for row in outlook.stops],
    )


def claim_out(row: DunningClaimRow) -> ClaimOut:
    """A claim as an answer."""
    members = {name: getattr(row, name) for name in ClaimOut.model_fields}
    typed = {
        "kind": ClaimKind(row.kind),
        "state": ClaimState(row.state),
        "amount": render(row.amount, row.currency),
    }
    return ClaimOut(**members | typed)


def task_out(row: CollectionTaskRow) -> TaskOut:
    """A task as an answer."""
    members = {name: getattr(row, name) for name in TaskOut.model_fields}
    typed = {
        "kind": TaskKind(row.kind),
        "state": TaskState(row.state),
        "amount": render(row.amount, row.currency),
        "risk": format(row.risk.normalize(), "f"),
        "rank": format(Decimal(row.rank).normalize(), "f"),
        "outcome": CallOutcome(row.outcome) if row.outcome else None,
    }
    return TaskOut(**members | typed)
