"""Blocks: what the sealer closes, how it is encoded, and that nothing of it can be changed."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import REGISTRY
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.infra.clock import FrozenClock
from app.infra.jobs import Run
from app.infra.transaction import Transactions
from app.kernel.identity import SYSTEM
from app.support.auth.core.scopes import Scope
from app.support.journal import jobs
from app.support.journal import service as journal
from app.support.journal.core.encoding import BEGINNING, close, instant, jsonb, merkle_root
from tests.support.api import ApiAs
from tests.support_slices.journal.test_journal import Happened, emit, happened, seal

SHARED = [HealthCheck.function_scoped_fixture]
"""One database for all examples: what they add is told apart."""
TEXTS = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\x00"), max_size=12)
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 63), (1 << 63) - 1) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


async def blocks(api: AsyncClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await api.get("/v1/journal/blocks", params={"limit": 500})).json()["items"]
    return found


async def verification(api: AsyncClient, after: int = 0) -> dict[str, Any]:
    answer = await api.get("/v1/journal/verification", params={"after": after})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


class TestSealing:
    async def test_closes_a_block_over_what_it_seals(self, api: AsyncClient, transactions: Transactions) -> None:
        await emit(transactions, happened(1), happened(2))
        await emit(transactions, happened(3))
        await seal(transactions)
        await emit(transactions, happened(4))
        await seal(transactions)
        first, second = await blocks(api)
        assert (first["number"], first["first_seq"], first["last_seq"]) == (1, 1, 3)
        assert (second["number"], second["first_seq"], second["last_seq"]) == (2, 4, 4)
        assert (first["previous"], second["previous"]) == (BEGINNING.hex(), first["digest"])

    async def test_closes_none_over_nothing(self, api: AsyncClient, transactions: Transactions) -> None:
        await emit(transactions, happened(1))
        for _ in range(3):
            await seal(transactions)
        assert len(await blocks(api)) == 1

    async def test_never_cuts_a_transaction(self, api: AsyncClient, transactions: Transactions) -> None:
        await emit(transactions, happened(1), happened(2), happened(3))
        await emit(transactions, happened(4))
        while await seal(transactions, batch=1):
            pass
        assert [block["last_seq"] for block in await blocks(api)] == [3, 4]

    async def test_leaves_a_journal_that_is_intact(self, api: AsyncClient, transactions: Transactions) -> None:
        for number in range(7):
            event = Happened(
                subject_id=str(number), segment="main", customer_id="客户", after={"longer": 1, "b": "é\n\x7f\u2028"}
            )
            await emit(transactions, event, happened("\\\"'"))
            await seal(transactions)
        found = await verification(api)
        assert (found["intact"], found["findings"], found["next_after"]) == (True, [], None)
        assert (found["first_block"], found["blocks"], found["events"]) == (1, 7, 14)
        assert found["head"] == (await blocks(api))[-1]


class TestEncoding:
    @settings(max_examples=60, suppress_health_check=SHARED)
    @given(st.lists(DOCUMENTS, min_size=1, max_size=8))
    async def test_is_what_the_database_renders(self, app: FastAPI, documents: list[Any]) -> None:
        async with app.state.engine.connect() as connection:
            rendered = await connection.scalar(
                text("select cast(cast(:document as text) as jsonb)::text"), {"document": json.dumps(documents)}
            )
        assert jsonb(documents) == rendered

    @settings(max_examples=25, suppress_health_check=SHARED)
    @given(
        st.lists(
            st.tuples(TEXTS, st.none() | TEXTS, st.dictionaries(TEXTS, DOCUMENTS, max_size=3)), min_size=1, max_size=5
        )
    )
    async def test_gives_the_leaves_that_the_sealer_wrote(
        self, app: FastAPI, transactions: Transactions, told: list[tuple[str, str | None, dict[str, Any]]]
    ) -> None:
        events = [Happened(subject_id=of, customer_id=who, before=what, after=what) for of, who, what in told]
        await emit(transactions, *events)
        await seal(transactions)
        async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
            assert (await journal.verify(tx)).findings == []

    def test_joins_leaves_as_rfc_6962_does(self) -> None:
        def node(left: bytes, right: bytes) -> bytes:
            return hashlib.sha256(b"\x01" + left + right).digest()

        a, b, c, d, e = (bytes([number]) * 32 for number in range(5))
        assert merkle_root([a]) == a
        assert merkle_root([a, b, c]) == node(node(a, b), c)
        assert merkle_root([a, b, c, d, e]) == node(node(node(a, b), node(c, d)), e)

    @given(st.lists(st.binary(min_size=32, max_size=32), min_size=2, max_size=40, unique=True), st.data())
    def test_tells_every_change_of_the_leaves(self, leaves: list[bytes], data: st.DataObject) -> None:
        other = data.draw(st.permutations(leaves) | st.just(leaves[:-1]) | st.just([*leaves, leaves[0]]))
        assert (merkle_root(other) == merkle_root(leaves)) == (list(other) == leaves)

    def test_puts_everything_into_the_digest(self) -> None:
        at = datetime(2026, 3, 2, tzinfo=UTC)
        usual: dict[str, Any] = {
            "number": 1,
            "first_seq": 1,
            "leaves": [BEGINNING],
            "previous": BEGINNING,
            "closed_at": at,
        }
        others: list[dict[str, Any]] = [
            {"number": 2},
            {"first_seq": 2},
            {"leaves": [BEGINNING, BEGINNING]},
            {"previous": b"\x01" * 32},
            {"closed_at": at + timedelta(microseconds=1)},
        ]
        digests = {close(**{**usual, **other}).digest for other in ({}, *others)}
        assert len(digests) == 1 + len(others)

    def test_writes_instants_in_utc_with_microseconds(self) -> None:
        assert instant(datetime.fromisoformat("2026-03-02T17:00:00+08:00")) == "2026-03-02T09:00:00.000000Z"


class TestTables:
    @pytest.mark.parametrize("table", ["events", "event_seals", "journal_blocks"])
    @pytest.mark.parametrize("how", ["update {} set {} = {}", "delete from {}", "truncate {} cascade"])
    async def test_are_only_ever_added_to(self, app: FastAPI, transactions: Transactions, table: str, how: str) -> None:
        await emit(transactions, happened(1))
        await seal(transactions)
        column = {"events": "at", "event_seals": "sealed_at", "journal_blocks": "closed_at"}[table]
        with pytest.raises(DBAPIError, match="only ever added to"):
            async with app.state.engine.begin() as connection:
                await connection.execute(text(how.format(table, column, column)))


class TestRoutes:
    async def test_page_through_the_blocks(self, api: AsyncClient, transactions: Transactions) -> None:
        for number in range(3):
            await emit(transactions, happened(number))
            await seal(transactions)
        first = (await api.get("/v1/journal/blocks", params={"limit": 2})).json()
        second = (await api.get("/v1/journal/blocks", params={"limit": 2, "after": first["next_after"]})).json()
        numbers = [block["number"] for block in (*first["items"], *second["items"])]
        assert (numbers, second["next_after"]) == ([1, 2, 3], None)

    async def test_verify_stretch_by_stretch(
        self, api: AsyncClient, transactions: Transactions, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for number in range(5):
            await emit(transactions, happened(number), happened(number))
            await seal(transactions)
        async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
            stretch = await journal.verify(tx, events=3)
        assert (stretch.blocks, stretch.events, stretch.next_after, stretch.findings) == (2, 4, 2, [])
        rest = await verification(api, after=2)
        assert (rest["first_block"], rest["blocks"], rest["intact"]) == (3, 3, True)

    async def test_verify_an_empty_journal(self, api: AsyncClient) -> None:
        found = await verification(api)
        assert (found["intact"], found["blocks"], found["head"], found["next_after"]) == (True, 0, None, None)

    async def test_are_for_readers_of_the_journal(self, api_as: ApiAs) -> None:
        clerk = await api_as(Scope.REPORTS_READ)
        for path in ("/v1/journal/blocks", "/v1/journal/verification"):
            assert (await clerk.get(path)).status_code == 403


class TestPublication:
    async def test_goes_to_a_file_and_to_metrics_once_a_block(
        self, api: AsyncClient, transactions: Transactions, clock: FrozenClock, tmp_path: Path
    ) -> None:
        job, _ = jobs.publication(tmp_path / "digests.jsonl")
        await job.run(Run(transactions, "test"))
        assert not (tmp_path / "digests.jsonl").exists()
        for number in range(2):
            await emit(transactions, happened(number))
            await seal(transactions)
            for _ in range(2):
                await job.run(Run(transactions, "test"))
        told = [json.loads(line) for line in (tmp_path / "digests.jsonl").read_text().splitlines()]
        chain = await blocks(api)
        assert [line["digest"] for line in told] == [block["digest"] for block in chain]
        assert [(line["block"], line["last_seq"]) for line in told] == [(1, 1), (2, 2)]
        assert REGISTRY.get_sample_value("headroom_journal_block") == 2
        assert REGISTRY.get_sample_value("headroom_journal_digest") == int(chain[-1]["digest"][:12], 16)

    async def test_fails_loudly_where_the_file_cannot_be_written(
        self, transactions: Transactions, tmp_path: Path
    ) -> None:
        await emit(transactions, happened(1))
        await seal(transactions)
        job, _ = jobs.publication(tmp_path / "missing" / "digests.jsonl")
        with pytest.raises(OSError, match="No such file"):
            await job.run(Run(transactions, "test"))
