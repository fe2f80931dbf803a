"""Tampering, done as a superuser with triggers switched off, and what verification says of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import asyncpg
import pytest
from httpx import AsyncClient
from typer.testing import CliRunner, Result

from app.cli import main
from app.infra.jobs import Run
from app.infra.transaction import Transactions
from app.support.journal import jobs
from tests.support.cluster import libpq
from tests.support_slices.journal.test_blocks import verification
from tests.support_slices.journal.test_journal import emit, happened, seal

Headroom = Callable[..., Awaitable[Result]]

EVENT: Final = "(select event_id from event_seals where seq = {})"
REHASH: Final = """
    update event_seals s set leaf = sha256('\\x00'::bytea || convert_to(jsonb_build_array(
        e.id, to_char(e.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), e.type, e.actor, e.actor_kind,
        e.request_id, e.segment, e.customer_id, e.subject_type, e.subject_id, e.before, e.after, e.exceptional)::text,
        'UTF8'))
    from events e where e.id = s.event_id;
"""
"""What a superuser who has read the program would do next: make the leaves fit."""
SWAP: Final = """
    update event_seals set event_id = -event_id where seq in ({0}, {1});
    update event_seals a set event_id = -b.event_id
    from (select seq, event_id from event_seals where seq in ({0}, {1})) b
    where a.seq in ({0}, {1}) and a.seq <> b.seq;
"""
INSERT: Final = """
    insert into events (xid, at, type, actor, actor_kind, request_id, subject_type, subject_id, before, after)
    select xid, at, 'forged', actor, actor_kind, request_id, subject_type, subject_id, before, after
    from events where id = (select event_id from event_seals where seq = 3);
"""
SHIFT: Final = """
    update event_seals set seq = -seq where seq > 3;
    update event_seals set seq = 1 - seq where seq < 0;
    insert into event_seals (seq, event_id, sealed_at, leaf)
    select 4, (select id from events where type = 'forged'), sealed_at, leaf from event_seals where seq = 3;
"""
DELETE: Final = """
    create temporary table gone as select event_id from event_seals where seq = 4;
    delete from event_seals where seq = 4;
    delete from events where id in (select event_id from gone);
"""
CLOSE_UP: Final = (
    "update event_seals set seq = -seq where seq > 4; update event_seals set seq = -seq - 1 where seq < 0;"
)
TRUNCATE: Final = """
    create temporary table gone as select event_id from event_seals where seq > 6;
    delete from event_seals where seq > 6;
    delete from events where id in (select event_id from gone);
    delete from journal_blocks where first_seq > 6;
"""
BEGINNING: Final = """
    create temporary table gone as select event_id from event_seals where seq <= 2;
    delete from event_seals where seq <= 2;
    delete from events where id in (select event_id from gone);
    delete from journal_blocks where last_seq <= 2;
"""

TAMPERINGS: Final = {
    "edited": (f'update events set after = \'{{"x": "forged"}}\' where id = {EVENT.format(4)}', "edited", 2, 4),
    "edited by who": (f"update events set actor = 'Bob' where id = {EVENT.format(4)}", "edited", 2, 4),
    "edited, leaves too": (
        f"update events set actor = 'Bob' where id = {EVENT.format(4)}; {REHASH}",
        "edited",
        2,
        None,
    ),
    "edited in the block": ("update journal_blocks set root = digest where number = 2", "edited", 2, None),
    "deleted": (DELETE, "deleted", 2, 4),
    "deleted, place kept": (f"delete from events where id = {EVENT.format(4)}", "deleted", 2, 4),
    "deleted, closed up": (DELETE + CLOSE_UP, "deleted", 4, 8),
    "deleted block": ("delete from journal_blocks where number = 2", "deleted", 3, None),
    "inserted": (INSERT, "inserted", None, None),
    "inserted at a place": (INSERT + SHIFT + REHASH, "inserted", None, 9),
    "inserted at the end": (
        INSERT + "insert into event_seals select 9, (select id from events where type = 'forged'), now(), 'x'",
        "inserted",
        None,
        9,
    ),
    "reordered": (SWAP.format(3, 4), "reordered", 2, 3),
    "reordered, leaves too": (SWAP.format(3, 4) + REHASH, "reordered", 2, None),
    "reordered across blocks": (SWAP.format(2, 5), "reordered", 1, 2),
    "truncated": (TRUNCATE, "truncated", None, None),
    "truncated at the beginning": (BEGINNING, "truncated", 2, None),
}
"""What is done; what is found of it, with block and event."""


async def tamper(database_url: str, statements: str) -> None:
    """Runs statements as the superuser, on whom no trigger and no foreign key is any check."""
    connection = await asyncpg.connect(libpq(database_url))
    try:
        assert await connection.fetchval("select usesuper from pg_user where usename = current_user")
        await connection.execute("set session_replication_role = replica")
        await connection.execute(statements)
    finally:
        await connection.close()


async def four_blocks_of_two(transactions: Transactions) -> None:
    for number in range(4):
        await emit(transactions, happened(2 * number), happened(2 * number + 1))
        await seal(transactions)


def found(answer: dict[str, Any]) -> list[tuple[str, int | None, int | None]]:
    return [(finding["kind"], finding["block"], finding["seq"]) for finding in answer["findings"]]


@pytest.fixture
def headroom(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Headroom:
    """Runs a command as a shell would."""
    monkeypatch.setenv("HEADROOM_DATABASE_URL", database_url)
    monkeypatch.setattr("app.cli.environment.configure_logging", lambda *_: None)

    async def run(*arguments: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, main, list(arguments))

    return run


@pytest.fixture
async def published(transactions: Transactions, tmp_path: Path) -> Path:
    """A journal of four blocks, and the file that its digests were published to."""
    file = tmp_path / "digests.jsonl"
    job, _ = jobs.publication(file)
    for number in range(4):
        await emit(transactions, happened(2 * number), happened(2 * number + 1))
        await seal(transactions)
        await job.run(Run(transactions, "test"))
    return file


class TestTampering:
    @pytest.mark.parametrize("how", TAMPERINGS)
    async def test_is_found(self, api: AsyncClient, transactions: Transactions, database_url: str, how: str) -> None:
        statements, kind, block, seq = TAMPERINGS[how]
        await four_blocks_of_two(transactions)
        assert (await verification(api))["intact"]
        await tamper(database_url, statements)
        answer = await verification(api)
        assert not answer["intact"]
        assert (kind, block, seq) in found(answer), answer["findings"]

    async def test_is_told_from_what_is_merely_new(self, api: AsyncClient, transactions: Transactions) -> None:
        await four_blocks_of_two(transactions)
        await emit(transactions, happened("not sealed yet"))
        assert (await verification(api))["intact"]


class TestAgainstPublishedDigests:
    """What nothing inside the database can tell: the whole chain was made anew."""

    @pytest.mark.parametrize(
        ("statements", "said"),
        [
            (TRUNCATE + "update journal_sealer set last_seq = 6", "truncated: block 4: block 4 was published"),
            (
                "truncate events, event_seals, journal_blocks; update journal_sealer set last_seq = 0",
                "truncated: block 4",
            ),
        ],
        ids=["the end", "everything"],
    )
    async def test_truncation_is_found_that_left_no_trace(
        self, headroom: Headroom, published: Path, database_url: str, statements: str, said: str
    ) -> None:
        await tamper(database_url, statements)
        assert (await headroom("journal", "verify")).exit_code == 0
        result = await headroom("journal", "verify", "--digests", str(published))
        assert result.exit_code == 1
        assert said in result.output

    async def test_a_chain_made_anew_is_found(
        self, headroom: Headroom, published: Path, transactions: Transactions, database_url: str
    ) -> None:
        forge = f"update events set actor = 'Bob' where id = {EVENT.format(4)};"
        anew = "truncate event_seals, journal_blocks; update journal_sealer set last_seq = 0, next_xid = '0'"
        await tamper(database_url, forge + anew)
        while await seal(transactions, batch=2):
            pass
        assert (await headroom("journal", "verify")).exit_code == 0
        result = await headroom("journal", "verify", "--digests", str(published))
        assert result.exit_code == 1
        assert "rewritten: block 2: the digest of the block is not the published one" in result.output

    async def test_an_honest_journal_is_intact(self, headroom: Headroom, published: Path) -> None:
        result = await headroom("journal", "verify", "--digests", str(published))
        assert (result.exit_code, result.output) == (0, "verified 4 blocks, 8 events, 4 published digests: intact\n")


class TestOffline:
    """Verification of a file, on another machine, without any database."""

    async def test_finds_an_honest_export_intact(self, headroom: Headroom, published: Path, tmp_path: Path) -> None:
        export = await self.exported(headroom, tmp_path)
        result = await headroom("journal", "verify", "--export", str(export), "--digests", str(published))
        assert (result.exit_code, result.output) == (0, "verified 4 blocks, 8 events, 4 published digests: intact\n")

    @pytest.mark.parametrize(
        ("edit", "said"),
        [
            (lambda lines: [line.replace('"actor": "Ada"', '"actor": "Bob"') for line in lines], "edited: block 1"),
            (lambda lines: [*lines[:4], *lines[5:]], "deleted: block 2, event 3"),
            (lambda lines: [*lines[:4], lines[5], lines[4], *lines[6:]], "reordered: block 2"),
            (lambda lines: [*lines[:5], lines[4], *lines[5:]], "block 2"),
            (lambda lines: lines[:-3], "truncated: block 4"),
            (lambda lines: lines[3:], "truncated: block 2"),
        ],
        ids=["edit", "deletion", "reordering", "insertion", "truncation", "truncation at the beginning"],
    )
    async def test_finds_tampering(
        self,
        headroom: Headroom,
        published: Path,
        tmp_path: Path,
        edit: Callable[[list[str]], list[str]],
        said: str,
    ) -> None:
        export = await self.exported(headroom, tmp_path)
        export.write_text("\n".join(edit(export.read_text().splitlines())))
        result = await headroom("journal", "verify", "--export", str(export), "--digests", str(published))
        assert result.exit_code == 1, result.output
        assert said in result.output

    async def test_reads_what_the_api_shows(
        self, headroom: Headroom, api: AsyncClient, published: Path, tmp_path: Path
    ) -> None:
        """Blocks and events taken over HTTP make the same file."""
        lines = []
        for block in (await api.get("/v1/journal/blocks")).json()["items"]:
            page = {"after": block["first_seq"] - 1, "limit": block["last_seq"] - block["first_seq"] + 1}
            lines += [block, *(await api.get("/v1/events", params=page)).json()["items"]]
        file = tmp_path / "fetched.jsonl"
        file.write_text("\n".join(json.dumps(line) for line in lines))
        result = await headroom("journal", "verify", "--export", str(file), "--digests", str(published))
        assert result.exit_code == 0, result.output

    @pytest.mark.parametrize("content", ["nonsense", '{"root": "x"}', '{"seq": 1}', "[]"])
    async def test_says_when_it_cannot_tell(self, headroom: Headroom, tmp_path: Path, content: str) -> None:
        file = tmp_path / "strange"
        file.write_text(content)
        for option in ("--export", "--digests"):
            result = await headroom("journal", "verify", option, str(file))
            assert result.exit_code == 2, (option, result.output)

    async def exported(self, headroom: Headroom, tmp_path: Path) -> Path:
        result = await headroom("journal", "export")
        assert result.exit_code == 0, result.output
        export = tmp_path / "journal.jsonl"
        export.write_text(result.output)
        return export
