"""An audit: a sample of decisions, what was found of each, and who may say so."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from app.domains.control.core.refusals import AuditIncomplete, AuditIsSignedOff, AuditPeriodInvalid
from app.domains.exposure.core.events import GroupLimitSet, LimitSet
from app.domains.limits.core.events import LimitRequestApproved, LimitRequestDeclined
from app.domains.orders.core.events import DECIDED
from app.domains.orders.core.order_events import CreditCheckRejected, CreditCheckReleased
from app.domains.policies.core.refusals import FourEyes, PersonRequired
from app.domains.receivables.core.change_events import InvoiceWrittenOff
from app.kernel.identity import ActorKind
from app.kernel.lifecycle import Lifecycle

PERIOD_DAYS_MAX: Final = 366
SAMPLE_MAX: Final = 100
"""Decisions of one kind in a sample: each is replayed while the caller waits."""


class DecisionKind(StrEnum):
    """What is audited."""

    CREDIT_CHECK = "credit_check"
    LIMIT = "limit"
    RELEASE = "release"
    WRITE_OFF = "write_off"


EVENTS: Final[Mapping[DecisionKind, tuple[str, ...]]] = {
    DecisionKind.CREDIT_CHECK: tuple(event.type for event in DECIDED.values()),
    DecisionKind.LIMIT: (LimitSet.type, GroupLimitSet.type, LimitRequestApproved.type, LimitRequestDeclined.type),
    DecisionKind.RELEASE: (CreditCheckReleased.type, CreditCheckRejected.type),
    DecisionKind.WRITE_OFF: (InvoiceWrittenOff.type,),
}
"""The events that tell of a decision."""

OUTRIGHT: Final = (LimitSet.type,)
"""Events that tell of one only where they stand out: a requested limit follows from the decision on the request."""


class Replayed(StrEnum):
    """What came of deciding again from the stored facts."""

    IDENTICAL = "identical"
    DIFFERENT = "different"
    GONE = "gone"
    """The check is deleted: retention keeps decisions for as long as it was told to."""
    NOT_APPLICABLE = "not_applicable"
    """A decision that a person took by themselves follows from no rule."""


class Finding(StrEnum):
    """What an auditor says of a decision."""

    SATISFACTORY = "satisfactory"
    EXCEPTION = "exception"


class AuditState(StrEnum):
    """Where an audit stands."""

    OPEN = "open"
    SIGNED_OFF = "signed_off"


class AuditMove(StrEnum):
    """What can happen to one."""

    RECORD = "record"
    SIGN_OFF = "sign_off"


AUDITS: Final = Lifecycle[AuditState, AuditMove](
    {
        AuditState.OPEN: {AuditMove.RECORD: AuditState.OPEN, AuditMove.SIGN_OFF: AuditState.SIGNED_OFF},
        AuditState.SIGNED_OFF: {},
    }
)


@dataclass(frozen=True, slots=True)
class DrawnEvent:
    """An event of the sample: the decision as the journal tells it."""

    event_id: int
    seq: int
    type: str
    at: datetime
    actor: str
    actor_kind: str
    subject_type: str
    subject_id: str
    customer_id: str | None
    after: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Item:
    """One decision of a sample, what deciding it again came to, and the auditor's finding once there is one."""

    position: int
    kind: DecisionKind
    seq: int
    type: str
    at: datetime
    actor: str
    subject_type: str
    subject_id: str
    customer_id: str | None
    after: Mapping[str, Any]
    replayed: Replayed
    differing: Sequence[str]
    finding: Finding | None
    note: str | None
    found_by: str | None
    found_at: datetime | None


@dataclass(frozen=True, slots=True)
class Audit:
    """A sample of the decisions of a segment's days from `since` to `until`, both inclusive.

    Drawn by `seed` among the events up to the place `through_seq` of the journal: the same draw gives the same sample.
    """

    id: UUID
    segment: str
    since: date
    until: date
    seed: str
    sizes: Mapping[str, int]
    population: Mapping[str, int]
    through_seq: int
    state: AuditState
    drawn_by: str
    drawn_at: datetime
    conclusion: str | None
    signed_by: str | None
    signed_at: datetime | None


def check_period(since: date, until: date) -> None:
    """Refuses what can't be drawn from in one go. Raises `AuditPeriodInvalid`."""
    if not 0 <= (until - since).days < PERIOD_DAYS_MAX:
        raise AuditPeriodInvalid(f"from {since} to {until}: an audit covers 1 to {PERIOD_DAYS_MAX} days")


def check_open(audit: Audit, move: AuditMove) -> None:
    """Refuses to change what is signed off. Raises `AuditIsSignedOff`."""
    if not AUDITS.allows(audit.state, move):
        raise AuditIsSignedOff(f"{audit.signed_by} signed it off at {audit.signed_at}")


def check_person(kind: ActorKind) -> None:
    """Refuses findings by a service. Raises `PersonRequired`."""
    if kind is not ActorKind.PERSON:
        raise PersonRequired("an auditor is a person")


def check_finder(item: Item, *, name: str) -> None:
    """Refuses a finding by whoever took the decision. Raises `FourEyes`."""
    if name == item.actor:
        raise FourEyes(f"{name} took this decision, and audits those of others")


def check_signer(audit: Audit, items: Collection[Item], *, name: str) -> None:
    """Refuses the sign-off by whoever recorded a finding, or took one of the decisions, or by the drawer of nothing.

    Raises `AuditIncomplete`, `FourEyes`.
    """
    missing = sorted(item.position for item in items if item.finding is None)
    if missing:
        raise AuditIncomplete(f"no finding yet of {len(missing)} items, the first at position {missing[0]}")
    involved = {item.found_by for item in items} | {item.actor for item in items}
    if name in involved or (not items and name == audit.drawn_by):
        raise FourEyes(f"{name} is involved in the audit: a second person signs it off")
