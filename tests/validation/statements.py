"""Yearly statements of companies with what became of them, scored by Headroom and by the models it is compared with.

The file has a line for each company and year: `company`, `year`, figures in millions, and `bankrupt_within_12_months`,
1 or 0, empty where nobody knows. The scores of Headroom are those of its own core under the default policy.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Final

import numpy as np

from app.domains.assessments.core.assessment import PRECISION
from app.domains.assessments.core.factors import read
from app.domains.assessments.core.factors.asked import Asked
from app.domains.assessments.core.facts import AssessmentFacts, Company, Statement
from app.domains.assessments.core.scoring import score
from app.domains.credit_data.core.statements import Figures
from app.domains.policies.core.document import default_document, parse
from app.domains.policies.core.factors import Factor, Independence
from app.domains.policies.core.scorecard import Scorecard
from tests.validation.measures import Floats

MILLION: Final = Decimal(1_000_000)
FIGURES: Final = {
    "revenue": "revenue",
    "cost_of_sales": "cost_of_sales",
    "operating_expenses": "operating_expenses",
    "ebit": "ebit",
    "net_income": "net_income",
    "depreciation": "depreciation",
    "total_assets": "total_assets",
    "current_assets": "current_assets",
    "receivables": "receivables",
    "inventory": "inventory",
    "current_liabilities": "current_liabilities",
    "total_liabilities": "total_liabilities",
    "long_term_debt": "long_term_debt",
    "retained_earnings": "retained_earnings",
    "market_value": "market_value",
}
"""Our names of the figures, and the columns they stand in."""

EXPERT: Final[tuple[tuple[Factor, str, str, str, int], ...]] = (
    (Factor.CURRENT_RATIO, "0.8 1 1.2 1.5 2", "0 2 4 6 8 10", "4", 10),
    (Factor.QUICK_RATIO, "0.4 0.7 1 1.5", "0 3 6 8 10", "4", 10),
    (Factor.EQUITY_RATIO, "0 0.1 0.2 0.3 0.5", "0 2 4 6 8 10", "3", 20),
    (Factor.RETURN_ON_ASSETS, "-0.05 0 0.02 0.05 0.1", "0 2 4 6 8 10", "3", 20),
    (Factor.INTEREST_COVER, "0 1 2 4 8", "0 2 4 6 8 10", "8", 10),
    (Factor.CASH_FLOW_TO_LIABILITIES, "0 0.05 0.1 0.2 0.4", "0 2 4 6 8 10", "3", 15),
    (Factor.SALES_GROWTH, "0.7 0.9 1 1.2", "0 3 5 8 9", "3", 5),
    (Factor.RECEIVABLE_DAYS, "30 60 90 120", "10 8 6 3 0", "4", 5),
    (Factor.SHORT_TERM_DEBT_DAYS, "30 60 90 150", "10 8 6 3 0", "4", 5),
)
"""A plain expert card, fixed beforehand: factor, cuts, points by interval, points for missing, weight."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Every company and year with a known outcome: the year, 1 for bankrupt within twelve months, and each score."""

    year: Floats
    bad: Floats
    scores: Mapping[str, Floats]


def read_statements(path: Path) -> Iterator[tuple[int, str, AssessmentFacts]]:
    """Year, outcome and facts of every line; the facts hold the statement of the year before too."""
    opening: Callable[..., object] = gzip.open if path.suffix == ".gz" else open
    with opening(path, "rt", newline="", encoding="utf-8-sig") as file:  # type: ignore[attr-defined]
        before: tuple[str, Statement] | None = None
        for line in csv.DictReader(file):
            statement = _statement(line)
            known = [statement]
            if before is not None and before[0] == line["company"]:
                known.append(before[1])
            before = (line["company"], statement)
            on = date(statement.period_end.year + 1, 3, 1)
            facts = AssessmentFacts(line["company"], "main", "USD", on, Company("US"), tuple(known))
            yield int(line["year"]), line["bankrupt_within_12_months"], facts


def sample(path: Path) -> Sample:
    """Scores every line of the file."""
    scorecard = parse(default_document()).scorecard
    assert scorecard is not None, "the default policy has one"
    scored: list[tuple[int, int, list[float]]] = []
    with localcontext() as context:
        context.prec = PRECISION
        for year, outcome, facts in read_statements(path):
            if outcome:
                scored.append((year, int(outcome), [rate(facts, scorecard) for rate in SCORES.values()]))
    table = np.array([values for _, _, values in scored], dtype=np.float64)
    return Sample(
        year=np.array([year for year, _, _ in scored], dtype=np.float64),
        bad=np.array([bad for _, bad, _ in scored], dtype=np.float64),
        scores={name: table[:, column] for column, name in enumerate(SCORES)},
    )


def _statement(line: Mapping[str, str]) -> Statement:
    figures = Figures(**{name: Decimal(line[column]) * MILLION for name, column in FIGURES.items() if line[column]})
    period_end = date(int(line["year"]), 12, 31)
    return Statement(period_end, 12, "annual report", Independence.AUDITED, figures, Decimal(1))


def _headroom(facts: AssessmentFacts, scorecard: Scorecard) -> float:
    return float(score(facts, scorecard).score)


def _headroom_book(facts: AssessmentFacts, scorecard: Scorecard) -> float:
    """As of a company that is not listed."""
    last = facts.statements[0]
    private = replace(last, figures=replace(last.figures, market_value=None))
    return _headroom(replace(facts, statements=(private, *facts.statements[1:])), scorecard)


def _expert(facts: AssessmentFacts, scorecard: Scorecard) -> float:
    points, weights = Decimal(0), 0
    for factor, cuts, by_interval, missing, weight in EXPERT:
        points += weight * _points(facts, scorecard, factor, cuts, by_interval, missing)
        weights += weight
    return float(points) * 10 / weights


def _points(
    facts: AssessmentFacts, scorecard: Scorecard, factor: Factor, cuts: str, points: str, missing: str
) -> Decimal:
    value = _value(facts, scorecard, factor)
    if value is None:
        return Decimal(missing)
    return Decimal(points.split()[sum(value >= Decimal(cut) for cut in cuts.split())])


def _value(facts: AssessmentFacts, scorecard: Scorecard, factor: Factor) -> Decimal | None:
    found = read(factor, Asked(facts, scorecard))
    return None if found is None else found.value


def _model(factor: Factor, sign: int) -> Callable[[AssessmentFacts, Scorecard], float]:
    """A model of the library, turned so that more is better; where it gives nothing, in between."""

    def rate(facts: AssessmentFacts, scorecard: Scorecard) -> float:
        value = _value(facts, scorecard, factor)
        return 0.0 if value is None else sign * float(value)

    return rate


SCORES: Final[Mapping[str, Callable[[AssessmentFacts, Scorecard], float]]] = {
    "Headroom, listed": _headroom,
    "Headroom, book figures only": _headroom_book,
    "Expert card": _expert,
    "Zmijewski": _model(Factor.ZMIJEWSKI, -1),
    "Ohlson": _model(Factor.OHLSON, -1),
    "Altman Z″": _model(Factor.ALTMAN_Z_DOUBLE_PRIME, 1),
}
"""What is compared, all of it turned so that a higher score is better."""
