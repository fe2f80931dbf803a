"""What covers amount to on a day."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domains.credit_data.core.covers import COUNTING, Cover, CoverKind, CoverOnDay, CoverStatus, covered_on
from app.domains.credit_data.core.refusals import WithdrawalUndated
from app.kernel.money import Money
from app.kernel.periods import WindowReversed

TODAY = date(2026, 3, 2)
days = st.integers(-30, 30).map(lambda number: TODAY + timedelta(days=number))


def cover(**said: Any) -> Cover:
    amount, currency = said.pop("amount", "1000"), said.pop("currency", "CNY")
    usual: dict[str, Any] = {
        "provider": "Atradius",
        "kind": CoverKind.INSURANCE,
        "status": CoverStatus.APPROVED,
        "insured_percent": Decimal(90),
        "valid_from": date(2026, 1, 1),
    }
    return Cover(amount=Money(Decimal(amount), currency), **usual | said)


@st.composite
def covers(draw: st.DrawFn) -> Cover:
    start = draw(days)
    length = draw(st.none() | st.integers(0, 20))
    return cover(
        amount=str(draw(st.integers(0, 100))),
        insured_percent=Decimal(100),
        status=draw(st.sampled_from([status for status in CoverStatus if status is not CoverStatus.PENDING])),
        currency=draw(st.sampled_from(["CNY", "EUR"])),
        valid_from=start,
        valid_until=None if length is None else start + timedelta(days=length),
    )


class TestStatus:
    def test_says_of_every_word_whether_it_covers(self) -> None:
        assert set(COUNTING) == set(CoverStatus)

    @pytest.mark.parametrize("status", ["pending", "not_approved", "cancelled"])
    def test_never_covers(self, status: str) -> None:
        said = cover(status=CoverStatus(status), valid_until=date(2027, 1, 1))
        assert not said.counts_on(TODAY)
        assert said.payable == Money(Decimal(0), "CNY")

    @pytest.mark.parametrize("status", ["approved", "conditional", "partly_approved", "reduced"])
    def test_covers_within_its_days(self, status: str) -> None:
        assert cover(status=CoverStatus(status)).counts_on(TODAY)

    def test_covers_until_the_day_of_an_announced_withdrawal(self) -> None:
        said = cover(status=CoverStatus.WITHDRAWAL_ANNOUNCED, valid_until=TODAY)
        assert said.counts_on(TODAY)
        assert not said.counts_on(TODAY + timedelta(days=1))

    def test_needs_the_day_of_an_announced_withdrawal(self) -> None:
        with pytest.raises(WithdrawalUndated):
            cover(status=CoverStatus.WITHDRAWAL_ANNOUNCED).check()

    def test_needs_days_in_their_order(self) -> None:
        with pytest.raises(WindowReversed):
            cover(valid_until=date(2025, 12, 31)).check()


class TestCoveredOn:
    def test_is_the_insured_share(self) -> None:
        assert covered_on([cover()], TODAY) == CoverOnDay({"CNY": Decimal("900.00")}, None)

    def test_is_rounded_to_the_currency(self) -> None:
        assert covered_on([cover(amount="99", currency="JPY")], TODAY).by_currency == {"JPY": Decimal(89)}

    def test_adds_up_by_currency(self) -> None:
        found = covered_on([cover(), cover(amount="10", insured_percent=Decimal(100)), cover(currency="EUR")], TODAY)
        assert found.by_currency == {"CNY": Decimal(910), "EUR": Decimal(900)}

    def test_is_nothing_without_covers(self) -> None:
        assert covered_on([], TODAY) == CoverOnDay()

    def test_holds_until_one_ends_or_another_begins(self) -> None:
        ends = cover(valid_until=date(2026, 5, 31))
        begins = cover(valid_from=date(2026, 4, 1))
        assert covered_on([ends], TODAY).until == date(2026, 5, 31)
        assert covered_on([ends, begins], TODAY).until == date(2026, 3, 31)

    def test_does_not_turn_with_what_never_covers(self) -> None:
        pending = cover(status=CoverStatus.PENDING, valid_from=date(2026, 4, 1), valid_until=date(2026, 4, 2))
        assert covered_on([pending], TODAY) == CoverOnDay()

    @given(st.lists(covers(), max_size=6))
    def test_does_not_change_before_it_says(self, given_covers: list[Cover]) -> None:
        found = covered_on(given_covers, TODAY)
        until = found.until or TODAY + timedelta(days=60)
        assert until >= TODAY
        for number in range((until - TODAY).days + 1):
            assert covered_on(given_covers, TODAY + timedelta(days=number)).by_currency == found.by_currency
