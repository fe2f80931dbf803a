"""The rules of allocation, without a database."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domains.receivables.core import items
from app.domains.receivables.core.allocations import fx_difference, listed
from app.domains.receivables.core.items import Cancellation, Item, ItemKind, ItemStatus
from app.domains.receivables.core.matching import oldest_first, taken
from app.domains.receivables.core.requests import AllocationLine
from app.kernel.errors import Refusal
from app.kernel.money import rounded
from tests.domains.receivables.world import MONDAY, TODAY, an_item, day

CENTS = st.integers(1, 5_000).map(lambda cents: Decimal(cents) / 100)
RATES = st.integers(1, 20_000_000).map(lambda parts: Decimal(parts) / 1_000_000)


@st.composite
def open_items(draw: st.DrawFn) -> list[Item]:
    """Items of one account in due order, some of them settled in part or whole."""
    made = []
    for number in range(draw(st.integers(0, 8))):
        amount = draw(CENTS)
        left = draw(st.integers(0, int(amount * 100)))
        made.append(
            an_item(str(amount), id=uuid4(), invoice_no=f"I{number}", open=Decimal(left) / 100, due_on=day(number))
        )
    return made


class TestOldestFirst:
    @given(open_items(), CENTS)
    def test_uses_all_the_cash_or_settles_all_items(self, found: list[Item], cash: Decimal) -> None:
        settlements = oldest_first(found, cash)
        used = sum(settlement.amount for settlement in settlements)
        assert used == min(cash, sum(item.open for item in found))
        assert all(0 < settlement.amount <= settlement.item.open for settlement in settlements)

    @given(open_items(), CENTS)
    def test_leaves_no_item_open_before_one_it_settles(self, found: list[Item], cash: Decimal) -> None:
        settlements = oldest_first(found, cash)
        relieved = taken(settlements)
        touched = [item for item in found if item.id in relieved]
        for earlier in touched[:-1]:
            assert relieved[earlier.id] == earlier.open
        if touched:
            assert all(item.id in relieved for item in found[: found.index(touched[-1])] if item.open)

    @given(open_items(), CENTS, CENTS)
    def test_goes_on_where_others_have_stopped(self, found: list[Item], first: Decimal, second: Decimal) -> None:
        before = oldest_first(found, first)
        after = oldest_first(found, second, already=taken(before))
        assert taken([*before, *after]) == taken(oldest_first(found, first + second))

    def test_reads_no_further_than_the_cash_reaches(self) -> None:
        def endless() -> Iterator[Item]:
            yield an_item("10.00")
            yield an_item("10.00", id=uuid4())
            raise AssertionError("read too far")

        assert len(oldest_first(endless(), Decimal("20.00"))) == 2


class TestListed:
    @given(open_items(), CENTS, st.lists(st.tuples(st.integers(0, 9), CENTS, st.integers(0, 100)), max_size=6))
    def test_never_settles_more_than_is_open_or_left(
        self, found: list[Item], cash: Decimal, asked: list[tuple[int, Decimal, int]]
    ) -> None:
        known = {item.invoice_no: item for item in found}
        named = [AllocationLine(f"I{n}", amount, Decimal(discount) / 100) for n, amount, discount in asked]
        try:
            settlements = listed(named, known.get, cash=cash, currency="CNY", group=["C1"])
        except Refusal:
            return
        assert sum(settlement.amount for settlement in settlements) <= cash
        relieved = taken(settlements)
        assert all(relieved[item.id] <= item.open for item in found if item.id in relieved)
        assert [(s.item.invoice_no, s.amount, s.discount) for s in settlements] == [
            (line.invoice_no, line.amount, line.discount) for line in named
        ]


class TestFxDifference:
    @given(CENTS, RATES, RATES)
    def test_and_what_was_relieved_make_up_what_the_cash_was_worth(
        self, amount: Decimal, at_issue: Decimal, at_receipt: Decimal
    ) -> None:
        item = an_item(str(amount), currency="EUR", rate=at_issue)
        [settlement] = oldest_first([item], amount)
        used = rounded(amount * at_receipt, "CNY")
        difference = fx_difference(settlement, used=used, relieved=item.value, account_currency="CNY")
        assert difference is not None
        assert item.value + difference == used

    def test_is_unknown_between_accounts_of_two_currencies(self) -> None:
        [settlement] = oldest_first([an_item("10.00")], Decimal(10))
        one = Decimal(1)
        assert fx_difference(settlement, used=one, relieved=one, account_currency="EUR") is None


class TestItem:
    @given(CENTS, RATES, st.lists(st.integers(1, 100), min_size=1, max_size=10))
    def test_counts_nothing_once_settled_however_it_was_rounded(
        self, amount: Decimal, rate: Decimal, weights: list[int]
    ) -> None:
        item = an_item(str(amount), currency="EUR", rate=rate)
        relieved = Decimal(0)
        for part in _parts(amount, weights):
            after = items.settle(item, part, now=MONDAY)
            relieved += item.value - after.value
            item = after
        assert item.status is ItemStatus.PAID
        assert item.value == 0
        assert relieved == rounded(amount * rate, "CNY")

    def test_follows_its_amounts(self) -> None:
        item = an_item("10.00")
        assert item.status is ItemStatus.OPEN
        partly = items.settle(item, Decimal(4), now=MONDAY)
        assert partly.status is ItemStatus.PARTLY_PAID
        assert items.reopen(partly, Decimal(4), now=MONDAY) == item
        gone = items.cancel(item, Cancellation(MONDAY, "ann", "typo"))
        assert (gone.status, gone.open) == (ItemStatus.CANCELLED, Decimal(0))

    def test_is_never_settled_reopened_or_cancelled_beyond_its_amounts(self) -> None:
        item = an_item("10.00")
        partly = items.settle(item, Decimal(4), now=MONDAY)
        with pytest.raises(AssertionError):
            items.settle(partly, Decimal("6.01"), now=MONDAY)
        with pytest.raises(AssertionError):
            items.reopen(partly, Decimal("4.01"), now=MONDAY)
        with pytest.raises(AssertionError):
            items.cancel(partly, Cancellation(MONDAY, "ann", "typo"))

    def test_is_overdue_from_the_day_after_it_is_due(self) -> None:
        assert [an_item(due_on=day(n)).overdue_days(TODAY) for n in (1, 0, -1, -30)] == [0, 0, 1, 30]
        assert an_item(due_on=day(-9), kind=ItemKind.CREDIT_NOTE).overdue_days(TODAY) == 0
        assert an_item(due_on=day(-9), open=Decimal(0)).overdue_days(TODAY) == 0


def _parts(amount: Decimal, weights: list[int]) -> list[Decimal]:
    """`amount` cut into parts of about these weights, each at least a cent."""
    parts, left = [], amount
    for weight in weights:
        part = rounded(amount * weight / sum(weights), "CNY")
        if 0 < part <= left:
            parts.append(part)
            left -= part
    return [*parts, left] if left else parts
