"""Old events go in batches from the beginning; what is left is read as before."""

from __future__ import annotations

from datetime import timedelta

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
