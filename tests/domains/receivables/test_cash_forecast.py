"""The cash forecast: what is open by the day it is expected, 13 weeks from today."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from httpx import AsyncClient
from sqlalchemy import text

from app.domains.monitoring import service as monitoring
from app.domains.monitoring.core.forecast import CurrencyForecast
from app.domains.receivables import service as receivables
from app.domains.receivables.core.disputes import DisputeReason
from app.domains.receivables.core.instalments import Instalment
from app.infra.transaction import Transaction
from tests.domains.receivables.http import an_invoice, post
from tests.domains.receivables.world import NOTHING, TODAY, day, invoice, open_account, pay


def expected(found: CurrencyForecast) -> dict[int, Decimal]:
    """The weeks, counted from 0, in which something is expected."""
    return {number: week.amount for number, week in enumerate(found.weeks) if week.amount}


class TestCashForecast:
    async def test_expects_each_customer_as_late_as_it_pays(self, tx: Transaction) -> None:
        for customer in ("LATE", "PROMPT"):
            await open_account(tx, customer)
        await invoice(tx, "I1", "100.00", customer_id="LATE", issued_on=day(-60), due_on=day(-30))
        await pay(tx, "P1", "100.00", customer_id="LATE", received_on=day(-16))
        await invoice(tx, "I2", "100.00", customer_id="PROMPT", issued_on=day(-60), due_on=day(-30))
        await pay(tx, "P2", "100.00", customer_id="PROMPT", received_on=day(-30))
        for customer in ("LATE", "PROMPT"):
            await invoice(tx, f"{customer}-1", "70.00", customer_id=customer, issued_on=day(-5), due_on=day(1))
        await invoice(tx, "OLD", "5.00", customer_id="PROMPT", issued_on=day(-50), due_on=day(-20))
        await invoice(tx, "FAR", "9.00", customer_id="PROMPT", due_on=day(91))
        await invoice(tx, "D1", "30.00", customer_id="PROMPT", due_on=day(2))
        await receivables.open_dispute(tx, segment="main", invoice_no="D1", reason=DisputeReason.TAX)
        await pay(tx, "P3", "44.00", customer_id="LATE", allocate=NOTHING, clears_on=day(20))
        [found] = (await monitoring.cash_forecast(tx, segment="main")).currencies
        assert (found.currency, found.late, found.later) == ("CNY", Decimal(5), Decimal(9))
        assert expected(found) == {0: Decimal(70), 2: Decimal(70)}, "LATE is expected a fortnight late"
        assert [number for number, week in enumerate(found.weeks) if week.drafts] == [2]
        assert (found.weeks[0].since, found.weeks[0].until, len(found.weeks)) == (TODAY, day(6), 13)
        assert found.total == Decimal(5 + 9 + 70 + 70 + 44)

    async def test_learns_nothing_of_lateness_from_instalments(self, tx: Transaction) -> None:
        """What stands on the item is the due day of the part that is next: the first was paid on its own day."""
        await open_account(tx)
        parts = (Instalment(day(-30), Decimal(50)), Instalment(day(3), Decimal(50)))
        await invoice(tx, "I1", "100.00", issued_on=day(-60), instalments=parts)
        await pay(tx, "P1", "50.00", received_on=day(-30))
        [found] = (await monitoring.cash_forecast(tx, segment="main")).currencies
        assert expected(found) == {0: Decimal(50)}

    async def test_is_of_a_customer_with_all_below_it_each_currency_apart(self, tx: Transaction) -> None:
        await open_account(tx, "HEAD")
        await open_account(tx, "DAUGHTER", parent_id="HEAD")
        await open_account(tx, "YEN", currency="JPY", parent_id="DAUGHTER")
        await open_account(tx, "SOLO")
        for number, customer in enumerate(("HEAD", "DAUGHTER", "SOLO")):
            await invoice(tx, f"I{number}", f"{10**number}.00", customer_id=customer, due_on=day(8))
        await invoice(tx, "I9", "7000", "JPY", customer_id="YEN", due_on=day(15))

        async def totals(customer_id: str | None = None, currency: str | None = None) -> dict[str, Decimal]:
            found = await monitoring.cash_forecast(tx, segment="main", customer_id=customer_id, currency=currency)
            return {forecast.currency: forecast.total for forecast in found.currencies}

        assert await totals() == {"CNY": Decimal(111), "JPY": Decimal(7000)}
        assert await totals("HEAD") == {"CNY": Decimal(11), "JPY": Decimal(7000)}
        assert await totals("DAUGHTER", "CNY") == {"CNY": Decimal(10)}
        assert await totals("SOLO", "JPY") == await totals("nobody") == {}

    @pytest.mark.parametrize(
        ("now", "zone", "today"),
        [
            (datetime(2026, 12, 31, 15, 59, tzinfo=UTC), "Asia/Shanghai", date(2026, 12, 31)),
            (datetime(2026, 12, 31, 16, 0, tzinfo=UTC), "Asia/Shanghai", date(2027, 1, 1)),
            (datetime(2028, 3, 1, 4, 59, tzinfo=UTC), "America/New_York", date(2028, 2, 29)),
        ],
    )
    async def test_counts_weeks_from_today_in_the_segment_over_the_end_of_month_and_year(
        self, tx: Transaction, now: datetime, zone: str, today: date
    ) -> None:
        await open_account(tx)
        await tx.session.execute(text("update segments set time_zone = :zone"), {"zone": zone})
        for number, days in enumerate((-1, 0, 6, 7, 90, 91)):
            amount = f"{10**number}.00"
            await invoice(tx, f"I{number}", amount, issued_on=TODAY, due_on=today + timedelta(days=days))
        then = Transaction(tx.session, now=now, actor=tx.actor, request_id="test")
        forecast = await monitoring.cash_forecast(then, segment="main")
        [found] = forecast.currencies
        assert (forecast.on, found.weeks[0].since, found.weeks[-1].until) == (today, today, today + timedelta(days=90))
        assert (found.late, found.later) == (Decimal(1), Decimal(100_000))
        assert expected(found) == {0: Decimal(110), 1: Decimal(1000), 12: Decimal(10_000)}
        assert all(
            after.since == before.until + timedelta(days=1)
            for before, after in zip(found.weeks, found.weeks[1:], strict=False)
        )

    async def test_is_answered_over_http(self, api: AsyncClient, company: None) -> None:
        await post(api, "/v1/invoices", an_invoice("I1", "60", due_on="2026-03-12"))
        body = (await api.get("/v1/reports/cash-forecast")).json()
        [forecast] = body["currencies"]
        assert forecast["weeks"][1] == {
            "from": "2026-03-09",
            "to": "2026-03-15",
            "amount": "60.00",
            "drafts": "0.00",
        }
        assert (forecast["total"], body["on"]) == ("60.00", TODAY.isoformat())
