"""Entering and listing exchange rates."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from app.domains.exposure import service as exposure
from app.domains.exposure.core.events import FxRatesEntered
from app.domains.exposure.core.refusals import FxRatesInvalid
from app.infra.db.paging import PageRequest
from app.infra.transaction import Transaction
from tests.domains.exposure.conftest import MONDAY, Later

FIRST, SECOND = date(2026, 3, 1), date(2026, 3, 2)


async def enter(tx: Transaction, on: date, base: str, **rates: str) -> bool:
    quoted = {quote: Decimal(rate) for quote, rate in rates.items()}
    return (await exposure.enter_rates(tx, on=on, base=base, rates=quoted))[1]


class TestEnterRates:
    async def test_replaces_the_day_of_that_base(self, tx: Transaction) -> None:
        assert await enter(tx, FIRST, "EUR", CNY="7.81", USD="1.08")
        assert await enter(tx, FIRST, "USD", CNY="7.20")
        assert not await enter(tx, FIRST, "EUR", CNY="7.90")
        quotes = await exposure.quotes(tx, on=FIRST)
        assert {pair: quote.rate for pair, quote in quotes.items()} == {
            ("EUR", "CNY"): Decimal("7.9"),
            ("USD", "CNY"): Decimal("7.2"),
        }

    async def test_says_what_was_before_and_after(self, tx: Transaction) -> None:
        await enter(tx, FIRST, "EUR", CNY="7.81")
        await enter(tx, FIRST, "EUR", CNY="7.9")
        _, said = tx.take_events()
        assert isinstance(said, FxRatesEntered)
        assert said.before["rates"]["CNY"].startswith("7.81")
        assert said.after == {"rates": {"CNY": "7.9"}}

    async def test_changes_nothing_when_told_the_same_again(self, tx: Transaction) -> None:
        await enter(tx, FIRST, "EUR", CNY="7.81")
        tx.take_events()
        assert not await enter(tx, FIRST, "EUR", CNY="7.81")
        assert not tx.take_events()

    async def test_refuses_the_base_against_itself(self, tx: Transaction) -> None:
        with pytest.raises(FxRatesInvalid):
            await enter(tx, FIRST, "EUR", EUR="1")


class TestListRates:
    async def test_pages_by_day_and_base(self, tx: Transaction) -> None:
        for on in (FIRST, SECOND):
            for base in ("EUR", "USD"):
                await enter(tx, on, base, CNY="7", JPY="150")
        first = await exposure.list_rates(tx, page=PageRequest(limit=3))
        assert [(day.on, day.base) for day in first.rows] == [(SECOND, "USD"), (SECOND, "EUR"), (FIRST, "USD")]
        assert set(first.rows[0].rates) == {"CNY", "JPY"}
        rest = await exposure.list_rates(tx, page=PageRequest(limit=3, cursor=first.next_cursor))
        assert [(day.on, day.base) for day in rest.rows] == [(FIRST, "EUR")]

    async def test_keeps_what_was_entered_since(self, tx: Transaction, later: Later) -> None:
        await enter(tx, FIRST, "EUR", CNY="7")
        await enter(later(hours=1), FIRST, "USD", CNY="7")
        found = await exposure.list_rates(tx, page=PageRequest(changed_after=MONDAY, descending=False))
        assert [day.base for day in found.rows] == ["USD"]
