"""Drafts a notice out of a decision: what each item bears, what is charged, what is to be paid."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from app.domains.dunning.core.facts import CustomerFacts
from app.domains.dunning.core.interest import (
    NO_INTEREST,
    Interest,
    Statutes,
    accrued,
    compensation,
    fee,
)
from app.domains.dunning.core.notices import Asked, Total, totals
from app.domains.dunning.core.procedure import Decision, Line, level_of
from app.domains.policies.core.dunning import Dunning, DunningLevel
from app.kernel.money import ZERO


@dataclass(frozen=True, slots=True)
class DraftLine:
    """A line of a notice with what it bears; interest runs from the day after the due day, or after the last claim."""

    line: Line
    interest: Interest
    interest_from: date | None
    interest_until: date | None
    compensation: Decimal

    @property
    def asked(self) -> Asked:
        """Its amounts."""
        return Asked(self.line.item.currency, self.line.asked, self.interest.amount, self.compensation)


@dataclass(frozen=True, slots=True)
class Draft:
    """A notice before it is written down."""

    level: int
    rule: DunningLevel
    deadline_on: date
    lines: tuple[DraftLine, ...]
    fees: Mapping[str, Decimal]
    totals: tuple[Total, ...]
    rates: tuple[Mapping[str, Any], ...]


def draft(
    facts: CustomerFacts,
    decision: Decision,
    rules: Dunning,
    *,
    on: date,
    statutes: Statutes,
    earlier: Mapping[str, Decimal],
) -> Draft:
    """The notice that `decision`, which is for one, asks for. `earlier` is owed of earlier claims, by currency."""
    assert decision.level is not None, "a decision against a notice has no draft"
    rule = level_of(rules, decision.level)
    lines = tuple(_line(line, rules, on, statutes) for line in decision.lines)
    fees = _fees(rule, decision.lines, facts.currency)
    asked = [line.asked for line in lines]
    return Draft(
        level=decision.level,
        rule=rule,
        deadline_on=on + timedelta(days=rule.deadline_days) if decision.level else max(_due_days(lines), default=on),
        lines=lines,
        fees=fees,
        totals=totals(asked, fees=fees, earlier=earlier, credits=facts.credits),
        rates=_rates(lines),
    )


def _line(line: Line, rules: Dunning, on: date, statutes: Statutes) -> DraftLine:
    if not line.level or line.asked <= 0:
        return DraftLine(line, NO_INTEREST, None, None, ZERO)
    item, rule = line.item, level_of(rules, line.level)
    late_from = item.due_on + timedelta(days=1)
    first = item.interest_until + timedelta(days=1) if item.interest_until else late_from
    interest = accrued(
        line.asked, item.currency, first=first, last=on, late_from=late_from, level=rule, statutes=statutes
    )
    fixed = ZERO
    if not item.is_compensated:
        fixed = compensation(line.asked, item.currency, level=rule, statutes=statutes)
    has_interest = bool(interest.amount)
    return DraftLine(line, interest, first if has_interest else None, interest.until if has_interest else None, fixed)


def _fees(rule: DunningLevel, lines: Iterable[Line], own: str) -> Mapping[str, Decimal]:
    """The one fee of a notice, by its currency: the `own` of the account if an item in it is raised, else that of the
    oldest that is; the first of these in which the policy names a fee."""
    raised = sorted((line for line in lines if line.is_raised), key=lambda line: line.item.currency != own)
    charged = ((line.item.currency, fee(rule.fees, line.item.currency)) for line in raised)
    currency, amount = next(((c, a) for c, a in charged if a), (own, ZERO))
    return {currency: amount} if amount else {}


def _due_days(lines: Iterable[DraftLine]) -> list[date]:
    return [line.line.item.due_on for line in lines]


def _rates(lines: Iterable[DraftLine]) -> tuple[Mapping[str, Any], ...]:
    """The rate rows that were used, each once, with the days they were used for; last what is missing."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for line in lines:
        for stretch in line.interest.stretches:
            rate = stretch.rate
            key = (rate.reference, rate.valid_from, rate.percent) if rate else ()
            known = found.setdefault(
                key,
                {
                    "reference": rate.reference if rate else None,
                    "valid_from": rate.valid_from.isoformat() if rate and rate.valid_from else None,
                    "reference_percent": _plain(rate.reference_percent) if rate else None,
                    "percent": _plain(rate.percent) if rate else None,
                    "first": stretch.first.isoformat(),
                    "last": stretch.last.isoformat(),
                },
            )
            known["first"] = min(known["first"], stretch.first.isoformat())
            known["last"] = max(known["last"], stretch.last.isoformat())
    return tuple(sorted(found.values(), key=lambda row: (row["reference"] is None, row["first"])))


def _plain(percent: Decimal) -> str:
    return format(percent.normalize(), "f")
