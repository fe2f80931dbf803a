"""Springate's score of financial distress."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

from app.domains.assessments.core import figures as derived
from app.domains.assessments.core.factors import ratios
from app.domains.assessments.core.factors.asked import Asked, Reading, over
from app.domains.assessments.core.factors.ratios import of_latest
from app.domains.assessments.core.facts import Statement
from app.domains.policies.core.factors import Factor


def s(statement: Statement) -> Decimal | None:
    """S = 1.03 WC/TA + 3.07 EBIT/TA + 0.66 PBT/CL + 0.40 S/TA. Higher is better; distress below 0.862.

    WC working capital, TA total assets, PBT profit before tax, CL current liabilities, S sales; decimals.
    Springate, Predicting the Possibility of Failure in a Canadian Firm (Simon Fraser University, 1978).
    """
    capital = ratios.working_capital_to_assets(statement)
    earned = ratios.ebit_to_assets(statement)
    profit = derived.annual(statement.figures.profit_before_tax, statement)
    covered = over(profit, statement.figures.current_liabilities)
    turned = ratios.asset_turnover(statement)
    if capital is None or earned is None or covered is None or turned is None:
        return None
    return Decimal("1.03") * capital + Decimal("3.07") * earned + Decimal("0.66") * covered + Decimal("0.40") * turned


FACTORS: Final[Mapping[Factor, Callable[[Asked], Reading | None]]] = {Factor.SPRINGATE: of_latest(s)}
