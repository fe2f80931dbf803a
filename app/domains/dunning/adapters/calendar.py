"""Business days by country: weekends and public holidays, from the holidays library."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import Final

import holidays

from app.domains.policies.core.dunning import CUSTOMERS_COUNTRY

_SATURDAY: Final = 5


def is_business_day(calendar: str | None, country: str, day: date) -> bool:
    """Whether `day` is one by the policy's `calendar`: a country, `customer` for `country`, null for every day.

    A country that the library does not know has weekends and no holidays.
    """
    if calendar is None:
        return True
    return _is_business_day(country if calendar == CUSTOMERS_COUNTRY else calendar, day)


@lru_cache(maxsize=4096)
def _is_business_day(country: str, day: date) -> bool:
    known = _holidays(country, day.year)
    return day.weekday() < _SATURDAY if known is None else bool(known.is_working_day(day))


@lru_cache(maxsize=512)
def _holidays(country: str, year: int) -> holidays.HolidayBase | None:
    try:
        return holidays.country_holidays(country, years=year)
    except NotImplementedError:
        return None
