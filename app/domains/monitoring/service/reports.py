"""Use cases that report over many accounts: aging and the cash forecast."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal

from app.domains.monitoring.core.aging import AgingBy, AgingReport, rows
from app.domains.monitoring.core.forecast import LATENESS_DAYS, WEEKS, CashForecast, CurrencyForecast, ForecastWeek
from app.domains.monitoring.repository import reports as repository
from app.domains.policies import service as policies
from app.domains.receivables.core.aging import BOUNDS
from app.infra.db.paging import PageRequest, encode_cursor, text_key
from app.infra.transaction import Transaction
from app.kernel.money import ZERO
from app.kernel.periods import end_of, local_day


async def aging_report(
    tx: Transaction,
    *,
    segment: str,
    by: AgingBy,
    page: PageRequest,
    on: date | None = None,
    customer_id: str | None = None,
    currency: str | None = None,
) -> AgingReport:
    """What accounts owe by how long it is due on the day `on`, today in the segment's zone if null.

    A past day is answered by the ledger as it stood at the end of that day; today and later by what is open now.
    `customer_id` is one customer, or the ultimate parent of a group. Accounts that owe and have nothing are left out.
    Raises `SegmentNotFound`, `CursorMalformed`.
    """
    zone = (await policies.segment(tx, segment=segment)).zone
    today = local_day(tx.now, zone)
    on = on or today
    parts = await repository.aging_parts(
        tx.session,
        by=by,
        segment=segment,
        on=on,
        until=end_of(on, zone) if on < today else None,
        bounds=[first for first, _ in BOUNDS],
        customer_id=customer_id,
        currency=currency,
        after=text_key(page) or "",
        most=page.limit + 1,
    )
    keys = list(dict.fromkeys(part.key for part in parts))
    shown = set(keys[: page.limit])
    found = rows(part for part in parts if part.key in shown)
    return AgingReport(
        segment=segment,
        by=by,
        on=on,
        rows=[row for row in found if row.total or row.uncleared or row.unallocated_credits],
        next_cursor=encode_cursor(page, [keys[page.limit - 1]]) if len(keys) > page.limit else None,
    )


async def cash_forecast(
    tx: Transaction, *, segment: str, customer_id: str | None = None, currency: str | None = None
) -> CashForecast:
    """When what is open is expected: each due day and the customer's mean lateness, over 13 weeks from today, in the
    segment's zone; drafts on the day they clear. What is disputed is not expected.

    `customer_id` is one customer and all below it. Raises `SegmentNotFound`.
    """
    on = local_day(tx.now, (await policies.segment(tx, segment=segment)).zone)
    found = await repository.cash_forecast(
        tx.session,
        segment=segment,
        on=on,
        since=on - timedelta(days=LATENESS_DAYS),
        weeks=WEEKS,
        customer_id=customer_id,
        currency=currency,
    )
    by_currency: dict[str, dict[int, tuple[Decimal, Decimal]]] = defaultdict(dict)
    for row in found:
        by_currency[row.currency][row.week] = (row.amount, row.drafts)
    return CashForecast(
        segment, on, [_forecast(currency, weeks, on) for currency, weeks in sorted(by_currency.items())]
    )


def _forecast(currency: str, weeks: Mapping[int, tuple[Decimal, Decimal]], on: date) -> CurrencyForecast:
    nothing = (ZERO, ZERO)
    return CurrencyForecast(
        currency=currency,
        late=sum(weeks.get(-1, nothing), ZERO),
        weeks=[
            ForecastWeek(on + timedelta(weeks=week), on + timedelta(weeks=week, days=6), *weeks.get(week, nothing))
            for week in range(WEEKS)
        ],
        later=sum(weeks.get(WEEKS, nothing), ZERO),
    )
