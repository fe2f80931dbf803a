"""Which figures of a financial statement have to agree."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domains.credit_data.core.refusals import FiguresDisagree, FiguresMissing
from app.domains.credit_data.core.statements import NOT_NEGATIVE, Figures, FinancialStatement, disagreements

SOUND: dict[str, Any] = {
    "total_assets": 1000,
    "current_assets": 600,
    "cash": 100,
    "receivables": 300,
    "inventory": 200,
    "fixed_assets": 400,
    "intangible_assets": 50,
    "total_liabilities": 700,
    "current_liabilities": 400,
    "long_term_debt": 300,
    "equity": 300,
}
amounts = st.integers(0, 10**15).map(Decimal)


def figures(**said: Any) -> Figures:
    return Figures(**{name: Decimal(value) for name, value in said.items()})


def faults(**said: Any) -> list[str]:
    return [fault.pointer.removeprefix("/figures/") for fault in disagreements(figures(**said))]


class TestFigures:
    def test_of_a_sound_statement_agree(self) -> None:
        assert faults(**SOUND) == []

    @pytest.mark.parametrize("equity", ["290", "300", "310"])
    def test_may_leave_one_percent_between_assets_and_what_finances_them(self, equity: str) -> None:
        assert faults(**SOUND | {"equity": equity}) == []

    @pytest.mark.parametrize("equity", ["289.99", "310.11", "-300", "0"])
    def test_must_balance(self, equity: str) -> None:
        assert faults(**SOUND | {"equity": equity}) == ["total_assets"]

    def test_may_show_a_deficit(self) -> None:
        assert faults(total_assets=100, total_liabilities=150, equity=-50, retained_earnings=-90) == []

    @pytest.mark.parametrize(
        ("changed", "fault"),
        [
            ({"cash": 200}, "cash"),
            ({"fixed_assets": 500}, "current_assets"),
            ({"intangible_assets": 1011}, "intangible_assets"),
            ({"current_liabilities": 800}, "current_liabilities"),
            ({"long_term_debt": 708}, "long_term_debt"),
        ],
    )
    def test_of_parts_are_at_most_the_whole(self, changed: dict[str, Any], fault: str) -> None:
        assert fault in faults(**SOUND | changed)

    @pytest.mark.parametrize("name", sorted(NOT_NEGATIVE))
    def test_of_what_one_has_or_owes_are_not_negative(self, name: str) -> None:
        assert faults(**{name: -1}) == [name]

    def test_are_all_named_at_once(self) -> None:
        assert faults(total_assets=100, total_liabilities=70, equity=70, current_assets=200, cash=-1) == [
            "cash",
            "total_assets",
            "current_assets",
        ]

    @given(liabilities=amounts, equity=st.integers(-(10**15), 10**15).map(Decimal))
    def test_that_add_up_always_agree(self, liabilities: Decimal, equity: Decimal) -> None:
        if liabilities + equity >= 0:
            said = Figures(total_assets=liabilities + equity, total_liabilities=liabilities, equity=equity)
            assert disagreements(said) == []

    @given(total=amounts.filter(bool), off=st.decimals("1.011", "100", places=3))
    def test_that_differ_by_more_never_do(self, total: Decimal, off: Decimal) -> None:
        said = Figures(total_assets=total, total_liabilities=Decimal(0), equity=total * off)
        assert [fault.code for fault in disagreements(said)] == ["figures_disagree"]


class TestCheck:
    def test_refuses_what_disagrees_with_a_fault_each(self) -> None:
        said = FinancialStatement(date(2025, 12, 31), 12, "CNY", False, figures(total_assets=-1, cash=-1))
        with pytest.raises(FiguresDisagree) as refused:
            said.check()
        assert [fault.pointer for fault in refused.value.faults] == ["/figures/total_assets", "/figures/cash"]

    def test_refuses_a_statement_without_figures(self) -> None:
        with pytest.raises(FiguresMissing):
            FinancialStatement(date(2025, 12, 31), 12, "CNY", False, Figures()).check()
