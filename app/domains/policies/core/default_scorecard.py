"""The scorecard that a new segment starts with; `docs/scorecard.md` says what it was calibrated on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.domains.policies.core.default_tables import WORST_CLASS, agency_ratings, class_risk, country_risks


def default_scorecard() -> dict[str, Any]:
    """The section, everything spelled out."""
    return {
        "groups": [_group(*group) for group in _GROUPS],
        "calibration": [{"score": score, "probability_percent": percent} for score, percent in _CALIBRATION],
        "knock_outs": [
            _knock_out("insolvent", "insolvency", "1", "H", 1825),
            _knock_out("serious_event", "adverse_severity", "4", "F", 730),
            *(_country_ceiling(*ceiling) for ceiling in _COUNTRY_CEILINGS),
        ],
        "confidence_caps": [{"below": "30", "grade": "C"}, {"below": "15", "grade": "E"}],
        "trust": {"own_experience": "100", "audited": "100", "agency": "90", "self_declared": "60"},
        "country_risk": country_risks(),
        "industry_risk": {},
        "agency_ratings": agency_ratings(),
        "questions": [_question(*question) for question in _QUESTIONS],
    }


_Factor = tuple[str, int, int, int | None, str]
"""Code (with its item after a dot), weight, points where nothing is known, maximum age in days, bands."""

_TWO_YEARS = 730

_GROUPS: Sequence[tuple[str, int, Sequence[_Factor]]] = (
    (
        "financial",
        40,
        (
            (
                "equity_ratio",
                40,
                30,
                _TWO_YEARS,
                "0 | -0.2: 8 | 0: 15 | 0.1: 25 | 0.2: 40 | 0.3: 60 | 0.4: 75 | 0.5: 90 | 0.65: 100",
            ),
            (
                "return_on_assets",
                20,
                30,
                _TWO_YEARS,
                "0 | -0.3: 10 | -0.15: 20 | -0.05: 35 | 0: 60 | 0.02: 75 | 0.05: 90 | 0.1: 100",
            ),
            (
                "cash_flow_to_liabilities",
                20,
                30,
                _TWO_YEARS,
                "0 | -0.2: 10 | -0.05: 20 | 0: 35 | 0.05: 60 | 0.1: 80 | 0.2: 90 | 0.4: 100",
            ),
            ("quick_ratio", 20, 40, _TWO_YEARS, "0 | 0.3: 10 | 0.5: 25 | 0.7: 50 | 1: 75 | 1.5: 90 | 2: 100"),
        ),
    ),
    (
        "market",
        15,
        (
            (
                "market_value_to_liabilities",
                100,
                50,
                _TWO_YEARS,
                "0 | 0.1: 20 | 0.2: 40 | 0.4: 55 | 0.8: 75 | 1.5: 85 | 3: 100",
            ),
        ),
    ),
    (
        "payment",
        25,
        (
            ("payment_index", 80, 50, None, "0 | 30: 15 | 40: 25 | 50: 40 | 60: 60 | 70: 80 | 80: 100"),
            ("share_on_time", 20, 50, None, "0 | 30: 20 | 50: 40 | 70: 60 | 85: 80 | 95: 100"),
        ),
    ),
    ("agency", 10, (("agency_score", 100, 50, 365, "0 | 20: 20 | 40: 45 | 60: 70 | 80: 100"),)),
    ("references", 5, (("references_days_late", 100, 50, 365, "100 | 1: 80 | 8: 60 | 16: 40 | 31: 20 | 61: 0"),)),
    (
        "judgement",
        5,
        (
            ("questionnaire.character", 40, 40, _TWO_YEARS, "0 | 2: 25 | 3: 50 | 4: 80 | 5: 100"),
            ("questionnaire.market_position", 30, 40, _TWO_YEARS, "0 | 2: 25 | 3: 50 | 4: 80 | 5: 100"),
            ("questionnaire.conditions", 30, 40, _TWO_YEARS, "0 | 2: 25 | 3: 50 | 4: 80 | 5: 100"),
        ),
    ),
)

_CALIBRATION: Sequence[tuple[str, str]] = (
    ("0", "10"),
    ("20", "3.8"),
    ("40", "1.4"),
    ("60", "0.5"),
    ("80", "0.18"),
    ("100", "0.06"),
)

_COUNTRY_CEILINGS: Sequence[tuple[int, str]] = ((5, "C"), (6, "D"), (7, "E"))
"""The class of country, and the best grade of a customer there: whoever earns well in a country that stops payments
abroad still can't pay."""

_QUESTIONS: Sequence[tuple[str, str, str]] = (
    (
        "character",
        "How reliable has the management been in its dealings? 1 poor, 5 excellent",
        "管理层诚信如何？1 差，5 优",
    ),
    ("market_position", "How strong is its position in its market? 1 weak, 5 leading", "市场地位如何？1 弱，5 领先"),
    (
        "conditions",
        "How are its industry and region doing? 1 in crisis, 5 thriving",
        "行业与地区景气如何？1 危机，5 繁荣",
    ),
)


def _group(code: str, weight: int, factors: Sequence[_Factor]) -> dict[str, Any]:
    return {"code": code, "weight": str(weight), "factors": [_factor(*factor) for factor in factors]}


def _factor(code: str, weight: int, missing: int, max_age_days: int | None, bands: str) -> dict[str, Any]:
    factor, _, item = code.partition(".")
    return {
        "factor": factor,
        "item": item or None,
        "weight": str(weight),
        "missing": str(missing),
        "max_age_days": max_age_days,
        "bands": _bands(bands),
    }


def _bands(text: str) -> list[dict[str, Any]]:
    """`0 | 1: 50 | 2: 100` is: below 1 no points, from 1 to below 2 fifty, from 2 on a hundred."""
    lowest, *rest = (part.strip() for part in text.split("|"))
    cuts = [part.split(":") for part in rest]
    ends = [cut.strip() for cut, _ in cuts]
    return [
        {"points": points.strip(), "at_least": at_least, "below": below}
        for points, at_least, below in zip(
            [lowest, *(points for _, points in cuts)], [None, *ends], [*ends, None], strict=True
        )
    ]


def _country_ceiling(number: int, grade: str) -> dict[str, Any]:
    below = None if number == WORST_CLASS else str(class_risk(number + 1))
    return _knock_out(f"country_class_{number}", "country_risk", str(class_risk(number)), grade, None, below)


def _knock_out(
    code: str, factor: str, at_least: str, grade: str, max_age_days: int | None, below: str | None = None
) -> dict[str, Any]:
    return {
        "code": code,
        "factor": factor,
        "item": None,
        "at_least": at_least,
        "below": below,
        "grade": grade,
        "max_age_days": max_age_days,
    }


def _question(item: str, question: str, question_zh: str) -> dict[str, Any]:
    return {"item": item, "question": question, "question_zh": question_zh, "lowest": 1, "highest": 5}
