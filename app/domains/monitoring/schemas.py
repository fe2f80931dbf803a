"""Reports on the wire."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import Field

from app.domains.monitoring.core.aging import AgedRow, AgingBy, AgingReport
from app.domains.monitoring.core.forecast import CashForecast, CurrencyForecast
from app.infra.http.fields import MoneyText, Wire
from app.kernel.money import render


class AgingBucketOut(Wire):
    """What is overdue by this many days; the last bucket has no end."""

    from_days: int
    to_days: int | None
    amount: MoneyText


class AgedRowOut(Wire):
    """What a customer, a group (by its ultimate parent) or the segment owes in one account currency.

    What is `disputed` is due on no day: it is in the total and in no bucket. `uncleared` drafts are exposed and in no
    total; `total` is before unallocated credits.
    """

    key: str
    currency: str
    not_due: MoneyText
    buckets: list[AgingBucketOut]
    disputed: MoneyText
    total: MoneyText
    uncleared: MoneyText
    unallocated_credits: MoneyText


class AgingReportOut(Wire):
    """A page of aging. `next_cursor` is null at the end."""

    segment: str
    by: AgingBy
    on: date
    items: list[AgedRowOut]
    next_cursor: str | None


class ForecastWeekOut(Wire):
    """What is expected in seven days: open items, and drafts that clear."""

    since: Annotated[date, Field(serialization_alias="from")]
    until: Annotated[date, Field(serialization_alias="to")]
    amount: MoneyText
    drafts: MoneyText


class CurrencyForecastOut(Wire):
    """What is expected in one account currency; `late` should have come before today."""

    currency: str
    late: MoneyText
    weeks: list[ForecastWeekOut]
    later: MoneyText
    total: MoneyText


class CashForecastOut(Wire):
    """When what is open is expected to be paid."""

    segment: str
    on: date
    currencies: list[CurrencyForecastOut]


def aging_report_out(report: AgingReport) -> AgingReportOut:
    """A page of aging as it travels."""
    return AgingReportOut(
        segment=report.segment,
        by=report.by,
        on=report.on,
        items=[_row_out(row) for row in report.rows],
        next_cursor=report.next_cursor,
    )


def cash_forecast_out(forecast: CashForecast) -> CashForecastOut:
    """A forecast as it travels."""
    return CashForecastOut(
        segment=forecast.segment, on=forecast.on, currencies=[_currency_out(each) for each in forecast.currencies]
    )


def _row_out(row: AgedRow) -> AgedRowOut:
    return AgedRowOut(
        key=row.key,
        currency=row.currency,
        not_due=render(row.not_due, row.currency),
        buckets=[
            AgingBucketOut(from_days=b.from_days, to_days=b.to_days, amount=render(b.amount, row.currency))
            for b in row.buckets
        ],
        disputed=render(row.disputed, row.currency),
        total=render(row.total, row.currency),
        uncleared=render(row.uncleared, row.currency),
        unallocated_credits=render(row.unallocated_credits, row.currency),
    )


def _currency_out(forecast: CurrencyForecast) -> CurrencyForecastOut:
    currency = forecast.currency
    return CurrencyForecastOut(
        currency=currency,
        late=render(forecast.late, currency),
        weeks=[
            ForecastWeekOut(
                since=week.since,
                until=week.until,
                amount=render(week.amount, currency),
                drafts=render(week.drafts, currency),
            )
            for week in forecast.weeks
        ],
        later=render(forecast.later, currency),
        total=render(forecast.total, currency),
    )
