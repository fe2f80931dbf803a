"""Ohlson's O-score."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

from app.domains.assessments.core import figures as derived
from app.domains.assessments.core.factors import ratios
from app.domains.assessments.core.factors.asked import Asked, Reading, over, reading
from app.domains.assessments.core.facts import Statement
from app.domains.policies.core.factors import Factor

MILLION: Final = Decimal(1_000_000)


def o(last: Statement, before: Statement | None) -> Decimal | None:
    """The O-score. Lower is better; P = 1 / (1 + e^−O).

        O = −1.32 − 0.407 ln(TA/price index) + 6.03 TL/TA − 1.43 WC/TA + 0.0757 CL/CA − 1.72 [TL > TA] − 2.37 NI/TA
            − 1.83 FFO/TL + 0.285 [loss in both years] − 0.521 ΔNI/(|NI| + |NI₋₁|)

    TA total assets, here in millions of the statement's currency at a price index of 1, so that scores of companies in
    different currencies compare only by chance; TL total liabilities, WC working capital, CL and CA current liabilities
    and assets, NI net income, FFO net income plus depreciation. Without a statement of the year before, its two terms
    are 0. Ohlson, Financial Ratios and the Probabilistic Prediction of Bankruptcy, Journal of Accounting Research 18
    (1980).
    """
    size = _size(last)
    owed = ratios.liabilities_to_assets(last)
    capital = ratios.working_capital_to_assets(last)
    short = over(last.figures.current_liabilities, last.figures.current_assets)
    earned = ratios.return_on_assets(last)
    flow = ratios.cash_flow_to_liabilities(last)
    if size is None or owed is None or capital is None or short is None or earned is None or flow is None:
        return None
    return (
        Decimal("-1.32")
        - Decimal("0.407") * size
        + Decimal("6.03") * owed
        - Decimal("1.43") * capital
        + Decimal("0.0757") * short
        - (Decimal("1.72") if owed > 1 else 0)
        - Decimal("2.37") * earned
        - Decimal("1.83") * flow
        + _past(last, before)
    )


def _size(statement: Statement) -> Decimal | None:
    assets = statement.figures.total_assets
    return None if assets is None or assets <= 0 else (assets / MILLION).ln()


def _past(last: Statement, before: Statement | None) -> Decimal:
    """The terms that look at two years."""
    now = derived.annual(last.figures.net_income, last)
    then = None if before is None else derived.annual(before.figures.net_income, before)
    if now is None or then is None:
        return Decimal(0)
    losses = Decimal("0.285") if now < 0 and then < 0 else Decimal(0)
    turned = abs(now) + abs(then)
    return losses - (Decimal("0.521") * (now - then) / turned if turned else Decimal(0))


def _read(asked: Asked) -> Reading | None:
    last = derived.latest(asked.facts)
    if last is None:
        return None
    value = o(last, derived.year_before(asked.facts))
    return reading(value, last.source, last.independence, last.period_end)


FACTORS: Final[Mapping[Factor, Callable[[Asked], Reading | None]]] = {Factor.OHLSON: _read}
