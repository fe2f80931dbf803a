"""What goes wrong at the desk is the matter of one check, or of one account: others are not kept waiting."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from decimal import Decimal

import pytest
import structlog
from fastapi import FastAPI
from httpx import AsyncClient
from sqlalchemy import text

from app.domains.exposure import service as exposure
from app.domains.orders import desk as desk_module
from app.domains.orders.core.check_refusals import DeskClosed
from app.domains.orders.desk import Desk
from app.infra.clock import FrozenClock
from app.infra.transaction import Transactions
from app.kernel.identity import SYSTEM
from app.support.idempotency import service as idempotency
from tests.domains.orders.test_desk import ask, question, totals
from tests.support.business import check, open_account


class TestOthersAreNotKeptWaiting:
    async def test_decides_for_others_while_one_account_is_held(
        self, api: AsyncClient, transactions: Transactions
    ) -> None:
        for customer_id in ("HELD", "FREE"):
            await open_account(transactions, customer_id)
        async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
            await exposure.lock(tx, keys=[("HELD", "main")])
            held = asyncio.create_task(ask(api, check("HELD", "H", "10")))
            for number in range(20):
                assert (await ask(api, check("FREE", f"F{number}", "10"))).json()["outcome"] == "approved"
            assert not held.done()
        assert (await held).json()["outcome"] == "approved"

    async def test_tells_a_check_to_come_again_whose_account_is_held_too_long(
        self, api: AsyncClient, transactions: Transactions, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(desk_module, "PATIENCE_SECONDS", 0.2)
        await open_account(transactions, "HELD")
        async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
            await exposure.lock(tx, keys=[("HELD", "main")])
            busy = await ask(api, check("HELD", "H", "10"))
        assert (busy.status_code, busy.json()["code"], "Retry-After" in busy.headers) == (503, "account_busy", True)
        assert (await ask(api, check("HELD", "H", "10"))).json()["outcome"] == "approved"

    async def test_takes_a_refused_batch_apart_until_only_the_culprit_fails(
        self, api: AsyncClient, transactions: Transactions
    ) -> None:
        await open_account(transactions, "C1")
        async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
            await tx.session.execute(
                text("alter table credit_checks add constraint poison check (order_ref <> 'POISON')")
            )
        refs = [f"O{n}" for n in range(10)] + ["POISON"] + [f"P{n}" for n in range(10)]
        answers = await asyncio.gather(*(ask(api, check("C1", ref, "10")) for ref in refs))
        assert Counter(answer.status_code for answer in answers) == {201: 20, 500: 1}
        assert await totals(transactions, "C1") == (Decimal(200), 20)

    async def test_asks_again_where_a_later_release_has_just_given_its_tables_another_form(
        self, api: AsyncClient, transactions: Transactions, clock: FrozenClock
    ) -> None:
        """Once for the desk's own statements, once for those that roll an account forward to another day."""
        await open_account(transactions, "C1")
        await ask(api, check("C1", "A", "10"))
        for number, days in enumerate((0, 1)):
            clock.move(by=timedelta(days=days))
            async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
                for table in ("accounts", "commitments"):
                    await tx.session.execute(text(f"alter table {table} add column later_{number} text"))
            with structlog.testing.capture_logs() as logs:
                answer = await ask(api, check("C1", f"B{number}", "10"))
            assert (answer.status_code, [entry["event"] for entry in logs if entry["log_level"] == "error"]) == (
                201,
                [],
            )

    async def test_refuses_at_once_when_too_many_are_waiting(
        self, app: FastAPI, api: AsyncClient, transactions: Transactions, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(desk_module, "MAX_WAITING", 5)
        await open_account(transactions, "C1")
        answers = await asyncio.gather(*(ask(api, check("C1", f"O{n}", "1")) for n in range(30)))
        full = [answer for answer in answers if answer.status_code == 503]
        assert full
        assert {(answer.json()["code"], answer.headers["Retry-After"]) for answer in full} == {("desk_full", "1")}

    async def test_lets_a_key_that_is_in_use_elsewhere_hold_up_no_other_check(
        self, api: AsyncClient, transactions: Transactions
    ) -> None:
        await open_account(transactions, "C1")
        async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
            await idempotency.claim(tx, principal_id="bootstrap", key="key", fingerprint=b"")
            keys = ["key", *(f"other {n}" for n in range(20))]
            answers = await asyncio.gather(*(ask(api, check("C1", f"O{key}", "10"), key) for key in keys))
            await idempotency.release(tx, principal_id="bootstrap", key="key")
        assert Counter(answer.status_code for answer in answers) == {201: 20, 503: 1}
        assert (answers[0].json()["code"], "Retry-After" in answers[0].headers) == ("database_busy", True)
        assert (await ask(api, check("C1", "Okey", "10"), "key")).status_code == 201

    async def test_decides_nothing_twice_when_it_fails_after_deciding(
        self, api: AsyncClient, transactions: Transactions, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Most of a batch has not heard yet what was decided and written when a defect shows."""

        def fail(*_: object) -> None:
            raise RuntimeError("a defect")

        await open_account(transactions, "C1")
        await ask(api, check("C1", "with all that it takes at hand", "1"))
        monkeypatch.setattr(Desk, "_prepare", fail)
        answers = await asyncio.gather(*(ask(api, check("C1", f"O{n}", "1")) for n in range(60)))
        assert Counter(answer.status_code for answer in answers) == {201: 60}
        decided = await api.get("/v1/credit-checks", params={"limit": 200})
        assert len(decided.json()["items"]) == 61

    async def test_tells_those_who_wait_to_come_again_when_it_closes(
        self, app: FastAPI, transactions: Transactions
    ) -> None:
        await open_account(transactions, "HELD")
        desk = Desk(app.state.desk_engine, transactions)
        running = asyncio.create_task(desk.run())
        async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
            await exposure.lock(tx, keys=[("HELD", "main")])
            waiting = asyncio.create_task(desk.decide(question("HELD", "H", "10")))
            await asyncio.sleep(0.1)
            running.cancel()
            with pytest.raises(DeskClosed):
                await waiting
        with pytest.raises(DeskClosed):
            await desk.decide(question("HELD", "H", "10"))
