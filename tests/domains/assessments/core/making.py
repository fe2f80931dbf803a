"""Facts and policies of tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from app.domains.assessments.core.factors import read
from app.domains.assessments.core.factors.asked import Asked
from app.domains.assessments.core.facts import AssessmentFacts, Company, Experience, Statement
from app.domains.credit_data.core.statements import Figures
from app.domains.policies.core.document import Policy, default_document, parse
from app.domains.policies.core.factors import Factor, Independence
from app.domains.policies.core.merge_patch import merge_patch
from app.domains.policies.core.scorecard import Scorecard

ON = date(2026, 6, 1)
YEAR_END = date(2025, 12, 31)
DEFAULT = parse(default_document())

FIGURES = {
    "revenue": 1000,
    "cost_of_sales": 600,
    "ebit": 100,
    "interest_expense": 20,
    "profit_before_tax": 80,
    "net_income": 60,
    "depreciation": 40,
    "total_assets": 800,
    "current_assets": 400,
    "cash": 50,
    "receivables": 200,
    "inventory": 100,
    "intangible_assets": 40,
    "current_liabilities": 200,
    "total_liabilities": 500,
    "equity": 300,
    "retained_earnings": 160,
    "operating_cash_flow": 90,
    "market_value": 750,
}
"""A healthy company in round figures: working capital 200."""


def a_statement(
    period_end: date = YEAR_END, *, months: int = 12, rate: str | None = "1", audited: bool = True, **changes: Any
) -> Statement:
    """A statement of the healthy company; a figure that is changed to None is not given."""
    figures = {name: value for name, value in (FIGURES | changes).items() if value is not None}
    independence = Independence.AUDITED if audited else Independence.SELF_DECLARED
    return Statement(
        period_end,
        months,
        "annual report",
        independence,
        Figures(**{name: Decimal(value) for name, value in figures.items()}),
        None if rate is None else Decimal(rate),
    )


def facts(*statements: Statement, company: Company | None = None, **more: Any) -> AssessmentFacts:
    """Facts on the day `ON`; lists are given as they are known."""
    lists: dict[str, Any] = {
        name: tuple(value) if isinstance(value, Sequence) else value for name, value in more.items()
    }
    return AssessmentFacts("C-1", "main", "CNY", ON, company or Company("CN", net_days=30), statements, **lists)


def experience(**changes: Any) -> Experience:
    """A customer that pays a little late."""
    known = Experience(
        as_of=ON,
        settled_items=30,
        payment_index=Decimal(72),
        share_on_time=Decimal(60),
        average_days_late=Decimal(6),
        longest_lateness=20,
        disputed_share=Decimal(2),
        broken_promises=1,
        relation_months=26,
        monthly_purchases=Decimal(100_000),
    )
    return replace(known, **changes)


def a_policy(**patch: Any) -> Policy:
    """The default policy, patched."""
    return parse(merge_patch(default_document(), patch))


def scorecard(**patch: Any) -> Scorecard:
    """The scorecard of the default policy, patched."""
    found = a_policy(scorecard=patch).scorecard
    assert found is not None
    return found


DEFAULT_CARD = scorecard()


def value_of(
    factor: Factor,
    known: AssessmentFacts,
    *,
    item: str | None = None,
    max_age_days: int | None = None,
    card: Scorecard | None = None,
) -> Decimal | None:
    """The value of a factor, null where the facts say nothing."""
    found = read(factor, Asked(known, card or DEFAULT_CARD, item, max_age_days))
    return None if found is None else found.value
