"""The journal: written with what it tells of, sealed in an order that no reader can miss anything in."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from prometheus_client import REGISTRY
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.infra.clock import FrozenClock
from app.infra.jobs import Run
from app.infra.transaction import Transaction, Transactions
from app.kernel.events import Event
from app.kernel.identity import SYSTEM, Actor, ActorKind
from app.support.auth.core.scopes import Scope
from app.support.journal import service as journal
from app.support.journal.jobs import seal_events
from tests.infra.http.test_problem import problem
from tests.support.api import ApiAs


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened(Event):
    type: ClassVar[str] = "happened"
    subject_type: ClassVar[str] = "thing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended(Event):
    type: ClassVar[str] = "ended"
    subject_type: ClassVar[str] = "thing"


async def emit(transactions: Transactions, *events: Event) -> None:
    async with transactions.begin(actor=Actor("Ada", ActorKind.PERSON), request_id="r-1") as tx:
        for event in events:
            tx.emit(event)


async def seal(transactions: Transactions, batch: int = 1000) -> int:
    """Seals once, or again while transactions of other tests on the same server are in the way."""
    for _ in range(100):
        async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
            if found := await journal.seal(tx, batch=batch):
                return found
        await asyncio.sleep(0.02)
    return 0


async def sealed(transactions: Transactions, after: int = 0) -> list[tuple[int, str]]:
    async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
        feed = await journal.read(tx, after=after, limit=500)
        return [(seq, event.subject_id) for seq, event in feed.events]


def happened(subject: object) -> Happened:
    return Happened(subject_id=str(subject))


class TestWrite:
    async def test_keeps_who_what_and_when(self, app: FastAPI, transactions: Transactions, clock: FrozenClock) -> None:
        await emit(
            transactions,
            Happened(subject_id="1", segment="main", customer_id="C1", before={"a": "1"}, after={"a": "客户"}),
        )
        async with app.state.engine.connect() as connection:
            row = (await connection.execute(text("select * from events"))).mappings().one()
        assert (row["type"], row["actor"], row["actor_kind"], row["request_id"]) == ("happened", "Ada", "person", "r-1")
        assert (row["segment"], row["customer_id"], row["subject_type"]) == ("main", "C1", "thing")
        assert (row["before"], row["after"], row["at"]) == ({"a": "1"}, {"a": "客户"}, clock.now())

    async def test_is_rolled_back_with_the_work(self, transactions: Transactions) -> None:
        async def fail_after_writing() -> None:
            async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
                await journal.write(tx, [happened(1)])
                raise RuntimeError

        with pytest.raises(RuntimeError):
            await fail_after_writing()
        await seal(transactions)
        assert await sealed(transactions) == []


class TestSeal:
    async def test_numbers_without_gaps(self, transactions: Transactions) -> None:
        for number in range(5):
            await emit(transactions, happened(number))
            if number % 2:
                await seal(transactions)
        await seal(transactions)
        assert await sealed(transactions) == [(number + 1, str(number)) for number in range(5)]

    async def test_of_nothing_new_is_nothing(self, transactions: Transactions) -> None:
        await emit(transactions, happened(1))
        assert [await seal(transactions) for _ in range(3)] == [1, 0, 0]

    async def test_waits_for_transactions_that_began_earlier(self, app: FastAPI, transactions: Transactions) -> None:
        """Ids are drawn before the commit: whoever resumed behind the later id would miss the earlier one."""
        async with app.state.engine.connect() as slow:
            await slow.execute(_INSERT, {"subject": "early"})
            await emit(transactions, happened("late"))
            assert await seal(transactions) == 0
            await slow.commit()
        assert await seal(transactions) == 2
        assert await sealed(transactions) == [(1, "early"), (2, "late")]

    async def test_never_cuts_a_transaction(self, transactions: Transactions) -> None:
        await emit(transactions, happened(1), happened(2), happened(3))
        await emit(transactions, happened(4), happened(5))
        assert [await seal(transactions, batch=2) for _ in range(3)] == [3, 2, 0]

    async def test_by_several_at_once_gives_each_place_once(self, transactions: Transactions) -> None:
        async def write() -> None:
            for number in range(10):
                await emit(transactions, happened(number))

        async def keep_sealing() -> None:
            for _ in range(20):
                await seal(transactions, batch=3)

        await asyncio.gather(write(), write(), keep_sealing(), keep_sealing())
        while await seal(transactions):
            pass
        assert [seq for seq, _ in await sealed(transactions)] == list(range(1, 21))

    async def test_shows_how_far_behind_it_is(
        self, app: FastAPI, transactions: Transactions, clock: FrozenClock
    ) -> None:
        def lag() -> float | None:
            return REGISTRY.get_sample_value("headroom_seal_lag_seconds")

        async with app.state.engine.connect() as slow:
            await slow.execute(_INSERT, {"subject": "early"})
            await emit(transactions, happened("late"))
            clock.move(by=timedelta(seconds=7))
            await seal(transactions)
            assert lag() == 7
        await seal(transactions)
        assert lag() == 0

    async def test_runs_until_nothing_is_left(
        self, transactions: Transactions, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(journal, "SEAL_BATCH", 2)
        for number in range(7):
            await emit(transactions, happened(number))

        async def in_small_batches(tx: Transaction) -> int:
            return await _seal(tx, batch=2)

        _seal = journal.seal
        monkeypatch.setattr(journal, "seal", in_small_batches)
        for _ in range(100):  # transactions of other tests on the same server may be in the way for a moment
            await seal_events(Run(transactions, "test"))
            if await sealed(transactions):
                break
            await asyncio.sleep(0.02)
        assert len(await sealed(transactions)) == 7


class TestReading:
    async def test_is_resumable(self, api: AsyncClient, transactions: Transactions) -> None:
        for number in range(5):
            await emit(transactions, happened(number))
        await seal(transactions)
        subjects: list[str] = []
        after, pages = 0, 0
        while len(subjects) < 5:
            answer = (await api.get("/v1/events", params={"after": after, "limit": 2})).json()
            subjects += [item["subject"]["id"] for item in answer["items"]]
            after, pages = answer["next_after"], pages + 1
        assert (subjects, pages, after) == (["0", "1", "2", "3", "4"], 3, 5)
        assert (await api.get("/v1/events", params={"after": 5})).json() == {"items": [], "next_after": 5}

    async def test_shows_the_whole_event(self, api: AsyncClient, transactions: Transactions) -> None:
        await emit(transactions, Happened(subject_id="1", segment="main", customer_id="C1", after={"x": "1"}))
        await seal(transactions)
        item = (await api.get("/v1/events")).json()["items"][0]
        assert item.pop("id") > 0
        assert item == {
            "seq": 1,
            "at": "2026-03-02T09:00:00Z",
            "type": "happened",
            "actor": "Ada",
            "actor_kind": "person",
            "request_id": "r-1",
            "segment": "main",
            "customer_id": "C1",
            "subject": {"type": "thing", "id": "1"},
            "before": {},
            "after": {"x": "1"},
            "exceptional": False,
        }

    async def test_filters_and_goes_on_behind_what_it_searched(
        self, api: AsyncClient, transactions: Transactions
    ) -> None:
        await emit(transactions, Happened(subject_id="1", customer_id="C/1"), Ended(subject_id="2", customer_id="C2"))
        await emit(transactions, Ended(subject_id="3", customer_id="C/1"), Happened(subject_id="4"))
        await seal(transactions)

        async def subjects(**filters: str) -> tuple[list[str], int]:
            answer = (await api.get("/v1/events", params=filters)).json()
            return [item["subject"]["id"] for item in answer["items"]], answer["next_after"]

        assert await subjects(type="ended") == (["2", "3"], 4)
        assert await subjects(customer_id="C/1") == (["1", "3"], 4)
        assert await subjects(customer_id="C/1", type="ended") == (["3"], 4)
        assert await subjects(type="unheard_of") == ([], 4)

    async def test_finds_what_is_exceptional(self, api: AsyncClient, transactions: Transactions) -> None:
        await emit(transactions, happened(1), Happened(subject_id="2", exceptional=True), happened(3))
        await seal(transactions)

        async def subjects(exceptional: bool) -> list[str]:
            answer = await api.get("/v1/events", params={"exceptional": exceptional})
            return [item["subject"]["id"] for item in answer.json()["items"]]

        assert await subjects(True) == ["2"]
        assert await subjects(False) == ["1", "3"]

    async def test_is_confined_to_segments(self, api_as: ApiAs, transactions: Transactions) -> None:
        await emit(
            transactions,
            Happened(subject_id="mine", segment="main"),
            Happened(subject_id="theirs", segment="eu", customer_id="C1"),
            Happened(subject_id="customer", customer_id="C1"),
            Happened(subject_id="house"),
        )
        await seal(transactions)
        reader = await api_as(Scope.JOURNAL_READ, segments=["main"])
        items = (await reader.get("/v1/events")).json()["items"]
        assert [item["subject"]["id"] for item in items] == ["mine", "customer"]

    async def test_is_for_readers_of_the_journal(self, api_as: ApiAs) -> None:
        clerk = await api_as(Scope.ORDERS_CHECK)
        problem(await clerk.get("/v1/events"), 403, "scope_missing")

    @pytest.mark.parametrize("query", ["after=-1", "after=9223372036854775808", "limit=0", "limit=501", "type=A%00"])
    async def test_refuses_odd_parameters(self, api: AsyncClient, query: str) -> None:
        assert (await api.get(f"/v1/events?{query}")).status_code == 422


class TestTables:
    async def test_admit_one_sealer_row(self, app: FastAPI) -> None:
        with pytest.raises(DBAPIError):
            async with app.state.engine.begin() as connection:
                await connection.execute(text("insert into journal_sealer values (2, '0', 0)"))


_INSERT = text(
    "insert into events (at, type, actor, actor_kind, request_id, subject_type, subject_id, before, after)"
    " values ('2026-03-02T09:00:00Z', 'happened', 'Ada', 'person', 'r-2', 'thing', :subject, '{}', '{}')"
)
