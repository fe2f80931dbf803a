"""Readiness: what the database says of itself, in time, whoever asks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager

import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from sqlalchemy import text

from app.infra.db import migrating
from app.infra.db.engine import MeasuredPool, make_engine
from app.infra.http import health
from app.infra.http.health import Readiness
from tests.infra.http.test_problem import problem


async def migrate_to(app: FastAPI, revision: str | None) -> None:
    async with app.state.engine.connect() as connection:
        await connection.execute(text("delete from alembic_version"))
        if revision is not None:
            await connection.execute(text("insert into alembic_version values (:revision)"), {"revision": revision})
        await connection.commit()


@asynccontextmanager
async def silent_database() -> AsyncIterator[str]:
    """The URL of a server that takes connections and never says a word."""
    stop = asyncio.Event()

    async def say_nothing(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await stop.wait()
        writer.close()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    try:
        yield f"postgresql://nobody@127.0.0.1:{server.sockets[0].getsockname()[1]}/none"
    finally:
        stop.set()
        server.close()
        await server.wait_closed()


class TestReadiness:
    @pytest.fixture(autouse=True)
    async def patient(self, monkeypatch: pytest.MonkeyPatch, api: AsyncClient) -> None:
        """However slow the machine is that runs the tests, the database is given the time to answer.

        The look that the process takes on its own is over: nobody shares what it saw before the test changed something.
        """
        monkeypatch.setattr(health, "ANSWER_SECONDS", 30.0)
        monkeypatch.setattr(health, "LOOK_SECONDS", 30.0)
        monkeypatch.setattr(health, "WATCH_SECONDS", 3600.0)
        assert (await api.get("/readyz")).status_code == 200

    async def test_is_off_before_the_migrations(self, app: FastAPI, api: AsyncClient) -> None:
        await migrate_to(app, None)
        problem(await api.get("/readyz"), 503, "not_ready")

    async def test_is_off_at_a_revision_of_the_past(self, app: FastAPI, api: AsyncClient) -> None:
        await migrate_to(app, "customers")
        assert "customers" in problem(await api.get("/readyz"), 503, "not_ready")["detail"]

    async def test_stays_on_when_a_later_release_has_migrated(self, app: FastAPI, api: AsyncClient) -> None:
        await migrate_to(app, "of_a_later_release")
        assert (await api.get("/readyz")).status_code == 200

    async def test_comes_back_with_the_migrations(self, app: FastAPI, api: AsyncClient) -> None:
        await migrate_to(app, "customers")
        assert (await api.get("/readyz")).status_code == 503
        await migrate_to(app, migrating.head())
        assert (await api.get("/readyz")).status_code == 200

    async def test_is_off_while_draining_and_liveness_is_not(self, app: FastAPI, api: AsyncClient) -> None:
        app.state.readiness.drain()
        problem(await api.get("/readyz"), 503, "not_ready")
        assert (await api.get("/healthz")).status_code == 200

    async def test_does_not_wait_for_a_database_that_says_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(health, "ANSWER_SECONDS", 0.05)
        monkeypatch.setattr(health, "LOOK_SECONDS", 1.0)
        async with silent_database() as url:
            engine = make_engine(url, pool_size=2)
            readiness = Readiness(engine)
            askers: list[Awaitable[None]] = [readiness.check() for _ in range(20)]
            refused = await asyncio.wait_for(asyncio.gather(*askers, return_exceptions=True), 30)
            assert {type(refusal) for refusal in refused} == {health.NotReady}
            assert isinstance(engine.pool, MeasuredPool)
            assert engine.pool.checkedout() <= 1
            await engine.dispose()
