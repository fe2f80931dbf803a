"""The section `scorecard` of a policy: which facts make the score of a customer, and how much each of them weighs.

The score is a weighted mean of points from 0 to 100. A group has a share of the score, a factor a share of its group,
both in percent; a factor's value falls into one of its bands, which gives the points. Bands are half-open: `at_least`
belongs to a band, `below` does not, and together they cover every value exactly once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, Any, Final

from app.domains.policies.core.factors import Factor, Independence
from app.domains.policies.core.order_checks import Days, Percent
from app.domains.policies.core.reading import Between, Length, member
from app.kernel.errors import Fault

HUNDRED: Final = Decimal(100)

Code = Annotated[str, Length(1, 40)]
Points = Annotated[Decimal, Between(0, 100)]
Weight = Annotated[Decimal, Between(0, 100)]
Bound = Annotated[Decimal, Between(-999_999_999_999_999, 999_999_999_999_999)]
GradeName = Annotated[str, Length(1, 10)]
Risks = Annotated[Mapping[str, Percent], Length(0, 500)]


@dataclass(frozen=True, slots=True)
class Band:
    """Values from `at_least`, included, to `below`, not included; without one of them there is no end on that side."""

    points: Points
    at_least: Bound | None = None
    below: Bound | None = None

    def holds(self, value: Decimal) -> bool:
        """Whether `value` lies in the band."""
        return within(value, self.at_least, self.below)


@dataclass(frozen=True, slots=True)
class FactorRule:
    """What a factor is worth: its share of the group in percent, points by band, and points where nothing is known.

    Facts older than `max_age_days` are not known. `item` names a question for the factor `questionnaire`, and may name
    an agency for `agency_score` and `agency_probability`; without it the worst of all agencies counts.
    """

    factor: Factor
    weight: Weight
    bands: Annotated[tuple[Band, ...], Length(1, 20)]
    missing: Points = Decimal(0)
    max_age_days: Days | None = None
    item: Code | None = None

    @property
    def code(self) -> str:
        """The factor and what it asks about, as one name."""
        return self.factor.value if self.item is None else f"{self.factor.value}.{self.item}"

    @property
    def best(self) -> Decimal:
        """The points of the best band."""
        return max(band.points for band in self.bands)


@dataclass(frozen=True, slots=True)
class FactorGroup:
    """Factors that tell of one thing. Without a single current fact, its weight goes to the other groups."""

    code: Code
    weight: Weight
    factors: Annotated[tuple[FactorRule, ...], Length(1, 30)]


@dataclass(frozen=True, slots=True)
class KnockOut:
    """Whatever the score: with a value from `at_least` to below `below` the grade is `grade` at best."""

    code: Code
    factor: Factor
    grade: GradeName
    at_least: Bound | None = None
    below: Bound | None = None
    max_age_days: Days | None = None
    item: Code | None = None

    def strikes(self, value: Decimal) -> bool:
        """Whether `value` lies in what is not tolerated."""
        return within(value, self.at_least, self.below)


@dataclass(frozen=True, slots=True)
class ConfidenceCap:
    """With a confidence below `below` percent the grade is `grade` at best."""

    below: Percent
    grade: GradeName


@dataclass(frozen=True, slots=True)
class Trust:
    """How far a fact of each source supports the confidence, in percent of its weight."""

    own_experience: Percent = Decimal(100)
    audited: Percent = Decimal(100)
    agency: Percent = Decimal(90)
    self_declared: Percent = Decimal(60)

    def of(self, independence: Independence) -> Decimal:
        """The percent for one source."""
        return {
            Independence.OWN_EXPERIENCE: self.own_experience,
            Independence.AUDITED: self.audited,
            Independence.AGENCY: self.agency,
            Independence.SELF_DECLARED: self.self_declared,
        }[independence]


@dataclass(frozen=True, slots=True)
class CalibrationPoint:
    """The probability of default within twelve months, in percent, at a score."""

    score: Points
    probability_percent: Percent


@dataclass(frozen=True, slots=True)
class Question:
    """A question that people answer by a number from `lowest` to `highest`."""

    item: Code
    question: Annotated[str, Length(1, 200)]
    question_zh: Annotated[str, Length(1, 200)] | None = None
    lowest: Annotated[int, Between(0, 100)] = 1
    highest: Annotated[int, Between(0, 100)] = 5


@dataclass(frozen=True, slots=True)
class Scorecard:
    """Groups of factors, what the score means, and what overrules it.

    Risks by country (ISO 3166 alpha-2) and by industry are from 0, none, to 100. `agency_ratings` says what the letters
    of an agency are worth, from 0, worst, to 100.
    """

    groups: Annotated[tuple[FactorGroup, ...], Length(1, 20)]
    calibration: Annotated[tuple[CalibrationPoint, ...], Length(2, 50)]
    knock_outs: Annotated[tuple[KnockOut, ...], Length(0, 30)] = ()
    confidence_caps: Annotated[tuple[ConfidenceCap, ...], Length(0, 10)] = ()
    trust: Trust = Trust()
    country_risk: Risks = field(default_factory=dict)
    industry_risk: Risks = field(default_factory=dict)
    agency_ratings: Annotated[Mapping[str, Annotated[Mapping[str, Percent], Length(1, 100)]], Length(0, 50)] = field(
        default_factory=dict
    )
    questions: Annotated[tuple[Question, ...], Length(0, 50)] = ()


def within(value: Decimal, at_least: Decimal | None, below: Decimal | None) -> bool:
    """Whether `value` lies in the half-open interval."""
    return (at_least is None or at_least <= value) and (below is None or value < below)


def scorecard_faults(scorecard: Scorecard, at: str) -> list[Fault]:
    """What is wrong between the members of a section that can be read."""
    return [
        *_group_faults(scorecard.groups, member(at, "groups")),
        *_item_faults(scorecard, at),
        *_knock_out_faults(scorecard.knock_outs, member(at, "knock_outs")),
        *_cap_faults(scorecard.confidence_caps, member(at, "confidence_caps")),
        *_calibration_faults(scorecard.calibration, member(at, "calibration")),
        *_question_faults(scorecard.questions, member(at, "questions")),
    ]


def band_faults(bands: Sequence[Any], at: str) -> Iterator[Fault]:
    """Gaps and overlaps of half-open bands, which are given from the lowest to the highest."""
    for index, band in enumerate(bands):
        place = member(at, index)
        if band.at_least is not None and band.below is not None and band.at_least >= band.below:
            yield Fault(place, "band_empty", f"no value is at least {band.at_least} and below {band.below}")
        if (band.at_least is None) != (index == 0):
            message = "the lowest band has no at_least" if index == 0 else "only the lowest band has no at_least"
            yield Fault(member(place, "at_least"), "band_gap" if index == 0 else "band_overlap", message)
        if (band.below is None) != (index == len(bands) - 1):
            last = index == len(bands) - 1
            message = "the highest band has no below" if last else "only the highest band has no below"
            yield Fault(member(place, "below"), "band_gap" if last else "band_overlap", message)
    for index in range(1, len(bands)):
        ends, begins = bands[index - 1].below, bands[index].at_least
        if ends is not None and begins is not None and ends != begins:
            code = "band_gap" if ends < begins else "band_overlap"
            yield Fault(member(member(at, index), "at_least"), code, f"the band before ends at {ends}")


def _group_faults(groups: Sequence[FactorGroup], at: str) -> Iterator[Fault]:
    yield from _duplicates([group.code for group in groups], at, "code")
    yield from _sum_faults([group.weight for group in groups], at)
    known: list[str] = []
    for index, group in enumerate(groups):
        place = member(member(at, index), "factors")
        yield from _sum_faults([rule.weight for rule in group.factors], place)
        for number, rule in enumerate(group.factors):
            if rule.code in known:
                yield Fault(member(member(place, number), "factor"), "duplicate", f"{rule.code!r} is there twice")
            known.append(rule.code)
            yield from band_faults(rule.bands, member(member(place, number), "bands"))


def _sum_faults(weights: Sequence[Decimal], at: str) -> Iterator[Fault]:
    if any(weight == 0 for weight in weights):
        yield Fault(at, "weight_zero", "every weight is above 0")
    if sum(weights) != HUNDRED:
        yield Fault(at, "weights_not_100", f"the weights are percentages: together {sum(weights)}, not 100")


def _item_faults(scorecard: Scorecard, at: str) -> Iterator[Fault]:
    """A factor that needs an item has one, the others have none, and a question that is asked is defined."""
    questions = {question.item for question in scorecard.questions}
    for rule, place in _rules(scorecard, at):
        if rule.factor is Factor.QUESTIONNAIRE and rule.item not in questions:
            message = f"the questions are {', '.join(sorted(questions)) or 'none'}"
            yield Fault(member(place, "item"), "unknown_question", message)
        elif rule.item is not None and rule.factor not in _WITH_ITEM:
            yield Fault(member(place, "item"), "item_unexpected", f"{rule.factor.value!r} has no items")


_WITH_ITEM: Final = {Factor.QUESTIONNAIRE, Factor.AGENCY_SCORE, Factor.AGENCY_PROBABILITY}


def _rules(scorecard: Scorecard, at: str) -> Iterator[tuple[FactorRule | KnockOut, str]]:
    for index, group in enumerate(scorecard.groups):
        for number, rule in enumerate(group.factors):
            yield rule, f"{at}/groups/{index}/factors/{number}"
    for index, knock_out in enumerate(scorecard.knock_outs):
        yield knock_out, f"{at}/knock_outs/{index}"


def _knock_out_faults(knock_outs: Sequence[KnockOut], at: str) -> Iterator[Fault]:
    yield from _duplicates([knock_out.code for knock_out in knock_outs], at, "code")
    for index, rule in enumerate(knock_outs):
        if rule.at_least is None and rule.below is None:
            yield Fault(member(at, index), "bound_required", "at_least or below says what is not tolerated")
        elif rule.at_least is not None and rule.below is not None and rule.at_least >= rule.below:
            message = f"no value is at least {rule.at_least} and below {rule.below}"
            yield Fault(member(at, index), "band_empty", message)


def _cap_faults(caps: Sequence[ConfidenceCap], at: str) -> Iterator[Fault]:
    for index in range(1, len(caps)):
        if caps[index].below >= caps[index - 1].below:
            yield Fault(member(member(at, index), "below"), "not_falling", "caps are given from high to low confidence")


def _calibration_faults(points: Sequence[CalibrationPoint], at: str) -> Iterator[Fault]:
    """A higher score must mean a lower probability, and neither certainty can be calibrated."""
    for index, point in enumerate(points):
        place = member(at, index)
        if not 0 < point.probability_percent < HUNDRED:
            message = "a probability is above 0 and below 100 percent"
            yield Fault(member(place, "probability_percent"), "out_of_range", message)
        if index and point.score <= points[index - 1].score:
            yield Fault(member(place, "score"), "not_rising", "scores are given from low to high")
        if index and point.probability_percent >= points[index - 1].probability_percent:
            message = "a higher score means a lower probability of default"
            yield Fault(member(place, "probability_percent"), "not_falling", message)


def _question_faults(questions: Sequence[Question], at: str) -> Iterator[Fault]:
    yield from _duplicates([question.item for question in questions], at, "item")
    for index, question in enumerate(questions):
        if question.lowest >= question.highest:
            yield Fault(member(member(at, index), "highest"), "not_rising", f"above {question.lowest} is expected here")


def _duplicates(names: Iterable[str], at: str, name: str) -> Iterator[Fault]:
    known: set[str] = set()
    for index, each in enumerate(names):
        if each in known:
            yield Fault(member(member(at, index), name), "duplicate", f"{each!r} is there twice")
        known.add(each)
