"""What a credit check comes to: an outcome, every rule's verdict, and what would help."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final, NamedTuple

from app.domains.exposure.core.commitments import Commitment
from app.domains.exposure.core.limits import EffectiveLimit
from app.kernel.money import Money


class Outcome(StrEnum):
    """The answer to "may this order leave on credit?"."""

    APPROVED = "approved"
    REFERRED = "referred"
    DECLINED = "declined"


class Judgement(StrEnum):
    """What one rule says, worst last."""

    OFF = "off"
    PASS = "pass"  # noqa: S105 - a verdict, not a secret
    WARN = "warn"
    REFER = "refer"
    DECLINE = "decline"

    @property
    def objects(self) -> bool:
        """Whether an order with this judgement needs a person, or is refused."""
        return self in (Judgement.REFER, Judgement.DECLINE)


Measure = Money | Decimal | int | str | None
"""What a rule measured or compared with: money, a percentage or index, days or a level, a name."""


class Verdict(NamedTuple):
    """One rule's judgement.

    `room` is the largest exposure after the order, `most` the largest value of the order itself that the rule would
    let pass, in account currency: both null when no smaller order helps. `shortfall` is what is missing, `cure` what
    must be paid to put it right.
    """

    rule: str
    code: str
    judgement: Judgement
    value: Measure = None
    threshold: Measure = None
    message: str = ""
    shortfall: Money | None = None
    cure: Money | None = None
    room: Decimal | None = None
    most: Decimal | None = None


class Action(StrEnum):
    """What can be done about an order that was not approved."""

    PAY_OVERDUE = "pay_overdue"
    PAY = "pay"
    REDUCE_ORDER = "reduce_order"
    PREPAY = "prepay"
    RAISE_LIMIT = "raise_limit"


@dataclass(frozen=True, slots=True)
class Remedy:
    """One way out, and the reasons it would cure."""

    action: Action
    amount: Money
    cures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reservation:
    """Credit set aside for an order, in order currency, until it ships, is cancelled or expires."""

    amount: Decimal
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Decision:
    """The decision on one check.

    `order` is the order approved for what was asked, null when a rate is missing. Headrooms are in account currency;
    null when the limit is unlimited or a rate is missing. `reasons` are the verdicts that speak against the order.
    """

    outcome: Outcome
    verdicts: tuple[Verdict, ...]
    limit: EffectiveLimit
    order: Commitment | None
    headroom_before: Money | None
    headroom_after: Money | None
    reasons: tuple[Verdict, ...] = ()
    remedies: tuple[Remedy, ...] = ()
    reservation: Reservation | None = None


_SPEAKS: Final = (Judgement.DECLINE, Judgement.REFER, Judgement.WARN)


def reasons_of(verdicts: Iterable[Verdict]) -> tuple[Verdict, ...]:
    """The verdicts that say something against the order, worst first and in the order of the rules.

    A missing rate is said once, not by each rule that it kept from judging.
    """
    said = [verdict for verdict in verdicts if verdict.message and verdict.judgement in _SPEAKS]
    return tuple(sorted(said, key=lambda verdict: _SPEAKS.index(verdict.judgement)))
