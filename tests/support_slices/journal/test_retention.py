"""Old events go in batches from the beginning; what is left is read as before."""

from __future__ import annotations

from datetime import timedelta

import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from sqlalchemy import text

from app.infra.clock import FrozenClock
from app.infra.jobs import Run
from app.infra.transaction import Transactions
from app.kernel.identity import SYSTEM
from app.support.journal import jobs
from app.support.journal import service as journal
from tests.support.sealing import seal_all
from tests.support_slices.journal.test_journal import emit, happened, seal, sealed

KEEP = timedelta(days=30)
INSERT_NOW = text(
    "insert into events (at, type, actor, actor_kind, request_id, subject_type, subject_id, before, after)"
    " values (now(), 'happened', 'Ada', 'person', 'r-2', 'thing', :subject, '{}', '{}')"
)


async def delete(transactions: Transactions, batch: int = 1000) -> int:
    async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
        return await journal.delete_older(tx, keep=KEEP, batch=batch)


async def three_old_and_two_new(transactions: Transactions, clock: FrozenClock) -> None:
    """Sealed one by one, so that each is a block."""
    for number in range(3):
        await emit(transactions, happened(number))
        await seal(transactions)
    clock.move(by=KEEP + timedelta(days=1))
    for number in (3, 4):
        await emit(transactions, happened(number))
        await seal(transactions)


class TestDeleteOlder:
    async def test_keeps_what_is_young_enough(self, transactions: Transactions, clock: FrozenClock) -> None:
        await three_old_and_two_new(transactions, clock)
        assert await delete(transactions) == 3
        assert await sealed(transactions) == [(4, "3"), (5, "4")]

    async def test_goes_batch_by_batch_from_the_beginning(self, transactions: Transactions, clock: FrozenClock) -> None:
        await three_old_and_two_new(transactions, clock)
        assert await delete(transactions, batch=2) == 2
        assert (await sealed(transactions))[0] == (3, "2")
        assert await delete(transactions, batch=2) == 1
        assert await delete(transactions, batch=2) == 0

    async def test_never_cuts_a_block(self, transactions: Transactions, clock: FrozenClock) -> None:
        for number in range(3):
            await emit(transactions, happened(number))
        await seal(transactions)
        await emit(transactions, happened("last"))
        await seal(transactions)
        clock.move(by=KEEP * 2)
        assert await delete(transactions, batch=1) == 3

    async def test_leaves_what_is_not_sealed(self, transactions: Transactions, clock: FrozenClock) -> None:
        await emit(transactions, happened("old"))
        clock.move(by=KEEP * 2)
        assert await delete(transactions) == 0
        await seal(transactions)
        assert len(await sealed(transactions)) == 1

    async def test_leaves_no_gap_behind(self, transactions: Transactions, clock: FrozenClock) -> None:
        """An old event sealed after a young one stays until the young one goes."""
        await emit(transactions, happened("young"))
        await seal(transactions)
        clock.move(by=-KEEP - timedelta(days=1))
        for name in ("old", "last"):
            await emit(transactions, happened(name))
            await seal(transactions)
        clock.move(by=KEEP + timedelta(days=1))
        assert await delete(transactions) == 0

    async def test_keeps_the_last_block_whatever_its_age(self, transactions: Transactions, clock: FrozenClock) -> None:
        for number in range(3):
            await emit(transactions, happened(number))
            await seal_all(transactions)
        clock.move(by=KEEP * 2)
        assert await delete(transactions) == 2
        await emit(transactions, happened("next"))
        await seal_all(transactions)
        assert await sealed(transactions, after=2) == [(3, "2"), (4, "journal"), (5, "next")]

    async def test_says_what_it_deleted_and_where_the_chain_begins(
        self, api: AsyncClient, transactions: Transactions, clock: FrozenClock
    ) -> None:
        await three_old_and_two_new(transactions, clock)
        kept = (await api.get("/v1/journal/blocks", params={"after": 3})).json()["items"][0]
        await delete(transactions)
        await seal(transactions)
        [said] = (await api.get("/v1/events", params={"type": "events_deleted"})).json()["items"]
        assert said["after"] == {"events": 3, "first_block": 4, "first_seq": 4, "previous": kept["previous"]}

    async def test_leaves_a_chain_that_can_be_verified(
        self, api: AsyncClient, transactions: Transactions, clock: FrozenClock
    ) -> None:
        await three_old_and_two_new(transactions, clock)
        await delete(transactions)
        for _ in range(2):  # also before the event of the deletion is sealed
            found = (await api.get("/v1/journal/verification")).json()
            assert (found["intact"], found["first_block"]) == (True, 4)
            await seal(transactions)

    async def test_keeps_what_is_younger_than_30_days_whatever_it_is_told(
        self, app: FastAPI, transactions: Transactions
    ) -> None:
        """By the database's own clock: the role of the application can't use retention to get rid of what it did."""
        async with app.state.engine.begin() as connection:
            for number in range(3):
                await connection.execute(INSERT_NOW, {"subject": str(number)})
        for _ in range(2):
            await seal(transactions)
            await emit(transactions, happened("another"))
        async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
            assert await journal.delete_older(tx, keep=timedelta(days=-36_500)) == 0


class TestRetention:
    async def test_deletes_until_nothing_old_is_left(self, transactions: Transactions, clock: FrozenClock) -> None:
        await three_old_and_two_new(transactions, clock)
        [job] = jobs.retention(KEEP)
        await job.run(Run(transactions, "test"))
        assert [place for place, _ in await sealed(transactions)] == [4, 5]


class TestRebase:
    async def test_goes_on_in_the_ids_of_this_server(self, api: AsyncClient, transactions: Transactions) -> None:
        """As after the restore of a dump: all ids, the sealer's too, are those of a server far ahead."""
        await emit(transactions, happened("sealed"))
        await seal(transactions)
        await emit(transactions, happened("unsealed"))
        async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
            await tx.session.execute(text("select set_config('headroom.journal_maintenance', 'on', true)"))
            await tx.session.execute(text("update events set xid = (xid::text::bigint + 1000000)::text::xid8"))
            await tx.session.execute(text("update journal_sealer set next_xid = '900000000'"))
        await emit(transactions, happened("waits for ever"))
        assert await seal(transactions) == 0
        async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
            assert await journal.rebase(tx) == 2
        await emit(transactions, happened("new"))
        await seal(transactions)
        assert {subject for _, subject in await sealed(transactions)} == {"sealed", "unsealed", "waits for ever", "new"}
        assert [place for place, _ in await sealed(transactions)] == [1, 2, 3, 4]
        assert (await api.get("/v1/journal/verification")).json()["intact"]

    async def test_refuses_while_another_process_seals(self, transactions: Transactions) -> None:
        async with transactions.begin(actor=SYSTEM, request_id="test") as sealing:
            assert await journal.seal(sealing) == 0
            with pytest.raises(journal.SealerBusy):
                async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
                    await journal.rebase(tx)
