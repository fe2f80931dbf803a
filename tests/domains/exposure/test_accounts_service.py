"""Opening accounts, and what an overview says of them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from app.domains.customers.core.refusals import CustomerNotFound
from app.domains.exposure import service as exposure
from app.domains.exposure.core.events import AccountCurrencyChanged, AccountOpened
from app.domains.exposure.core.limits import LimitKind, LimitScope, Standing
from app.domains.exposure.core.refusals import AccountCurrencyFixed, AccountNotFound
from app.infra.db.paging import PageRequest
from app.infra.http.etag import VersionStale, check_if_match
from app.infra.transaction import Transaction
from app.kernel.money import CurrencyUnknown, Money
from app.support.auth.core.principals import SegmentNotFound
from tests.domains.exposure.conftest import MONDAY, Later
from tests.domains.exposure.world import decide, grant, open_account, overview, post, put_customer

TODAY = MONDAY.date()


def cny(amount: int | str) -> Money:
    return Money(Decimal(amount), "CNY")


class TestOpenAccount:
    async def test_opens_one_account_a_segment(self, tx: Transaction) -> None:
        await put_customer(tx, "C1")
        assert await exposure.open_account(tx, customer_id="C1", segment="main", currency="CNY")
        assert not await exposure.open_account(tx, customer_id="C1", segment="main", currency="CNY")
        assert [type(event) for event in tx.take_events()][1:] == [AccountOpened]

    async def test_refuses_an_unknown_customer(self, tx: Transaction) -> None:
        with pytest.raises(CustomerNotFound):
            await exposure.open_account(tx, customer_id="C1", segment="main", currency="CNY")

    async def test_refuses_an_unknown_segment(self, tx: Transaction) -> None:
        await put_customer(tx, "C1")
        with pytest.raises(SegmentNotFound):
            await exposure.open_account(tx, customer_id="C1", segment="moon", currency="CNY")

    async def test_refuses_an_unknown_currency(self, tx: Transaction) -> None:
        await put_customer(tx, "C1")
        with pytest.raises(CurrencyUnknown):
            await exposure.open_account(tx, customer_id="C1", segment="main", currency="XXX")

    async def test_changes_the_currency_of_an_account_without_entries(self, tx: Transaction) -> None:
        await open_account(tx)
        tx.take_events()
        await exposure.open_account(tx, customer_id="C1", segment="main", currency="EUR")
        assert (await overview(tx)).account.currency == "EUR"
        assert [type(event) for event in tx.take_events()] == [AccountCurrencyChanged]

    async def test_keeps_the_currency_once_it_has_entries(self, tx: Transaction) -> None:
        await open_account(tx)
        await post(tx, "C1", 10)
        with pytest.raises(AccountCurrencyFixed):
            await exposure.open_account(tx, customer_id="C1", segment="main", currency="EUR")

    async def test_keeps_the_currency_once_a_limit_is_set_in_it(self, tx: Transaction) -> None:
        await open_account(tx)
        await grant(tx, "C1", 10)
        with pytest.raises(AccountCurrencyFixed):
            await exposure.open_account(tx, customer_id="C1", segment="main", currency="EUR")

    async def test_honours_the_version_that_is_edited(self, tx: Transaction) -> None:
        await open_account(tx)
        with pytest.raises(VersionStale):
            await exposure.open_account(
                tx,
                customer_id="C1",
                segment="main",
                currency="EUR",
                precondition=lambda version: check_if_match('"99"', version),
            )

    async def test_joins_the_group_it_is_opened_under(self, tx: Transaction) -> None:
        parent = await open_account(tx, "P")
        await grant(tx, "P", 500, scope=LimitScope.GROUP)
        assert (await open_account(tx, "C1", parent_id="P")).group_id == parent.id
        await post(tx, "C1", 40)
        assert (await overview(tx, "P")).available == cny(460)


class TestOverview:
    async def test_refuses_a_customer_without_account(self, tx: Transaction) -> None:
        with pytest.raises(AccountNotFound):
            await overview(tx, "nobody")

    async def test_gives_no_credit_without_a_limit(self, tx: Transaction) -> None:
        await open_account(tx)
        await post(tx, "C1", 10)
        seen = await overview(tx)
        assert seen.limit.standing is Standing.MISSING
        assert seen.limit.amount == cny(0)
        assert seen.headroom == seen.available == cny(-10)
        assert seen.utilisation_percent is None

    async def test_subtracts_the_exposure_from_the_limit(self, tx: Transaction) -> None:
        await open_account(tx)
        await grant(tx, "C1", 300)
        await post(tx, "C1", 100)
        seen = await overview(tx)
        assert seen.headroom == seen.available == cny(200)
        assert seen.utilisation_percent == Decimal("33.33")

    async def test_has_no_bound_when_unlimited(self, tx: Transaction) -> None:
        await open_account(tx)
        await decide(tx, "C1", LimitKind.UNLIMITED)
        await post(tx, "C1", 100)
        seen = await overview(tx)
        assert (seen.limit.amount, seen.headroom, seen.available, seen.utilisation_percent) == (None,) * 4

    async def test_is_never_of_an_earlier_day(self, tx: Transaction, later: Later) -> None:
        await open_account(tx)
        await grant(tx, "C1", 300, valid_until=TODAY)
        await post(tx, "C1", 100, due_on=TODAY)
        assert not (await overview(tx)).account.overdue.amount
        tomorrow = await overview(later(days=1))
        assert tomorrow.account.overdue.amount == 100
        assert tomorrow.limit.standing is Standing.EXPIRED
        assert tomorrow.available == cny(-100)

    async def test_does_not_change_what_is_fresh(self, tx: Transaction) -> None:
        await open_account(tx)
        once, twice = await overview(tx), await overview(tx)
        assert once == twice


class TestGroupAvailable:
    @pytest.fixture(autouse=True)
    async def group(self, tx: Transaction) -> None:
        await open_account(tx, "P")
        await open_account(tx, "C1", parent_id="P")
        await grant(tx, "P", 500, scope=LimitScope.GROUP)
        await post(tx, "P", 300)
        await post(tx, "C1", 50)

    async def test_is_the_groups_when_that_is_smaller(self, tx: Transaction) -> None:
        await grant(tx, "C1", 1000)
        seen = await overview(tx)
        assert (seen.headroom, seen.available) == (cny(950), cny(150))

    async def test_is_its_own_when_that_is_smaller(self, tx: Transaction) -> None:
        await grant(tx, "C1", 70)
        assert (await overview(tx)).available == cny(20)

    async def test_is_the_groups_when_its_own_is_unlimited(self, tx: Transaction) -> None:
        await decide(tx, "C1", LimitKind.UNLIMITED)
        assert (await overview(tx)).available == cny(150)

    async def test_is_the_groups_without_a_limit_of_its_own(self, tx: Transaction) -> None:
        assert (await overview(tx)).available == cny(150)

    async def test_is_nothing_when_its_own_is_zero(self, tx: Transaction) -> None:
        await grant(tx, "C1", 0)
        assert (await overview(tx)).available == cny(-50)

    async def test_is_its_own_when_the_group_is_unlimited(self, tx: Transaction) -> None:
        await decide(tx, "P", LimitKind.UNLIMITED, LimitScope.GROUP)
        await grant(tx, "C1", 70)
        assert (await overview(tx)).available == cny(20)

    async def test_is_its_own_before_the_groups_begins(self, tx: Transaction) -> None:
        await decide(tx, "P", LimitKind.NONE, LimitScope.GROUP)
        await grant(tx, "P", 500, scope=LimitScope.GROUP, valid_from=TODAY + timedelta(days=1))
        await grant(tx, "C1", 1000)
        assert (await overview(tx)).available == cny(950)

    async def test_is_nothing_once_the_groups_has_expired(self, tx: Transaction, later: Later) -> None:
        await grant(tx, "P", 500, scope=LimitScope.GROUP, valid_until=TODAY)
        await grant(tx, "C1", 1000)
        assert (await overview(later(days=1))).available == cny(-350)

    async def test_converts_members_at_the_latest_rates(self, tx: Transaction) -> None:
        await open_account(tx, "E", currency="EUR", parent_id="P")
        await exposure.enter_rates(tx, on=TODAY, base="EUR", rates={"CNY": Decimal("7.5")})
        await post(tx, "E", 10)
        assert (await overview(tx)).available == cny(75)
        assert (await overview(tx, "E")).available == Money(Decimal("10.00"), "EUR")

    async def test_is_never_positive_without_a_rate(self, tx: Transaction) -> None:
        await open_account(tx, "E", currency="EUR", parent_id="P")
        await grant(tx, "C1", 1000)
        await post(tx, "E", 10)
        seen = await overview(tx)
        assert seen.available == cny(0)
        assert seen.group is not None
        assert seen.group.fx_rate_missing
        assert seen.group.headroom is None


class TestListAccounts:
    async def test_pages_through_all_in_the_order_they_were_opened(self, later: Later) -> None:
        for number in range(5):
            await open_account(later(minutes=number), f"C{number}")
        seen: list[str] = []
        page = PageRequest(limit=2, descending=False)
        while True:
            found = await exposure.list_accounts(later(hours=1), page=page)
            seen += [row.account.customer_id for row in found.rows]
            if found.next_cursor is None:
                break
            page = PageRequest(limit=2, cursor=found.next_cursor, descending=False)
        assert seen == ["C0", "C1", "C2", "C3", "C4"]

    async def test_keeps_those_changed_after_an_instant(self, tx: Transaction, later: Later) -> None:
        await open_account(tx, "C1")
        await open_account(tx, "C2")
        await overview(tx, "C2")
        await post(later(hours=1), "C2", 10)
        page = PageRequest(changed_after=MONDAY, descending=False)
        found = await exposure.list_accounts(later(hours=1), page=page)
        assert [row.account.customer_id for row in found.rows] == ["C2"]

    async def test_keeps_to_the_segments_asked_for(self, tx: Transaction) -> None:
        await open_account(tx)
        assert not (await exposure.list_accounts(tx, page=PageRequest(), segments={"moon"})).rows


class TestListLedger:
    async def test_gives_entries_newest_first(self, tx: Transaction) -> None:
        await open_account(tx)
        for amount in (1, 2, 3):
            await post(tx, "C1", amount)
        _, found = await exposure.list_ledger(tx, customer_id="C1", segment="main", page=PageRequest(limit=2))
        assert [posting.line.balance for posting in found.rows] == [6, 3]
        page = PageRequest(limit=2, cursor=found.next_cursor)
        _, rest = await exposure.list_ledger(tx, customer_id="C1", segment="main", page=page)
        assert [posting.line.balance for posting in rest.rows] == [1]
        assert rest.next_cursor is None
