"""Amounts of money: a decimal and its ISO 4217 currency, kept together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Context, Decimal, InvalidOperation
from typing import Final

from app.kernel.errors import Invalid

ZERO: Final = Decimal(0)
MAX_AMOUNT: Final = Decimal("999999999999999.9999")
"""The largest amount a document may carry: what `numeric(24, 4)` holds with room for totals."""

_TWO_DIGITS: Final = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF "
    "CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF "
    "IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN "
    "MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS "
    "SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD YER ZAR ZMW ZWG"
)
_OTHER_DIGITS: Final = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
DIGITS: Final[dict[str, int]] = dict.fromkeys(_TWO_DIGITS.split(), 2) | {
    code: digits for digits, codes in _OTHER_DIGITS.items() for code in codes.split()
}
"""Minor-unit digits of every active ISO 4217 currency (list one, 2024-06)."""

_WIDE: Final = Context(prec=60)
"""Room for any amount at any exchange rate: rounding never fails for want of digits."""
_QUANTUM: Final[dict[str, Decimal]] = {code: Decimal(1).scaleb(-digits) for code, digits in DIGITS.items()}
_NOTHING: Final[dict[str, str]] = {code: str(ZERO.quantize(quantum)) for code, quantum in _QUANTUM.items()}
"""Zero as the API writes it: the amount that is written most."""


class CurrencyUnknown(Invalid):
    """The code is not an active ISO 4217 currency."""

    code = "currency_unknown"
    title = "Unknown currency"


class TooManyDecimals(Invalid):
    """The amount has more decimals than its currency."""

    code = "too_many_decimals"
    title = "More decimals than the currency has"


class AmountOutOfRange(Invalid):
    """The amount is not a finite number that the ledger can hold."""

    code = "amount_out_of_range"
    title = "Amount out of range"


class CurrencyMismatch(AssertionError):
    """Two amounts of different currencies met where only one can be: a defect, never bad input."""


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in one currency. Arithmetic refuses to mix currencies and never rounds."""

    amount: Decimal
    currency: str

    def __add__(self, other: Money) -> Money:
        return Money(self.amount + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.amount - self._same(other), self.currency)

    def __neg__(self) -> Money:
        return Money(-self.amount, self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.amount < self._same(other)

    def __le__(self, other: Money) -> bool:
        return self.amount <= self._same(other)

    def __gt__(self, other: Money) -> bool:
        return self.amount > self._same(other)

    def __ge__(self, other: Money) -> bool:
        return self.amount >= self._same(other)

    def __bool__(self) -> bool:
        return bool(self.amount)

    def __str__(self) -> str:
        return f"{render(self.amount, self.currency)} {self.currency}"

    def floor_zero(self) -> Money:
        """This amount, or zero where it is negative."""
        return self if self.amount >= 0 else Money(ZERO, self.currency)

    def convert(self, rate: Decimal, currency: str) -> Money:
        """This amount at `rate` units of `currency` per unit of its own, rounded half up to that currency's digits."""
        return Money(rounded(self.amount * rate, currency), currency)

    def _same(self, other: Money) -> Decimal:
        if self.currency != other.currency:
            raise CurrencyMismatch(f"{self.currency} and {other.currency}")
        return other.amount


def zero(currency: str) -> Money:
    """Nothing, in `currency`."""
    return Money(ZERO, currency)


def total(amounts: Iterable[Money], currency: str) -> Money:
    """The sum of `amounts`, all of `currency`."""
    return sum(amounts, start=zero(currency))


def known_currency(code: str) -> str:
    """`code` itself, refused when ISO 4217 does not know it."""
    if code not in DIGITS:
        raise CurrencyUnknown(f"{code!r} is not an ISO 4217 currency code")
    return code


def exact(amount: Decimal, currency: str) -> Money:
    """`amount` as money, refused when it is not finite, too large or has more decimals than the currency."""
    quantum = _QUANTUM[known_currency(currency)]
    if not amount.is_finite() or abs(amount) > MAX_AMOUNT:
        raise AmountOutOfRange(f"{amount} is beyond {MAX_AMOUNT}")
    try:
        settled = amount.quantize(quantum)
    except InvalidOperation as error:  # pragma: no cover - bounded by MAX_AMOUNT
        raise AmountOutOfRange(str(amount)) from error
    if settled != amount:
        raise TooManyDecimals(f"{currency} has {DIGITS[currency]} decimals, {amount} has more")
    return Money(settled, currency)


def quantum(currency: str) -> Decimal:
    """The smallest amount of `currency`."""
    return _QUANTUM[currency]


def rounded(amount: Decimal, currency: str) -> Decimal:
    """`amount` rounded half up to the digits of `currency`."""
    return amount.quantize(_QUANTUM[currency], ROUND_HALF_UP, _WIDE)


def largest_worth(most: Decimal, *, rate: Decimal, currency: str, into: str) -> Decimal:
    """The largest amount of `currency` that, at `rate` units of `into` and rounded half up, is worth at most `most`."""
    step, smallest = _QUANTUM[currency], _QUANTUM[into]
    bound = most.quantize(smallest, ROUND_FLOOR, _WIDE)
    amount = ((bound + smallest / 2) / rate).quantize(step, ROUND_FLOOR, _WIDE)
    while rounded(amount * rate, into) > bound:  # exactly at the half, which rounds up
        amount -= step
    return amount


def render(amount: Decimal, currency: str) -> str:
    """`amount` as the API writes it: plain decimal notation with exactly the digits of the currency."""
    if not amount:
        return _NOTHING[currency]
    return str(amount.quantize(_QUANTUM[currency], ROUND_HALF_UP, _WIDE))
