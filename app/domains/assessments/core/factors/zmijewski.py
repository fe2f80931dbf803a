"""Zmijewski's score of financial distress."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

from app.domains.assessments.core.factors import ratios
from app.domains.assessments.core.factors.asked import Asked, Reading
from app.domains.assessments.core.factors.ratios import of_latest
from app.domains.assessments.core.facts import Statement
from app.domains.policies.core.factors import Factor


def x(statement: Statement) -> Decimal | None:
    """X = −4.336 − 4.513 NI/TA + 5.679 TL/TA + 0.004 CA/CL. Lower is better; distress above 0, P = Φ(X).

    NI net income, TA total assets, TL total liabilities, CA and CL current assets and liabilities; decimals.
    Zmijewski, Methodological Issues Related to the Estimation of Financial Distress Prediction Models, Journal of
    Accounting Research 22 (1984).
    """
    earned = ratios.return_on_assets(statement)
    owed = ratios.liabilities_to_assets(statement)
    liquid = ratios.current_ratio(statement)
    if earned is None or owed is None or liquid is None:
        return None
    return Decimal("-4.336") - Decimal("4.513") * earned + Decimal("5.679") * owed + Decimal("0.004") * liquid


FACTORS: Final[Mapping[Factor, Callable[[Asked], Reading | None]]] = {Factor.ZMIJEWSKI: of_latest(x)}
