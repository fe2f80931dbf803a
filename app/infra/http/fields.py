"""Types of what comes in and goes out over HTTP: every bound, format and refusal of a wire field, once.

Amounts are decimal strings or JSON integers, never floats; references are normalised; text carries no control
characters; days and instants keep to the years that a ledger can mean.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, Final
from urllib.parse import unquote

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
)
from pydantic_core import InitErrorDetails, PydanticCustomError
from typing_extensions import TypeAliasType

from app.kernel.errors import Refusal
from app.kernel.identity import MAX_REFERENCE, reference
from app.kernel.money import DIGITS, MAX_AMOUNT, Money, TooManyDecimals, known_currency, render

FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 2200

_MOST_PER_UNIT: Final = 999_999_999_999

_AMOUNT: Final = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,12})?")
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9:]{4,6})"
)
_FRACTION: Final = re.compile(r"(\.[0-9]{6})[0-9]+")
_LINE_BREAKS: Final = frozenset("\n\r\t")


class Wire(BaseModel):
    """The base of everything that travels: unknown fields are refused, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, regex_engine="rust-regex")


# ---- amounts -----------------------------------------------------------------------------------------------


def _decimal(value: object) -> Decimal:
    if isinstance(value, Decimal):
        number = value
    elif type(value) is int or (isinstance(value, str) and _AMOUNT.fullmatch(value)):
        number = Decimal(value)
    else:
        raise PydanticCustomError("amount_not_decimal", "an amount is a decimal string such as '1250.00' or an integer")
    if not number.is_finite() or abs(number) > MAX_AMOUNT:
        raise PydanticCustomError("amount_out_of_range", "an amount lies within ±{most}", {"most": str(MAX_AMOUNT)})
    return number


def _positive(value: object) -> Decimal:
    number = _decimal(value)
    if number <= 0:
        raise PydanticCustomError("amount_not_positive", "the amount must be more than zero")
    return number


def _non_negative(value: object) -> Decimal:
    number = _decimal(value)
    if number < 0:
        raise PydanticCustomError("amount_negative", "the amount must not be less than zero")
    return number


def _percentage(value: object) -> Decimal:
    number = _decimal(value)
    if not 0 <= number <= 100 or number != round(number, 4):
        raise PydanticCustomError(
            "percentage_out_of_range", "a percentage lies within 0 and 100, with 4 decimals at most"
        )
    return number


def _rate(value: object) -> Decimal:
    number = _positive(value)
    if number > _MOST_PER_UNIT:
        raise PydanticCustomError("rate_out_of_range", "a rate is at most {most}", {"most": _MOST_PER_UNIT})
    return number


def _amount_schema(*, least: int, most: int, sign: str = "") -> WithJsonSchema:
    plain = f"^{sign}[0-9]{{1,15}}([.][0-9]{{1,4}})?$"
    return WithJsonSchema(
        {"anyOf": [{"type": "string", "pattern": plain}, {"type": "integer", "minimum": least, "maximum": most}]},
        mode="validation",
    )


def _text_schema() -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": "^-?[0-9]+([.][0-9]+)?$"}, mode="serialization")


_MOST: Final = int(MAX_AMOUNT)
_AS_TEXT: Final = PlainSerializer(lambda number: format(number, "f"), return_type=str)

AmountText = Annotated[
    Decimal, PlainValidator(_decimal), _AS_TEXT, _amount_schema(least=-_MOST, most=_MOST, sign="-?"), _text_schema()
]
"""An amount: a decimal string in plain notation or a JSON integer."""
PositiveAmount = Annotated[
    Decimal, PlainValidator(_positive), _AS_TEXT, _amount_schema(least=1, most=_MOST), _text_schema()
]
"""An amount of more than zero."""
NonNegativeAmount = Annotated[
    Decimal, PlainValidator(_non_negative), _AS_TEXT, _amount_schema(least=0, most=_MOST), _text_schema()
]
"""An amount of zero or more."""
Percentage = Annotated[
    Decimal, PlainValidator(_percentage), _AS_TEXT, _amount_schema(least=0, most=100), _text_schema()
]
"""Parts of a hundred, 0 to 100."""
ExchangeRate = Annotated[
    Decimal, PlainValidator(_rate), _AS_TEXT, _amount_schema(least=1, most=_MOST_PER_UNIT), _text_schema()
]
"""Units of one currency per unit of another, more than zero."""
MoneyText = Annotated[str, WithJsonSchema({"type": "string", "pattern": "^-?[0-9]+([.][0-9]+)?$"})]
"""An amount in an answer: plain decimal notation with exactly the digits of its currency."""


def money_text(money: Money) -> str:
    """`money`'s amount as answers write it."""
    return render(money.amount, money.currency)


def decimals_fit(model: BaseModel, *paths: str, currency: str = "currency") -> None:
    """For model validators: refuses, at the amount's own pointer, an amount with more decimals than its currency.

    `paths` are attribute paths of `model`, where `*` stands for every item of a list (`"allocations.*.amount"`);
    `currency` is the path of the currency's code. What is absent is not judged.
    """
    code = next((value for _, value in _values(model, currency)), None)
    if code is None:
        return
    faults = [
        InitErrorDetails(
            type=PydanticCustomError(
                TooManyDecimals.code,
                "{currency} has {digits} decimals, the amount has more",
                {"currency": code, "digits": DIGITS[code]},
            ),
            loc=where,
            input=str(amount),
        )
        for path in paths
        for where, amount in _values(model, path)
        if amount is not None and amount != round(amount, DIGITS[code])
    ]
    if faults:
        raise ValidationError.from_exception_data(type(model).__name__, faults)


def _values(node: Any, path: str) -> Iterable[tuple[tuple[str | int, ...], Any]]:
    if "." not in path:  # the usual one, asked for every document of an import
        return (((path,), getattr(node, path)),)
    return _walked(node, (), path.split("."))


def _walked(node: Any, where: tuple[str | int, ...], path: list[str]) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    if node is None or not path:
        yield where, node
    elif path[0] == "*":
        for index, item in enumerate(node):
            yield from _walked(item, (*where, index), path[1:])
    else:
        yield from _walked(getattr(node, path[0]), (*where, path[0]), path[1:])


# ---- names -------------------------------------------------------------------------------------------------


def refusing(check: Callable[[str], str]) -> Callable[[str], str]:
    """`check` of the kernel as a validator: its refusal becomes an error at the field."""

    def validate(value: str) -> str:
        try:
            return check(value)
        except Refusal as refusal:
            raise PydanticCustomError(refusal.code, "{reason}", {"reason": refusal.detail}) from None

    return validate


_BOUNDED_REFERENCE: Final = Field(min_length=1, max_length=MAX_REFERENCE, examples=["INV/2026/00001"])

Reference = Annotated[str, _BOUNDED_REFERENCE, AfterValidator(refusing(reference))]
"""A reference of the caller's own system, in a body or a query: 1–64 printable characters, NFC, case-sensitive."""
PathReference = Annotated[str, BeforeValidator(unquote), _BOUNDED_REFERENCE, AfterValidator(refusing(reference))]
"""A reference in a path. `app.infra.http.middleware.EncodedSlashes` left its `%2F` and `%25` encoded for routing."""
CurrencyCode = TypeAliasType(
    "CurrencyCode",
    Annotated[
        str,
        AfterValidator(refusing(known_currency)),
        WithJsonSchema({"type": "string", "enum": sorted(DIGITS), "description": "ISO 4217"}),
    ],
)
"""An active ISO 4217 currency code."""
SegmentName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]
"""The name of a segment (credit control area)."""

# ---- text --------------------------------------------------------------------------------------------------


def _printable(allowed: frozenset[str]) -> Callable[[str], str]:
    def validate(value: str) -> str:
        if not value.strip():
            raise PydanticCustomError("text_blank", "the text is blank")
        if any(not (char.isprintable() or char == "\u3000" or char in allowed) for char in value):
            raise PydanticCustomError("text_unprintable", "the text has control or other unprintable characters")
        return value

    return validate


Line = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_printable(frozenset()))]
"""One line of text: 1–200 printable characters."""
Prose = Annotated[str, Field(min_length=1, max_length=2000), AfterValidator(_printable(_LINE_BREAKS))]
"""A few lines of text: 1–2,000 characters, line breaks allowed."""
Whole = Annotated[int, Field(strict=True)]
"""A JSON integer: no string, no boolean, no float. Give it bounds where it is used."""
Flag = Annotated[bool, Field(strict=True)]
"""A JSON boolean: no number, no string."""

# ---- days and instants -------------------------------------------------------------------------------------


def _day(value: object) -> object:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise PydanticCustomError("date_malformed", "a date is written YYYY-MM-DD")
    return value


def _in_years(value: date) -> date:
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise PydanticCustomError(
            "date_out_of_range", "the year lies within {first} and {last}", {"first": FIRST_YEAR, "last": LAST_YEAR}
        )
    return value


def _instant(value: object) -> object:
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not _INSTANT.fullmatch(value):
        raise PydanticCustomError("timestamp_malformed", "a timestamp is RFC 3339 with an offset: 2026-01-31T08:00:00Z")
    return _FRACTION.sub(r"\1", value)


def _in_utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise PydanticCustomError("timestamp_malformed", "a timestamp carries its offset")
    _in_years(value)
    return value.astimezone(UTC)


def _day_from_text(value: object) -> date:
    text = _day(value)
    if isinstance(text, date):
        return _in_years(text)
    try:
        return _in_years(date.fromisoformat(str(text)))
    except ValueError as error:
        if isinstance(error, PydanticCustomError):
            raise
        raise PydanticCustomError("date_unknown", "there is no such day") from None


BusinessDay = Annotated[date, PlainValidator(_day_from_text), WithJsonSchema({"type": "string", "format": "date"})]
"""A calendar day, written YYYY-MM-DD, of the years 1900 to 2200."""
Timestamp = Annotated[
    datetime,
    BeforeValidator(_instant),
    AfterValidator(_in_utc),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""An instant, RFC 3339 with an offset, turned to UTC, of the years 1900 to 2200."""
