"""Facts and scorecard → score: every factor with its band and points, and how sure one can be of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

from app.domains.assessments.core.factors import read
from app.domains.assessments.core.factors.asked import Asked, Reading
from app.domains.assessments.core.facts import AssessmentFacts
from app.domains.policies.core.factors import Independence
from app.domains.policies.core.scorecard import Band, FactorGroup, FactorRule, Scorecard

HUNDRED: Final = Decimal(100)
CENT: Final = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class FactorScore:
    """One factor as it was judged.

    `points` of at most `max_points` went into the score; `missing` is one without a current value, which has the points
    that the policy gives for that. `as_of` is also said of a fact that is too old.
    """

    code: str
    group: str
    weight: Decimal
    """Its share of the score, in percent."""
    value: Decimal | None
    band: Band | None
    points: Decimal
    max_points: Decimal
    source: str | None
    independence: Independence | None
    as_of: date | None
    age_days: int | None
    missing: bool

    @property
    def lost(self) -> Decimal:
        """Points short of the best attainable."""
        return self.max_points - self.points


@dataclass(frozen=True, slots=True)
class Confidence:
    """How sure one can be, in percent.

    `percent` is the share of the scorecard's weight that rests on current facts, each counted as far as the policy
    trusts its source; `by_source` is that share for each independence, as it is.
    """

    percent: Decimal
    by_source: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class Score:
    """The score from 0 to 100, its factors in the order of the policy, and the confidence in it."""

    score: Decimal
    factors: tuple[FactorScore, ...]
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class _Read:
    """A factor with what the facts say of it: a reading that is too old is there and counts for nothing."""

    group: FactorGroup
    rule: FactorRule
    found: Reading | None
    current: bool


def score(facts: AssessmentFacts, scorecard: Scorecard) -> Score:
    """Scores `facts`; without a single current fact, every group counts with its points for missing."""
    known = [_read(facts, scorecard, group, rule) for group in scorecard.groups for rule in group.factors]
    present = {each.group.code for each in known if each.current} or {group.code for group in scorecard.groups}
    total = sum(group.weight for group in scorecard.groups if group.code in present)
    factors = [
        _judged(facts, each, HUNDRED * each.group.weight / total) for each in known if each.group.code in present
    ]
    absent = [_judged(facts, each, Decimal(0)) for each in known if each.group.code not in present]
    points = sum((factor.points for factor in factors), Decimal(0))
    places = {(each.group.code, each.rule.code): place for place, each in enumerate(known)}
    ordered = sorted([*factors, *absent], key=lambda factor: places[factor.group, factor.code])
    return Score(cents(points), tuple(_shown(factor) for factor in ordered), _confidence(known, scorecard))


def cents(amount: Decimal) -> Decimal:
    """Rounded half to even to two decimals."""
    return amount.quantize(CENT, ROUND_HALF_EVEN)


def _read(facts: AssessmentFacts, scorecard: Scorecard, group: FactorGroup, rule: FactorRule) -> _Read:
    asked = Asked(facts, scorecard, rule.item, rule.max_age_days)
    found = read(rule.factor, asked)
    return _Read(group, rule, found, found is not None and asked.is_current(found.as_of))


def _judged(facts: AssessmentFacts, known: _Read, group_share: Decimal) -> FactorScore:
    rule, found = known.rule, known.found
    value = found.value if found is not None and known.current else None
    band = None if value is None else next(each for each in rule.bands if each.holds(value))
    share = group_share * rule.weight / HUNDRED
    return FactorScore(
        code=rule.code,
        group=known.group.code,
        weight=share,
        value=value,
        band=band,
        points=share * (rule.missing if band is None else band.points) / HUNDRED,
        max_points=share * rule.best / HUNDRED,
        source=found.source if found else None,
        independence=found.independence if found else None,
        as_of=found.as_of if found else None,
        age_days=max((facts.on - found.as_of).days, 0) if found else None,
        missing=value is None,
    )


def _shown(factor: FactorScore) -> FactorScore:
    return replace(
        factor,
        weight=cents(factor.weight),
        points=cents(factor.points),
        max_points=cents(factor.max_points),
    )


def _confidence(known: Sequence[_Read], scorecard: Scorecard) -> Confidence:
    """Of the whole scorecard's weight, absent groups included: what nobody knows supports nothing."""
    shares = dict.fromkeys(Independence, Decimal(0))
    for each in known:
        if each.current and each.found is not None:
            shares[each.found.independence] += each.group.weight * each.rule.weight / HUNDRED
    trusted = sum((share * scorecard.trust.of(source) / HUNDRED for source, share in shares.items()), Decimal(0))
    return Confidence(cents(trusted), {source.value: cents(share) for source, share in shares.items()})
