"""Fixtures and options of the tests with real processes.

- `site`: an installation of the test's own, for what gets hurt; nothing runs on it yet.
- `shared_site`: one with two servers, for the tests of a module that hurt nothing, and `clients`, one of each server.
- `--fault-rounds N`: how often server and database are killed in all (default 20); `pytest tests/faults` knows it.
- `--lossy`: switches `synchronous_commit` off. The tests of kills must then fail: acknowledged work is lost.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from tests.faults.site import Site

ROUNDS = 20
SECONDS_A_ROUND_MAX = 60


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fault-rounds", type=int, default=ROUNDS, help="how often server and database are killed")
    parser.addoption("--lossy", action="store_true", help="kill without synchronous_commit: the tests must fail")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "faults: hurts real processes; still part of `make test`")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Everything here is a test of faults; killing more often may take longer."""
    for item in items:
        if "tests/faults/" in item.path.as_posix():
            item.add_marker(pytest.mark.faults)
            if "rounds" in getattr(item, "fixturenames", ()):
                item.add_marker(pytest.mark.timeout(SECONDS_A_ROUND_MAX * max(5, _rounds(config))))


@pytest.fixture
def rounds(request: pytest.FixtureRequest) -> int:
    """How often server and database are killed in all."""
    return _rounds(request.config)


@pytest.fixture
def lossy(request: pytest.FixtureRequest) -> bool:
    """Whether durability is switched off, to see the tests fail."""
    return bool(request.config.getoption("--lossy", default=False))


@pytest.fixture(scope="session")
def model() -> Iterator[Path]:
    """A data directory with a migrated database, to be copied: making one takes seconds."""
    site = Site()
    site.migrate()
    yield site.data_dir
    site.close()


@pytest.fixture
def site(model: Path) -> Iterator[Site]:
    """An installation of the test's own."""
    site = Site(model)
    yield site
    site.close()


@pytest.fixture(scope="module")
def shared_site(model: Path) -> Iterator[Site]:
    """An installation with two servers."""
    site = Site(model)
    site.start("--no-worker")
    site.start()
    yield site
    site.close()


@pytest_asyncio.fixture(loop_scope="session")
async def clients(shared_site: Site) -> AsyncIterator[list[httpx.AsyncClient]]:
    """A client of each server of the shared installation."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(server.client()) for server in shared_site.servers]


def _rounds(config: pytest.Config) -> int:
    rounds: int = config.getoption("--fault-rounds", default=ROUNDS)
    return rounds
