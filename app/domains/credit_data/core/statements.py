"""Financial statements: the figures of one period, and which of them have to agree with each other."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from typing import Final

from app.domains.credit_data.core.refusals import FiguresDisagree, FiguresMissing
from app.kernel.errors import Fault
from app.kernel.money import ZERO

TOLERANCE: Final = Decimal("0.01")
"""Figures agree within 1 % of the larger whole: published statements are rounded, and leave small items out."""


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of a statement in its currency; null where it doesn't say.

    Flows (from `revenue` to `depreciation`, `operating_cash_flow`, `purchases`) are of the whole period, the others of
    its last day. Costs, `interest_expense` and `depreciation` are positive when they reduce the profit. `market_value`
    is that of the equity.
    """

    revenue: Decimal | None = None
    cost_of_sales: Decimal | None = None
    operating_expenses: Decimal | None = None
    ebit: Decimal | None = None
    interest_expense: Decimal | None = None
    profit_before_tax: Decimal | None = None
    net_income: Decimal | None = None
    depreciation: Decimal | None = None
    total_assets: Decimal | None = None
    current_assets: Decimal | None = None
    cash: Decimal | None = None
    receivables: Decimal | None = None
    inventory: Decimal | None = None
    fixed_assets: Decimal | None = None
    intangible_assets: Decimal | None = None
    current_liabilities: Decimal | None = None
    total_liabilities: Decimal | None = None
    long_term_debt: Decimal | None = None
    equity: Decimal | None = None
    retained_earnings: Decimal | None = None
    operating_cash_flow: Decimal | None = None
    purchases: Decimal | None = None
    market_value: Decimal | None = None


FIGURES: Final = tuple(field.name for field in fields(Figures))

NOT_NEGATIVE: Final = frozenset(
    {
        "total_assets",
        "current_assets",
        "cash",
        "receivables",
        "inventory",
        "fixed_assets",
        "intangible_assets",
        "current_liabilities",
        "total_liabilities",
        "long_term_debt",
        "market_value",
    }
)
"""What can't be below zero: a negative one is a sign turned by mistake. Equity and results can."""

_PARTS: Final = (
    ("current_assets", ("cash", "receivables", "inventory")),
    ("total_assets", ("current_assets", "fixed_assets")),
    ("total_assets", ("intangible_assets",)),
    ("total_liabilities", ("current_liabilities",)),
    ("total_liabilities", ("long_term_debt",)),
)
"""A whole, and parts that together are at most that."""


@dataclass(frozen=True, slots=True)
class FinancialStatement:
    """The statement of the `months` that end with the day `period_end`."""

    period_end: date
    months: int
    currency: str
    audited: bool
    figures: Figures

    def check(self) -> None:
        """Raises `FiguresMissing` when there are none and `FiguresDisagree`, naming every figure that is in the way."""
        if all(getattr(self.figures, name) is None for name in FIGURES):
            raise FiguresMissing(faults=[Fault("/figures", FiguresMissing.code, "at least one figure is needed")])
        found = disagreements(self.figures)
        if found:
            raise FiguresDisagree("; ".join(fault.message for fault in found), faults=found)


def disagreements(figures: Figures) -> list[Fault]:
    """What can't all be true of `figures`; of what is absent nothing is said."""
    found = [
        _fault(name, f"{name} can't be below zero")
        for name in FIGURES
        if name in NOT_NEGATIVE and (getattr(figures, name) or ZERO) < 0
    ]
    if figures.total_assets is not None and figures.total_liabilities is not None and figures.equity is not None:
        financed = figures.total_liabilities + figures.equity
        if not _agree(figures.total_assets, financed):
            what = f"total_assets {figures.total_assets} are not total_liabilities + equity {financed} within 1 %"
            found.append(_fault("total_assets", what))
    for whole, parts in _PARTS:
        found += _exceeded(figures, whole, parts)
    return found


def _exceeded(figures: Figures, whole: str, parts: tuple[str, ...]) -> list[Fault]:
    most = getattr(figures, whole)
    if most is None or most < 0:
        return []
    given = [name for name in parts if getattr(figures, name) is not None]
    total = sum((getattr(figures, name) for name in given), ZERO)
    if total <= most or _agree(total, most):
        return []
    return [_fault(given[0], f"{' + '.join(given)} {total} are more than {whole} {most}")]


def _agree(one: Decimal, other: Decimal) -> bool:
    return abs(one - other) <= TOLERANCE * max(abs(one), abs(other))


def _fault(figure: str, message: str) -> Fault:
    return Fault(f"/figures/{figure}", FiguresDisagree.code, message)
