"""A limit request: what is asked, and where it stands on its way through approval."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final
from uuid import UUID

from app.domains.limits.core.refusals import LimitCurrencyDiffers, LimitRequestClosed, LimitWindowPast
from app.kernel.errors import Fault
from app.kernel.lifecycle import Lifecycle


class RequestKind(StrEnum):
    """What a request is about, told from the limit there is."""

    NEW = "new"
    RAISE = "raise"
    LOWER = "lower"
    TEMPORARY = "temporary"
    EXTENSION = "extension"


class RequestStatus(StrEnum):
    """Where a request stands. Partly approved: less than was asked for is in force."""

    PENDING = "pending"
    APPROVED = "approved"
    PARTLY_APPROVED = "partly_approved"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class RequestMove(StrEnum):
    """What can end a request."""

    APPROVE = "approve"
    APPROVE_LESS = "approve_less"
    DECLINE = "decline"
    CANCEL = "cancel"
    EXPIRE = "expire"


REQUESTS: Final = Lifecycle[RequestStatus, RequestMove](
    {
        RequestStatus.PENDING: {
            RequestMove.APPROVE: RequestStatus.APPROVED,
            RequestMove.APPROVE_LESS: RequestStatus.PARTLY_APPROVED,
            RequestMove.DECLINE: RequestStatus.DECLINED,
            RequestMove.CANCEL: RequestStatus.CANCELLED,
            RequestMove.EXPIRE: RequestStatus.EXPIRED,
        },
        RequestStatus.APPROVED: {},
        RequestStatus.PARTLY_APPROVED: {},
        RequestStatus.DECLINED: {},
        RequestStatus.CANCELLED: {},
        RequestStatus.EXPIRED: {},
    }
)
"""A request is decided once; whoever wants another limit asks anew."""


class StepState(StrEnum):
    """Where a step stands. One step of a pending request is pending; those behind it wait."""

    WAITING = "waiting"
    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    ESCALATED = "escalated"
    NOT_NEEDED = "not_needed"


@dataclass(frozen=True, slots=True)
class Step:
    """One approval of several. `authority_amount` is the role's, in the segment's currency; null: any amount.

    `needed` is the authority that deciding takes, in the same currency; `seniors` are the roles that may stand in.
    `by` names the principal, `deputy_for` whom they stood in for.
    """

    level: int
    role: str
    authority_amount: Decimal | None
    needed: Decimal
    seniors: tuple[str, ...] = ()
    state: StepState = StepState.WAITING
    due_at: datetime | None = None
    by: str | None = None
    by_name: str | None = None
    deputy_for: str | None = None
    at: datetime | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a request was judged as it was, in a code and in words."""

    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What is asked for: `amount` in `currency`, on the days from `valid_from` to `valid_until`, both included.

    `acknowledge_overdrawn` says that a limit below the current exposure is meant.
    """

    customer_id: str
    segment: str
    amount: Decimal
    currency: str
    justification: str
    valid_from: date | None = None
    valid_until: date | None = None
    temporary: bool = False
    on_behalf_of: str | None = None
    acknowledge_overdrawn: bool = False
    cause: str | None = None
    """What made Headroom ask by itself; null where somebody asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitRequest:
    """A request as it stands. Amounts are in the account's currency; `requester` names the principal for ever.

    `offered_amount` may be accepted at once while people decide on the rest; `decided_amount` is what came of it.
    `overdue_since` says from when on everybody who may decide has let their time pass.
    """

    id: UUID
    account_id: UUID
    ask: Ask
    kind: RequestKind
    status: RequestStatus
    requester: str
    requester_name: str
    requested_at: datetime
    expires_at: datetime | None
    segment_currency: str
    policy_version: int
    policy_profile: str
    policy_override_id: UUID | None
    assessment_id: UUID | None
    grade: str | None
    facts: str
    reasons: tuple[Reason, ...] = ()
    offered_amount: Decimal | None = None
    decided_amount: Decimal | None = None
    decided_at: datetime | None = None
    overdue_since: datetime | None = None
    steps: tuple[Step, ...] = ()

    @property
    def amount(self) -> Decimal:
        """What is to be decided on now: what was asked for, or less once an approver has said so."""
        return self.ask.amount if self.decided_amount is None else self.decided_amount

    @property
    def pending(self) -> Step | None:
        """The step that somebody has to decide now."""
        return next((step for step in self.steps if step.state is StepState.PENDING), None)

    @property
    def askers(self) -> frozenset[str]:
        """Who asked, and on whose behalf, in a form to compare names by."""
        names = (self.requester, self.requester_name, self.ask.on_behalf_of)
        return frozenset(name.strip().casefold() for name in names if name is not None)


def check_open(request: LimitRequest, *, now: datetime) -> None:
    """Refuses to decide what nobody waits for. Raises `LimitRequestClosed`."""
    overdue = request.expires_at is not None and request.expires_at <= now
    if request.status is not RequestStatus.PENDING or overdue:
        status = RequestStatus.EXPIRED if overdue and request.status is RequestStatus.PENDING else request.status
        raise LimitRequestClosed(f"the request is {status.value}", status_now=status.value)


def check_ask(ask: Ask, *, account_currency: str, on: date) -> None:
    """Refuses a request that can't be granted. Raises `LimitCurrencyDiffers`, `LimitWindowPast`."""
    if ask.currency != account_currency:
        message = f"the account is kept in {account_currency}"
        raise LimitCurrencyDiffers(message, faults=[Fault("/currency", LimitCurrencyDiffers.code, message)])
    if ask.valid_until is not None and ask.valid_until < max(on, ask.valid_from or on):
        message = f"{ask.valid_until} is before {max(on, ask.valid_from or on)}"
        raise LimitWindowPast(message, faults=[Fault("/valid_until", LimitWindowPast.code, message)])
    if ask.temporary and ask.valid_until is None:
        message = "a temporary limit needs its last day"
        raise LimitWindowPast(message, faults=[Fault("/valid_until", LimitWindowPast.code, message)])
