"""The types of wire fields: what they take, what they refuse and where they say it is."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Self

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError, model_validator

from app.infra.http.fields import (
    AmountText,
    BusinessDay,
    CurrencyCode,
    ExchangeRate,
    Flag,
    Line,
    NonNegativeAmount,
    PathReference,
    Percentage,
    PositiveAmount,
    Prose,
    Reference,
    SegmentName,
    Timestamp,
    Whole,
    Wire,
    decimals_fit,
    money_text,
)
from app.kernel.money import MAX_AMOUNT, Money

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)


def read(kind: Any, value: object) -> Any:
    return TypeAdapter(kind).validate_python(value)


def code(kind: Any, value: object) -> str:
    with pytest.raises(ValidationError) as caught:
        read(kind, value)
    return str(caught.value.errors()[0]["type"])


class TestAmount:
    @pytest.mark.parametrize("text", ["0", "12", "12.5", "-3.10", "0012.00", str(MAX_AMOUNT)])
    def test_takes_plain_decimal_strings(self, text: str) -> None:
        assert read(AmountText, text) == Decimal(text)

    def test_takes_integers(self) -> None:
        assert read(AmountText, 1250) == Decimal(1250)

    @pytest.mark.parametrize(
        "value", [12.5, True, None, [], "1e3", "NaN", "Infinity", " 1", "1 ", "1,5", "+1", ".5", "5.", ""]
    )
    def test_refuses_everything_else(self, value: object) -> None:
        assert code(AmountText, value) == "amount_not_decimal"

    @pytest.mark.parametrize("value", ["999999999999999.99999", 10**15, -(10**15), 10**400])
    def test_refuses_what_the_ledger_cannot_hold(self, value: object) -> None:
        assert code(AmountText, value) == "amount_out_of_range"

    def test_refuses_digits_of_other_scripts(self) -> None:
        assert code(AmountText, "١٢") == "amount_not_decimal"

    @given(st.decimals(min_value=-MAX_AMOUNT, max_value=MAX_AMOUNT, places=4))
    def test_keeps_every_amount_exactly(self, amount: Decimal) -> None:
        assert read(AmountText, format(amount, "f")) == amount

    def test_of_zero_is_not_positive(self) -> None:
        assert code(PositiveAmount, "0.00") == "amount_not_positive"

    def test_below_zero_is_negative(self) -> None:
        assert code(NonNegativeAmount, "-0.01") == "amount_negative"
        assert read(NonNegativeAmount, 0) == 0

    def test_is_written_in_the_digits_of_its_currency(self) -> None:
        assert money_text(Money(Decimal(5), "KWD")) == "5.000"
        assert money_text(Money(Decimal(5), "JPY")) == "5"


class TestPercentageAndRate:
    def test_percentage_lies_within_0_and_100(self) -> None:
        assert read(Percentage, "12.5") == Decimal("12.5")
        assert {code(Percentage, value) for value in ("100.1", "-1", "1.00001")} == {"percentage_out_of_range"}

    def test_rate_is_positive(self) -> None:
        assert read(ExchangeRate, "7.81") == Decimal("7.81")
        assert code(ExchangeRate, "0") == "amount_not_positive"
        assert code(ExchangeRate, "9999999999990") == "rate_out_of_range"


class Share(Wire):
    order_ref: Reference
    amount: PositiveAmount


class Invoice(Wire):
    amount: PositiveAmount
    discount: NonNegativeAmount | None = None
    currency: CurrencyCode
    orders: tuple[Share, ...] = ()

    @model_validator(mode="after")
    def whole_minor_units(self) -> Self:
        decimals_fit(self, "amount", "discount", "orders.*.amount")
        return self


class TestDecimalsFit:
    def test_takes_as_many_as_the_currency_has(self) -> None:
        assert Invoice.model_validate({"amount": "1.500", "currency": "KWD"}).amount == Decimal("1.5")

    def test_takes_zeros_beyond_them(self) -> None:
        assert Invoice.model_validate({"amount": "100.00", "currency": "JPY"}).amount == 100

    def test_refuses_more_at_the_amount_itself(self) -> None:
        document = {
            "amount": "100.5",
            "discount": "0.25",
            "currency": "JPY",
            "orders": [{"order_ref": "A", "amount": "1"}, {"order_ref": "B", "amount": "1.1"}],
        }
        with pytest.raises(ValidationError) as caught:
            Invoice.model_validate(document)
        assert [(error["type"], error["loc"]) for error in caught.value.errors()] == [
            ("too_many_decimals", ("amount",)),
            ("too_many_decimals", ("discount",)),
            ("too_many_decimals", ("orders", 1, "amount")),
        ]


class TestReference:
    @pytest.mark.parametrize("text", ["INV/2026/00001", "客户-7", "a", "x" * 64, "a b"])
    def test_takes_printable_characters(self, text: str) -> None:
        assert read(Reference, text) == text

    def test_is_normalised(self) -> None:
        assert read(Reference, "Mu\u0308ller") == "M\u00fcller"

    @pytest.mark.parametrize("text", [" a", "a ", "a\nb", "a\0", "\ud800", "\u200b"])
    def test_refuses_what_cannot_be_seen(self, text: str) -> None:
        assert code(Reference, text) in {"reference_malformed", "string_unicode"}

    def test_has_64_characters_at_most(self) -> None:
        assert code(Reference, "x" * 65) == "string_too_long"
        assert code(Reference, "") == "string_too_short"

    def test_in_a_path_is_decoded_once(self) -> None:
        assert read(PathReference, "INV%2F2026") == "INV/2026"
        assert read(PathReference, "100%2525") == "100%25"


class TestText:
    def test_line_has_no_breaks(self) -> None:
        assert read(Line, "北京 汽车有限公司 · Łódź") == "北京 汽车有限公司 · Łódź"
        assert {code(Line, text) for text in ("a\nb", "a\0", "a\u202eb", "a\x7f")} == {"text_unprintable"}

    def test_line_is_not_blank(self) -> None:
        assert code(Line, "   ") == "text_blank"

    def test_prose_has_breaks_but_no_nul(self) -> None:
        assert read(Prose, "first\n\tsecond") == "first\n\tsecond"
        assert code(Prose, "a\0") == "text_unprintable"

    def test_segment_name_is_a_lower_case_word(self) -> None:
        assert read(SegmentName, "main-eu_2") == "main-eu_2"
        for wrong in ("Main", "", "2x", "a" * 33, "a\n", "a%2F"):
            assert code(SegmentName, wrong) == "string_pattern_mismatch"

    def test_currency_is_one_of_iso_4217(self) -> None:
        assert read(CurrencyCode, "CNY") == "CNY"
        assert code(CurrencyCode, "cny") == "currency_unknown"
        assert code(CurrencyCode, "XXX") == "currency_unknown"


class TestNumbersAndFlags:
    @pytest.mark.parametrize("value", ["5", 5.0, True])
    def test_whole_is_an_integer_and_nothing_like_one(self, value: object) -> None:
        assert code(Whole, value) == "int_type"

    @pytest.mark.parametrize("value", ["true", 1, 0, None])
    def test_flag_is_a_boolean_and_nothing_like_one(self, value: object) -> None:
        assert code(Flag, value) == "bool_type"


class TestDays:
    def test_takes_iso_days(self) -> None:
        assert read(BusinessDay, "2026-02-28") == date(2026, 2, 28)

    @pytest.mark.parametrize("value", ["20260228", "2026-2-28", "2026-02-28T00:00:00", 1772236800, "0", None])
    def test_refuses_other_forms(self, value: object) -> None:
        assert code(BusinessDay, value) == "date_malformed"

    def test_refuses_days_that_are_not(self) -> None:
        assert code(BusinessDay, "2026-02-29") == "date_unknown"
        assert code(BusinessDay, "0000-01-01") == "date_unknown"

    @pytest.mark.parametrize("text", ["1899-12-31", "2201-01-01", "0001-01-01", "9999-12-31"])
    def test_refuses_years_no_ledger_means(self, text: str) -> None:
        assert code(BusinessDay, text) == "date_out_of_range"


class TestTimestamp:
    def test_is_turned_to_utc(self) -> None:
        assert read(Timestamp, "2026-03-02T09:00:00+08:00") == datetime(2026, 3, 2, 1, tzinfo=UTC)
        assert read(Timestamp, "2026-03-02T09:00:00.123456789Z").microsecond == 123456

    @pytest.mark.parametrize(
        "value", ["2026-03-02T09:00:00", "2026-03-02", 1772236800, "1772236800", MONDAY.replace(tzinfo=None)]
    )
    def test_needs_an_offset(self, value: object) -> None:
        assert code(Timestamp, value) == "timestamp_malformed"

    @pytest.mark.parametrize("text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
    def test_refuses_years_no_ledger_means(self, text: str) -> None:
        assert code(Timestamp, text) == "date_out_of_range"


class TestWire:
    def test_refuses_unknown_fields(self) -> None:
        with pytest.raises(ValidationError) as caught:
            Share.model_validate({"order_ref": "A", "amount": "1", "amuont": "2"})
        assert caught.value.errors()[0]["type"] == "extra_forbidden"

    def test_writes_amounts_as_strings(self) -> None:
        assert Share(order_ref="A", amount=Decimal("1.50")).model_dump_json() == '{"order_ref":"A","amount":"1.50"}'

    def test_names_currencies_once_in_the_schema(self) -> None:
        schema = Invoice.model_json_schema()
        assert schema["properties"]["currency"] == {"$ref": "#/$defs/CurrencyCode"}
        assert "CNY" in schema["$defs"]["CurrencyCode"]["enum"]
