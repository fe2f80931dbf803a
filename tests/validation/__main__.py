"""Validates the default policy on real data, and prints the tables that `docs/scorecard.md` quotes.

    python -m tests.validation DIRECTORY

The directory holds `us_statements_1999_2011.csv.gz` and `receivables_2012_2013.csv`; what is not there is left out, and
said so.
"""

from __future__ import annotations

import argparse
from decimal import Decimal
from pathlib import Path
from typing import Final

import numpy as np

from app.domains.assessments.core.grading import probability_at
from app.domains.policies.core.document import Policy, default_document, parse
from app.domains.policies.core.grades import grade_of
from tests.validation.measures import Floats, auc, gini, kolmogorov_smirnov, logistic
from tests.validation.payments import payment_sample
from tests.validation.robustness import robustness
from tests.validation.statements import Sample, sample

STATEMENTS: Final = "us_statements_1999_2011.csv.gz"
RECEIVABLES: Final = "receivables_2012_2013.csv"
FITTED_UNTIL: Final = 2008
HEADROOM: Final = ("Headroom, listed", "Headroom, book figures only")


def power(found: Sample) -> str:
    """The table of AUC, Gini and KS by score, on the years of the fit and on those after."""
    lines = ["| score | AUC –2008 | AUC 2009– | Gini 2009– | KS 2009– |", "|---|---|---|---|---|"]
    fitted, later = found.year <= FITTED_UNTIL, found.year > FITTED_UNTIL
    for name, values in found.scores.items():
        cells = (
            auc(values[fitted], found.bad[fitted]),
            auc(values[later], found.bad[later]),
            gini(values[later], found.bad[later]),
            kolmogorov_smirnov(values[later], found.bad[later]),
        )
        lines.append(f"| {name} | " + " | ".join(f"{cell:.3f}" for cell in cells) + " |")
    return "\n".join(lines)


def grades_of(values: Floats, policy: Policy) -> list[str]:
    """The grade of each score, nothing capped."""
    return [grade_of(policy.grades, Decimal(str(round(float(value), 2)))).name for value in values]


def by_grade(found: Sample, name: str, policy: Policy) -> str:
    """The table of companies, bankruptcies and their rate by grade beside the probability that the policy gives."""
    assert policy.scorecard is not None, "the default policy has one"
    grades, values = np.array(grades_of(found.scores[name], policy)), found.scores[name]
    lines = [
        "| grade | –2008 | bankrupt | rate | 2009– | bankrupt | rate | expected |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for grade in policy.grades:
        cells = []
        for years in (found.year <= FITTED_UNTIL, found.year > FITTED_UNTIL):
            within = years & (grades == grade.name)
            cells += [f"{within.sum():,}", f"{int(found.bad[within].sum())}", f"{100 * found.bad[within].mean():.2f} %"]
        scores = values[(found.year > FITTED_UNTIL) & (grades == grade.name)]
        curve = policy.scorecard.calibration
        expected = np.mean([float(probability_at(curve, Decimal(str(round(float(value), 2))))) for value in scores])
        lines.append(f"| {grade.name} | " + " | ".join([*cells, f"{100 * expected:.2f} %"]) + " |")
    return "\n".join(lines)


def calibration(found: Sample, policy: Policy) -> str:
    """The curve of the policy beside the one fitted on the years until 2008 and all that is known of a company."""
    assert policy.scorecard is not None, "the default policy has one"
    fitted = found.year <= FITTED_UNTIL
    intercept, slope = logistic(found.scores[HEADROOM[0]][fitted], found.bad[fitted])
    lines = [f"ln(odds) = {intercept:.3f} − {-slope:.4f} × score", "", "| score | fitted | policy |", "|---|---|---|"]
    for point in policy.scorecard.calibration:
        chance = 100 / (1 + np.exp(-(intercept + slope * float(point.score))))
        lines.append(f"| {point.score} | {chance:.2f} % | {point.probability_percent} % |")
    return "\n".join(lines)


def payments(path: Path) -> str:
    """The table of AUC for *will be paid late*, point in time."""
    index, share, late = payment_sample(path)
    rows = [("payment index", index), ("share on time", share)]
    lines = [f"{len(late):,} invoices, {int(late.sum()):,} paid late", "", "| figure | AUC | KS |", "|---|---|---|"]
    return "\n".join(
        [*lines, *(f"| {name} | {auc(v, late):.3f} | {kolmogorov_smirnov(v, late):.3f} |" for name, v in rows)]
    )


def main() -> None:
    """Prints every table that the data at hand allow."""
    parser = argparse.ArgumentParser(prog="python -m tests.validation", description=__doc__)
    parser.add_argument("directory", type=Path)
    directory = parser.parse_args().directory
    policy = parse(default_document())
    if (directory / STATEMENTS).is_file():
        found = sample(directory / STATEMENTS)
        print("# Bankruptcy within twelve months\n", power(found), sep="\n")
        for name in HEADROOM:
            print(f"\n## {name}\n", by_grade(found, name, policy), sep="\n")
        print("\n## Calibration\n", calibration(found, policy), sep="\n")
        assert policy.scorecard is not None, "the default policy has one"
        table = robustness(directory / STATEMENTS, policy.scorecard, after=FITTED_UNTIL)
        print("\n## Missing figures, 2009–\n", table, sep="\n")
    else:
        print(f"skipped: there is no {STATEMENTS} in {directory}")
    if (directory / RECEIVABLES).is_file():
        print("\n# Will an invoice be paid late?\n", payments(directory / RECEIVABLES), sep="\n")
    else:
        print(f"skipped: there is no {RECEIVABLES} in {directory}")


if __name__ == "__main__":
    main()
