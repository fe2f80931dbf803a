"""Limits: which counts on a day, and which a new decision ends."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domains.exposure.core.limits import (
    Limit,
    LimitKind,
    Standing,
    check_complete,
    effective,
    superseded_by,
)
from app.domains.exposure.core.refusals import LimitIncomplete
from app.kernel.money import Money
from tests.domains.exposure.core.examples import TODAY


def day(offset: int) -> date:
    return TODAY + timedelta(days=offset)


def limit(amount: int | None, start: int = 0, end: int | None = None, kind: LimitKind = LimitKind.GRANTED) -> Limit:
    return Limit(kind, None if amount is None else Decimal(amount), day(start), None if end is None else day(end))


UNLIMITED = limit(None, -5, None, LimitKind.UNLIMITED)
NONE = limit(None, -5, None, LimitKind.NONE)
STANDING = limit(100, -5)
UNTIL_TODAY = limit(100, -5, 0)
EXPIRED = limit(100, -5, -3)
FUTURE = limit(100, 1)
RAISED = limit(900, 0, 3)
LOWERED = limit(10, 0, 3)
WITHDRAWN = limit(None, 0, 3, LimitKind.NONE)


class TestEffective:
    @pytest.mark.parametrize(
        ("base", "temporary", "grace_days", "amount", "standing"),
        [
            (None, None, 0, 0, Standing.MISSING),
            (NONE, None, 0, 0, Standing.MISSING),
            (FUTURE, None, 0, 0, Standing.MISSING),
            (STANDING, None, 0, 100, Standing.IN_FORCE),
            (UNTIL_TODAY, None, 0, 100, Standing.IN_FORCE),
            (UNLIMITED, None, 0, None, Standing.IN_FORCE),
            (limit(0), None, 0, 0, Standing.IN_FORCE),
            (EXPIRED, None, 0, 0, Standing.EXPIRED),
            (EXPIRED, None, 2, 0, Standing.EXPIRED),
            (EXPIRED, None, 3, 100, Standing.IN_GRACE),
            (STANDING, RAISED, 0, 900, Standing.IN_FORCE),
            (STANDING, LOWERED, 0, 10, Standing.IN_FORCE),
            (STANDING, WITHDRAWN, 0, 100, Standing.IN_FORCE),
            (STANDING, limit(900, 1, 3), 0, 100, Standing.IN_FORCE),
            (STANDING, limit(900, -3, -1), 9, 100, Standing.IN_FORCE),
            (None, RAISED, 0, 900, Standing.IN_FORCE),
            (EXPIRED, RAISED, 0, 900, Standing.IN_FORCE),
            (UNLIMITED, LOWERED, 0, 10, Standing.IN_FORCE),
            (STANDING, limit(None, 0, 3, LimitKind.UNLIMITED), 0, None, Standing.IN_FORCE),
        ],
    )
    def test_is_what_the_table_says(
        self, base: Limit | None, temporary: Limit | None, grace_days: int, amount: int | None, standing: Standing
    ) -> None:
        found = effective(base, temporary, on=TODAY, currency="CNY", grace_days=grace_days)
        assert found.standing is standing
        assert found.amount == (None if amount is None else Money(Decimal(amount), "CNY"))

    def test_says_whether_the_temporary_one_counts(self) -> None:
        assert effective(STANDING, RAISED, on=TODAY, currency="CNY").temporary
        assert not effective(STANDING, RAISED, on=day(4), currency="CNY").temporary

    def test_tells_a_decided_zero_from_an_undecided(self) -> None:
        assert effective(limit(0), None, on=TODAY, currency="CNY").granted_zero
        assert not effective(None, None, on=TODAY, currency="CNY").granted_zero


class TestSupersededBy:
    @given(
        st.lists(st.tuples(st.integers(-30, 30), st.integers(0, 30) | st.none()), max_size=6),
        st.integers(-30, 30),
        st.integers(0, 30) | st.none(),
    )
    def test_leaves_one_limit_at_most_for_any_day(
        self, windows: list[tuple[int, int | None]], start: int, length: int | None
    ) -> None:
        in_force: dict[int, Limit] = {}
        for number, (begins, lasts) in enumerate([*windows, (start, length)]):
            new = limit(number, begins, None if lasts is None else begins + lasts)
            for key, remainder in superseded_by(new, in_force).items():
                del in_force[key]
                if remainder is not None:
                    in_force[-key - 1000] = remainder
            in_force[number] = new
        for offset in range(-35, 70):
            assert sum(day(offset) in held.window for held in in_force.values()) <= 1

    def test_keeps_the_days_before_it(self) -> None:
        assert superseded_by(limit(9, 0), {"old": limit(5, -10)}) == {"old": limit(5, -10, -1)}

    def test_keeps_nothing_of_what_begins_with_it_or_later(self) -> None:
        assert superseded_by(limit(9, 0), {"same": limit(5, 0), "later": limit(5, 7)}) == {"same": None, "later": None}

    def test_leaves_alone_what_it_does_not_overlap(self) -> None:
        assert superseded_by(limit(9, 0, 5), {"past": limit(5, -9, -1), "later": limit(5, 6)}) == {}


class TestCheckComplete:
    def test_accepts_what_goes_together(self) -> None:
        check_complete(LimitKind.GRANTED, Decimal(0), valid_until=None, temporary=False)
        check_complete(LimitKind.UNLIMITED, None, valid_until=None, temporary=False)
        check_complete(LimitKind.NONE, None, valid_until=TODAY, temporary=True)

    def test_names_every_member_that_does_not(self) -> None:
        with pytest.raises(LimitIncomplete) as refused:
            check_complete(LimitKind.GRANTED, None, valid_until=None, temporary=True)
        assert [fault.pointer for fault in refused.value.faults] == ["/amount", "/valid_until"]
