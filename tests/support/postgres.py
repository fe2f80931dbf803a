"""Fixtures: a database to work in.

- `session`: for repositories and services. A SQLAlchemy session in a database that the worker's tests share; whatever
  the test does, commits included, is rolled back after it. Costs a millisecond.
- `database_url`, `engine`: for what needs several connections or real commits. A migrated database of the test's own,
  dropped after it. Costs some 50 ms.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from app.infra.db.engine import make_engine
from tests.support.cluster import Cluster, Run


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        config.stash[_RUN] = Run()


def pytest_unconfigure(config: pytest.Config) -> None:
    if run := config.stash.get(_RUN, None):
        run.end()


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """The server of this run."""
    with Cluster(os.environ.get("HEADROOM_TEST_DATABASE_URL", ""), Path(os.environ[Run.VARIABLE])).running() as cluster:
        yield cluster


@pytest_asyncio.fixture(loop_scope="session")
async def database_url(cluster: Cluster) -> AsyncIterator[str]:
    """The URL of a migrated database that only this test knows."""
    url = await cluster.create()
    yield url
    await cluster.drop(url)


@pytest_asyncio.fixture(loop_scope="session")
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """An engine on a migrated database that only this test knows."""
    engine = make_engine(database_url)
    yield engine
    await engine.dispose()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_engine(cluster: Cluster) -> AsyncIterator[AsyncEngine]:
    """An engine on the database that the tests of this worker share; for `session`, which leaves it as it was."""
    url = await cluster.create()
    engine = make_engine(url)
    yield engine
    await engine.dispose()
    await cluster.drop(url)


@pytest_asyncio.fixture(loop_scope="session")
async def session(shared_engine: AsyncEngine) -> AsyncIterator[AsyncSession]:
    """A session whose work is undone after the test; its commits only release a savepoint."""
    async with shared_engine.connect() as connection:
        transaction = await connection.begin()
        async with AsyncSession(
            connection, join_transaction_mode="create_savepoint", expire_on_commit=False
        ) as session:
            yield session
        await transaction.rollback()


_RUN = pytest.StashKey[Run]()
