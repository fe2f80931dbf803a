"""Aging: by due day, today and on past days."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domains.exposure.core.refusals import AccountNotFound
from app.domains.receivables import service as receivables
from app.domains.receivables.core.aging import BOUNDS, Aging, buckets, not_due
from app.domains.receivables.core.items import ItemKind
from app.infra.transaction import Transaction
from app.kernel.money import render
from tests.domains.receivables.world import (
    NOTHING,
    TODAY,
    day,
    invoice,
    lines,
    open_account,
    pay,
    totals,
)


async def aged(tx: Transaction, on: date | None = None) -> tuple[str, list[str], str, str]:
    """Not due, the buckets, the total and the unallocated credits."""
    found = await receivables.aging(tx, customer_id="C1", segment="main", on=on)
    return (
        render(found.not_due, "CNY"),
        [render(bucket.amount, "CNY") for bucket in found.buckets],
        render(found.total, "CNY"),
        render(found.unallocated_credits, "CNY"),
    )


class TestBuckets:
    @pytest.mark.parametrize(
        ("overdue_days", "bucket"),
        [(0, None), (1, 0), (30, 0), (31, 1), (60, 1), (61, 2), (90, 2), (91, 3), (4000, 3)],
    )
    def test_begin_the_day_after_an_item_is_due(self, overdue_days: int, bucket: int | None) -> None:
        ladder = {day(-overdue_days): Decimal(7)}
        filled = [index for index, found in enumerate(buckets(ladder, TODAY)) if found.amount]
        assert filled == ([] if bucket is None else [bucket])
        assert not_due(ladder, TODAY) == (7 if bucket is None else 0)

    @given(st.dictionaries(st.integers(-400, 400).map(day), st.integers(0, 10**9).map(Decimal)))
    def test_hold_everything_once(self, ladder: dict[date, Decimal]) -> None:
        aging = Aging(
            "C1", "main", "CNY", TODAY, not_due(ladder, TODAY), buckets(ladder, TODAY), Decimal(0), Decimal(0)
        )
        assert aging.total == sum(ladder.values())
        assert [(bucket.from_days, bucket.to_days) for bucket in aging.buckets] == list(BOUNDS)


class TestToday:
    async def test_is_what_the_account_says(self, tx: Transaction) -> None:
        await open_account(tx)
        for number, amount, due in (("I1", "10.00", 5), ("I2", "20.00", -5), ("I3", "40.00", -50), ("I4", "1", -99)):
            await invoice(tx, number, amount, issued_on=day(-100), due_on=day(due))
        await invoice(tx, "E1", "10.00", "EUR", fx_rate=Decimal("7.8"), due_on=day(-70))
        await invoice(tx, "N1", "5.00", kind=ItemKind.CREDIT_NOTE)
        await pay(tx, "P1", "15.00", allocate=lines(("I3", "15.00")))
        await pay(tx, "P2", "2.00", allocate=NOTHING)
        assert await aged(tx) == ("10.00", ["20.00", "25.00", "78.00", "1.00"], "134.00", "7.00")
        assert await totals(tx) == ("134.00", "7.00")
        assert await aged(tx, TODAY) == await aged(tx)

    async def test_can_look_ahead(self, tx: Transaction) -> None:
        await open_account(tx)
        await invoice(tx, "I1", "10.00", due_on=day(5))
        assert (await aged(tx, day(6)))[1] == ["10.00", "0.00", "0.00", "0.00"]

    async def test_needs_an_account(self, tx: Transaction) -> None:
        with pytest.raises(AccountNotFound):
            await aged(tx)


class TestPastDays:
    async def test_go_by_the_days_of_documents(self, tx: Transaction) -> None:
        await open_account(tx)
        await invoice(tx, "I1", "100.00", issued_on=day(-40), due_on=day(-10))
        await invoice(tx, "I2", "50.00", issued_on=day(-5), due_on=day(25))
        await pay(tx, "P1", "130.00", received_on=day(-8))
        nothing = ["0.00"] * 4
        assert await aged(tx, day(-41)) == ("0.00", nothing, "0.00", "0.00")
        assert await aged(tx, day(-40)) == ("100.00", nothing, "100.00", "0.00")
        assert await aged(tx, day(-9)) == ("0.00", ["100.00", "0.00", "0.00", "0.00"], "100.00", "0.00")
        assert await aged(tx, day(-8)) == ("0.00", nothing, "0.00", "30.00")
        assert await aged(tx, day(-5)) == ("20.00", nothing, "20.00", "0.00")
        assert await aged(tx) == ("20.00", nothing, "20.00", "0.00")

    async def test_leave_out_what_was_taken_back_since(self, tx: Transaction) -> None:
        await open_account(tx)
        await invoice(tx, "I1", "100.00", issued_on=day(-40), due_on=day(-10))
        await invoice(tx, "I2", "30.00", issued_on=day(-40), due_on=day(-10))
        await pay(tx, "P1", "100.00", received_on=day(-20), allocate=lines(("I1", "100.00")))
        await receivables.reverse_payment(tx, segment="main", payment_ref="P1", reason="bounced")
        await receivables.cancel_invoice(tx, segment="main", invoice_no="I2", reason="typo")
        assert (await aged(tx, day(-15)))[2:] == ("100.00", "0.00")

    async def test_convert_each_item_at_its_own_rate(self, tx: Transaction) -> None:
        await open_account(tx)
        await invoice(tx, "E1", "10.00", "EUR", fx_rate=Decimal("7.8"), issued_on=day(-9), due_on=day(-1))
        await pay(tx, "P1", "4.00", "EUR", fx_rate=Decimal(8), received_on=day(-2))
        assert (await aged(tx, day(-3)))[2] == "78.00"
        assert (await aged(tx, day(-2)))[2:] == ("46.80", "0.00")
