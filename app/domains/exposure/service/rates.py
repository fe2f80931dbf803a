"""Exchange rates as published: one set for a base currency and a day, replaced as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from app.domains.exposure.core.events import FxRatesEntered
from app.domains.exposure.core.refusals import FxRatesInvalid
from app.domains.exposure.repository import rates as repository
from app.domains.exposure.repository.rates import DayRates
from app.infra.db.paging import PageRequest, Slice
from app.infra.transaction import Transaction
from app.kernel.errors import Fault


async def enter_rates(tx: Transaction, *, on: date, base: str, rates: Mapping[str, Decimal]) -> tuple[DayRates, bool]:
    """Makes `rates` (1 base = rate) the only ones of `base` on the day; says whether the day had none before.

    The same again changes nothing. Raises `FxRatesInvalid` when they quote the base against itself.
    """
    if base in rates:
        message = f"{base} can't be quoted against itself"
        raise FxRatesInvalid(message, faults=[Fault(f"/rates/{base}", FxRatesInvalid.code, message)])
    await repository.lock_day(tx.session, on, base)
    before = await repository.of_day(tx.session, on, base)
    if before is not None and before.rates == rates:
        return before, False
    day = DayRates(on, base, dict(sorted(rates.items())), tx.actor.name, tx.now)
    await repository.replace_day(tx.session, day)
    tx.emit(FxRatesEntered(subject_id=f"{base}/{on.isoformat()}", before=_told(before), after=_told(day)))
    return day, before is None


async def list_rates(tx: Transaction, *, page: PageRequest) -> Slice[DayRates]:
    """Published rates by day and base; `changed_after` keeps what was entered since."""
    return await repository.list_page(tx.session, page)


def _told(day: DayRates | None) -> dict[str, Any]:
    return {} if day is None else {"rates": {quote: f"{rate:f}" for quote, rate in day.rates.items()}}
