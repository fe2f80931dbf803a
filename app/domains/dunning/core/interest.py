"""Interest for late payment: simple, by days, at the rates in force on each of them.

    interest = Σ open amount × rate % × days / 365        over the stretches of one rate, rounded half up once

Statutory rates are data: a jurisdiction's rule names a reference rate, what is added to it, and when a change of it
takes effect: each half-year (Directive 2011/7/EU article 3 (3); BGB section 247), on any day, or never for a claim that
is late already, whose rate is that of the day it fell into arrears (Late Payment of Commercial Debts (Rate of Interest)
(No. 3) Order 2002 article 4; the Supreme People's Court on sales contracts). A day for which no rate is known bears no
interest and the notice says so; what follows on the last known day is claimed once the rate is known.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Final

from app.domains.policies.core.dunning import CurrencyAmount, DunningLevel, InterestRule
from app.kernel.money import ZERO, rounded

DAYS_A_YEAR: Final = 365
AGREED: Final = "agreed"
"""The reference of a rate that is agreed and not statutory."""


class Sets(StrEnum):
    """When a reference rate is fixed: for each half-year, or from any day on."""

    HALF_YEAR = "half_year"
    ANY_DAY = "any_day"


class Follows(StrEnum):
    """Whether the rate of a claim follows the reference, or stays what it was when the claim fell into arrears."""

    REFERENCE = "reference"
    ARREARS = "arrears"


@dataclass(frozen=True, slots=True)
class CompensationStep:
    """The fixed sum for a claim of at least `from_amount` in `currency`."""

    currency: str
    from_amount: Decimal
    amount: Decimal


@dataclass(frozen=True, slots=True)
class StatutoryRule:
    """What the law of `jurisdiction` grants: reference × `factor` + `margin_percent`, and a fixed sum a claim."""

    jurisdiction: str
    reference: str
    margin_percent: Decimal
    factor: Decimal
    sets: Sets
    compensation: tuple[CompensationStep, ...]
    source: str
    follows: Follows = Follows.REFERENCE

    def compensation_for(self, amount: Decimal, currency: str) -> Decimal:
        """The fixed sum for an overdue claim of `amount`; zero in a currency that the law does not name."""
        steps = [step for step in self.compensation if step.currency == currency and amount >= step.from_amount]
        return max(steps, key=lambda step: step.from_amount).amount if steps else ZERO


@dataclass(frozen=True, slots=True)
class ReferenceRate:
    """A reference rate in per cent a year, from a day on."""

    reference: str
    valid_from: date
    percent: Decimal
    source: str = ""
    """Where it was read, and when; empty for one that nobody has confirmed."""


@dataclass(frozen=True, slots=True)
class RateRow:
    """A rate that interest was charged by: what is stored with each notice."""

    reference: str
    valid_from: date | None
    reference_percent: Decimal
    percent: Decimal
    """A year's, margin included."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Days of one rate, both ends included; without a rate they bear none."""

    first: date
    last: date
    rate: RateRow | None

    @property
    def days(self) -> int:
        """How many there are."""
        return (self.last - self.first).days + 1


@dataclass(frozen=True, slots=True)
class Interest:
    """What has accrued on `principal` over `stretches`, rounded to the currency."""

    amount: Decimal
    stretches: tuple[Stretch, ...] = ()

    @property
    def until(self) -> date | None:
        """The last day that bears interest: of the days behind it the rate is still to be published."""
        return max((stretch.last for stretch in self.stretches if stretch.rate is not None), default=None)


NO_INTEREST: Final = Interest(ZERO)


@dataclass(frozen=True)
class Statutes:
    """The rules of all jurisdictions and the reference rates known to them."""

    rules: Mapping[str, StatutoryRule]
    rates: Mapping[str, Sequence[ReferenceRate]]
    """By reference, in the order of their days."""

    @cached_property
    def _days(self) -> Mapping[str, Sequence[date]]:
        return {reference: [rate.valid_from for rate in rates] for reference, rates in self.rates.items()}

    def with_rates(self, more: Iterable[ReferenceRate]) -> Statutes:
        """These and `more`, which replace those of the same reference and day."""
        merged = {(r.reference, r.valid_from): r for rates in self.rates.values() for r in rates}
        merged |= {(rate.reference, rate.valid_from): rate for rate in more}
        by_reference: dict[str, list[ReferenceRate]] = {}
        for key in sorted(merged):
            by_reference.setdefault(key[0], []).append(merged[key])
        return Statutes(self.rules, by_reference)

    def row_on(self, rule: StatutoryRule, day: date) -> RateRow | None:
        """The rate of `day`; null when the reference rate that the law asks for is not known."""
        sought = _half_year(day) if rule.sets is Sets.HALF_YEAR else day
        place = bisect_right(self._days.get(rule.reference, ()), sought) - 1
        if place < 0:
            return None
        found = self.rates[rule.reference][place]
        if rule.sets is Sets.HALF_YEAR and found.valid_from < sought:
            return None
        percent = max(found.percent * rule.factor + rule.margin_percent, ZERO)
        return RateRow(rule.reference, found.valid_from, found.percent, percent)

    def stretches(self, rule: StatutoryRule, first: date, last: date, *, late_from: date) -> tuple[Stretch, ...]:
        """The days from `first` to `last` by rate, of a claim that is in arrears from `late_from` on; none if `last` is
        before `first`."""
        if rule.follows is Follows.ARREARS:
            return (Stretch(first, last, self.row_on(rule, late_from)),) if first <= last else ()
        found: list[Stretch] = []
        begins = first
        while begins <= last:
            ends = min(self._last_day_like(rule, begins), last)
            found.append(Stretch(begins, ends, self.row_on(rule, begins)))
            begins = ends + timedelta(days=1)
        return tuple(found)

    def _last_day_like(self, rule: StatutoryRule, day: date) -> date:
        if rule.sets is Sets.HALF_YEAR:
            return _next_half_year(day) - timedelta(days=1)
        days = self._days.get(rule.reference, ())
        place = bisect_right(days, day)
        return days[place] - timedelta(days=1) if place < len(days) else date.max


def accrued(
    principal: Decimal,
    currency: str,
    *,
    first: date,
    last: date,
    late_from: date,
    level: DunningLevel,
    statutes: Statutes,
) -> Interest:
    """The interest on `principal`, in arrears from `late_from` on, for the days `first` to `last` by the rule of
    `level`."""
    if level.interest is InterestRule.NONE or last < first or principal <= 0:
        return NO_INTEREST
    stretches = _stretches(level, first, last, late_from, statutes)
    exact = sum((_exact(principal, stretch) for stretch in stretches), ZERO)
    return Interest(rounded(exact, currency), stretches)


def compensation(principal: Decimal, currency: str, *, level: DunningLevel, statutes: Statutes) -> Decimal:
    """The fixed sum that the law grants for the claim, where `level` charges it."""
    rule = statutes.rules.get(level.jurisdiction or "") if level.compensation else None
    return rule.compensation_for(principal, currency) if rule else ZERO


def fee(fees: Iterable[CurrencyAmount], currency: str) -> Decimal:
    """The fee of a level in `currency`; zero where none is set."""
    return next((given.amount for given in fees if given.currency == currency), ZERO)


def _stretches(
    level: DunningLevel, first: date, last: date, late_from: date, statutes: Statutes
) -> tuple[Stretch, ...]:
    if level.interest is InterestRule.AGREED:
        percent = level.interest_percent or ZERO
        return (Stretch(first, last, RateRow(AGREED, None, percent, percent)),)
    rule = statutes.rules.get(level.jurisdiction or "")
    return statutes.stretches(rule, first, last, late_from=late_from) if rule else (Stretch(first, last, None),)


def _exact(principal: Decimal, stretch: Stretch) -> Decimal:
    if stretch.rate is None:
        return ZERO
    return principal * stretch.rate.percent * stretch.days / (100 * DAYS_A_YEAR)


def _half_year(day: date) -> date:
    return date(day.year, 1 if day.month < 7 else 7, 1)


def _next_half_year(day: date) -> date:
    return date(day.year, 7, 1) if day.month < 7 else date(day.year + 1, 1, 1)
