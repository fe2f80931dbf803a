"""What the demo company's credit department knows of its customers, and what lies on its desks this morning.

Statements and reports fit the way each customer pays, so that grades and payment behaviour tell the same story.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Final

from app.cli.demo import company
from app.cli.demo.company import Habit, Party
from app.cli.demo.diary import ANALYST, SEGMENT, Diary
from app.domains.assessments import service as assessments
from app.domains.credit_data import service as credit_data
from app.domains.credit_data.core.covers import Cover, CoverKind, CoverStatus
from app.domains.credit_data.core.reports import CreditReport, Scale
from app.domains.credit_data.core.statements import Figures, FinancialStatement
from app.domains.dunning import service as dunning
from app.domains.limits import service as limits
from app.domains.limits.core.requests import Ask
from app.infra.transaction import Transaction
from app.kernel.money import Money

SOUND: Final[Mapping[str, int]] = {
    "revenue": 1400,
    "cost_of_sales": 1010,
    "operating_expenses": 270,
    "ebit": 120,
    "interest_expense": 8,
    "profit_before_tax": 112,
    "net_income": 86,
    "depreciation": 40,
    "total_assets": 1000,
    "current_assets": 560,
    "cash": 120,
    "receivables": 220,
    "inventory": 200,
    "fixed_assets": 400,
    "current_liabilities": 260,
    "total_liabilities": 380,
    "long_term_debt": 100,
    "equity": 620,
    "retained_earnings": 400,
    "operating_cash_flow": 110,
    "purchases": 700,
}
"""A statement in thousandths of the total assets."""
STRAINED: Final[Mapping[str, int]] = {
    **SOUND,
    "revenue": 1300,
    "operating_expenses": 235,
    "ebit": 55,
    "interest_expense": 24,
    "profit_before_tax": 31,
    "net_income": 23,
    "current_assets": 600,
    "cash": 50,
    "receivables": 290,
    "inventory": 250,
    "fixed_assets": 380,
    "current_liabilities": 430,
    "total_liabilities": 690,
    "long_term_debt": 200,
    "equity": 310,
    "retained_earnings": 140,
    "operating_cash_flow": 40,
}
WEAK: Final[Mapping[str, int]] = {
    **STRAINED,
    "revenue": 1050,
    "cost_of_sales": 900,
    "operating_expenses": 165,
    "ebit": -15,
    "interest_expense": 45,
    "profit_before_tax": -60,
    "net_income": -60,
    "cash": 15,
    "receivables": 320,
    "inventory": 265,
    "current_liabilities": 700,
    "total_liabilities": 930,
    "long_term_debt": 190,
    "equity": 70,
    "retained_earnings": -60,
    "operating_cash_flow": -30,
}
CONDITION: Final[Mapping[Habit, Mapping[str, int]]] = {
    Habit.EARLY: SOUND,
    Habit.PROMPT: SOUND,
    Habit.SLOW: STRAINED,
    Habit.PARTLY: STRAINED,
    Habit.LATE: WEAK,
    Habit.NEVER: WEAK,
}
SCORE: Final[Mapping[Habit, int]] = {
    Habit.EARLY: 88,
    Habit.PROMPT: 79,
    Habit.SLOW: 58,
    Habit.PARTLY: 51,
    Habit.LATE: 27,
    Habit.NEVER: 12,
}
"""What the agency gives on its scale from 0 to 100."""
WITH_STATEMENTS: Final = ("CN", "DE")
WITH_REPORTS: Final = ("GB", "FR")
SIZE: Final = 40
"""Total assets, in multiples of the credit limit."""
YEARS: Final = 2
GROWTH_PERCENT: Final = 4

COVERED: Final = company.REGULARS[11]
GROWING: Final = company.REGULARS[20]
"""A customer who asks for more than anybody may grant alone."""
ASKED: Final = Decimal(500_000)


def tell(diary: Diary, first_day: int) -> None:
    """Writes into the diary what is filed at the beginning, and what is done yesterday and today."""
    years = [diary.date(first_day).year - back for back in range(YEARS, 0, -1)]

    async def file_statements(tx: Transaction) -> None:
        for party in company.REGULARS:
            if party.country in WITH_STATEMENTS:
                await _file_statements(tx, party, years)

    async def file_reports(tx: Transaction) -> None:
        for party in company.REGULARS:
            if party.country in WITH_REPORTS:
                await _file_report(tx, party, diary.date(first_day))

    async def insure(tx: Transaction) -> None:
        await _insure(tx, diary.date(first_day))

    diary.do(first_day + 1, file_statements, by=ANALYST.actor)
    diary.do(first_day + 1, file_reports, by=ANALYST.actor)
    diary.do(first_day + 1, insure, by=ANALYST.actor)
    diary.do(-1, _assess_everybody, by=ANALYST.actor)
    diary.do(0, _ask_for_more, by=ANALYST.actor)
    diary.do(0, _propose_reminders)


async def _file_statements(tx: Transaction, party: Party, years: list[int]) -> None:
    assets = (party.limit_amount or 0) * SIZE
    for age, year in enumerate(reversed(years)):
        thousandth = Decimal(assets * 100 // (100 + GROWTH_PERCENT * age) // 1000)
        shares = CONDITION[party.habit]
        statement = FinancialStatement(
            period_end=date(year, 12, 31),
            months=12,
            currency=party.home.account_currency,
            audited=party.habit is not Habit.NEVER,
            figures=Figures(**{name: thousandth * share for name, share in shares.items()}),
        )
        await credit_data.put_statement(
            tx, customer_id=party.customer_id, statement=statement, source="annual accounts sent by the customer"
        )


async def _file_report(tx: Transaction, party: Party, on: date) -> None:
    report = CreditReport(
        agency="Example Credit Bureau",
        report_ref=f"ECB-{party.customer_id}",
        reported_on=on,
        score=Decimal(SCORE[party.habit]),
        scale=Scale(Decimal(0), Decimal(100), higher_is_better=True),
    )
    await credit_data.enter_report(tx, customer_id=party.customer_id, report=report)


async def _insure(tx: Transaction, on: date) -> None:
    amount = Money(Decimal(COVERED.limit_amount or 0), COVERED.home.account_currency)
    cover = Cover("Example Credit Insurance", CoverKind.INSURANCE, CoverStatus.APPROVED, amount, Decimal(90), on)
    await credit_data.put_cover(tx, customer_id=COVERED.customer_id, segment=SEGMENT, cover_ref="POL-4711", cover=cover)


async def _assess_everybody(tx: Transaction) -> None:
    for party in company.PARTIES:
        await assessments.assess(tx, customer_id=party.customer_id, segment=SEGMENT)


async def _ask_for_more(tx: Transaction) -> None:
    ask = Ask(
        customer_id=GROWING.customer_id,
        segment=SEGMENT,
        amount=ASKED,
        currency=GROWING.home.account_currency,
        justification="framework contract for the new plant from January on",
    )
    await limits.request_limit(tx, ask=ask, requester=ANALYST.name)


async def _propose_reminders(tx: Transaction) -> None:
    """Today's dunning run lies there to be looked at: nothing is sent before somebody releases it."""
    await dunning.runs.propose(tx, segment=SEGMENT)
