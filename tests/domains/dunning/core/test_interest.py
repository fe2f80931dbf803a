"""Interest and fixed sums for late payment, against values worked out by hand."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domains.dunning.adapters import statutes as files
from app.domains.dunning.core.interest import NO_INTEREST, ReferenceRate, Statutes, accrued, compensation, fee
from app.domains.policies.core.dunning import InterestRule
from tests.domains.dunning.core.examples import amount, level

LAW = files.packaged()
DOCUMENTATION = (Path(__file__).parents[4] / "docs" / "dunning.md").read_text(encoding="utf-8")


def interest(
    jurisdiction: str | None, principal: str, first: str, last: str, *, law: Statutes = LAW, **more: Any
) -> Any:
    rule = InterestRule.STATUTORY if jurisdiction else InterestRule.AGREED
    return accrued(
        Decimal(principal),
        more.pop("currency", "EUR"),
        first=date.fromisoformat(first),
        last=date.fromisoformat(last),
        late_from=date.fromisoformat(more.pop("late_from", first)),
        level=level(5, interest=rule, jurisdiction=jurisdiction, **more),
        statutes=law,
    )


class TestAgreed:
    def test_is_simple_by_days_over_365(self) -> None:
        """100 overdue 15 days at 10 % a year and fee 10: interest 0.41, total 110.41."""
        found = interest(None, "100.00", "2026-03-01", "2026-03-15", interest_percent=Decimal(10))
        assert found.amount == Decimal("0.41")
        assert Decimal(100) + found.amount + fee(amount("10", "EUR"), "EUR") == Decimal("110.41")

    def test_is_rounded_to_the_digits_of_the_currency(self) -> None:
        whole = interest(None, "123456", "2026-03-01", "2026-03-15", interest_percent=Decimal(10), currency="JPY")
        assert whole.amount == Decimal(507)

    def test_is_nothing_where_the_level_charges_none(self) -> None:
        days = {"first": date.min, "last": date.max, "late_from": date.min}
        nothing = accrued(Decimal(9), "EUR", **days, level=level(5), statutes=LAW)
        assert nothing == NO_INTEREST


class TestStatutory:
    @pytest.mark.parametrize(
        ("jurisdiction", "day", "percent"),
        [
            ("EU", "2025-02-01", "11.15"),
            ("EU", "2025-08-01", "10.15"),
            ("DE", "2022-12-31", "8.12"),
            ("DE", "2023-01-01", "10.62"),
            ("DE", "2024-07-01", "12.37"),
            ("DE", "2025-01-15", "11.27"),
            ("FR", "2024-03-01", "14.50"),
            ("UK", "2024-01-01", "13.25"),
            ("UK", "2025-06-30", "12.75"),
            ("EU", "2026-11-25", "10.40"),
            ("DE", "2026-03-01", "10.27"),
            ("FR", "2026-06-30", "12.15"),
            ("UK", "2026-11-25", "11.75"),
            ("CN-SME", "2021-01-01", "18.25"),
            ("CN-SME", "2025-06-01", "18.25"),
            ("CN", "2025-06-01", "3.90"),
        ],
    )
    def test_is_the_rate_that_the_law_gives_for_the_day(self, jurisdiction: str, day: str, percent: str) -> None:
        found = LAW.row_on(LAW.rules[jurisdiction], date.fromisoformat(day))
        assert found is not None
        assert found.percent == Decimal(percent)

    def test_changes_with_the_half_year(self) -> None:
        """10,000 for 31 days of December at 11.37 + … : 10,000 × (12.37 × 31 + 11.27 × 31) / 36,500 = 200.78."""
        found = interest("DE", "10000.00", "2024-12-01", "2025-01-31")
        assert [(str(s.first), s.days, s.rate.percent) for s in found.stretches] == [
            ("2024-12-01", 31, Decimal("12.37")),
            ("2025-01-01", 31, Decimal("11.27")),
        ]
        assert found.amount == Decimal("200.78")

    def test_in_the_united_kingdom_of_a_thousand_pounds_for_90_days_of_2024(self) -> None:
        """1,000 × 13.25 % × 90 / 365 = 32.67."""
        assert interest("UK", "1000.00", "2024-01-01", "2024-03-30", currency="GBP").amount == Decimal("32.67")

    def test_for_small_suppliers_in_china_is_a_twentieth_of_a_per_cent_a_day(self) -> None:
        """100,000 × 0.05 % × 30 = 1,500."""
        assert interest("CN-SME", "100000.00", "2025-07-01", "2025-07-30", currency="CNY").amount == Decimal("1500.00")

    @pytest.mark.parametrize(
        ("jurisdiction", "late_from", "percent"),
        [
            ("UK", "2024-06-30", "13.25"),
            ("UK", "2025-01-01", "12.75"),
            ("CN", "2024-10-20", "4.355"),
            ("CN", "2024-10-21", "4.030"),
        ],
    )
    def test_stays_what_it_was_when_the_claim_fell_into_arrears_where_the_law_says_so(
        self, jurisdiction: str, late_from: str, percent: str
    ) -> None:
        """SI 2002/1675 article 4: the half-year in which interest starts to run; in China the day of the breach."""
        found = interest(jurisdiction, "100000.00", "2025-06-01", "2025-07-31", late_from=late_from, currency="GBP")
        assert [(s.days, s.rate.percent) for s in found.stretches] == [(61, Decimal(percent))]

    def test_is_not_charged_for_days_whose_rate_is_not_known_and_says_so(self) -> None:
        law = Statutes(LAW.rules, {"DE_BASE": [r for r in LAW.rates["DE_BASE"] if r.valid_from < date(2026, 1, 1)]})
        found = interest("DE", "10000.00", "2025-12-31", "2199-01-01", law=law)
        assert (found.amount, found.until) == (Decimal("2.81"), date(2025, 12, 31))
        assert found.stretches[1].rate is None
        assert interest("XX", "10000.00", "2025-12-01", "2025-12-31").until is None

    def test_takes_rates_that_were_added(self) -> None:
        more = LAW.with_rates([ReferenceRate("DE_BASE", date(2099, 1, 1), Decimal("1.00"))])
        found = interest("DE", "36500.00", "2099-01-01", "2099-01-10", law=more)
        assert (found.amount, found.until) == (Decimal("100.00"), date(2099, 1, 10))

    @given(st.dates(date(2012, 1, 1), date(2025, 6, 1)), st.integers(0, 400), st.integers(0, 400))
    def test_of_two_spans_is_the_interest_of_both_together(self, first: date, one: int, two: int) -> None:
        rule = LAW.rules["EU"]
        middle, last = first + timedelta(days=one), first + timedelta(days=one + two)
        days = [
            sum((s.rate.percent * s.days for s in LAW.stretches(rule, a, b, late_from=first) if s.rate), Decimal(0))
            for a, b in ((first, middle), (middle + timedelta(days=1), last), (first, last))
        ]
        assert days[0] + days[1] == days[2]


class TestCompensation:
    @pytest.mark.parametrize(
        ("jurisdiction", "principal", "currency", "expected"),
        [
            ("EU", "5.00", "EUR", "40"),
            ("UK", "999.99", "GBP", "40"),
            ("UK", "1000.00", "GBP", "70"),
            ("UK", "9999.99", "GBP", "70"),
            ("UK", "10000.00", "GBP", "100"),
            ("UK", "10000.00", "EUR", "0"),
            ("CN", "10000.00", "CNY", "0"),
        ],
    )
    def test_is_the_fixed_sum_of_the_law(self, jurisdiction: str, principal: str, currency: str, expected: str) -> None:
        charging = level(5, compensation=True, jurisdiction=jurisdiction)
        assert compensation(Decimal(principal), currency, level=charging, statutes=LAW) == Decimal(expected)

    def test_is_nothing_where_the_level_does_not_charge_it(self) -> None:
        assert compensation(Decimal(9), "EUR", level=level(5, jurisdiction="EU"), statutes=LAW) == 0


class TestFile:
    def test_names_a_source_for_every_rule_and_a_rate_for_every_reference(self) -> None:
        assert all(rule.source for rule in LAW.rules.values())
        assert {rule.reference for rule in LAW.rules.values()} == set(LAW.rates)

    def test_has_every_half_year_once_for_references_that_are_set_by_half_years(self) -> None:
        document = json.loads(Path(files.FILE).read_text())
        for reference in ("ECB_MRO", "DE_BASE", "BANK_RATE"):
            days = sorted(document["rates"][reference])
            assert days == [f"{year}-{half}-01" for year in range(2012, 2027) for half in ("01", "07")]

    def test_has_the_german_base_rate_that_follows_from_the_ecb_s(self) -> None:
        """BGB section 247 (1): it moves by as many points as the main refinancing rate; so their difference stays."""
        assert {
            base.percent - ecb.percent for base, ecb in zip(LAW.rates["DE_BASE"], LAW.rates["ECB_MRO"], strict=True)
        } == {Decimal("-0.88")}

    def test_says_of_every_rate_where_it_was_read_but_of_those_that_the_documentation_names(self) -> None:
        unconfirmed = [f"{r.reference} {r.valid_from}" for rates in LAW.rates.values() for r in rates if not r.source]
        assert unconfirmed == ["DE_BASE 2026-07-01"]
        assert all(f"`{name}`" in DOCUMENTATION for name in unconfirmed)
