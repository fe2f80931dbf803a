"""How well the scorecard ranks where figures are missing, as they are in statements of other countries and sources."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import localcontext
from pathlib import Path
from typing import Final

import numpy as np

from app.domains.assessments.core.assessment import PRECISION
from app.domains.assessments.core.facts import AssessmentFacts
from app.domains.assessments.core.scoring import score
from app.domains.policies.core.scorecard import Scorecard
from tests.validation.measures import auc
from tests.validation.statements import FIGURES, read_statements

SEED: Final = 7
LEFT_OUT: Final[Mapping[str, tuple[str, ...]]] = {
    "nothing": (),
    "market value": ("market_value",),
    "market value, inventory": ("market_value", "inventory"),
    "market value, everything current": ("market_value", "current_assets", "current_liabilities", "inventory"),
    "market value, depreciation": ("market_value", "depreciation"),
    "market value, total liabilities": ("market_value", "total_liabilities"),
    "market value, net income": ("market_value", "net_income"),
}


def robustness(path: Path, scorecard: Scorecard, *, after: int) -> str:
    """The table of AUC on the years after `after`, by what is left out of every statement."""
    chance = random.Random(SEED)
    ways: dict[str, Callable[[], tuple[str, ...]]] = {
        name: (lambda figures=figures: figures)  # type: ignore[misc]
        for name, figures in LEFT_OUT.items()
    }
    ways["market value, and each other figure in one of five"] = lambda: (
        "market_value",
        *(name for name in FIGURES if chance.random() < 0.2),
    )
    scored: list[tuple[float, ...]] = []
    with localcontext() as context:
        context.prec = PRECISION
        for year, outcome, facts in read_statements(path):
            if outcome and year > after:
                values = (float(score(without(facts, left_out()), scorecard).score) for left_out in ways.values())
                scored.append((float(outcome), *values))
    table = np.array(scored, dtype=np.float64)
    lines = ["| left out | AUC |", "|---|---|"]
    for column, name in enumerate(ways, start=1):
        lines.append(f"| {name} | {auc(table[:, column], table[:, 0]):.3f} |")
    return "\n".join(lines)


def without(facts: AssessmentFacts, figures: tuple[str, ...]) -> AssessmentFacts:
    """The facts with statements that do not give these figures."""
    nothing = dict.fromkeys(figures)
    statements = tuple(replace(each, figures=replace(each.figures, **nothing)) for each in facts.statements)
    return replace(facts, statements=statements)
