"""Scores of agencies on any scale, in either direction."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.domains.credit_data.core.refusals import ReportEmpty, ScaleMissing, ScoreOutsideScale
from app.domains.credit_data.core.reports import CreditReport, Scale, normalised

CLASS = Scale(Decimal(1), Decimal(5), higher_is_better=False)
"""D&B's failure score class: 1 is best."""
PERCENTILE = Scale(Decimal(1), Decimal(100), higher_is_better=True)
"""D&B's failure score percentile: 1 is worst."""

numbers = st.decimals(-(10**6), 10**6, places=2)


def report(**said: Any) -> CreditReport:
    return CreditReport(agency="D&B", report_ref="R1", reported_on=date(2026, 1, 2), **said)


class TestNormalised:
    @pytest.mark.parametrize(("score", "expected"), [(1, "100.00"), (2, "75.00"), (3, "50.00"), (5, "0.00")])
    def test_turns_a_class_round(self, score: int, expected: str) -> None:
        assert str(normalised(Decimal(score), CLASS)) == expected

    @pytest.mark.parametrize(("score", "expected"), [(1, "0.00"), (100, "100.00"), (50, "49.49"), (51, "50.51")])
    def test_keeps_the_direction_of_a_percentile(self, score: int, expected: str) -> None:
        assert str(normalised(Decimal(score), PERCENTILE)) == expected

    def test_tells_the_same_customer_from_both(self) -> None:
        good = normalised(Decimal(1), CLASS), normalised(Decimal(99), PERCENTILE)
        bad = normalised(Decimal(5), CLASS), normalised(Decimal(2), PERCENTILE)
        assert min(good) > Decimal(95)
        assert max(bad) < Decimal(5)

    @given(low=numbers, high=numbers, one=numbers, other=numbers, rising=st.booleans())
    def test_is_monotone_and_within_0_and_100(
        self, low: Decimal, high: Decimal, one: Decimal, other: Decimal, rising: bool
    ) -> None:
        assume(low < high)
        scale = Scale(low, high, rising)
        worse, better = sorted((one, other), reverse=not rising)
        assert 0 <= normalised(worse, scale) <= normalised(better, scale) <= 100

    @given(low=numbers, high=numbers, score=numbers)
    def test_mirrors_the_other_direction(self, low: Decimal, high: Decimal, score: Decimal) -> None:
        assume(low < high)
        both = normalised(score, Scale(low, high, True)) + normalised(score, Scale(low, high, False))
        assert abs(both - 100) <= Decimal("0.01")


class TestCheck:
    @pytest.mark.parametrize(
        ("said", "refusal", "pointer"),
        [
            ({}, ReportEmpty, ""),
            ({"score": Decimal(3)}, ScaleMissing, "/scale"),
            ({"score": Decimal(6), "scale": CLASS}, ScoreOutsideScale, "/score"),
            ({"score": Decimal(0), "scale": PERCENTILE}, ScoreOutsideScale, "/score"),
            ({"rating": "A", "scale": Scale(Decimal(5), Decimal(1), False)}, ScoreOutsideScale, "/scale/max"),
        ],
    )
    def test_refuses_what_means_nothing(self, said: dict[str, Any], refusal: type[Exception], pointer: str) -> None:
        with pytest.raises(refusal) as refused:
            report(**said).check()
        assert [fault.pointer for fault in refused.value.faults] == [pointer]  # type: ignore[attr-defined]

    @pytest.mark.parametrize("said", [{"rating": "BBB"}, {"score": Decimal(5), "scale": CLASS}])
    def test_accepts_a_rating_or_a_score_on_its_scale(self, said: dict[str, Any]) -> None:
        report(**said).check()
