"""The sections scorecard, grades and limits: what they refuse, and where they point."""

from __future__ import annotations

import copy
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domains.policies.core.document import default_document, faults, parse
from app.domains.policies.core.grades import DEFAULT_GRADES, grade_of
from app.domains.policies.core.limits import CapacityChoice
from app.domains.policies.core.merge_patch import merge_patch
from app.domains.policies.core.scorecard import Band

BAND = {"points": "50"}
FACTOR: dict[str, Any] = {"factor": "current_ratio", "weight": "100", "bands": [BAND]}
GROUP: dict[str, Any] = {"code": "financial", "weight": "100", "factors": [FACTOR]}
CALIBRATION = [{"score": 0, "probability_percent": "20"}, {"score": 100, "probability_percent": "0.1"}]
SMALL: dict[str, Any] = {"groups": [GROUP], "calibration": CALIBRATION}


def places(**sections: Any) -> list[tuple[str, str]]:
    """Pointer and code of every fault of the default document with other sections."""
    return [(fault.pointer, fault.code) for fault in faults(default_document() | sections)]


def with_factor(**members: Any) -> dict[str, Any]:
    """A scorecard of one factor."""
    return SMALL | {"groups": [GROUP | {"factors": [FACTOR | members]}]}


def with_bands(*ends: tuple[str | None, str | None]) -> dict[str, Any]:
    """A scorecard of one factor with bands that reach from and to."""
    return with_factor(bands=[{"points": 1, "at_least": low, "below": high} for low, high in ends])


def with_grades(*changes: dict[str, Any]) -> list[dict[str, Any]]:
    """The default grades, the first ones changed."""
    grades: list[dict[str, Any]] = copy.deepcopy(default_document()["grades"])
    for grade, change in zip(grades, changes, strict=False):
        grade |= merge_patch(grade, change)
    return grades


class TestScorecard:
    def test_is_the_default_one_where_it_stands_in_the_document(self) -> None:
        assert parse(default_document()).scorecard is not None

    def test_is_absent_where_none_is_given(self) -> None:
        assert parse({"order_checks": {}}).scorecard is None

    def test_may_be_as_small_as_one_factor(self) -> None:
        assert places(scorecard=SMALL) == []

    @pytest.mark.parametrize(
        ("bands", "pointer", "code"),
        [
            ([(None, "1"), ("2", None)], "/1/at_least", "band_gap"),
            ([(None, "2"), ("1", None)], "/1/at_least", "band_overlap"),
            ([("0", "1"), ("1", None)], "/0/at_least", "band_gap"),
            ([(None, "1"), ("1", "2")], "/1/below", "band_gap"),
            ([(None, None), (None, None)], "/1/at_least", "band_overlap"),
            ([(None, "1"), ("1", "1"), ("1", None)], "/1", "band_empty"),
            ([(None, "-1"), ("-1", "-2"), ("-2", None)], "/1", "band_empty"),
        ],
    )
    def test_refuses_gaps_and_overlaps_of_bands(
        self, bands: list[tuple[str | None, str | None]], pointer: str, code: str
    ) -> None:
        assert (f"/scorecard/groups/0/factors/0/bands{pointer}", code) in places(scorecard=with_bands(*bands))

    @pytest.mark.parametrize(
        ("scorecard", "pointer", "code"),
        [
            (with_factor(factor="luck"), "/groups/0/factors/0/factor", "unknown_choice"),
            (with_factor(weight=99), "/groups/0/factors", "weights_not_100"),
            (with_factor(item="x"), "/groups/0/factors/0/item", "item_unexpected"),
            (with_factor(factor="questionnaire"), "/groups/0/factors/0/item", "unknown_question"),
            (with_factor(bands=[]), "/groups/0/factors/0/bands", "wrong_length"),
            (with_factor(bands=[{"points": 101}]), "/groups/0/factors/0/bands/0/points", "out_of_range"),
            (SMALL | {"groups": [GROUP | {"weight": 50}]}, "/groups", "weights_not_100"),
            (
                SMALL | {"groups": [GROUP | {"factors": [FACTOR, FACTOR | {"weight": 0}]}]},
                "/groups/0/factors",
                "weight_zero",
            ),
            (SMALL | {"calibration": [*CALIBRATION[:1], *CALIBRATION[:1]]}, "/calibration/1/score", "not_rising"),
            (
                SMALL | {"calibration": [CALIBRATION[0], {"score": 50, "probability_percent": 20}]},
                "/calibration/1/probability_percent",
                "not_falling",
            ),
            (
                SMALL | {"calibration": [*CALIBRATION[:1], {"score": 50, "probability_percent": 0}]},
                "/calibration/1/probability_percent",
                "out_of_range",
            ),
            (
                SMALL | {"knock_outs": [{"code": "x", "factor": "insolvency", "grade": "H"}]},
                "/knock_outs/0",
                "bound_required",
            ),
            (
                SMALL | {"knock_outs": [{"code": "x", "factor": "insolvency", "grade": "Z", "at_least": 1}]},
                "/knock_outs/0/grade",
                "unknown_grade",
            ),
            (SMALL | {"confidence_caps": [{"below": 50, "grade": "Z"}]}, "/confidence_caps/0/grade", "unknown_grade"),
            (
                SMALL | {"confidence_caps": [{"below": 50, "grade": "D"}, {"below": 60, "grade": "D"}]},
                "/confidence_caps/1/below",
                "not_falling",
            ),
            (
                SMALL | {"questions": [{"item": "a", "question": "?", "lowest": 5}]},
                "/questions/0/highest",
                "not_rising",
            ),
            (SMALL | {"country_risk": {"CN": "-1"}}, "/country_risk/CN", "decimal_expected"),
            (SMALL | {"country_risk": {"": 1}}, "/country_risk/", "name_malformed"),
            (SMALL | {"agency_ratings": {"x": {}}}, "/agency_ratings/x", "wrong_length"),
            (SMALL | {"agency_ratings": {"x": {"A": 101}}}, "/agency_ratings/x/A", "out_of_range"),
        ],
    )
    def test_points_at_what_is_wrong(self, scorecard: dict[str, Any], pointer: str, code: str) -> None:
        assert (f"/scorecard{pointer}", code) in places(scorecard=scorecard)

    def test_refuses_a_factor_that_is_there_twice(self) -> None:
        factors = [FACTOR | {"weight": 50}, FACTOR | {"weight": 50}]
        scorecard = SMALL | {"groups": [GROUP | {"factors": factors}]}
        assert places(scorecard=scorecard) == [("/scorecard/groups/0/factors/1/factor", "duplicate")]

    def test_asks_different_questions_as_different_factors(self) -> None:
        asked = [FACTOR | {"factor": "questionnaire", "item": item, "weight": 50} for item in "ab"]
        questions = [{"item": item, "question": f"{item}?"} for item in "ab"]
        scorecard = SMALL | {"groups": [GROUP | {"factors": asked}], "questions": questions}
        assert places(scorecard=scorecard) == []

    @given(value=st.decimals(allow_nan=False, allow_infinity=False))
    def test_gives_every_value_exactly_one_band(self, value: Decimal) -> None:
        scorecard = parse(default_document()).scorecard
        assert scorecard is not None
        for group in scorecard.groups:
            for rule in group.factors:
                assert sum(band.holds(value) for band in rule.bands) == 1

    def test_counts_the_lower_end_to_a_band_and_not_the_upper(self) -> None:
        band = Band(Decimal(1), Decimal(0), Decimal(1))
        assert band.holds(Decimal(0))
        assert not band.holds(Decimal(1))


class TestGrades:
    def test_have_falling_scores_down_to_zero(self) -> None:
        scores = [grade.min_score for grade in DEFAULT_GRADES]
        assert scores == sorted(scores, reverse=True)
        assert scores[-1] == 0

    @given(score=st.decimals(min_value=0, max_value=100, allow_nan=False))
    def test_are_the_best_that_a_score_reaches(self, score: Decimal) -> None:
        grade = grade_of(DEFAULT_GRADES, score)
        better = DEFAULT_GRADES[: DEFAULT_GRADES.index(grade)]
        assert score >= grade.min_score
        assert all(score < each.min_score for each in better)

    @pytest.mark.parametrize(
        ("grades", "pointer", "code"),
        [
            (with_grades({}, {"min_score": 99}), "/1/min_score", "not_falling"),
            (with_grades({"min_score": 0}), "/1/min_score", "not_falling"),
            ([{"name": "A", "min_score": 1}], "/0/min_score", "grade_gap"),
            (with_grades({"terms": {"net_days": 1}}), "/1/terms", "not_monotone"),
            (with_grades({"terms": {"kind": "cash", "net_days": 0}}), "/1/terms", "not_monotone"),
            (with_grades({"terms": {"kind": "cash", "net_days": 5}}), "/0/terms/net_days", "net_days_unexpected"),
            (with_grades({"review_days": 1}), "/1/review_days", "not_monotone"),
            (with_grades({"limit_cap": 1}), "/1/limit_cap", "not_monotone"),
            (with_grades({}, {"limit_cap": None}, {"limit_cap": None}), "/3/limit_cap", None),
            (with_grades({"working_capital_percent": 0}), "/1/working_capital_percent", "not_monotone"),
        ],
    )
    def test_are_monotone_or_refused(self, grades: list[dict[str, Any]], pointer: str, code: str | None) -> None:
        assert ((f"/grades{pointer}", code) in places(grades=grades, scorecard=None)) is (code is not None)


class TestLimits:
    def test_are_off_where_none_are_given(self) -> None:
        assert parse({"order_checks": {}}).limits is None

    def test_use_the_middle_capacity_and_the_table_of_working_assets(self) -> None:
        limits = parse(default_document()).limits
        assert limits is not None
        assert limits.working_assets is not None
        assert limits.capacity is CapacityChoice.MEDIAN
        table = [(step.up_to, step.percent) for step in limits.working_assets.steps]
        assert table[:2] == [(Decimal("-4.6"), Decimal(0)), (Decimal("-3.9"), Decimal("2.5"))]
        assert table[-2:] == [(Decimal("1.0"), Decimal(20)), (None, Decimal(25))]

    @pytest.mark.parametrize(
        ("steps", "pointer", "code"),
        [
            ([{"percent": 1, "up_to": 1}], "/0/up_to", "step_end"),
            ([{"percent": 1}, {"percent": 2}], "/0/up_to", "step_end"),
            ([{"percent": 1, "up_to": 2}, {"percent": 2, "up_to": 2}, {"percent": 3}], "/1/up_to", "not_rising"),
            ([{"percent": 2, "up_to": 2}, {"percent": 1}], "/1/percent", "not_monotone"),
        ],
    )
    def test_refuse_a_table_that_is_none(self, steps: list[dict[str, Any]], pointer: str, code: str) -> None:
        assert places(limits={"working_assets": {"steps": steps}}) == [(f"/limits/working_assets/steps{pointer}", code)]

    def test_refuse_a_step_of_nothing(self) -> None:
        assert places(limits={"step": 0}) == [("/limits/step", "out_of_range")]
