"""How a customer pays, computed from its items: golden values, and what must hold for all of them."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domains.receivables.core.behaviour import (
    Dealing,
    PaymentBehaviour,
    next_change,
    payment_behaviour,
    payment_index,
    score_of_days,
)

ON: Final = date(2026, 3, 2)
spans = st.integers(-400, 400)


def days_ago(number: int) -> date:
    return ON - timedelta(days=number)


def paid(late: int, *, ago: int = 0, amount: str = "100") -> Dealing:
    """An item paid so many days beyond terms, so many days ago."""
    due = days_ago(ago + late)
    return Dealing(due - timedelta(days=30), due, Decimal(amount), days_ago(ago))


def owed(late: int, *, amount: str = "100", open_amount: str | None = None) -> Dealing:
    """An item that is open, due so many days ago."""
    due = days_ago(late)
    left = None if open_amount is None else Decimal(open_amount)
    return Dealing(due - timedelta(days=30), due, Decimal(amount), open_amount=left)


@st.composite
def dealings(draw: st.DrawFn) -> Dealing:
    issued = ON + timedelta(days=draw(spans))
    due = issued + timedelta(days=draw(st.integers(0, 90)))
    settled = draw(st.none() | st.integers(0, 300).map(lambda days: issued + timedelta(days=days)))
    return Dealing(issued, due, Decimal(draw(st.integers(1, 10**9))), settled, draw(st.booleans()))


class TestScore:
    @pytest.mark.parametrize(
        ("days", "score"),
        [
            (-400, "100"),
            (-30, "100"),
            (-25, "95"),
            (-20, "90"),
            (-10, "85"),
            (0, "80"),
            (15, "70"),
            (22, "60"),
            (26, "55"),
            (30, "50"),
            (45, "45"),
            (60, "40"),
            (90, "30"),
            (120, "20"),
            (150, "10"),
            (177, "1"),
            (10_000, "1"),
        ],
    )
    def test_follows_its_curve(self, days: int, score: str) -> None:
        assert score_of_days(days) == Decimal(score)

    @given(days=st.integers(-1000, 1000))
    def test_never_rises_with_lateness_and_stays_within_1_and_100(self, days: int) -> None:
        assert 1 <= score_of_days(days + 1) <= score_of_days(days) <= 100


class TestIndex:
    def test_of_what_nobody_has_learned_anything_about_is_none(self) -> None:
        assert payment_index([], on=ON) is None
        assert payment_index([owed(-10)], on=ON) is None

    def test_is_80_for_who_pays_on_the_day(self) -> None:
        assert payment_index([paid(0), paid(0, ago=90, amount="5000")], on=ON) == Decimal("80.00")

    def test_weighs_by_the_root_of_the_amount(self) -> None:
        assert payment_index([paid(0, amount="400"), paid(30, amount="100")], on=ON) == Decimal("70.00")

    def test_weighs_half_after_180_days(self) -> None:
        assert payment_index([paid(0, ago=180), paid(30)], on=ON) == Decimal("60.00")

    def test_counts_what_is_late_with_its_lateness_so_far(self) -> None:
        assert payment_index([paid(0), owed(60)], on=ON) == Decimal("60.00")
        assert payment_index([paid(0), owed(0)], on=ON) == Decimal("80.00")

    def test_counts_only_what_is_open_of_an_item_as_late(self) -> None:
        assert payment_index([paid(0, amount="10000"), owed(60, amount="10000", open_amount="1")], on=ON) == Decimal(
            "79.60"
        )

    def test_counts_nothing_that_is_disputed_as_late(self) -> None:
        assert payment_index([paid(0), owed(60, open_amount="0")], on=ON) == Decimal("80.00")
        assert next_change([owed(60, open_amount="0")], on=ON) is None

    def test_takes_plain_tuples(self) -> None:
        assert payment_index([tuple(paid(30))], on=ON) == Decimal("50.00")  # type: ignore[list-item]

    @given(st.lists(dealings(), max_size=12), st.integers(1, 1000))
    def test_does_not_depend_on_the_unit_of_money(self, given_dealings: list[Dealing], unit: int) -> None:
        scaled = [dealing._replace(amount=dealing.amount * unit * unit) for dealing in given_dealings]
        one, other = payment_index(given_dealings, on=ON), payment_index(scaled, on=ON)
        assert (one is None) == (other is None)
        assert one is None or other is None or abs(one - other) <= Decimal("0.01")

    @given(st.lists(dealings(), max_size=12))
    def test_falls_when_an_item_is_late_and_rises_when_one_is_prompt(self, given_dealings: list[Dealing]) -> None:
        index = payment_index(given_dealings, on=ON)
        if index is not None:
            worse = payment_index([*given_dealings, owed(200)], on=ON)
            better = payment_index([*given_dealings, paid(-40)], on=ON)
            assert worse is not None
            assert better is not None
            assert worse <= index <= better

    @given(st.lists(dealings(), max_size=12))
    def test_changes_by_itself_only_from_the_day_it_says(self, given_dealings: list[Dealing]) -> None:
        known = [each for each in given_dealings if each.issued_on <= ON]
        known = [
            each if each.settled_on is None or each.settled_on <= ON else each._replace(settled_on=None)
            for each in known
        ]
        until = next_change(known, on=ON) or ON + timedelta(days=200)
        for number in range(1, (until - ON).days):
            later = payment_index(known, on=ON + timedelta(days=number))
            now = payment_index(known, on=ON)
            assert later == now or (later is not None and now is not None and abs(later - now) <= Decimal("0.01"))


class TestBehaviour:
    def test_of_nobody_is_empty(self) -> None:
        assert payment_behaviour([], on=ON) == PaymentBehaviour(on=ON)

    def test_of_a_customer_says_all_of_it(self) -> None:
        items = [
            paid(0, ago=0, amount="100"),
            paid(30, ago=180, amount="400")._replace(disputed=True),
            owed(10, amount="100"),
            owed(-20, amount="900"),
        ]
        assert payment_behaviour(items, on=ON) == PaymentBehaviour(
            on=ON,
            settled_items=2,
            late_items=1,
            payment_index=Decimal("67.78"),  # (80 + 50 + 73.33) / 3: all three weigh 10
            share_on_time=Decimal("33.33"),
            average_days_late=Decimal("13.33"),
            longest_lateness=30,
            trend=Decimal("17.78"),
            disputed_items=1,
            disputed_share=Decimal("26.67"),
            known_since=days_ago(240),
            relation_months=7,
            year_volume=Decimal(1500),
            monthly_volume=Decimal("214.29"),
        )

    def test_has_a_trend_that_falls_with_late_payments(self) -> None:
        found = payment_behaviour([paid(0, ago=200), paid(60, ago=1)], on=ON)
        assert found.trend is not None
        assert found.trend < 0

    def test_has_no_lateness_where_everything_was_early(self) -> None:
        found = payment_behaviour([paid(-5), paid(-9)], on=ON)
        assert (found.longest_lateness, found.average_days_late) == (0, Decimal("-7.00"))

    def test_counts_the_volume_of_a_year_only(self) -> None:
        found = payment_behaviour([paid(0, ago=0, amount="1200"), paid(0, ago=400, amount="9999")], on=ON)
        assert (found.year_volume, found.monthly_volume) == (Decimal(1200), Decimal("100.00"))

    @given(st.lists(dealings(), max_size=12), st.lists(spans, min_size=12, max_size=12))
    def test_knows_nothing_of_what_came_later(self, given_dealings: list[Dealing], shifts: list[int]) -> None:
        """What happens to items after the day, and items after the day, change nothing."""
        other = [
            each._replace(settled_on=None if shift < 0 else ON + timedelta(days=1 + shift))
            if each.settled_on is None or each.settled_on > ON
            else each
            for each, shift in zip(given_dealings, shifts, strict=False)
            if each.issued_on <= ON
        ]
        assert payment_behaviour(given_dealings, on=ON) == payment_behaviour(other, on=ON)

    @given(st.lists(dealings(), max_size=12))
    def test_keeps_to_its_ranges(self, given_dealings: list[Dealing]) -> None:
        found = payment_behaviour(given_dealings, on=ON)
        assert found.payment_index is None or 1 <= found.payment_index <= 100
        assert found.share_on_time is None or 0 <= found.share_on_time <= 100
        assert found.longest_lateness is None or found.longest_lateness >= 0
        assert (found.payment_index is None) == (found.settled_items + found.late_items == 0)
