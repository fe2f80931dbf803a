"""The section `dunning` of the policy document."""

from __future__ import annotations

import dataclasses
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from app.domains.policies.core.document import default_document, faults, parse
from app.domains.policies.core.dunning import Dunning, DunningLevel, QuietPeriod, amount_in


def document(**changes: Any) -> dict[str, Any]:
    changed = default_document()
    changed["dunning"] |= changes
    return changed


def fault(**changes: Any) -> list[tuple[str, str]]:
    return [(found.pointer, found.code) for found in faults(document(**changes))]


def level(**changes: Any) -> dict[str, Any]:
    return {"days_overdue": 5, **changes}


class TestDefault:
    def test_spells_out_every_member(self) -> None:
        section = default_document()["dunning"]
        assert set(section) == {field.name for field in dataclasses.fields(Dunning)}
        assert set(section["levels"][0]) == {field.name for field in dataclasses.fields(DunningLevel)}

    def test_charges_nothing_and_sends_nothing_by_itself(self) -> None:
        rules = parse(default_document()).dunning
        assert rules is not None
        assert rules.schedule is None
        assert all(level.interest.value == "none" and not level.fees for level in rules.levels)


class TestFaults:
    def test_names_levels_that_do_not_come_later_than_the_one_before(self) -> None:
        assert fault(levels=[level(), level(days_overdue=5)]) == [("/dunning/levels/1/days_overdue", "not_later")]

    def test_names_an_agreed_interest_without_a_rate(self) -> None:
        assert fault(levels=[level(interest="agreed")]) == [("/dunning/levels/0/interest_percent", "required")]

    def test_names_what_the_law_gives_without_a_jurisdiction(self) -> None:
        expected = [("/dunning/levels/0/jurisdiction", "required")]
        assert fault(levels=[level(interest="statutory")]) == expected
        assert fault(levels=[level(compensation=True)]) == expected

    def test_names_templates_that_are_no_file_names(self) -> None:
        assert fault(reminder={"template": "../x"}) == [("/dunning/reminder/template", "name_malformed")]

    def test_names_currencies_that_are_not_there_or_there_twice(self) -> None:
        five = {"currency": "CNY", "amount": "5"}
        assert fault(levels=[level(fees=[five, five])]) == [("/dunning/levels/0/fees/1/currency", "duplicate")]
        unknown = {"currency": "XXX", "amount": "5"}
        assert fault(levels=[level(min_item_amounts=[unknown])]) == [
            ("/dunning/levels/0/min_item_amounts/0/currency", "currency_unknown")
        ]

    @pytest.mark.parametrize("day", ["02-30", "13-01", "1-1-1", "abcde"])
    def test_names_days_that_no_year_has(self, day: str) -> None:
        found = fault(quiet_periods=[{"first": day, "last": "12-31"}])
        assert found == [("/dunning/quiet_periods/0/first", "date_malformed")]

    def test_says_nothing_of_a_section_that_is_off(self) -> None:
        changed = default_document() | {"dunning": None}
        assert faults(changed) == []
        assert parse(changed).dunning is None


class TestQuietPeriod:
    def test_may_reach_over_the_end_of_the_year(self) -> None:
        period = QuietPeriod("12-24", "01-02")
        assert [date(2026, month, day) in period for month, day in ((12, 23), (12, 24), (1, 2), (1, 3))] == [
            False,
            True,
            True,
            False,
        ]


class TestAmountIn:
    def test_is_zero_in_a_currency_that_is_not_given(self) -> None:
        rules = parse(document(levels=[level(fees=[{"currency": "EUR", "amount": "40"}])])).dunning
        assert rules is not None
        assert (amount_in(rules.levels[0].fees, "EUR"), amount_in(rules.levels[0].fees, "CNY")) == (
            Decimal(40),
            Decimal(0),
        )
