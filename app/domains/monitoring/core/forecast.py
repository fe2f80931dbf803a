"""The cash forecast: when what is open is expected to be paid, week by week."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

WEEKS: Final = 13
LATENESS_DAYS: Final = 365
"""How far back payments tell how late a customer pays."""


@dataclass(frozen=True, slots=True)
class ForecastWeek:
    """What is expected from the day `since` to `until`, both included: open items, and drafts that clear."""

    since: date
    until: date
    amount: Decimal
    drafts: Decimal


@dataclass(frozen=True, slots=True)
class CurrencyForecast:
    """What is expected in one account currency. `late` should have come before the first day, `later` comes after the
    last week; both with drafts."""

    currency: str
    late: Decimal
    weeks: Sequence[ForecastWeek]
    later: Decimal

    @property
    def total(self) -> Decimal:
        """All that is expected."""
        return sum((week.amount + week.drafts for week in self.weeks), self.late + self.later)


@dataclass(frozen=True, slots=True)
class CashForecast:
    """The forecast of a segment from the day `on`."""

    segment: str
    on: date
    currencies: Sequence[CurrencyForecast]
