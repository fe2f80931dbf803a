"""Financial statements on the wire."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import Field

from app.domains.credit_data.core.records import Filed
from app.domains.credit_data.core.statements import FIGURES, Figures, FinancialStatement
from app.domains.credit_data.schemas.parts import RecordOut, origin_of, plain
from app.infra.http.fields import AmountText, CurrencyCode, Flag, Line, MoneyText, Whole, Wire

Figure = AmountText | None
FigureOut = MoneyText | None


class FiguresIn(Wire):
    """The figures of a period, in the statement's currency; any may be absent, those given must agree within 1 %.

    Costs, interest and depreciation are positive. Flows are of the whole period, stocks of its last day.
    """

    revenue: Figure = None
    cost_of_sales: Figure = None
    operating_expenses: Figure = None
    ebit: Figure = None
    interest_expense: Figure = None
    profit_before_tax: Figure = None
    net_income: Figure = None
    depreciation: Figure = None
    total_assets: Figure = None
    current_assets: Figure = None
    cash: Figure = None
    receivables: Figure = None
    inventory: Figure = None
    fixed_assets: Figure = None
    intangible_assets: Figure = None
    current_liabilities: Figure = None
    total_liabilities: Figure = None
    long_term_debt: Figure = None
    equity: Figure = None
    retained_earnings: Figure = None
    operating_cash_flow: Figure = None
    purchases: Figure = None
    market_value: Figure = None


class FiguresOut(Wire):
    """The figures of a period; null where the statement doesn't say."""

    revenue: FigureOut
    cost_of_sales: FigureOut
    operating_expenses: FigureOut
    ebit: FigureOut
    interest_expense: FigureOut
    profit_before_tax: FigureOut
    net_income: FigureOut
    depreciation: FigureOut
    total_assets: FigureOut
    current_assets: FigureOut
    cash: FigureOut
    receivables: FigureOut
    inventory: FigureOut
    fixed_assets: FigureOut
    intangible_assets: FigureOut
    current_liabilities: FigureOut
    total_liabilities: FigureOut
    long_term_debt: FigureOut
    equity: FigureOut
    retained_earnings: FigureOut
    operating_cash_flow: FigureOut
    purchases: FigureOut
    market_value: FigureOut


class StatementIn(Wire):
    """A financial statement; the day its period ends is in the path."""

    currency: CurrencyCode
    months: Annotated[Whole, Field(ge=1, le=24)] = 12
    audited: Flag = False
    source: Line = "customer"
    figures: FiguresIn

    def statement(self, period_end: date) -> FinancialStatement:
        """As the core knows it."""
        figures = Figures(**{name: getattr(self.figures, name) for name in FIGURES})
        return FinancialStatement(period_end, self.months, self.currency, self.audited, figures)


class StatementOut(RecordOut):
    """A financial statement."""

    period_end: date
    currency: str
    months: int
    audited: bool
    figures: FiguresOut


def statement_out(record: Filed[FinancialStatement]) -> StatementOut:
    """A statement as it travels."""
    statement = record.content
    return StatementOut(
        **origin_of(record),
        period_end=statement.period_end,
        currency=statement.currency,
        months=statement.months,
        audited=statement.audited,
        figures=FiguresOut(**{name: plain(getattr(statement.figures, name)) for name in FIGURES}),
    )
