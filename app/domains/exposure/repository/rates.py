"""Published exchange rates: one row for a base, a quoted currency and a day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from sqlalchemy import delete, func, insert, select, tuple_
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from app.domains.exposure.tables import FxRateRow
from app.infra.db.paging import PageRequest, Slice, fetch

_DAY_LOCK: Final = 0x6865_6178
"""The first half of the advisory locks that guard the rates of one base and day."""


@dataclass(frozen=True, slots=True)
class DayRates:
    """What was published for one base and day: 1 base = rate of each quoted currency."""

    on: date
    base: str
    rates: Mapping[str, Decimal]
    entered_by: str
    entered_at: datetime


async def lock_day(session: AsyncSession, on: date, base: str) -> None:
    """Waits until nobody else enters rates of this base and day."""
    key = func.hashtext(f"{base}/{on.isoformat()}")
    await session.execute(select(func.pg_advisory_xact_lock(_DAY_LOCK, key)))


async def of_day(session: AsyncSession, on: date, base: str) -> DayRates | None:
    """The rates of a base and day, if there are any."""
    found = await _collect(session, [(on, base)])
    return found[0] if found else None


async def replace_day(session: AsyncSession, day: DayRates) -> None:
    """Makes these the only rates of their base and day."""
    await session.execute(delete(FxRateRow).where(FxRateRow.base == day.base, FxRateRow.on_date == day.on))
    await session.execute(
        insert(FxRateRow),
        [
            {
                "base": day.base,
                "quote": quote,
                "on_date": day.on,
                "rate": rate,
                "entered_by": day.entered_by,
                "entered_at": day.entered_at,
            }
            for quote, rate in day.rates.items()
        ],
    )


async def list_page(session: AsyncSession, page: PageRequest) -> Slice[DayRates]:
    """A page of days and bases, by day, then base; `changed_after` keeps what was entered since."""
    keys = [FxRateRow.on_date, FxRateRow.base]
    statement = select(FxRateRow).ext(distinct_on(*keys))
    if page.changed_after is not None:
        statement = statement.where(FxRateRow.entered_at > page.changed_after)
    found = await fetch(session, statement, replace(page, changed_after=None), keys=keys)
    named = [(row.on_date, row.base) for row in found.rows]
    days = {(day.on, day.base): day for day in await _collect(session, named)}
    return Slice([days[key] for key in named], found.next_cursor)


async def _collect(session: AsyncSession, keys: Sequence[tuple[date, str]]) -> Sequence[DayRates]:
    rows = await session.scalars(
        select(FxRateRow)
        .where(tuple_(FxRateRow.on_date, FxRateRow.base).in_(keys))
        .order_by(FxRateRow.on_date, FxRateRow.base, FxRateRow.quote)
        .execution_options(populate_existing=True)
    )
    found: dict[tuple[date, str], list[FxRateRow]] = {}
    for row in rows:
        found.setdefault((row.on_date, row.base), []).append(row)
    return [
        DayRates(on, base, {row.quote: row.rate for row in day}, day[0].entered_by, day[0].entered_at)
        for (on, base), day in found.items()
    ]
