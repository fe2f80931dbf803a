"""What would lift the grade: for each factor the nearest band that is enough, or what the next grade needs together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

from app.domains.assessments.core.grading import CapKind, Grading
from app.domains.assessments.core.scoring import FactorScore, Score, cents
from app.domains.policies.core.grades import Grade
from app.domains.policies.core.scorecard import Band, FactorRule, Scorecard

LIFTS_MAX: Final = 4
HUNDRED: Final = Decimal(100)


class LiftAction(StrEnum):
    """What has to happen."""

    IMPROVE = "improve"
    """The factor's value has to reach the band."""
    PROVIDE = "provide"
    """A current fact has to be given, and lie in the band."""
    RESOLVE = "resolve"
    """What knocks the customer out has to be over."""
    SUPPORT = "support"
    """Current facts of more of the scorecard's weight are needed."""


@dataclass(frozen=True, slots=True)
class Lift:
    """One step towards `grade`. `gain` is in points of the score; `enough` says that it is enough by itself."""

    action: LiftAction
    code: str
    grade: str
    band: Band | None = None
    gain: Decimal | None = None
    enough: bool = True


def lifts(score: Score, graded: Grading, scorecard: Scorecard, grades: Sequence[Grade]) -> tuple[Lift, ...]:
    """What would lift the grade: what caps it, else factors; the smallest step that is enough first."""
    rank = grades.index(graded.grade)
    if rank == 0:
        return ()
    target = grades[rank - 1]
    binding = [cap for cap in graded.caps if cap.grade == graded.grade.name]
    if binding and graded.grade is not graded.uncapped:
        return tuple(
            Lift(LiftAction.RESOLVE if cap.kind is CapKind.KNOCK_OUT else LiftAction.SUPPORT, cap.code, target.name)
            for cap in binding
        )
    rules = {(group.code, rule.code): rule for group in scorecard.groups for rule in group.factors}
    needed = target.min_score - score.score
    steps = [
        step
        for factor in score.factors
        if factor.weight > 0
        for step in _step(factor, rules[factor.group, factor.code], needed, target)
    ]
    enough = sorted((step for step in steps if step.enough), key=lambda step: step.gain or Decimal(0))
    partial = sorted((step for step in steps if not step.enough), key=lambda step: -(step.gain or Decimal(0)))
    return tuple([*enough, *partial][:LIFTS_MAX])


def _step(factor: FactorScore, rule: FactorRule, needed: Decimal, target: Grade) -> Iterator[Lift]:
    """The least better band that gains what is needed; where none does, the best."""
    better = [(_gain(factor, band), band) for band in rule.bands]
    better = sorted([(gain, band) for gain, band in better if gain > 0], key=lambda pair: pair[0])
    if not better:
        return
    gain, band = next(((gain, band) for gain, band in better if gain >= needed), better[-1])
    action = LiftAction.PROVIDE if factor.missing else LiftAction.IMPROVE
    yield Lift(action, factor.code, target.name, band, cents(gain), gain >= needed)


def _gain(factor: FactorScore, band: Band) -> Decimal:
    return factor.weight * band.points / HUNDRED - factor.points
