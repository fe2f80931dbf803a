"""Exchange rates: direct, inverse, or one cross over a common currency."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

RATE_QUANTUM: Final = Decimal("0.000000000001")
ONE: Final = Decimal(1)
_BEYOND: Final = Decimal("1e12")
"""Rates from here on, and those that round to nothing, are not usable: the ledger could not hold what they give."""


@dataclass(frozen=True, slots=True)
class Quote:
    """1 unit of the base currency is `rate` units of the quoted one, as published for `on`."""

    rate: Decimal
    on: date


Quotes = Mapping[tuple[str, str], Quote]
"""The latest quote of each (base, quoted) pair."""


def rate_between(quotes: Quotes, currency: str, into: str) -> Decimal | None:
    """Units of `into` per unit of `currency`, rounded half up to 12 decimals; null when no usable quotes lead there.

    A direct quote wins over an inverse one, and both over a cross; of several crosses the one over the currency that
    comes first in the alphabet is taken, so that the same quotes always give the same rate.
    """
    if currency == into:
        return ONE
    leg = _leg(quotes, currency, into)
    if leg is not None:
        return _usable(leg)
    for middle in sorted({code for pair in quotes for code in pair}):
        first, second = _leg(quotes, currency, middle), _leg(quotes, middle, into)
        if first is not None and second is not None:
            return _usable(first * second)
    return None


def _leg(quotes: Quotes, currency: str, into: str) -> Decimal | None:
    direct = quotes.get((currency, into))
    if direct is not None:
        return direct.rate
    inverse = quotes.get((into, currency))
    return ONE / inverse.rate if inverse is not None else None


def _usable(rate: Decimal) -> Decimal | None:
    if rate >= _BEYOND:
        return None
    return rate.quantize(RATE_QUANTUM, ROUND_HALF_UP) or None
