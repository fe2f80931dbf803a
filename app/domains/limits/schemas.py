"""The wire format of limit requests, deputies, reviews and the history of limits."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, model_validator

from app.domains.exposure.core.limits import LimitKind, LimitScope, SetLimit
from app.domains.limits.core.deputies import Deputyship
from app.domains.limits.core.requests import Ask, LimitRequest, RequestKind, RequestStatus, Step, StepState
from app.domains.limits.core.reviews import AccountReview, ReviewOutcome
from app.domains.limits.service import Replay
from app.infra.http.fields import (
    BusinessDay,
    CurrencyCode,
    Flag,
    Line,
    MoneyText,
    NonNegativeAmount,
    Prose,
    Reference,
    SegmentName,
    Wire,
    decimals_fit,
)
from app.kernel.money import Money, render

Overdrawn = Annotated[Flag, Field(description="A limit below what is owed and on order is meant")]


class LimitRequestIn(Wire):
    """A limit that is asked for. Days are the segment's, both included."""

    customer_id: Reference
    segment: SegmentName = "main"
    amount: NonNegativeAmount
    currency: Annotated[CurrencyCode, Field(description="The account's")]
    valid_from: Annotated[BusinessDay | None, Field(description="Default: today")] = None
    valid_until: Annotated[BusinessDay | None, Field(description="Default: until another decision")] = None
    temporary: Annotated[Flag, Field(description="Beside the base limit, in its place for these days")] = False
    justification: Prose
    on_behalf_of: Line | None = None
    acknowledge_overdrawn: Overdrawn = False

    @model_validator(mode="after")
    def _decimals(self) -> LimitRequestIn:
        decimals_fit(self, "amount")
        return self

    def ask(self) -> Ask:
        """As the core knows it."""
        return Ask(**{name: getattr(self, name) for name in LimitRequestIn.model_fields})


class ApprovalIn(Wire):
    """An approval, of all that is asked for or of less, in the account's currency."""

    amount: NonNegativeAmount | None = None
    note: Prose
    acknowledge_overdrawn: Overdrawn = False


class AcceptanceIn(Wire):
    """What is offered is taken."""

    acknowledge_overdrawn: Overdrawn = False


class NoteIn(Wire):
    """Why; it goes into the journal."""

    note: Prose


class StepOut(Wire):
    """One approval of several. `authority_amount` is the role's, null for any; `needed_authority` is what deciding
    takes; both in the segment's currency. `deputy_for` names whom the person stood in for."""

    level: int
    role: str
    authority_amount: MoneyText | None
    needed_authority: MoneyText
    currency: CurrencyCode
    state: StepState
    due_at: datetime | None
    by: str | None
    deputy_for: str | None
    at: datetime | None
    note: str | None


class ReasonOut(Wire):
    """Why a request was judged as it was."""

    code: str
    message: str


class JudgedByOut(Wire):
    """The policy that judged."""

    segment: str
    version: int
    profile: str
    override_id: UUID | None


class LimitRequestOut(Wire):
    """A limit request. `offered_amount` can be accepted while people decide; `decided_amount` is what was granted, or
    has been approved so far."""

    id: UUID
    customer_id: str
    segment: str
    kind: RequestKind
    status: RequestStatus
    amount: MoneyText
    currency: CurrencyCode
    valid_from: date | None
    valid_until: date | None
    temporary: bool
    justification: str
    requested_by: str
    on_behalf_of: str | None
    acknowledge_overdrawn: bool
    cause: Annotated[str | None, Field(description="What made Headroom ask by itself")]
    requested_at: datetime
    expires_at: datetime | None
    offered_amount: MoneyText | None
    decided_amount: MoneyText | None
    decided_at: datetime | None
    overdue_since: Annotated[datetime | None, Field(description="Since when nobody is left who could decide in time")]
    steps: list[StepOut]
    reasons: list[ReasonOut]
    assessment_id: UUID | None
    grade: str | None
    policy: JudgedByOut


class JudgementReplayOut(Wire):
    """A stored judgement, and the one that the same facts lead to under the same policy."""

    identical: bool
    stored: dict[str, Any]
    replayed: dict[str, Any] | None


class DeputyIn(Wire):
    """Somebody who decides in the caller's place, in their own name. Days are the segment's, both included."""

    deputy: Annotated[Line, Field(description="The name of the deputy's key or token")]
    segment: SegmentName = "main"
    valid_from: Annotated[BusinessDay | None, Field(description="Default: today")] = None
    valid_until: BusinessDay
    reason: Prose


class DeputyOut(Wire):
    """Who decides in whose place, with which roles and authority."""

    id: UUID
    segment: str
    principal: str
    deputy: str
    roles: list[str]
    authority: MoneyText | None
    authority_currency: CurrencyCode | None
    valid_from: date
    valid_until: date
    reason: str
    appointed_at: datetime
    ended_at: datetime | None
    ended_by: str | None


class AccountReviewIn(Wire):
    """What a person concluded of an account, and from which assessment."""

    assessment_id: UUID
    outcome: ReviewOutcome
    note: Prose


class AccountReviewOut(Wire):
    """The review of an account: due on a day, or completed."""

    id: UUID
    customer_id: str
    segment: str
    due_on: date
    completed_at: datetime | None
    completed_by: str | None
    assessment_id: UUID | None
    outcome: ReviewOutcome | None
    note: str | None


class SetLimitOut(Wire):
    """One decision about a limit; from `superseded_at` on it is known to hold no more, on all or some of its days."""

    id: UUID
    scope: LimitScope
    temporary: bool
    kind: LimitKind
    amount: MoneyText | None
    currency: CurrencyCode
    valid_from: date
    valid_until: date | None
    reason: str
    set_by: str
    set_at: datetime
    superseded_at: datetime | None


def request_out(request: LimitRequest) -> LimitRequestOut:
    """A request as the API shows it."""
    ask, currency = request.ask, request.ask.currency
    return LimitRequestOut(
        id=request.id,
        customer_id=ask.customer_id,
        segment=ask.segment,
        kind=request.kind,
        status=request.status,
        amount=render(ask.amount, currency),
        currency=currency,
        valid_from=ask.valid_from,
        valid_until=ask.valid_until,
        temporary=ask.temporary,
        justification=ask.justification,
        requested_by=request.requester_name,
        on_behalf_of=ask.on_behalf_of,
        acknowledge_overdrawn=ask.acknowledge_overdrawn,
        cause=ask.cause,
        requested_at=request.requested_at,
        expires_at=request.expires_at,
        offered_amount=_amount(request.offered_amount, currency),
        decided_amount=_amount(request.decided_amount, currency),
        decided_at=request.decided_at,
        overdue_since=request.overdue_since,
        steps=[_step(step, request.segment_currency) for step in request.steps],
        reasons=[ReasonOut(code=reason.code, message=reason.message) for reason in request.reasons],
        assessment_id=request.assessment_id,
        grade=request.grade,
        policy=JudgedByOut(
            segment=ask.segment,
            version=request.policy_version,
            profile=request.policy_profile,
            override_id=request.policy_override_id,
        ),
    )


def replay_out(replay: Replay) -> JudgementReplayOut:
    """A replay as the API shows it."""
    return JudgementReplayOut(identical=replay.identical, stored=replay.stored, replayed=replay.replayed)


def deputy_out(deputyship: Deputyship) -> DeputyOut:
    """A deputyship as the API shows it."""
    authority: Money | None = deputyship.authority
    return DeputyOut(
        id=deputyship.id,
        segment=deputyship.segment,
        principal=deputyship.principal_name,
        deputy=deputyship.deputy,
        roles=sorted(deputyship.roles),
        authority=None if authority is None else render(authority.amount, authority.currency),
        authority_currency=authority.currency if authority else None,
        valid_from=deputyship.valid_from,
        valid_until=deputyship.valid_until,
        reason=deputyship.reason,
        appointed_at=deputyship.appointed_at,
        ended_at=deputyship.ended_at,
        ended_by=deputyship.ended_by,
    )


def review_out(review: AccountReview) -> AccountReviewOut:
    """A review as the API shows it."""
    return AccountReviewOut(**{name: getattr(review, name) for name in AccountReviewOut.model_fields})


def set_limit_out(decided: SetLimit) -> SetLimitOut:
    """A decision about a limit as the API shows it."""
    return SetLimitOut(
        id=decided.id,
        scope=decided.scope,
        temporary=decided.temporary,
        kind=decided.limit.kind,
        amount=_amount(decided.limit.amount, decided.currency),
        currency=decided.currency,
        valid_from=decided.limit.valid_from,
        valid_until=decided.limit.valid_until,
        reason=decided.reason,
        set_by=decided.set_by,
        set_at=decided.set_at,
        superseded_at=decided.superseded_at,
    )


def _step(step: Step, currency: str) -> StepOut:
    return StepOut(
        level=step.level,
        role=step.role,
        authority_amount=_amount(step.authority_amount, currency),
        needed_authority=render(step.needed, currency),
        currency=currency,
        state=step.state,
        due_at=step.due_at,
        by=step.by_name,
        deputy_for=step.deputy_for,
        at=step.at,
        note=step.note,
    )


def _amount(amount: Decimal | None, currency: str) -> str | None:
    return None if amount is None else render(amount, currency)
