"""Holds by source, and what higher slices say about the risk."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select

from app.domains.exposure import service as exposure
from app.domains.exposure.core.events import HoldLifted, HoldSet, RiskNoted
from app.domains.exposure.core.holds import HoldKind
from app.domains.exposure.core.refusals import AccountNotFound, HoldNotFound
from app.domains.exposure.tables import HoldRow
from app.infra.transaction import Transaction
from tests.domains.exposure.world import open_account, overview


@pytest.fixture(autouse=True)
async def account(tx: Transaction) -> None:
    await open_account(tx)
    tx.take_events()


async def hold(tx: Transaction, source: str, kind: HoldKind, reason: str = "because") -> None:
    await exposure.set_hold(tx, customer_id="C1", segment="main", source=source, kind=kind, reason=reason)


async def lift(tx: Transaction, source: str) -> None:
    await exposure.lift_hold(tx, customer_id="C1", segment="main", source=source, reason="settled")


class TestSetHold:
    async def test_stops_the_account(self, tx: Transaction) -> None:
        await hold(tx, "manual", HoldKind.SOFT)
        seen = await overview(tx)
        assert seen.account.hold is HoldKind.SOFT
        assert [(held.source, held.set_by) for held in seen.holds] == [("manual", "ann")]

    async def test_lets_the_strongest_source_count(self, tx: Transaction) -> None:
        await hold(tx, "dunning", HoldKind.FORCED)
        await hold(tx, "manual", HoldKind.SOFT)
        seen = await overview(tx)
        assert seen.account.hold is HoldKind.FORCED
        assert [held.source for held in seen.holds] == ["dunning", "manual"]

    async def test_takes_the_place_of_the_sources_own(self, tx: Transaction) -> None:
        await hold(tx, "manual", HoldKind.FORCED)
        await hold(tx, "manual", HoldKind.SOFT, "milder")
        seen = await overview(tx)
        assert seen.account.hold is HoldKind.SOFT
        assert [held.reason for held in seen.holds] == ["milder"]

    async def test_says_what_was_before_and_after(self, tx: Transaction) -> None:
        await hold(tx, "manual", HoldKind.SOFT)
        (said,) = tx.take_events()
        assert isinstance(said, HoldSet)
        assert said.before == {"source": "manual", "kind": "none"}
        assert said.after == {"source": "manual", "kind": "soft", "reason": "because"}

    async def test_grows_the_version(self, tx: Transaction) -> None:
        before = (await overview(tx)).account.version
        await hold(tx, "manual", HoldKind.SOFT)
        assert (await overview(tx)).account.version == before + 1

    async def test_refuses_a_customer_without_account(self, tx: Transaction) -> None:
        with pytest.raises(AccountNotFound):
            await exposure.set_hold(
                tx, customer_id="C9", segment="main", source="manual", kind=HoldKind.SOFT, reason="because"
            )


class TestLiftHold:
    async def test_lifts_only_the_sources_own(self, tx: Transaction) -> None:
        await hold(tx, "dunning", HoldKind.SOFT)
        await hold(tx, "manual", HoldKind.FORCED)
        await lift(tx, "manual")
        seen = await overview(tx)
        assert seen.account.hold is HoldKind.SOFT
        assert [held.source for held in seen.holds] == ["dunning"]

    async def test_refuses_what_the_source_has_not_set(self, tx: Transaction) -> None:
        await hold(tx, "dunning", HoldKind.SOFT)
        with pytest.raises(HoldNotFound):
            await lift(tx, "manual")

    async def test_keeps_the_hold_on_record(self, tx: Transaction) -> None:
        await hold(tx, "manual", HoldKind.SOFT)
        await lift(tx, "manual")
        (row,) = (await tx.session.scalars(select(HoldRow))).all()
        assert (row.reason, row.lift_reason, row.lifted_by) == ("because", "settled", "ann")
        assert [type(event) for event in tx.take_events()] == [HoldSet, HoldLifted]


class TestNoteRisk:
    async def test_keeps_what_it_is_told(self, tx: Transaction) -> None:
        await exposure.note_risk(
            tx, customer_id="C1", segment="main", grade="B", assessed_on=date(2026, 2, 1), payment_index=Decimal("71.5")
        )
        await exposure.note_risk(tx, customer_id="C1", segment="main", dunning_level=2)
        profile = (await overview(tx)).account.profile
        assert (profile.grade, profile.assessed_on, profile.dunning_level) == ("B", date(2026, 2, 1), 2)
        assert profile.payment_index == Decimal("71.5")

    async def test_says_only_what_changed(self, tx: Transaction) -> None:
        await exposure.note_risk(tx, customer_id="C1", segment="main", grade="B", dunning_level=1)
        await exposure.note_risk(tx, customer_id="C1", segment="main", grade="C", dunning_level=1)
        first, second = tx.take_events()
        assert isinstance(first, RiskNoted)
        assert second.before == {"grade": "B"}
        assert second.after == {"grade": "C"}

    async def test_changes_nothing_when_told_the_same_again(self, tx: Transaction) -> None:
        await exposure.note_risk(tx, customer_id="C1", segment="main", grade="B")
        version = (await overview(tx)).account.version
        tx.take_events()
        await exposure.note_risk(tx, customer_id="C1", segment="main", grade="B")
        assert not tx.take_events()
        assert (await overview(tx)).account.version == version
