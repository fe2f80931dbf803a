"""Ratios of the latest financial statement, as textbooks of financial analysis define them.

Unless a docstring says otherwise a ratio is a plain number (0.25, not 25 %), flows are those of twelve months, and a
factor without one of its figures is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

from app.domains.assessments.core import figures as derived
from app.domains.assessments.core.factors.asked import ENDLESS, Asked, Reading, over, per, reading
from app.domains.assessments.core.facts import Statement
from app.domains.policies.core.factors import Factor

Ratio = Callable[[Statement], Decimal | None]
YEAR_DAYS: Final = 365


def current_ratio(statement: Statement) -> Decimal | None:
    """Current assets / current liabilities."""
    return over(statement.figures.current_assets, statement.figures.current_liabilities)


def quick_ratio(statement: Statement) -> Decimal | None:
    """(Current assets − inventory) / current liabilities."""
    return over(derived.quick_assets(statement.figures), statement.figures.current_liabilities)


def cash_ratio(statement: Statement) -> Decimal | None:
    """Cash / current liabilities."""
    return over(statement.figures.cash, statement.figures.current_liabilities)


def equity_ratio(statement: Statement) -> Decimal | None:
    """Equity / total assets; negative where the company owes more than it has."""
    return per(derived.equity(statement.figures), statement.figures.total_assets)


def liabilities_to_assets(statement: Statement) -> Decimal | None:
    """Total liabilities / total assets."""
    return per(derived.liabilities(statement.figures), statement.figures.total_assets)


def debt_to_equity(statement: Statement) -> Decimal | None:
    """Total liabilities / equity; without end where equity is not positive, for a negative quotient would look good."""
    owed, equity = derived.liabilities(statement.figures), derived.equity(statement.figures)
    if owed is None or equity is None:
        return None
    return ENDLESS if equity <= 0 else owed / equity


def return_on_assets(statement: Statement) -> Decimal | None:
    """Net income / total assets."""
    return per(derived.annual(statement.figures.net_income, statement), statement.figures.total_assets)


def ebit_to_assets(statement: Statement) -> Decimal | None:
    """Earnings before interest and taxes / total assets."""
    return per(derived.annual(derived.ebit(statement.figures), statement), statement.figures.total_assets)


def ebit_margin(statement: Statement) -> Decimal | None:
    """Earnings before interest and taxes / revenue."""
    return per(derived.ebit(statement.figures), statement.figures.revenue)


def net_margin(statement: Statement) -> Decimal | None:
    """Net income / revenue."""
    return per(statement.figures.net_income, statement.figures.revenue)


def interest_cover(statement: Statement) -> Decimal | None:
    """Earnings before interest and taxes / interest expense; without end, in the sign of the earnings, without any."""
    return over(derived.ebit(statement.figures), statement.figures.interest_expense)


def cash_flow_to_liabilities(statement: Statement) -> Decimal | None:
    """(Net income + depreciation) / total liabilities."""
    flow = derived.annual(derived.cash_flow(statement.figures), statement)
    return over(flow, derived.liabilities(statement.figures))


def operating_cash_flow_to_liabilities(statement: Statement) -> Decimal | None:
    """Cash flow from operations / total liabilities."""
    flow = derived.annual(statement.figures.operating_cash_flow, statement)
    return over(flow, derived.liabilities(statement.figures))


def retained_earnings_to_assets(statement: Statement) -> Decimal | None:
    """Retained earnings / total assets."""
    return per(statement.figures.retained_earnings, statement.figures.total_assets)


def working_capital_to_assets(statement: Statement) -> Decimal | None:
    """(Current assets − current liabilities) / total assets."""
    return per(derived.working_capital(statement.figures), statement.figures.total_assets)


def asset_turnover(statement: Statement) -> Decimal | None:
    """Revenue / total assets, times a year."""
    return per(derived.annual(statement.figures.revenue, statement), statement.figures.total_assets)


def receivable_days(statement: Statement) -> Decimal | None:
    """Receivables / revenue × 365, in days."""
    return _days(statement.figures.receivables, statement.figures.revenue, statement)


def inventory_days(statement: Statement) -> Decimal | None:
    """Inventory / cost of sales × 365, in days."""
    return _days(statement.figures.inventory, statement.figures.cost_of_sales, statement)


def short_term_debt_days(statement: Statement) -> Decimal | None:
    """Current liabilities / revenue × 365: the days of sales that would pay what is due within a year."""
    return _days(statement.figures.current_liabilities, statement.figures.revenue, statement)


def market_value_to_liabilities(statement: Statement) -> Decimal | None:
    """Market value of the equity / total liabilities; listed companies only."""
    return over(statement.figures.market_value, derived.liabilities(statement.figures))


def sales_growth(asked: Asked) -> Reading | None:
    """Revenue / revenue of the year before, both of twelve months: 1.1 is a growth of 10 %."""
    last, before = derived.latest(asked.facts), derived.year_before(asked.facts)
    if last is None or before is None:
        return None
    value = per(derived.annual(last.figures.revenue, last), derived.annual(before.figures.revenue, before))
    return reading(value, last.source, last.independence, last.period_end)


def of_latest(ratio: Ratio) -> Callable[[Asked], Reading | None]:
    """The factor that reads `ratio` off the latest statement."""

    def read(asked: Asked) -> Reading | None:
        last = derived.latest(asked.facts)
        return None if last is None else reading(ratio(last), last.source, last.independence, last.period_end)

    return read


def _days(stock: Decimal | None, flow: Decimal | None, statement: Statement) -> Decimal | None:
    turned = per(stock, derived.annual(flow, statement))
    return None if turned is None else turned * YEAR_DAYS


FACTORS: Final[Mapping[Factor, Callable[[Asked], Reading | None]]] = {
    Factor.CURRENT_RATIO: of_latest(current_ratio),
    Factor.QUICK_RATIO: of_latest(quick_ratio),
    Factor.CASH_RATIO: of_latest(cash_ratio),
    Factor.EQUITY_RATIO: of_latest(equity_ratio),
    Factor.LIABILITIES_TO_ASSETS: of_latest(liabilities_to_assets),
    Factor.DEBT_TO_EQUITY: of_latest(debt_to_equity),
    Factor.RETURN_ON_ASSETS: of_latest(return_on_assets),
    Factor.EBIT_TO_ASSETS: of_latest(ebit_to_assets),
    Factor.EBIT_MARGIN: of_latest(ebit_margin),
    Factor.NET_MARGIN: of_latest(net_margin),
    Factor.INTEREST_COVER: of_latest(interest_cover),
    Factor.CASH_FLOW_TO_LIABILITIES: of_latest(cash_flow_to_liabilities),
    Factor.OPERATING_CASH_FLOW_TO_LIABILITIES: of_latest(operating_cash_flow_to_liabilities),
    Factor.RETAINED_EARNINGS_TO_ASSETS: of_latest(retained_earnings_to_assets),
    Factor.WORKING_CAPITAL_TO_ASSETS: of_latest(working_capital_to_assets),
    Factor.ASSET_TURNOVER: of_latest(asset_turnover),
    Factor.SALES_GROWTH: sales_growth,
    Factor.RECEIVABLE_DAYS: of_latest(receivable_days),
    Factor.INVENTORY_DAYS: of_latest(inventory_days),
    Factor.SHORT_TERM_DEBT_DAYS: of_latest(short_term_debt_days),
    Factor.MARKET_VALUE_TO_LIABILITIES: of_latest(market_value_to_liabilities),
}
