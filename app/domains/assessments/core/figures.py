"""What follows from the figures of a statement: totals that it does not spell out, and flows of a whole year."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Final

from app.domains.assessments.core.facts import AssessmentFacts, Statement
from app.domains.credit_data.core.statements import Figures

YEAR_MONTHS: Final = 12
_YEAR_BEFORE: Final = (timedelta(days=330), timedelta(days=400))
"""How long before a statement the one of the year before ends: years of 52 or 53 weeks included."""


def latest(facts: AssessmentFacts) -> Statement | None:
    """The statement whose period ended last."""
    return facts.statements[0] if facts.statements else None


def year_before(facts: AssessmentFacts) -> Statement | None:
    """The statement of the year before the latest one."""
    last = latest(facts)
    if last is None:
        return None
    low, high = _YEAR_BEFORE
    return next((each for each in facts.statements if low <= last.period_end - each.period_end <= high), None)


def annual(amount: Decimal | None, statement: Statement) -> Decimal | None:
    """A flow of the period as one of twelve months."""
    return None if amount is None else amount * YEAR_MONTHS / statement.months


def equity(figures: Figures) -> Decimal | None:
    """Book equity; total assets less total liabilities where it is not given."""
    return figures.equity if figures.equity is not None else _less(figures.total_assets, figures.total_liabilities)


def liabilities(figures: Figures) -> Decimal | None:
    """Total liabilities; total assets less equity where they are not given."""
    if figures.total_liabilities is not None:
        return figures.total_liabilities
    return _less(figures.total_assets, figures.equity)


def working_capital(figures: Figures) -> Decimal | None:
    """Current assets less current liabilities."""
    return _less(figures.current_assets, figures.current_liabilities)


def quick_assets(figures: Figures) -> Decimal | None:
    """Current assets less inventory."""
    return _less(figures.current_assets, figures.inventory)


def ebit(figures: Figures) -> Decimal | None:
    """Earnings before interest and taxes; profit before tax plus interest where they are not given."""
    if figures.ebit is not None:
        return figures.ebit
    return _plus(figures.profit_before_tax, figures.interest_expense)


def cash_flow(figures: Figures) -> Decimal | None:
    """Net income plus depreciation."""
    return _plus(figures.net_income, figures.depreciation)


def tangible_net_worth(figures: Figures) -> Decimal | None:
    """Equity less intangible assets; those that are not given are none."""
    worth = equity(figures)
    return None if worth is None else worth - (figures.intangible_assets or Decimal(0))


def _less(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return None if one is None or other is None else one - other


def _plus(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return None if one is None or other is None else one + other
