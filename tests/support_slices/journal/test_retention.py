"""Old events go in batches from the beginning; what is left is read as before."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from app.infra.clock import FrozenClock
from app.infra.jobs import Run
from app.infra.transaction import Transactions
from app.kernel.identity import SYSTEM
from app.support.journal import jobs
from app.support.journal import service as journal
from tests.support_slices.journal.test_journal import emit, happened, seal, sealed

KEEP = timedelta(days=30)


async def delete(transactions: Transactions, batch: int = 1000) -> int:
    async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
        return await journal.delete_older(tx, keep=KEEP, batch=batch)


async def three_old_and_two_new(transactions: Transactions, clock: FrozenClock) -> None:
    for number in range(3):
        await emit(transactions, happened(number))
    clock.move(by=KEEP + timedelta(days=1))
    for number in (3, 4):
        await emit(transactions, happened(number))


class TestDeleteOlder:
    async def test_keeps_what_is_young_enough(self, transactions: Transactions, clock: FrozenClock) -> None:
        await three_old_and_two_new(transactions, clock)
        await seal(transactions)
        assert await delete(transactions) == 3
        assert await sealed(transactions) == [(4, "3"), (5, "4")]

    async def test_goes_batch_by_batch_from_the_beginning(self, transactions: Transactions, clock: FrozenClock) -> None:
        await three_old_and_two_new(transactions, clock)
        await seal(transactions)
        assert await delete(transactions, batch=2) == 2
        assert (await sealed(transactions))[0] == (3, "2")
        assert await delete(transactions, batch=2) == 1

    async def test_leaves_what_is_not_sealed(self, transactions: Transactions, clock: FrozenClock) -> None:
        await three_old_and_two_new(transactions, clock)
        assert await delete(transactions) == 0
        await seal(transactions)
        assert len(await sealed(transactions)) == 5

    async def test_leaves_no_gap_behind(self, transactions: Transactions, clock: FrozenClock) -> None:
        """An old event sealed after a young one stays until the young one goes."""
        await emit(transactions, happened("young"))
        clock.move(by=-KEEP - timedelta(days=1))
        await emit(transactions, happened("old"))
        await emit(transactions, happened("last"))
        clock.move(by=KEEP + timedelta(days=1))
        await seal(transactions)
        assert await delete(transactions) == 0

    async def test_keeps_the_last_place_whatever_its_age(self, transactions: Transactions, clock: FrozenClock) -> None:
        for number in range(3):
            await emit(transactions, happened(number))
        await seal(transactions)
        clock.move(by=KEEP * 10)
        assert await delete(transactions) == 2
        await emit(transactions, happened("next"))
        await seal(transactions)
        assert await sealed(transactions, after=2) == [(3, "2"), (4, "next")]


class TestRetention:
    async def test_deletes_until_nothing_old_is_left(self, transactions: Transactions, clock: FrozenClock) -> None:
        await three_old_and_two_new(transactions, clock)
        await seal(transactions)
        [job] = jobs.retention(KEEP)
        await job.run(Run(transactions, "test"))
        assert [place for place, _ in await sealed(transactions)] == [4, 5]


class TestRebase:
    async def test_goes_on_in_the_ids_of_this_server(self, transactions: Transactions) -> None:
        """As after the restore of a dump: all ids, the sealer's too, are those of a server far ahead."""
        await emit(transactions, happened("sealed"))
        await seal(transactions)
        await emit(transactions, happened("unsealed"))
        async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
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

    async def test_refuses_while_another_process_seals(self, transactions: Transactions) -> None:
        async with transactions.begin(actor=SYSTEM, request_id="test") as sealing:
            assert await journal.seal(sealing) == 0
            with pytest.raises(journal.SealerBusy):
                async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
                    await journal.rebase(tx)
