"""Positions: totals are the sums of their lines, a group's the sum of its members'."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from app.domains.exposure.core import commitments
from app.domains.exposure.core.account import Account
from app.domains.exposure.core.ledger import Component, Entry, Exposure, Source
from app.domains.exposure.core.positions import Positions
from app.kernel.money import ZERO
from tests.domains.exposure.core.examples import GROUP_ID, NOW, TODAY, account, cents, group, order, positive_cents

BILL = Source("invoice", "I")
MEMBERS = {UUID(int=1): "CNY", UUID(int=2): "EUR", UUID(int=3): "EUR"}

entries = st.builds(
    Entry,
    component=st.sampled_from(Component),
    amount=st.integers(-500_00, 500_00).map(lambda amount: Decimal(amount) / 100),
    source=st.just(BILL),
    due_on=st.dates(TODAY, TODAY + timedelta(days=3)) | st.none(),
)
postings = st.lists(st.tuples(st.sampled_from(list(MEMBERS)), st.lists(entries, max_size=4)), max_size=8)


def family() -> Positions:
    """Three accounts in two currencies that share a group."""
    members = [account(key.int, currency=currency, group_id=GROUP_ID) for key, currency in MEMBERS.items()]
    return Positions(members, [group()])


def component(exposure: Exposure, which: Component) -> Decimal:
    amount: Decimal = getattr(exposure, which.value)
    return amount


class TestPost:
    @given(postings)
    def test_keeps_totals_equal_to_the_sum_of_their_lines(self, posted: list[tuple[UUID, list[Entry]]]) -> None:
        positions = family()
        for account_id, made in posted:
            positions.post(account_id, made)
        for account_id, found in positions.accounts.items():
            lines = positions.lines[account_id]
            for which in Component:
                own = [line for line in lines if line.entry.component is which]
                assert component(found.exposure, which) == sum((line.entry.amount for line in own), ZERO)
                assert not own or own[-1].balance == component(found.exposure, which)

    @given(postings)
    def test_keeps_the_group_equal_to_the_sum_of_its_members(self, posted: list[tuple[UUID, list[Entry]]]) -> None:
        positions = family()
        for account_id, made in posted:
            positions.post(account_id, made)
        for currency in ("CNY", "EUR"):
            members = [found for found in positions.accounts.values() if found.currency == currency]
            owed = sum((found.exposure.total.amount for found in members), ZERO)
            assert positions.groups[GROUP_ID].totals.get(currency, ZERO) == owed

    @given(postings)
    def test_keeps_the_due_ladder_equal_to_its_receivables(self, posted: list[tuple[UUID, list[Entry]]]) -> None:
        positions = family()
        due: dict[tuple[UUID, date], Decimal] = {}
        for account_id, made in posted:
            positions.post(account_id, made)
            for entry in made:
                if entry.component is Component.RECEIVABLES and entry.due_on:
                    key = (account_id, entry.due_on)
                    due[key] = due.get(key, ZERO) + entry.amount
        assert positions.rungs == due

    @given(postings)
    def test_grows_the_version_with_every_change(self, posted: list[tuple[UUID, list[Entry]]]) -> None:
        positions, expected = family(), dict.fromkeys(MEMBERS, 0)
        for account_id, made in posted:
            positions.post(account_id, made)
            expected[account_id] += max(len(made), 1)
        assert {key: found.version for key, found in positions.accounts.items()} == expected
        for account_id, lines in positions.lines.items():
            seqs = [line.seq for line in lines]
            assert seqs == sorted(set(seqs))
            assert all(0 < seq <= expected[account_id] for seq in seqs)


class TestChangeOrder:
    @given(cents, positive_cents, st.integers(-3, 3))
    def test_keeps_orders_beyond_the_horizon_apart(self, amount: Decimal, other: Decimal, days: int) -> None:
        positions, horizon = Positions([account()], []), TODAY
        ship_on = TODAY + timedelta(days=days)
        for asked in (amount, other):
            made = commitments.approve(order(), amount=asked, ship_on=ship_on, expires_at=NOW)
            positions.change_order(made, Source("order", "O1"), counts_until=horizon)
        found = positions.of("C1", "main")
        assert found.exposure.open_orders == other
        assert found.beyond_horizon == (other if days > 0 else ZERO)

    @given(positive_cents)
    def test_counts_held_orders_once(self, amount: Decimal) -> None:
        positions = Positions([account()], [])
        for asked in (amount, amount * 2):
            held = commitments.hold(order(), amount=asked, review_id=UUID(int=7))
            positions.change_order(held, Source("order", "O1"))
        found = positions.of("C1", "main")
        assert found.held_orders == amount * 2
        assert not found.exposure.total


class TestRedecide:
    def test_grows_the_version_and_remembers_what_to_write(self) -> None:
        positions = family()
        found: Account = positions.accounts[UUID(int=1)]
        positions.redecide(found)
        positions.redecide_group(positions.groups[GROUP_ID])
        assert positions.accounts[found.id].version == 1
        assert positions.groups[GROUP_ID].version == 1
        assert positions.redecided_accounts == positions.touched_accounts == {found.id}
        assert positions.redecided_groups == positions.touched_groups == {GROUP_ID}
