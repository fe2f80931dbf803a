"""Judging a limit request at once: facts and policy in, verdict out. No clock, no database, no randomness.

Nothing is given automatically that the assessment does not recommend, or that is above the ceiling of its grade. What
can't be told (no assessment, no exchange rate) is never given: people decide.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_FLOOR, Decimal
from enum import StrEnum
from typing import Final
from uuid import UUID

from app.domains.limits.core.requests import Reason, RequestKind
from app.domains.policies.core.document import Policy
from app.kernel.money import ZERO, largest_worth, quantum, render, rounded

_HUNDRED: Final = Decimal(100)


class Outcome(StrEnum):
    """What becomes of a request at once."""

    GRANT = "grant"
    DECLINE = "decline"
    ASK = "ask"


@dataclass(frozen=True, slots=True)
class Current:
    """The base limit that there is: an amount in account currency, no bound at all, or (neither) none."""

    amount: Decimal | None = None
    unlimited: bool = False
    until: date | None = None

    @property
    def exists(self) -> bool:
        """Whether there is a limit."""
        return self.unlimited or self.amount is not None


@dataclass(frozen=True, slots=True)
class Opinion:
    """What the latest assessment says. `recommended` is in account currency, null where nobody can tell."""

    assessment_id: UUID | None
    grade: str
    recommended: Decimal | None
    assessed_on: date


@dataclass(frozen=True, slots=True)
class JudgingFacts:
    """Everything that a judgement rests on. `rate` is segment currency per unit of account currency; `until` is the
    last day that is asked for, null without end."""

    on: date
    amount: Decimal
    currency: str
    segment_currency: str
    rate: Decimal
    temporary: bool
    current: Current
    until: date | None = None
    opinion: Opinion | None = None
    cause: str | None = None

    @property
    def outlasts(self) -> bool:
        """Whether the limit that is asked for would hold longer than the one that there is."""
        current = self.current.until
        return current is not None and (self.until is None or self.until > current)

    @property
    def worth(self) -> Decimal:
        """The amount in the segment's currency."""
        return rounded(self.amount * self.rate, self.segment_currency)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What becomes of a request, why, what may be had at once, and who decides on the rest, in their order."""

    kind: RequestKind
    outcome: Outcome
    reasons: tuple[Reason, ...]
    offered: Decimal | None = None
    roles: tuple[str, ...] = ()


def judge(facts: JudgingFacts, policy: Policy) -> Judgement:
    """Grants, declines, or says whom to ask, with what may be offered meanwhile."""
    kind = kind_of(facts)
    if kind is RequestKind.LOWER and facts.cause is None and policy.approvals.automatic.lower:
        return Judgement(kind, Outcome.GRANT, (Reason("lower", "A lower limit needs nobody's approval."),))
    if kind is not RequestKind.LOWER and _too_bad(facts, policy):
        worst, grade = policy.approvals.decline_worse_than, facts.opinion.grade if facts.opinion else ""
        reason = Reason("grade_too_low", f"The grade {grade} is below {worst}, the last that is given credit.")
        return Judgement(kind, Outcome.DECLINE, (reason,))
    objections = _objections(facts, policy)
    if not objections and facts.cause is None:
        reason = Reason("within_recommendation", "The recommendation and the automatic ceiling both allow it.")
        return Judgement(kind, Outcome.GRANT, (reason,))
    return Judgement(kind, Outcome.ASK, objections, _offer(facts, policy), route_of(facts, policy, facts.worth))


def kind_of(facts: JudgingFacts) -> RequestKind:
    """What the request is about, told from the limit there is. Less, but for longer, is more credit in the end: an
    extension."""
    current = facts.current
    if facts.temporary:
        return RequestKind.TEMPORARY
    if not current.exists:
        return RequestKind.NEW
    if current.amount is not None and facts.amount > current.amount:
        return RequestKind.RAISE
    same = facts.amount == current.amount
    return RequestKind.EXTENSION if same or facts.outlasts else RequestKind.LOWER


def route_of(facts: JudgingFacts, policy: Policy, worth: Decimal) -> tuple[str, ...]:
    """The roles that approve a limit of `worth` in the segment's currency, in their order."""
    rank = None if facts.opinion is None else policy.grade_rank(facts.opinion.grade)
    return policy.approvals.route(worth, rank, [grade.name for grade in policy.grades]).roles


def _too_bad(facts: JudgingFacts, policy: Policy) -> bool:
    """A grade that the policy does not know any more is no reason to decline: it is none to grant either."""
    worst = policy.approvals.decline_worse_than
    if worst is None or facts.opinion is None:
        return False
    rank, last = policy.grade_rank(facts.opinion.grade), policy.grade_rank(worst)
    return rank is not None and last is not None and rank > last


def _objections(facts: JudgingFacts, policy: Policy) -> tuple[Reason, ...]:
    """Everything that speaks against granting by itself, never the first thing only."""
    opinion, found = facts.opinion, []
    if facts.cause is not None:
        found.append(Reason("cover_changed", f"Cover was lost: {facts.cause}."))
    if opinion is None:
        found.append(Reason("assessment_missing", "The customer can't be assessed, or was not."))
        return tuple(found)
    if opinion.recommended is None:
        found.append(Reason("recommendation_missing", "The assessment recommends no amount in this currency."))
    elif facts.amount > opinion.recommended:
        most = render(opinion.recommended, facts.currency)
        found.append(Reason("above_recommendation", f"More than the {most} {facts.currency} that is recommended."))
    ceiling = policy.approvals.ceiling_of(opinion.grade)
    if ceiling is None:
        found.append(Reason("no_automatic_ceiling", f"Nothing is given automatically to the grade {opinion.grade}."))
    elif facts.worth > ceiling:
        most = f"{render(ceiling, facts.segment_currency)} {facts.segment_currency}"
        found.append(Reason("above_automatic_ceiling", f"More than the {most} given automatically to {opinion.grade}."))
    return tuple(found)


def _offer(facts: JudgingFacts, policy: Policy) -> Decimal | None:
    """The most that may be had at once, where it is worth having: more than there is, and enough of what is asked."""
    rule, opinion, current = policy.approvals.counter_offer, facts.opinion, facts.current
    if rule is None or opinion is None or opinion.recommended is None or facts.cause is not None or current.unlimited:
        return None
    ceiling = policy.approvals.ceiling_of(opinion.grade)
    if ceiling is None:
        return None
    within = largest_worth(ceiling, rate=facts.rate, currency=facts.currency, into=facts.segment_currency)
    offered = min(within, opinion.recommended.quantize(quantum(facts.currency), ROUND_FLOOR))
    enough = offered >= facts.amount * rule.min_percent / _HUNDRED
    return offered if enough and (current.amount or ZERO) < offered < facts.amount else None
