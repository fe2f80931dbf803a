"""Exchange rates: direct, inverse, or one cross."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from app.domains.exposure.core.fx import RATE_QUANTUM, Quote, Quotes, rate_between
from tests.domains.exposure.core.examples import TODAY

CODES = ("CNY", "EUR", "GBP", "JPY", "USD")
rates = st.decimals(Decimal("0.0001"), Decimal(10_000), places=6)
pairs = st.tuples(st.sampled_from(CODES), st.sampled_from(CODES)).filter(lambda pair: pair[0] != pair[1])
markets = st.dictionaries(pairs, rates.map(lambda rate: Quote(rate, TODAY)), max_size=6)
any_rate = st.decimals(RATE_QUANTUM, Decimal(999_999_999_999), places=12)


def market(**rates: str) -> Quotes:
    """Quotes from `EUR_CNY="7.81"`."""
    return {(pair[:3], pair[4:]): Quote(Decimal(rate), TODAY) for pair, rate in rates.items()}


class TestRateBetween:
    @given(markets, st.sampled_from(CODES))
    def test_is_one_within_a_currency(self, quotes: Quotes, code: str) -> None:
        assert rate_between(quotes, code, code) == 1

    @given(pairs, rates)
    def test_of_the_inverse_is_the_inverse(self, pair: tuple[str, str], rate: Decimal) -> None:
        quotes = {pair: Quote(rate, TODAY)}
        forth, back = rate_between(quotes, *pair), rate_between(quotes, pair[1], pair[0])
        assert forth == rate
        assert back is not None
        assert abs(back - 1 / rate) <= RATE_QUANTUM / 2

    @given(rates, rates)
    def test_crosses_over_a_common_currency(self, first: Decimal, second: Decimal) -> None:
        quotes = {("EUR", "USD"): Quote(first, TODAY), ("USD", "CNY"): Quote(second, TODAY)}
        cross = rate_between(quotes, "EUR", "CNY")
        assert cross is not None
        assert abs(cross - first * second) <= RATE_QUANTUM / 2

    @given(markets, pairs)
    def test_does_not_depend_on_the_sequence_of_quotes(
        self, quotes: dict[tuple[str, str], Quote], pair: tuple[str, str]
    ) -> None:
        backwards = dict(reversed(quotes.items()))
        assert rate_between(quotes, *pair) == rate_between(backwards, *pair)

    @given(markets, pairs)
    def test_leads_back_wherever_it_leads(self, quotes: Quotes, pair: tuple[str, str]) -> None:
        assert (rate_between(quotes, *pair) is None) == (rate_between(quotes, pair[1], pair[0]) is None)

    @given(any_rate, any_rate)
    def test_is_storable_or_missing_whatever_is_quoted(self, first: Decimal, second: Decimal) -> None:
        quotes = {("EUR", "USD"): Quote(first, TODAY), ("USD", "CNY"): Quote(second, TODAY)}
        for pair in (("EUR", "CNY"), ("CNY", "EUR"), ("USD", "EUR")):
            rate = rate_between(quotes, *pair)
            assert rate is None or 0 < rate < 10**12

    def test_takes_a_direct_quote_first(self) -> None:
        quotes = market(EUR_CNY="7.81", CNY_EUR="0.5", EUR_USD="2", USD_CNY="3")
        assert rate_between(quotes, "EUR", "CNY") == Decimal("7.81")

    def test_takes_the_inverse_before_a_cross(self) -> None:
        assert rate_between(market(CNY_EUR="0.125", EUR_USD="2", USD_CNY="3"), "EUR", "CNY") == 8

    def test_takes_the_first_of_several_crosses_by_name(self) -> None:
        assert rate_between(market(EUR_USD="2", USD_CNY="3", EUR_GBP="5", GBP_CNY="7"), "EUR", "CNY") == 35

    def test_crosses_once_only(self) -> None:
        assert rate_between(market(EUR_USD="2", USD_GBP="3", GBP_CNY="4"), "EUR", "CNY") is None

    def test_is_missing_without_quotes(self) -> None:
        assert rate_between({}, "EUR", "CNY") is None
