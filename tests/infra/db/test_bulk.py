"""Many rows at once, in the transaction of the session."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from app.infra.db.bulk import copy_rows
from app.infra.db.failures import UNIQUE_VIOLATION, sqlstate

ROWS = [(n, f"name {n}") for n in range(250)]


class TestCopy:
    async def test_belongs_to_the_transaction(self, engine: AsyncEngine) -> None:
        async with AsyncSession(engine) as session:
            await session.execute(text("create table copied (id int primary key, name text)"))
            await session.commit()
            await session.execute(text("select 1"))
            await copy_rows(session, "copied", ["id", "name"], ROWS)
            assert await session.scalar(text("select count(*) from copied")) == len(ROWS)
            await session.rollback()
            assert await session.scalar(text("select count(*) from copied")) == 0

    async def test_fails_like_a_statement(self, engine: AsyncEngine) -> None:
        async with AsyncSession(engine) as session:
            await session.execute(text("create table copied (id int primary key, name text)"))
            with pytest.raises(DBAPIError) as caught:
                await copy_rows(session, "copied", ["id", "name"], [*ROWS, ROWS[0]])
            assert sqlstate(caught.value) == UNIQUE_VIOLATION

    async def test_is_refused_outside_a_transaction(self, engine: AsyncEngine) -> None:
        async with AsyncSession(engine) as session:
            with pytest.raises(AssertionError, match="transaction"):
                await copy_rows(session, "copied", ["id", "name"], ROWS)
