"""The scorecard that a new segment starts with; `docs/scorecard.md` says what it was calibrated on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def default_scorecard() -> dict[str, Any]:
    """The section, everything spelled out."""
    return {
        "groups": [_group(*group) for group in _GROUPS],
        "calibration": [{"score": score, "probability_percent": percent} for score, percent in _CALIBRATION],
        "knock_outs": [
            _knock_out("insolvent", "insolvency", "1", "H", 1825),
            _knock_out("serious_event", "adverse_severity", "4", "F", 730),
        ],
        "confidence_caps": [{"below": "50", "grade": "C"}, {"below": "25", "grade": "D"}],
        "trust": {"own_experience": "100", "audited": "100", "agency": "90", "self_declared": "60"},
        "country_risk": {},
        "industry_risk": {},
        "agency_ratings": {},
        "questions": [_question(*question) for question in _QUESTIONS],
    }


_Factor = tuple[str, int, int, int | None, str]
"""Code (with its item after a dot), weight, points where nothing is known, maximum age in days, bands."""

_YEARS_2 = 730

_GROUPS: Sequence[tuple[str, int, Sequence[_Factor]]] = (
    (
        "financial",
        50,
        (
            ("current_ratio", 10, 40, _YEARS_2, "0 | 0.8: 20 | 1: 40 | 1.2: 60 | 1.5: 80 | 2: 100"),
            ("equity_ratio", 30, 30, _YEARS_2, "0 | 0: 20 | 0.1: 40 | 0.2: 60 | 0.3: 80 | 0.5: 100"),
            ("return_on_assets", 30, 30, _YEARS_2, "0 | -0.05: 20 | 0: 40 | 0.02: 60 | 0.05: 80 | 0.1: 100"),
            ("cash_flow_to_liabilities", 30, 30, _YEARS_2, "0 | 0: 20 | 0.05: 40 | 0.1: 60 | 0.2: 80 | 0.4: 100"),
        ),
    ),
    (
        "payment",
        30,
        (
            ("payment_index", 70, 50, None, "0 | 30: 20 | 50: 40 | 60: 60 | 70: 80 | 80: 100"),
            ("share_on_time", 30, 50, None, "0 | 0.3: 25 | 0.5: 50 | 0.7: 75 | 0.9: 100"),
        ),
    ),
    ("agency", 20, (("agency_score", 100, 50, 365, "0 | 20: 25 | 40: 50 | 60: 75 | 80: 100"),)),
)

_CALIBRATION: Sequence[tuple[str, str]] = (("0", "10"), ("100", "0.1"))

_QUESTIONS: Sequence[tuple[str, str, str]] = ()


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


def _knock_out(code: str, factor: str, at_least: str, grade: str, max_age_days: int) -> dict[str, Any]:
    return {
        "code": code,
        "factor": factor,
        "item": None,
        "at_least": at_least,
        "below": None,
        "grade": grade,
        "max_age_days": max_age_days,
    }


def _question(item: str, question: str, question_zh: str) -> dict[str, Any]:
    return {"item": item, "question": question, "question_zh": question_zh, "lowest": 1, "highest": 5}
