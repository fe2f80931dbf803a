"""The default policy on real data, where they are at hand: it ranks, out of time, as well as it is said to."""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from app.domains.policies.core.document import default_document, parse
from tests.validation.__main__ import FITTED_UNTIL, HEADROOM, RECEIVABLES, STATEMENTS, grades_of
from tests.validation.measures import auc, gini, kolmogorov_smirnov, logistic
from tests.validation.payments import payment_sample
from tests.validation.statements import Sample, sample

VARIABLE = "HEADROOM_VALIDATION_DATA"


def path_of(name: str) -> Path:
    """A file of the data; skips the test where there is none."""
    found = Path(os.environ.get(VARIABLE, "")) / name
    if VARIABLE not in os.environ or not found.is_file():
        pytest.skip(f"{VARIABLE} names no directory with {name}: data are not part of the product")
    return found


@pytest.fixture(scope="module")
def found() -> Sample:
    """Every statement, scored."""
    return sample(path_of(STATEMENTS))


@pytest.mark.slow
class TestScorecard:
    @pytest.mark.parametrize("name", HEADROOM)
    def test_ranks_later_years(self, found: Sample, name: str) -> None:
        later = found.year > FITTED_UNTIL
        assert auc(found.scores[name][later], found.bad[later]) >= 0.86

    @pytest.mark.parametrize("name", HEADROOM)
    def test_ranks_better_than_what_it_is_compared_with(self, found: Sample, name: str) -> None:
        later = found.year > FITTED_UNTIL
        own = auc(found.scores[name][later], found.bad[later])
        others = [auc(found.scores[other][later], found.bad[later]) for other in found.scores if other not in HEADROOM]
        assert own > max(others)

    @pytest.mark.parametrize("name", HEADROOM)
    def test_has_default_rates_that_rise_from_grade_to_grade(self, found: Sample, name: str) -> None:
        policy = parse(default_document())
        grades = np.array(grades_of(found.scores[name], policy))
        for years in (found.year <= FITTED_UNTIL, found.year > FITTED_UNTIL):
            rates = [found.bad[years & (grades == grade.name)].mean() for grade in policy.grades]
            assert all(better < worse for better, worse in pairwise(rates)), rates


@pytest.mark.slow
class TestPaymentIndex:
    def test_tells_who_will_pay_late(self) -> None:
        index, share, late = payment_sample(path_of(RECEIVABLES))
        assert auc(index, late) >= 0.87
        assert auc(share, late) >= 0.84


class TestMeasures:
    SCORE = np.array([1.0, 2.0, 2.0, 3.0, 4.0])
    BAD = np.array([1.0, 1.0, 0.0, 0.0, 0.0])

    def test_of_a_small_example_are_those_counted_by_hand(self) -> None:
        # of six pairs five rank right, and one is a tie
        assert auc(self.SCORE, self.BAD) == pytest.approx(5.5 / 6)
        assert gini(self.SCORE, self.BAD) == pytest.approx(5 / 6)
        assert kolmogorov_smirnov(self.SCORE, self.BAD) == pytest.approx(2 / 3)

    def test_of_one_score_for_all_say_nothing(self) -> None:
        same = np.ones(5)
        assert (auc(same, self.BAD), kolmogorov_smirnov(same, self.BAD)) == (0.5, 0.0)

    def test_fit_the_odds_of_two_groups(self) -> None:
        score = np.array([0.0] * 4 + [1.0] * 4)
        bad = np.array([1.0, 1, 1, 0, 1, 0, 0, 0])
        intercept, slope = logistic(score, bad)
        assert intercept == pytest.approx(np.log(3))
        assert slope == pytest.approx(-2 * np.log(3))
