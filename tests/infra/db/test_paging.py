"""Keyset paging over a real table."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.infra.clock import new_id
from app.infra.db import paging
from app.infra.db.paging import CursorMalformed, PageRequest
from app.support.auth.tables import ApiKey

START = datetime(2026, 3, 2, tzinfo=UTC)
KEYS = (ApiKey.created_at, ApiKey.id)


async def add_keys(session: AsyncSession, count: int) -> None:
    for number in range(count):
        at = START + timedelta(minutes=number // 3)  # three of the same instant
        name = f"key {number}"
        session.add(
            ApiKey(
                id=new_id(at), name=name, kind="service", scopes=[], prefix="hr", key_hash=name.encode(),
                created_at=at, created_by="test",
            )
        )  # fmt: skip
    await session.flush()


async def read_all(session: AsyncSession, page: PageRequest) -> list[ApiKey]:
    found: list[ApiKey] = []
    while True:
        slice_ = await paging.fetch(session, select(ApiKey), page, keys=KEYS)
        found += slice_.rows
        if slice_.next_cursor is None:
            return found
        assert len(slice_.rows) == page.limit
        page = PageRequest(page.limit, slice_.next_cursor, page.changed_after, page.descending)


class TestFetch:
    @pytest.mark.parametrize("limit", [1, 3, 4, 10, 11])
    @pytest.mark.parametrize("descending", [True, False])
    async def test_gives_every_row_once_in_order(self, session: AsyncSession, limit: int, descending: bool) -> None:
        await add_keys(session, 10)
        rows = await read_all(session, PageRequest(limit, descending=descending))
        keys = [(row.created_at, row.id.bytes) for row in rows]
        assert keys == sorted(keys, reverse=descending)
        assert len(set(keys)) == 10

    async def test_gives_only_what_changed_after(self, session: AsyncSession) -> None:
        await add_keys(session, 9)
        page = PageRequest(2, changed_after=START + timedelta(minutes=1), descending=False)
        assert [row.created_at for row in await read_all(session, page)] == [START + timedelta(minutes=2)] * 3

    async def test_of_nothing_is_empty(self, session: AsyncSession) -> None:
        slice_ = await paging.fetch(session, select(ApiKey), PageRequest(), keys=KEYS)
        assert (list(slice_.rows), slice_.next_cursor) == ([], None)


def encoded(document: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).decode().rstrip("=")


class TestCursor:
    async def refuses(self, session: AsyncSession, cursor: str) -> None:
        with pytest.raises(CursorMalformed):
            await paging.fetch(session, select(ApiKey), PageRequest(cursor=cursor), keys=KEYS)

    @pytest.mark.parametrize(
        "document",
        [
            None,
            {},
            [],
            [True],
            [False, START.isoformat(), str(new_id(START))],
            [True, "2026-03-02T00:00:00", str(new_id(START))],
            [True, START.isoformat(), "x"],
            [True, 5, str(new_id(START))],
            [True, START.isoformat(), None],
            [1, START.isoformat(), str(new_id(START))],
        ],
    )
    async def test_of_other_making_is_refused(self, session: AsyncSession, document: object) -> None:
        await self.refuses(session, encoded(document))

    @pytest.mark.parametrize("cursor", ["", "!", "a", "ÿ", "[" * 1000, "x" * 2000, encoded([True])[:-1]])
    async def test_that_is_garbage_is_refused(self, session: AsyncSession, cursor: str) -> None:
        await self.refuses(session, cursor)

    @given(st.text(max_size=200))
    def test_is_never_a_crash(self, cursor: str) -> None:
        with pytest.raises(CursorMalformed):
            paging._decode(cursor, PageRequest(), KEYS)
