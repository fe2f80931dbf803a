"""The account as a decision sees it: the basis of its standing facts, overdue days, headroom."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from app.domains.exposure.core.account import Basis, Overdue
from app.domains.exposure.core.fx import Quote
from app.domains.exposure.core.headroom import available, group_exposure, group_standing, utilisation_percent
from app.domains.exposure.core.holds import HoldKind, strongest
from app.domains.exposure.core.ledger import Exposure
from app.domains.exposure.core.limits import Limit, LimitKind
from app.domains.policies.core.order_checks import OldestItemRule, OrderChecks
from app.kernel.money import Money
from tests.domains.exposure.core.examples import GROUP_ID, NOW, TODAY, account, group

GRANTED = Limit(LimitKind.GRANTED, Decimal(100), TODAY, None)


class TestBasis:
    @given(
        st.decimals(0, 10**15, places=6),
        st.integers(0, 3650),
        st.integers(0, 3650),
        st.integers(0, 3650) | st.none(),
    )
    def test_is_read_back_from_its_text(
        self, min_amount: Decimal, overdue_days: int, older_than_days: int, horizon_days: int | None
    ) -> None:
        basis = Basis(min_amount, overdue_days, older_than_days, horizon_days)
        assert Basis.parse(basis.text) == basis
        assert Basis.parse(basis.text).text == basis.text

    def test_of_an_account_never_rolled_forward_is_the_plain_one(self) -> None:
        assert Basis.parse("") == Basis()

    def test_counts_the_smallest_amount_where_a_rate_is_missing(self) -> None:
        checks = OrderChecks(oldest_item=OldestItemRule(min_amount=Decimal(5)))
        assert Basis.of(checks, Decimal(2)).min_amount == 10
        assert Basis.of(checks, None).min_amount == 0

    def test_counts_orders_up_to_the_horizon(self) -> None:
        assert Basis().counts_until(TODAY) is None
        assert Basis(horizon_days=7).counts_until(TODAY) == TODAY + timedelta(days=7)


class TestFreshness:
    def test_ends_with_the_day_and_with_the_policy(self) -> None:
        basis = Basis(horizon_days=7)
        fresh = replace(account(), basis=basis.text, fresh_until=NOW + timedelta(hours=1))
        assert fresh.is_fresh(NOW, basis)
        assert not fresh.is_fresh(NOW + timedelta(hours=1), basis)
        assert not fresh.is_fresh(NOW, Basis(horizon_days=8))


class TestOverdue:
    def test_counts_days_from_the_oldest_due_day(self) -> None:
        assert Overdue().days(TODAY) == 0
        assert Overdue(oldest_due_on=TODAY - timedelta(days=4)).days(TODAY) == 4
        assert Overdue(oldest_due_on=TODAY).days(TODAY - timedelta(days=1)) == 0


class TestHeadroom:
    def test_rounds_each_currency_of_a_group_once(self) -> None:
        mixed = replace(group(), totals={"CNY": Decimal("1.00"), "EUR": Decimal("10.01")})
        quotes = {("EUR", "CNY"): Quote(Decimal("7.815"), TODAY)}
        assert group_exposure(mixed, quotes) == Money(Decimal("79.23"), "CNY")

    def test_is_unknown_without_a_rate_for_a_member(self) -> None:
        mixed = replace(group(), totals={"EUR": Decimal("10.01")}, base_limit=GRANTED)
        standing = group_standing(mixed, quotes={}, on=TODAY)
        assert standing.fx_rate_missing
        assert standing.headroom is None
        assert group_exposure(mixed, {}) is None

    def test_leaves_nothing_where_the_groups_is_not_known_in_the_accounts_currency(self) -> None:
        member = replace(account(currency="EUR", group_id=GROUP_ID), base_limit=GRANTED)
        standing = group_standing(replace(group(), base_limit=GRANTED), quotes={}, on=TODAY)
        assert standing.headroom == Money(Decimal(100), "CNY")
        assert available(member, member.limit_on(TODAY), standing, quotes={}) == Money(Decimal(0), "EUR")

    def test_stays_negative_where_the_groups_is_not_known(self) -> None:
        owing = replace(account(currency="EUR", group_id=GROUP_ID), exposure=Exposure("EUR", Decimal(130)))
        owing = replace(owing, base_limit=GRANTED)
        standing = group_standing(replace(group(), base_limit=GRANTED), quotes={}, on=TODAY)
        assert available(owing, owing.limit_on(TODAY), standing, quotes={}) == Money(Decimal(-30), "EUR")

    def test_share_of_a_limit_of_nothing_is_not_a_number(self) -> None:
        nothing = replace(account(), base_limit=replace(GRANTED, amount=Decimal(0)))
        assert utilisation_percent(nothing.limit_on(TODAY), Money(Decimal(5), "CNY")) is None

    def test_share_is_rounded_to_two_decimals(self) -> None:
        third = replace(account(), base_limit=replace(GRANTED, amount=Decimal(300)))
        assert utilisation_percent(third.limit_on(TODAY), Money(Decimal(200), "CNY")) == Decimal("66.67")


class TestStrongest:
    @given(st.lists(st.sampled_from(HoldKind)))
    def test_is_forced_before_soft_before_none(self, kinds: list[HoldKind]) -> None:
        order = (HoldKind.FORCED, HoldKind.SOFT, HoldKind.NONE)
        assert strongest(kinds) is next((kind for kind in order if kind in kinds), HoldKind.NONE)
