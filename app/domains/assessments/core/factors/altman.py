"""Altman's Z-scores. Higher is better; each model has zones of its own, which must not be mixed up.

WC working capital, TA total assets, TL total liabilities, RE retained earnings, MVE market value of equity, BVE book
equity, S sales; ratios as decimals, flows of twelve months. Without liabilities the equity term has no end, and so the
score has none.
"""

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

EM_CONSTANT: Final = Decimal("3.25")


def z(statement: Statement) -> Decimal | None:
    """Z of listed manufacturers: 1.2 WC/TA + 1.4 RE/TA + 3.3 EBIT/TA + 0.6 MVE/TL + 0.999 S/TA.

    Distress below 1.81, safe above 2.99. Altman, Financial Ratios, Discriminant Analysis and the Prediction of
    Corporate Bankruptcy, Journal of Finance 23 (1968).
    """
    return _weighted(
        (Decimal("1.2"), ratios.working_capital_to_assets(statement)),
        (Decimal("1.4"), ratios.retained_earnings_to_assets(statement)),
        (Decimal("3.3"), ratios.ebit_to_assets(statement)),
        (Decimal("0.6"), ratios.market_value_to_liabilities(statement)),
        (Decimal("0.999"), ratios.asset_turnover(statement)),
    )


def z_private(statement: Statement) -> Decimal | None:
    """Z′ of private manufacturers: 0.717 WC/TA + 0.847 RE/TA + 3.107 EBIT/TA + 0.420 BVE/TL + 0.998 S/TA.

    Distress below 1.23, safe above 2.90. Altman, Corporate Financial Distress (1983).
    """
    return _weighted(
        (Decimal("0.717"), ratios.working_capital_to_assets(statement)),
        (Decimal("0.847"), ratios.retained_earnings_to_assets(statement)),
        (Decimal("3.107"), ratios.ebit_to_assets(statement)),
        (Decimal("0.420"), _equity_to_liabilities(statement)),
        (Decimal("0.998"), ratios.asset_turnover(statement)),
    )


def z_double_prime(statement: Statement) -> Decimal | None:
    """Z″ of companies that make nothing: 6.56 WC/TA + 3.26 RE/TA + 6.72 EBIT/TA + 1.05 BVE/TL.

    Distress below 1.10, safe above 2.60. Altman (1983); Altman, Predicting Financial Distress of Companies (2000).
    """
    return _weighted(
        (Decimal("6.56"), ratios.working_capital_to_assets(statement)),
        (Decimal("3.26"), ratios.retained_earnings_to_assets(statement)),
        (Decimal("6.72"), ratios.ebit_to_assets(statement)),
        (Decimal("1.05"), _equity_to_liabilities(statement)),
    )


def em(statement: Statement) -> Decimal | None:
    """The score of emerging markets: Z″ + 3.25. Distress below 4.35, safe above 5.85, never the zones of Z″.

    Altman, Hartzell and Peck, Emerging Markets Corporate Bonds: A Scoring System (1995).
    """
    score = z_double_prime(statement)
    return None if score is None else score + EM_CONSTANT


def _equity_to_liabilities(statement: Statement) -> Decimal | None:
    return over(derived.equity(statement.figures), derived.liabilities(statement.figures))


def _weighted(*terms: tuple[Decimal, Decimal | None]) -> Decimal | None:
    total = Decimal(0)
    for weight, ratio in terms:
        if ratio is None:
            return None
        total += weight * ratio
    return total


FACTORS: Final[Mapping[Factor, Callable[[Asked], Reading | None]]] = {
    Factor.ALTMAN_Z: of_latest(z),
    Factor.ALTMAN_Z_PRIVATE: of_latest(z_private),
    Factor.ALTMAN_Z_DOUBLE_PRIME: of_latest(z_double_prime),
    Factor.ALTMAN_EM: of_latest(em),
}
