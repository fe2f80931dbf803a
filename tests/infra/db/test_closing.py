"""Closing an engine ends, whatever the database does."""

from __future__ import annotations

import asyncio
import os
import signal
from datetime import timedelta

import pytest
from sqlalchemy import text

from app.infra.db import engine as engines

REMOTE = "HEADROOM_TEST_DATABASE_URL" in os.environ


class TestClose:
    @pytest.mark.skipif(REMOTE, reason="a server elsewhere can't be made to stand still")
    async def test_leaves_connections_behind_that_are_never_answered(
        self, database_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(engines, "CLOSE_TIMEOUT", timedelta(seconds=0.2))
        engine = engines.make_engine(database_url, pool_size=2)
        async with engine.connect() as connection:
            backend = await connection.scalar(text("select pg_backend_pid()"))
        os.kill(backend, signal.SIGSTOP)
        try:
            async with asyncio.timeout(60):
                await engines.close(engine)
        finally:
            os.kill(backend, signal.SIGCONT)

    async def test_closes_what_answers(self, database_url: str) -> None:
        engine = engines.make_engine(database_url, pool_size=2)
        async with engine.connect() as connection:
            await connection.execute(text("select 1"))
        await engines.close(engine)
        assert "Connections in pool: 0" in engine.pool.status()
