"""营运资产分析: the analysis of working assets, which gives an evaluation of the company and a basis for its limit.

Widespread in Chinese credit management; the procedure goes back to the National Association of Credit Management.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

from app.domains.assessments.core import figures as derived
from app.domains.assessments.core.factors import ratios
from app.domains.assessments.core.factors.asked import ENDLESS, Asked, Reading
from app.domains.assessments.core.factors.ratios import of_latest
from app.domains.assessments.core.facts import Statement
from app.domains.policies.core.factors import Factor


def evaluation(statement: Statement) -> Decimal | None:
    """EV = CA/CL + quick/CL − CL/equity − TL/equity, a plain number; higher is better.

    CA and CL current assets and liabilities, quick CA less inventory, TL total liabilities. Without positive equity it
    is minus without end: dividing by a negative equity would turn debts into merits.
    """
    equity, owed = derived.equity(statement.figures), derived.liabilities(statement.figures)
    current, quick = ratios.current_ratio(statement), ratios.quick_ratio(statement)
    short = statement.figures.current_liabilities
    if equity is None or owed is None or current is None or quick is None or short is None:
        return None
    return -ENDLESS if equity <= 0 else current + quick - short / equity - owed / equity


def working_assets(statement: Statement) -> Decimal | None:
    """(Working capital + equity) / 2, in the statement's currency."""
    capital, equity = derived.working_capital(statement.figures), derived.equity(statement.figures)
    return None if capital is None or equity is None else (capital + equity) / 2


FACTORS: Final[Mapping[Factor, Callable[[Asked], Reading | None]]] = {Factor.WORKING_ASSETS: of_latest(evaluation)}
