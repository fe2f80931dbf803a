from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from app.kernel.money import largest_worth, quantum, rounded

CURRENCIES = st.sampled_from(["CNY", "JPY", "KWD"])


class TestLargestWorth:
    @given(
        most=st.integers(-(10**12), 10**12).map(lambda cents: Decimal(cents) / 100),
        rate=st.decimals(min_value="0.000001", max_value="100000", places=12),
        currency=CURRENCIES,
        into=CURRENCIES,
    )
    def test_is_worth_no_more_and_one_unit_more_is(
        self, most: Decimal, rate: Decimal, currency: str, into: str
    ) -> None:
        amount = largest_worth(most, rate=rate, currency=currency, into=into)
        assert rounded(amount * rate, into) <= most
        assert rounded((amount + quantum(currency)) * rate, into) > most


class TestRounded:
    def test_never_fails_for_want_of_digits(self) -> None:
        amount = Decimal("999999999999999.9999") * Decimal(999999999999)
        assert rounded(amount, "CNY") == amount
