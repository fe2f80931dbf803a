"""The watch over the journal: it finds by itself what `headroom journal verify` would, a bounded stretch at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from app.infra import metrics
from app.infra.jobs import Job, Run
from app.infra.transaction import Transactions
from app.support.journal import adapters, jobs
from app.support.journal import service as journal
from app.support.journal.adapters import DigestFile
from app.support.journal.core.encoding import BEGINNING, close
from app.support.journal.core.verification import Finding, Tampering
from app.support.journal.service import verification, watching
from tests.support.api import MONDAY
from tests.support_slices.journal.test_journal import emit, happened, seal
from tests.support_slices.journal.test_tampering import EVENT, TAMPERINGS, four_blocks_of_two, tamper

MENDED = f"update events set actor = 'Ada' where id = {EVENT.format(4)}"
FORGED = f"update events set actor = 'Bob' where id = {EVENT.format(4)}"
ANEW = "truncate event_seals, journal_blocks; update journal_sealer set last_seq = 0, next_xid = '0'"


async def look(transactions: Transactions, watch: journal.Watch) -> list[Finding]:
    return list(await journal.look(Run(transactions, "test").begin, watch))


async def run(transactions: Transactions, job: Job) -> list[Any]:
    """One run of a job; the findings that it says."""
    with capture_logs() as lines:
        await job.run(Run(transactions, "test"))
    return [line for line in lines if line["event"] == "journal_finding"]


def counted(kind: Tampering) -> float:
    return float(metrics.JOURNAL_FINDINGS.labels(kind.value)._value.get())


class TestLook:
    async def test_finds_an_honest_journal_intact(self, transactions: Transactions) -> None:
        watch = journal.Watch()
        assert await look(transactions, watch) == []
        await four_blocks_of_two(transactions)
        await emit(transactions, happened("not sealed yet"))
        assert [await look(transactions, watch) for _ in range(3)] == [[], [], []]
        assert watch.new == 4

    @pytest.mark.parametrize("how", ["edited", "deleted, closed up", "inserted", "reordered", "truncated"])
    async def test_finds_tampering(self, transactions: Transactions, database_url: str, how: str) -> None:
        statements, kind, block, seq = TAMPERINGS[how]
        await four_blocks_of_two(transactions)
        watch = journal.Watch()
        assert await look(transactions, watch) == []
        await tamper(database_url, statements)
        found = await look(transactions, watch)
        assert (kind, block, seq) in [(each.kind, each.block, each.seq) for each in found]

    async def test_reads_no_more_than_a_stretch_of_the_old_at_once(
        self, transactions: Transactions, database_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(watching, "verify", one_block_of(verification.verify))
        monkeypatch.setattr(watching, "EVENTS_ASKED", 3)
        await four_blocks_of_two(transactions)
        watch = journal.Watch()
        places = []
        for _ in range(5):
            await look(transactions, watch)
            places.append((watch.swept, watch.asked))
        assert places == [(1, 3), (2, 6), (3, None), (0, 0), (1, 3)]

    async def test_takes_what_is_new_at_once_however_far_the_round_is(
        self, transactions: Transactions, database_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(watching, "verify", one_block_of(verification.verify))
        await four_blocks_of_two(transactions)
        watch = journal.Watch()
        await look(transactions, watch)
        for number in range(3):
            await emit(transactions, happened(f"new {number}"))
            await seal(transactions)
        await tamper(database_url, "update events set actor = 'Bob' where subject_id = 'new 1'")
        assert [(each.kind, each.block) for each in await look(transactions, watch)] == [("edited", 6)]
        assert watch.new == 7

    async def test_says_a_finding_once_and_forgets_it_after_a_round_without(
        self, transactions: Transactions, database_url: str
    ) -> None:
        await four_blocks_of_two(transactions)
        await tamper(database_url, FORGED)
        watch = journal.Watch()
        assert [len(await look(transactions, watch)) for _ in range(3)] == [1, 0, 0]
        assert len(watch.findings) == 1
        await tamper(database_url, MENDED)
        await look(transactions, watch)
        assert len(watch.findings) == 0


class TestJob:
    async def test_says_and_counts_what_was_made_anew_against_the_file(
        self, transactions: Transactions, database_url: str, tmp_path: Path
    ) -> None:
        await self.is_found_by(jobs.publication(tmp_path / "digests.jsonl"), transactions, database_url)

    async def test_does_so_without_a_file_for_as_long_as_it_lives(
        self, transactions: Transactions, database_url: str
    ) -> None:
        await self.is_found_by(jobs.publication(None), transactions, database_url)

    async def is_found_by(self, pair: tuple[Job, ...], transactions: Transactions, database_url: str) -> None:
        publish, watch = pair
        for number in range(3):
            await emit(transactions, happened(number), happened(-number))
            await seal(transactions)
            await run(transactions, publish)
        assert await run(transactions, watch) == []
        assert [counted(kind) for kind in Tampering] == [0] * len(Tampering)
        await tamper(database_url, FORGED + ";" + ANEW)
        while await seal(transactions, batch=2):
            pass
        said = await run(transactions, watch)
        assert {(line["kind"], line["block"]) for line in said} == {("rewritten", 2), ("rewritten", 3)}
        assert counted(Tampering.REWRITTEN) == 2
        assert await run(transactions, watch) == []


class TestDigestFile:
    def test_recalls_its_end_and_the_rest_bit_by_bit(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(adapters, "LINES_RECALLED", 5)
        file = DigestFile(tmp_path / "digests.jsonl")
        assert file.recall() == ()
        for number in range(1, 31):
            file.publish(block(number))
        recalled = [{line.block for line in file.recall()} for _ in range(8)]
        assert all({26, 27, 28, 29, 30} <= lines for lines in recalled)
        assert set.union(*recalled) == set(range(1, 31))
        assert max(len(lines) for lines in recalled) <= 15

    def test_has_lines_as_short_as_it_says(self, tmp_path: Path) -> None:
        path = tmp_path / "digests.jsonl"
        DigestFile(path).publish(block(10**12))
        assert len(path.read_bytes()) <= adapters.LINE_BYTES


def block(number: int) -> Any:
    """A block of one event."""
    return close(number=number, first_seq=number, leaves=[b"x" * 32], previous=BEGINNING, closed_at=MONDAY)


def one_block_of(verify: Any) -> Any:
    """Verification with stretches of one block."""

    async def shortly(*arguments: Any, **named: Any) -> Any:
        return await verify(*arguments, **{**named, "blocks": 1})

    return shortly
