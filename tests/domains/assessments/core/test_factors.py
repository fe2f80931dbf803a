"""The library of factors: golden values, computed by hand, and what each does where figures are odd or absent."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domains.assessments.core.factors import LIBRARY
from app.domains.assessments.core.factors.asked import ENDLESS
from app.domains.assessments.core.facts import Adverse, Company, Reference, Reply, Report, as_document
from app.domains.credit_data.core.references import AdverseKind
from app.domains.policies.core.factors import Factor
from tests.domains.assessments.core.making import ON, YEAR_END, a_statement, experience, facts, scorecard, value_of

BEFORE = a_statement(date(2024, 12, 31), revenue=800, net_income=-20)

GOLDEN = {
    Factor.CURRENT_RATIO: "2",
    Factor.QUICK_RATIO: "1.5",
    Factor.CASH_RATIO: "0.25",
    Factor.EQUITY_RATIO: "0.375",
    Factor.LIABILITIES_TO_ASSETS: "0.625",
    Factor.DEBT_TO_EQUITY: "1.6667",
    Factor.RETURN_ON_ASSETS: "0.075",
    Factor.EBIT_TO_ASSETS: "0.125",
    Factor.EBIT_MARGIN: "0.1",
    Factor.NET_MARGIN: "0.06",
    Factor.INTEREST_COVER: "5",
    Factor.CASH_FLOW_TO_LIABILITIES: "0.2",
    Factor.OPERATING_CASH_FLOW_TO_LIABILITIES: "0.18",
    Factor.RETAINED_EARNINGS_TO_ASSETS: "0.2",
    Factor.WORKING_CAPITAL_TO_ASSETS: "0.25",
    Factor.ASSET_TURNOVER: "1.25",
    Factor.SALES_GROWTH: "1.25",
    Factor.RECEIVABLE_DAYS: "73",
    Factor.INVENTORY_DAYS: "60.8333",
    Factor.SHORT_TERM_DEBT_DAYS: "73",
    Factor.MARKET_VALUE_TO_LIABILITIES: "1.5",
    Factor.ALTMAN_Z: "3.1412",  # 0.3 + 0.28 + 0.4125 + 0.9 + 1.24875 = 3.14125
    Factor.ALTMAN_Z_PRIVATE: "2.2365",  # 0.17925 + 0.1694 + 0.388375 + 0.252 + 1.2475 = 2.236525
    Factor.ALTMAN_Z_DOUBLE_PRIME: "3.762",  # 1.64 + 0.652 + 0.84 + 0.63
    Factor.ALTMAN_EM: "7.012",
    Factor.ZMIJEWSKI: "-1.1171",  # −4.336 − 0.338475 + 3.549375 + 0.008
    Factor.SPRINGATE: "1.4052",  # 0.2575 + 0.38375 + 0.264 + 0.5 = 1.40525
    Factor.WORKING_ASSETS: "1.1667",  # 2 + 1.5 − 0.6667 − 1.6667
    Factor.PAYMENT_INDEX: "72",
    Factor.SHARE_ON_TIME: "60",
    Factor.AVERAGE_DAYS_LATE: "6",
    Factor.LONGEST_LATENESS: "20",
    Factor.DISPUTED_SHARE: "2",
    Factor.BROKEN_PROMISES: "1",
    Factor.RELATION_MONTHS: "26",
    Factor.SETTLED_ITEMS: "30",
    Factor.AGENCY_SCORE: "70",
    Factor.AGENCY_PROBABILITY: "1.5",
    Factor.REFERENCES_DAYS_LATE: "4",
    Factor.AGE_YEARS: "20.0000",
    Factor.SIZE_CLASS: "3",
    Factor.INDUSTRY_RISK: "40",
    Factor.COUNTRY_RISK: "25",
    Factor.ADVERSE_SEVERITY: "4",
    Factor.ADVERSE_COUNT: "2",
    Factor.INSOLVENCY: "1",
    Factor.QUESTIONNAIRE: "4",
}
"""Ohlson has a test of its own."""

KNOWN = facts(
    a_statement(),
    BEFORE,
    company=Company("CN", "C26.11", "medium", date(2006, 6, 1)),
    experience=experience(),
    reports=[
        Report("D&B", ON, Decimal(70), probability_of_default=Decimal("0.015")),
        Report("creditsafe", ON, rating="B"),
    ],
    references=[Reference(ON, Decimal(100), days_late) for days_late in (9, 4, -2)],
    adverse=[
        Adverse(AdverseKind.INSOLVENCY, date(2026, 1, 1), 4),
        Adverse(AdverseKind.LITIGATION, date(2025, 1, 1), 2),
        Adverse(AdverseKind.TAX_ARREARS, date(2025, 1, 1), 5, resolved_on=ON),
    ],
    replies=[Reply("character", 4, ON), Reply("character", 1, date(2025, 1, 1))],
)
CARD = scorecard(
    country_risk={"CN": 25}, industry_risk={"C26": 40, "C": 10}, agency_ratings={"creditsafe": {"A": 100, "B": 75}}
)


class TestGoldenValues:
    @pytest.mark.parametrize("factor", list(GOLDEN))
    def test_are_those_computed_by_hand(self, factor: Factor) -> None:
        item = "character" if factor is Factor.QUESTIONNAIRE else None
        assert value_of(factor, KNOWN, item=item, card=CARD) == Decimal(GOLDEN[factor])

    def test_of_ohlson_look_at_two_years_and_at_size(self) -> None:
        million: dict[str, Any] = {
            name: 1_000_000 * (value or 0) for name, value in {"total_assets": 800, "net_income": 60}.items()
        }
        scaled: dict[str, Any] = {
            name: 1_000_000 * value
            for name, value in {
                "depreciation": 40,
                "current_assets": 400,
                "current_liabilities": 200,
                "total_liabilities": 500,
            }.items()
        }
        last = a_statement(**(million | scaled))
        # −1.32 − 0.407·ln 800 + 6.03·0.625 − 1.43·0.25 + 0.0757·0.5 − 2.37·0.075 − 1.83·0.2
        assert value_of(Factor.OHLSON, facts(last)) == Decimal("-1.1353")
        # − 0.521·(60 − −20)/(60 + 20)
        before = a_statement(date(2024, 12, 31), net_income=-20_000_000)
        assert value_of(Factor.OHLSON, facts(last, before)) == Decimal("-1.6563")

    def test_are_there_for_every_factor(self) -> None:
        assert set(GOLDEN) | {Factor.OHLSON} == set(Factor)

    def test_are_all_in_the_library(self) -> None:
        assert set(LIBRARY) == set(Factor)

    @pytest.mark.parametrize("factor", list(Factor))
    def test_are_missing_where_nothing_is_known(self, factor: Factor) -> None:
        assert value_of(factor, facts(company=Company("XX"))) is None


class TestOddFigures:
    @pytest.mark.parametrize(
        ("factor", "changes", "value"),
        [
            (Factor.DEBT_TO_EQUITY, {"equity": -100, "total_liabilities": 900}, ENDLESS),
            (Factor.DEBT_TO_EQUITY, {"equity": 0, "total_liabilities": 800}, ENDLESS),
            (Factor.WORKING_ASSETS, {"equity": -100, "total_liabilities": 900}, -ENDLESS),
            (Factor.WORKING_ASSETS, {"equity": 0, "total_liabilities": 800}, -ENDLESS),
            (Factor.EQUITY_RATIO, {"equity": -80, "total_liabilities": 880}, Decimal("-0.1")),
            (Factor.EQUITY_RATIO, {"equity": None}, Decimal("0.375")),
            (Factor.LIABILITIES_TO_ASSETS, {"total_liabilities": None}, Decimal("0.625")),
            (Factor.EQUITY_RATIO, {"equity": None, "total_liabilities": None}, None),
            (Factor.EQUITY_RATIO, {"total_assets": 0}, None),
            (Factor.INTEREST_COVER, {"interest_expense": 0}, ENDLESS),
            (Factor.INTEREST_COVER, {"interest_expense": 0, "ebit": -1}, -ENDLESS),
            (Factor.INTEREST_COVER, {"ebit": None}, Decimal(5)),
            (Factor.INTEREST_COVER, {"interest_expense": -5}, None),
            (Factor.CURRENT_RATIO, {"current_liabilities": 0}, ENDLESS),
            (Factor.NET_MARGIN, {"revenue": 0}, None),
            (Factor.RECEIVABLE_DAYS, {"revenue": 0}, None),
            (Factor.CASH_FLOW_TO_LIABILITIES, {"total_liabilities": 0, "equity": 800}, ENDLESS),
            (Factor.CASH_FLOW_TO_LIABILITIES, {"depreciation": None}, None),
            (Factor.ALTMAN_Z, {"market_value": None}, None),
            (Factor.ALTMAN_EM, {"retained_earnings": None}, None),
            (Factor.ZMIJEWSKI, {"current_assets": None}, None),
            (Factor.OHLSON, {"total_assets": 0}, None),
            (Factor.SPRINGATE, {"profit_before_tax": None}, None),
        ],
    )
    def test_give_what_the_docstrings_say(self, factor: Factor, changes: dict[str, Any], value: Decimal | None) -> None:
        assert value_of(factor, facts(a_statement(**changes))) == value

    def test_of_half_a_year_count_twice(self) -> None:
        half = a_statement(months=6)
        assert value_of(Factor.RETURN_ON_ASSETS, facts(half)) == Decimal("0.15")
        assert value_of(Factor.NET_MARGIN, facts(half)) == Decimal("0.06")
        assert value_of(Factor.RECEIVABLE_DAYS, facts(half)) == Decimal("36.5")

    def test_give_no_growth_without_the_year_before(self) -> None:
        assert value_of(Factor.SALES_GROWTH, facts(a_statement(), a_statement(date(2023, 12, 31)))) is None

    def test_take_the_latest_statement(self) -> None:
        assert value_of(Factor.CURRENT_RATIO, facts(a_statement(), a_statement(date(2024, 12, 31), cash=1))) == 2

    @settings(max_examples=40)
    @given(
        st.fixed_dictionaries(
            {name: st.none() | st.integers(-(10**15), 10**15) for name in ("total_assets", "equity", "ebit", "revenue")}
            | {name: st.none() | st.integers(0, 10**15) for name in ("current_assets", "current_liabilities")}
        )
    )
    def test_never_fail(self, changes: dict[str, Any]) -> None:
        known = facts(a_statement(**changes), BEFORE, experience=experience())
        for factor in Factor:
            value = value_of(factor, known, card=CARD)
            assert value is None or -ENDLESS <= value <= ENDLESS


class TestAgencies:
    def test_count_by_the_worst_of_them(self) -> None:
        reports = [Report("a", ON, Decimal(80)), Report("b", ON, Decimal(30)), Report("a", YEAR_END, Decimal(10))]
        assert value_of(Factor.AGENCY_SCORE, facts(reports=reports)) == 30
        assert value_of(Factor.AGENCY_SCORE, facts(reports=reports), item="a") == 80

    def test_count_only_while_their_reports_are_current(self) -> None:
        reports = [Report("a", ON, Decimal(80)), Report("b", ON - timedelta(days=366), Decimal(30))]
        assert value_of(Factor.AGENCY_SCORE, facts(reports=reports), max_age_days=365) == 80

    def test_with_an_unknown_rating_say_nothing(self) -> None:
        assert value_of(Factor.AGENCY_SCORE, facts(reports=[Report("a", ON, rating="Q")])) is None


class TestIndustries:
    @pytest.mark.parametrize(
        ("industry", "risk"),
        [("C26", 40), ("C26.11", 40), ("c26", 40), ("C10", 10), ("Catering", None), ("C", 10), ("D35", None)],
    )
    def test_take_the_longest_entry_that_their_code_begins_with(self, industry: str, risk: int | None) -> None:
        assert value_of(Factor.INDUSTRY_RISK, facts(company=Company("CN", industry)), card=CARD) == risk


def test_the_same_facts_make_the_same_document() -> None:
    again = facts(a_statement(rate="1.0"), experience=experience(payment_index=Decimal("72.00")))
    assert as_document(again) == as_document(facts(a_statement(), experience=experience()))
