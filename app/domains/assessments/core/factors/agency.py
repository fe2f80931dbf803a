"""What agencies and other suppliers say. Of several agencies the worst counts, each by its latest current report."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from statistics import median_low
from typing import Final

from app.domains.assessments.core.factors.asked import Asked, Reading, reading
from app.domains.assessments.core.facts import Report
from app.domains.policies.core.factors import Factor, Independence

REFERENCES: Final = "trade references"


def agency_score(asked: Asked) -> Reading | None:
    """The score of a report on a scale from 0, worst, to 100, best, whatever the direction of the agency's own scale.

    A report with a rating only takes the policy's table of that agency's ratings.
    """
    scored = [(score, report) for report in _latest(asked) if (score := _score(asked, report)) is not None]
    if not scored:
        return None
    score, report = min(scored, key=lambda pair: pair[0])
    return reading(score, report.agency, Independence.AGENCY, report.reported_on)


def agency_probability(asked: Asked) -> Reading | None:
    """The probability of default within twelve months that an agency gives, in percent."""
    given = [
        (report.probability_of_default, report)
        for report in _latest(asked)
        if report.probability_of_default is not None
    ]
    if not given:
        return None
    probability, report = max(given, key=lambda pair: pair[0])
    return reading(probability * 100, report.agency, Independence.AGENCY, report.reported_on)


def references_days_late(asked: Asked) -> Reading | None:
    """The median of the days late that current trade references report; of an even number the lower in the middle."""
    given = [
        each for each in asked.facts.references if each.days_late is not None and asked.is_current(each.reported_on)
    ]
    if not given:
        return None
    late = median_low(each.days_late for each in given if each.days_late is not None)
    newest = max(each.reported_on for each in given)
    return reading(late, REFERENCES, Independence.AGENCY, newest)


def _latest(asked: Asked) -> Sequence[Report]:
    """The latest current report of each agency, or of the one asked about."""
    latest: dict[str, Report] = {}
    for report in asked.facts.reports:
        if asked.is_current(report.reported_on) and asked.item in (None, report.agency):
            latest.setdefault(report.agency, report)
    return list(latest.values())


def _score(asked: Asked, report: Report) -> Decimal | None:
    if report.score is not None or report.rating is None:
        return report.score
    return asked.scorecard.agency_ratings.get(report.agency, {}).get(report.rating)


FACTORS: Final[Mapping[Factor, Callable[[Asked], Reading | None]]] = {
    Factor.AGENCY_SCORE: agency_score,
    Factor.AGENCY_PROBABILITY: agency_probability,
    Factor.REFERENCES_DAYS_LATE: references_days_late,
}
