"""How exports write days and numbers."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cli.imports.formats import (
    FormatUnknown,
    Unreadable,
    day_reader,
    number_reader,
    read_flag,
    read_whole,
)

EXAMPLES = ["1234.56", "1,234.56", "1.234,56", "1 234,56", "1'234.56", "1234,56"]


class TestDays:
    @pytest.mark.parametrize(
        ("pattern", "text"),
        [
            ("YYYY-MM-DD", "2013-01-02"),
            ("DD.MM.YYYY", "02.01.2013"),
            ("M/D/YYYY", "1/2/2013"),
            ("M/D/YYYY", "01/02/2013"),
            ("YYYYMMDD", "20130102"),
            ("DD/MM/YY", "02/01/13"),
            ("YYYY年M月D日", "2013年1月2日"),
            ("YYYY-MM-DD", "2013-01-02 00:00:00"),
            ("YYYY-MM-DD", "2013-01-02T10:30:00Z"),
        ],
    )
    def test_are_read_as_written(self, pattern: str, text: str) -> None:
        assert day_reader(pattern)(text) == "2013-01-02"

    @pytest.mark.parametrize("text", ["31.02.2013", "2013-01-02", "1.2.13", "", "02.01.20133"])
    def test_are_refused_where_they_are_none(self, text: str) -> None:
        with pytest.raises(Unreadable):
            day_reader("DD.MM.YYYY")(text)

    def test_of_two_digits_belong_to_two_centuries(self) -> None:
        read = day_reader("DD.MM.YY")
        assert (read("01.01.69"), read("01.01.70")) == ("2069-01-01", "1970-01-01")

    @pytest.mark.parametrize("pattern", ["DD.MM", "dd.mm.yyyy", "YYYY", "%d.%m.%Y"])
    def test_need_a_pattern_of_a_day(self, pattern: str) -> None:
        with pytest.raises(FormatUnknown):
            day_reader(pattern)

    @given(st.dates(), st.sampled_from(["YYYY-MM-DD", "DD.MM.YYYY", "YYYYMMDD", "D/M/YYYY"]))
    def test_come_back_as_they_went(self, day: date, pattern: str) -> None:
        written = pattern.replace("YYYY", f"{day.year:04}").replace("MM", f"{day.month:02}")
        written = written.replace("M", str(day.month)).replace("DD", f"{day.day:02}").replace("D", str(day.day))
        assert day_reader(pattern)(written) == day.isoformat()


class TestNumbers:
    @pytest.mark.parametrize("example", EXAMPLES)
    def test_are_read_like_their_example(self, example: str) -> None:
        assert number_reader(example)(example) == "1234.56"

    @pytest.mark.parametrize("text", ["-1.234,56", "1.234,56-", "(1.234,56)", "\u22121234,56"])
    def test_are_negative_in_every_spelling(self, text: str) -> None:
        assert number_reader("1.234,56")(text) == "-1234.56"

    def test_may_be_grouped_by_any_space(self) -> None:
        read = number_reader("1 234,56")
        assert read("1\u00a0234\u202f567,8") == "1234567.8"

    @pytest.mark.parametrize("text", ["1.23", "12.34,5", "1,2,3", "abc", "1.234.56", "", "--1", "1e5", "１２"])
    def test_are_refused_where_guessing_would_begin(self, text: str) -> None:
        with pytest.raises(Unreadable):
            number_reader("1.234,56")(text)

    @pytest.mark.parametrize("example", ["1,234,56", "123456", "1234", "2345.67"])
    def test_need_an_example_that_says_something(self, example: str) -> None:
        with pytest.raises(FormatUnknown):
            number_reader(example)

    @given(st.decimals(min_value=0, max_value=10**12, places=2), st.sampled_from(EXAMPLES))
    def test_come_back_as_they_went(self, number: Decimal, example: str) -> None:
        thousands = example[1] if not example[1].isdigit() else ""
        mark = example[-3]
        written = f"{number:,.2f}".replace(",", "t").replace(".", mark).replace("t", thousands)
        assert Decimal(number_reader(example)(written)) == number


class TestFlags:
    def test_are_yes_or_no(self) -> None:
        assert [read_flag(text) for text in ("Yes", "X", "1", "是")] == ["true"] * 4
        assert [read_flag(text) for text in ("no", "0", "FALSE")] == ["false"] * 3
        with pytest.raises(Unreadable):
            read_flag("maybe")


class TestWholeNumbers:
    def test_may_come_from_a_spreadsheet(self) -> None:
        assert (read_whole("30"), read_whole("30.0")) == ("30", "30")
        with pytest.raises(Unreadable):
            read_whole("30.5")
