"""The tables of the default scorecard: whole, in order, and no more than starting values."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest

from app.domains.assessments.core.grading import probability_at
from app.domains.customers.core.countries import COUNTRIES
from app.domains.policies.core.default_tables import WORST_CLASS, agency_ratings, class_risk, country_risks
from app.domains.policies.core.document import default_document, parse

ORDER = (
    *("AAA", "AA+", "AA", "AA-", "A+", "A", "A-", "BBB+", "BBB", "BBB-", "BB+", "BB", "BB-", "B+", "B", "B-"),
    *("CCC+", "CCC", "CCC-", "CC", "C"),
)
LONG_RUN_PERCENT = {"BBB": "0.18", "BB": "0.72", "B": "3.76"}


class TestCountryRisks:
    def test_are_of_countries_that_customers_can_be_of(self) -> None:
        assert set(country_risks()) <= set(COUNTRIES)
        assert len(country_risks()) > 150

    @pytest.mark.parametrize(
        ("country", "number"), [("DE", 0), ("PL", 0), ("SG", 0), ("CN", 2), ("TW", 2), ("IN", 3), ("TR", 5), ("UA", 7)]
    )
    def test_follow_the_class(self, country: str, number: int) -> None:
        assert country_risks()[country] == str(class_risk(number))

    def test_rise_from_0_to_100(self) -> None:
        risks = [class_risk(number) for number in range(WORST_CLASS + 1)]
        assert (risks[0], risks[-1]) == (0, 100)
        assert all(better < worse for better, worse in pairwise(risks))


class TestAgencyRatings:
    @pytest.mark.parametrize("agency", ["S&P", "Fitch"])
    def test_fall_from_letter_to_letter(self, agency: str) -> None:
        points = [int(agency_ratings()[agency][letter]) for letter in ORDER]
        assert (points[0], points[-1], agency_ratings()[agency]["D"]) == (100, 0, "0")
        assert all(better > worse for better, worse in pairwise(points))

    def test_of_moodys_are_those_of_the_others_in_its_letters(self) -> None:
        assert list(agency_ratings()["Moody's"].values()) == [agency_ratings()["S&P"][letter] for letter in ORDER]
        assert agency_ratings()["Moody's"]["Baa3"] == agency_ratings()["S&P"]["BBB-"]

    @pytest.mark.parametrize(("letter", "percent"), LONG_RUN_PERCENT.items())
    def test_mean_the_default_rate_of_the_letter(self, letter: str, percent: str) -> None:
        scorecard = parse(default_document()).scorecard
        assert scorecard is not None
        found = 100 * probability_at(scorecard.calibration, Decimal(agency_ratings()["S&P"][letter]))
        assert abs(found / Decimal(percent) - 1) < Decimal("0.05")
