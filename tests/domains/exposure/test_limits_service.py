"""Limits set outright, alone and for groups."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.domains.customers.core.events import CustomerChanged
from app.domains.exposure import service as exposure
from app.domains.exposure.core.events import AccountsRegrouped, GroupLimitSet, LimitSet
from app.domains.exposure.core.limits import LimitKind, LimitScope, Standing
from app.domains.exposure.core.refusals import GroupLimitExists, GroupLimitMissing, LimitIncomplete
from app.domains.exposure.tables import GroupRow, LimitRow
from app.infra.transaction import Transaction
from app.kernel.money import Money, TooManyDecimals
from app.kernel.periods import WindowReversed
from tests.domains.exposure.conftest import MONDAY, Later
from tests.domains.exposure.world import decide, grant, open_account, overview, post, put_customer

TODAY = MONDAY.date()
GROUP = LimitScope.GROUP


def day(offset: int) -> date:
    return TODAY + timedelta(days=offset)


async def in_force(tx: Transaction, *, temporary: bool = False) -> list[tuple[int, int, int | None]]:
    """Amount, first and last day (as offsets from today) of the decisions that are not superseded."""
    rows = await tx.session.scalars(
        select(LimitRow)
        .where(LimitRow.superseded_at.is_(None), LimitRow.temporary.is_(temporary))
        .order_by(LimitRow.valid_from)
        .execution_options(populate_existing=True)
    )
    return [
        (
            int(row.amount or 0),
            (row.valid_from - TODAY).days,
            None if row.valid_until is None else (row.valid_until - TODAY).days,
        )
        for row in rows
    ]


class TestSetOwnLimit:
    @pytest.fixture(autouse=True)
    async def account(self, tx: Transaction) -> None:
        await open_account(tx)
        tx.take_events()

    async def test_begins_today_unless_told_otherwise(self, tx: Transaction) -> None:
        await grant(tx, "C1", 100)
        assert await in_force(tx) == [(100, 0, None)]
        assert (await overview(tx)).limit.amount == Money(Decimal(100), "CNY")

    async def test_says_what_was_decided_and_what_that_ends(self, tx: Transaction) -> None:
        await grant(tx, "C1", 100)
        await grant(tx, "C1", 200, valid_from=day(5))
        first, second = tx.take_events()
        assert isinstance(first, LimitSet)
        assert isinstance(second, LimitSet)
        assert first.before == {"ended": []}
        assert second.after["amount"] == "200.00"
        assert [ended["amount"] for ended in second.before["ended"]] == ["100.00"]

    @pytest.mark.parametrize("scope", LimitScope)
    async def test_stands_out_when_it_is_set_outright(self, tx: Transaction, scope: LimitScope) -> None:
        await grant(tx, "C1", 100, scope=scope)
        await grant(tx, "C1", 200, scope=scope, outright=False)
        assert [event.exceptional for event in tx.take_events()] == [True, False]

    async def test_ends_the_base_limit_before_it(self, tx: Transaction) -> None:
        await grant(tx, "C1", 100, valid_from=day(-10))
        await grant(tx, "C1", 200, valid_from=day(3))
        assert await in_force(tx) == [(100, -10, 2), (200, 3, None)]

    async def test_replaces_what_begins_with_it_or_later(self, tx: Transaction) -> None:
        await grant(tx, "C1", 100, valid_from=day(0))
        await grant(tx, "C1", 200, valid_from=day(8))
        await grant(tx, "C1", 300, valid_from=day(0))
        assert await in_force(tx) == [(300, 0, None)]

    async def test_leaves_what_it_does_not_overlap(self, tx: Transaction) -> None:
        await grant(tx, "C1", 100, valid_from=day(-30), valid_until=day(-20))
        await grant(tx, "C1", 200, valid_from=day(5))
        await grant(tx, "C1", 300, valid_from=day(-10), valid_until=day(-5))
        assert await in_force(tx) == [(100, -30, -20), (300, -10, -5), (200, 5, None)]

    async def test_keeps_every_decision_on_record(self, tx: Transaction) -> None:
        for amount in (100, 200, 300):
            await grant(tx, "C1", amount)
        rows = (await tx.session.scalars(select(LimitRow))).all()
        assert sorted(int(row.amount or 0) for row in rows) == [100, 200, 300]

    async def test_lets_a_temporary_limit_replace_the_base_for_its_days(self, tx: Transaction, later: Later) -> None:
        await grant(tx, "C1", 100)
        await grant(tx, "C1", 900, valid_until=day(1), temporary=True)
        amounts = [(await overview(later(days=days))).limit.amount for days in (0, 1, 2)]
        assert [int(amount.amount) for amount in amounts if amount] == [900, 900, 100]

    async def test_withdraws_a_temporary_limit_by_one_of_kind_none(self, tx: Transaction) -> None:
        await grant(tx, "C1", 100)
        await grant(tx, "C1", 900, valid_until=day(9), temporary=True)
        await decide(tx, "C1", LimitKind.NONE, valid_until=day(9), temporary=True)
        assert (await overview(tx)).limit.amount == Money(Decimal(100), "CNY")

    async def test_takes_the_decision_back_by_kind_none(self, tx: Transaction) -> None:
        await grant(tx, "C1", 100)
        await decide(tx, "C1", LimitKind.NONE)
        assert (await overview(tx)).limit.standing is Standing.MISSING

    @pytest.mark.parametrize(
        "said",
        [
            {"kind": LimitKind.GRANTED},
            {"kind": LimitKind.UNLIMITED, "amount": Decimal(1)},
            {"kind": LimitKind.NONE, "amount": Decimal(0)},
            {"kind": LimitKind.GRANTED, "amount": Decimal(1), "temporary": True},
        ],
    )
    async def test_refuses_what_does_not_go_together(self, tx: Transaction, said: dict[str, Any]) -> None:
        with pytest.raises(LimitIncomplete):
            await exposure.set_limit(
                tx, customer_id="C1", segment="main", scope=LimitScope.OWN, reason="decided", **said
            )

    async def test_refuses_a_window_that_ends_before_it_begins(self, tx: Transaction) -> None:
        with pytest.raises(WindowReversed):
            await grant(tx, "C1", 100, valid_until=day(-1))

    async def test_refuses_more_decimals_than_the_currency_has(self, tx: Transaction) -> None:
        with pytest.raises(TooManyDecimals) as refused:
            await grant(tx, "C1", "100.001")
        assert refused.value.faults[0].pointer == "/amount"

    async def test_is_guarded_against_two_limits_on_a_day(self, tx: Transaction) -> None:
        await grant(tx, "C1", 100)
        row = (await tx.session.scalars(select(LimitRow))).one()
        twice = {column.name: getattr(row, column.name) for column in LimitRow.__table__.columns}
        twice = {name: value for name, value in twice.items() if name != "days"} | {"id": tx.new_id()}
        tx.session.add(LimitRow(**twice))
        with pytest.raises(IntegrityError, match="ex_limits_one_in_force"):
            await tx.session.flush()


class TestSetGroupLimit:
    @pytest.fixture(autouse=True)
    async def family(self, tx: Transaction) -> None:
        """P above C1 and C2, C1 above G."""
        for customer_id, parent_id in (("P", None), ("C1", "P"), ("C2", "P"), ("G", "C1")):
            await open_account(tx, customer_id, parent_id=parent_id)
        tx.take_events()

    async def test_is_shared_by_all_descendants(self, tx: Transaction) -> None:
        for number, customer_id in enumerate(("P", "C1", "C2", "G")):
            await post(tx, customer_id, 10**number)
        await grant(tx, "P", 5000, scope=GROUP)
        assert {(await overview(tx, member)).available for member in ("P", "C1", "C2", "G")} == {
            Money(Decimal(5000 - 1111), "CNY")
        }

    async def test_says_so_once(self, tx: Transaction) -> None:
        await grant(tx, "P", 5000, scope=GROUP)
        assert [type(event) for event in tx.take_events()] == [GroupLimitSet]

    @pytest.mark.parametrize("second", ["G", "P"])
    async def test_refuses_a_second_one_in_the_parent_chain(self, tx: Transaction, second: str) -> None:
        await grant(tx, "C1", 5000, scope=GROUP)
        with pytest.raises(GroupLimitExists):
            await grant(tx, second, 100, scope=GROUP)

    async def test_lets_two_branches_have_one_each(self, tx: Transaction) -> None:
        await grant(tx, "C1", 100, scope=GROUP)
        await grant(tx, "C2", 200, scope=GROUP)
        assert (await overview(tx, "G")).available == Money(Decimal(100), "CNY")
        assert (await overview(tx, "C2")).available == Money(Decimal(200), "CNY")

    async def test_changes_by_another_one(self, tx: Transaction) -> None:
        await grant(tx, "P", 5000, scope=GROUP)
        await post(tx, "G", 10)
        await grant(tx, "P", 100, scope=GROUP)
        assert (await overview(tx, "C2")).available == Money(Decimal(90), "CNY")

    async def test_dissolves_the_group_by_kind_none(self, tx: Transaction) -> None:
        await grant(tx, "P", 5000, scope=GROUP)
        await decide(tx, "P", LimitKind.NONE, GROUP)
        assert (await overview(tx, "G")).group is None
        assert (await tx.session.scalars(select(GroupRow))).all() == []

    async def test_keeps_a_group_that_a_later_limit_is_set_for(self, tx: Transaction) -> None:
        await grant(tx, "P", 5000, scope=GROUP)
        await grant(tx, "P", 6000, scope=GROUP, valid_from=day(30))
        await decide(tx, "P", LimitKind.NONE, GROUP, valid_until=day(5))
        seen = (await overview(tx, "G")).group
        assert seen is not None
        assert not seen.binds

    async def test_refuses_to_withdraw_what_is_not_there(self, tx: Transaction) -> None:
        with pytest.raises(GroupLimitMissing):
            await decide(tx, "P", LimitKind.NONE, GROUP)

    async def test_can_be_founded_again(self, tx: Transaction) -> None:
        await grant(tx, "P", 5000, scope=GROUP)
        await decide(tx, "P", LimitKind.NONE, GROUP)
        await post(tx, "C2", 10)
        await grant(tx, "P", 100, scope=GROUP)
        assert (await overview(tx, "G")).available == Money(Decimal(90), "CNY")


class TestRegroup:
    """A new parent moves accounts and their exposure between groups."""

    @pytest.fixture(autouse=True)
    async def families(self, tx: Transaction) -> None:
        """P above C1 above G, and Q; groups at P and Q."""
        for customer_id, parent_id in (("P", None), ("C1", "P"), ("G", "C1"), ("Q", None)):
            await open_account(tx, customer_id, parent_id=parent_id)
        for number, customer_id in enumerate(("P", "C1", "G", "Q")):
            await post(tx, customer_id, 10**number)
        for head in ("P", "Q"):
            await grant(tx, head, 10_000, scope=GROUP)
        tx.take_events()

    async def move(self, tx: Transaction, customer_id: str, parent_id: str | None) -> AccountsRegrouped | None:
        await put_customer(tx, customer_id, parent_id)
        (changed,) = tx.take_events()
        assert isinstance(changed, CustomerChanged)
        await exposure.regroup(tx, changed)
        return next((event for event in tx.take_events() if isinstance(event, AccountsRegrouped)), None)

    async def shares(self, tx: Transaction) -> dict[str, int]:
        """What is left of the limit of each group."""
        seen = {head: (await overview(tx, head)).group for head in ("P", "Q")}
        return {head: int(found.headroom.amount) for head, found in seen.items() if found and found.headroom}

    async def test_moves_a_branch_with_its_exposure(self, tx: Transaction) -> None:
        said = await self.move(tx, "C1", "Q")
        assert await self.shares(tx) == {"P": 9_999, "Q": 10_000 - 1_110}
        assert said is not None
        assert len(said.after["groups"]) == 2

    async def test_lets_a_branch_leave(self, tx: Transaction) -> None:
        await self.move(tx, "C1", None)
        assert await self.shares(tx) == {"P": 9_999, "Q": 9_000}
        assert (await overview(tx, "G")).group is None

    async def test_counts_what_is_posted_afterwards_in_the_new_group(self, tx: Transaction) -> None:
        await self.move(tx, "C1", "Q")
        await post(tx, "G", 500)
        assert await self.shares(tx) == {"P": 9_999, "Q": 8_390}

    async def test_refuses_to_join_two_groups(self, tx: Transaction) -> None:
        with pytest.raises(GroupLimitExists):
            await self.move(tx, "Q", "P")

    async def test_leaves_groups_inside_the_branch_alone(self, tx: Transaction) -> None:
        await self.move(tx, "C1", None)
        await grant(tx, "C1", 500, scope=GROUP)
        tx.take_events()
        await put_customer(tx, "H")
        tx.take_events()
        assert await self.move(tx, "C1", "H") is None
        assert (await overview(tx, "G")).available == Money(Decimal(500 - 110), "CNY")

    async def test_ignores_other_changes(self, tx: Transaction) -> None:
        changed = CustomerChanged(subject_id="C1", customer_id="C1", after={"name": "Other"})
        await exposure.regroup(tx, changed)
        assert not tx.take_events()
