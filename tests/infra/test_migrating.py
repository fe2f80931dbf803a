"""The migrations: they lead where the tables in the code are, from any number of processes at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app.infra.db import migrating
from migrations.tables import all_tables, is_ours
from tests.support.cluster import Cluster


class TestUpgrade:
    async def test_leads_to_the_head(self, engine: AsyncEngine) -> None:
        async with engine.connect() as connection:
            assert await migrating.current(connection) == migrating.head()

    async def test_again_does_nothing(self, database_url: str) -> None:
        await migrating.upgrade(database_url)

    async def test_by_two_at_once_is_done_once(self, cluster: Cluster) -> None:
        async with empty_database(cluster) as url:
            await asyncio.gather(*(migrating.upgrade(url) for _ in range(3)))
            engine = create_async_engine(url)
            async with engine.connect() as connection:
                assert await migrating.current(connection) == migrating.head()
            await engine.dispose()

    async def test_makes_the_tables_that_the_code_has(self, engine: AsyncEngine) -> None:
        def differences(connection: Connection) -> list[object]:
            context = MigrationContext.configure(connection, opts={"include_name": is_ours})
            return list(compare_metadata(context, all_tables()))

        async with engine.connect() as connection:
            assert await connection.run_sync(differences) == []


class TestFiles:
    def test_are_named_by_date(self) -> None:
        for path in sorted((migrating.MIGRATIONS / "versions").glob("*.py")):
            assert_dated(path)


def assert_dated(path: Path) -> None:
    year, month, day, *rest = path.stem.split("_")
    assert (len(year), len(month), len(day)) == (4, 2, 2), path.name
    assert rest, path.name


@asynccontextmanager
async def empty_database(cluster: Cluster) -> AsyncIterator[str]:
    url = await cluster.create(template="template1")
    try:
        yield url
    finally:
        await cluster.drop(url)
