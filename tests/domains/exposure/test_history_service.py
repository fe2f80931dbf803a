"""`as_of`: what was said of an account at an instant can be said again, whatever has happened since."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from app.domains.exposure import service as exposure
from app.domains.exposure.core.account import Profile
from app.domains.exposure.core.holds import HoldKind
from app.domains.exposure.core.ledger import Component, Entry, Source
from app.domains.exposure.core.limits import LimitKind, LimitScope
from app.domains.exposure.core.refusals import HoldNotFound
from app.domains.exposure.schemas import account_out
from app.infra.transaction import Transaction
from tests.domains.exposure.conftest import Later
from tests.domains.exposure.world import decide, grant, open_account, overview, put_customer

MEMBERS = ("P", "C1", "C2", "E")


class Chronicle:
    """Random things that happen to a family of accounts, and what was answered after each."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    async def happen(self, tx: Transaction) -> None:
        """One thing happens."""
        member = self._random.choice(MEMBERS)
        await self._random.choice((self._post, self._post, self._limit, self._group, self._hold, self._rates))(
            tx, member
        )

    async def _post(self, tx: Transaction, member: str) -> None:
        positions = await exposure.lock(tx, keys=[(member, "main")])
        account = positions.of(member, "main")
        due_on = tx.now.date() + timedelta(days=self._random.randint(-20, 20))
        entries = [
            Entry(Component.RECEIVABLES, Decimal(self._random.randint(-50, 200)), Source("invoice", "I"), due_on),
            Entry(Component.UNALLOCATED_CREDITS, Decimal(self._random.randint(0, 50)), Source("payment", "P")),
        ]
        positions.post(account.id, entries)
        await exposure.save(tx, positions=positions)

    async def _limit(self, tx: Transaction, member: str) -> None:
        start = tx.now.date() + timedelta(days=self._random.randint(-5, 5))
        window: dict[str, Any] = {
            "valid_from": start,
            "valid_until": start + timedelta(days=self._random.randint(0, 9)),
        }
        if self._random.random() < 0.2:
            await decide(tx, member, self._random.choice((LimitKind.UNLIMITED, LimitKind.NONE)))
        else:
            temporary = self._random.random() < 0.5
            await grant(tx, member, self._random.randint(0, 900), temporary=temporary, **window)

    async def _group(self, tx: Transaction, _: str) -> None:
        if self._random.random() < 0.3:
            await put_customer(tx, "C1", self._random.choice(("P", None)))
            for event in tx.take_events():
                if event.type == "customer_changed":
                    await exposure.regroup(tx, event)  # type: ignore[arg-type]  # the type says which event it is
        await grant(tx, "P", self._random.randint(0, 5000), scope=LimitScope.GROUP)

    async def _hold(self, tx: Transaction, member: str) -> None:
        source = self._random.choice(("manual", "dunning"))
        kind = self._random.choice((HoldKind.SOFT, HoldKind.FORCED))
        try:
            await exposure.lift_hold(tx, customer_id=member, segment="main", source=source, reason="settled")
        except HoldNotFound:
            await exposure.set_hold(tx, customer_id=member, segment="main", source=source, kind=kind, reason="because")

    async def _rates(self, tx: Transaction, _: str) -> None:
        rate = Decimal(self._random.randint(600, 900)) / 100
        await exposure.enter_rates(tx, on=tx.now.date(), base="EUR", rates={"CNY": rate})


class TestOverviewAt:
    @pytest.mark.parametrize("seed", range(3))
    async def test_repeats_every_answer_given(self, later: Later, seed: int) -> None:
        chronicle, answers = Chronicle(seed), []
        for member in MEMBERS:
            currency = "EUR" if member == "E" else "CNY"
            await open_account(later(), member, currency=currency, parent_id=None if member == "P" else "P")
        for step in range(1, 16):
            tx = later(hours=25 * step)
            await chronicle.happen(tx)
            answers += [(tx.now, member, account_out(await overview(tx, member))) for member in MEMBERS]
        now = later(days=90)
        for at, member, answer in answers:
            again = account_out(await exposure.overview_at(now, customer_id=member, segment="main", at=at))
            # A hold that was set, lifted and set again is in the list in the order of its last setting.
            assert again == answer.model_copy(
                update={"version": None, "grade": None, "dunning_level": None, "as_of": at}
            )

    async def test_knows_no_risk_profile(self, later: Later) -> None:
        await open_account(later(), "C1")
        await exposure.note_risk(later(), customer_id="C1", segment="main", grade="B")
        then = await exposure.overview_at(later(days=1), customer_id="C1", segment="main", at=later(hours=1).now)
        assert replace(then.account, profile=Profile()) == then.account

    async def test_shows_a_limit_that_was_replaced_since(self, later: Later) -> None:
        await open_account(later(), "C1")
        await grant(later(), "C1", 100)
        await grant(later(hours=2), "C1", 200)
        for hours, amount in ((1, 100), (3, 200)):
            at = later(hours=hours).now
            seen = await exposure.overview_at(later(days=5), customer_id="C1", segment="main", at=at)
            assert seen.limit.amount is not None
            assert seen.limit.amount.amount == amount
