"""Connections whose waits are bounded."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.infra.db import failures
from app.infra.db.engine import asyncpg_url, make_engine


class TestMakeEngine:
    async def test_bounds_statements_and_locks(self, database_url: str) -> None:
        engine = make_engine(
            database_url, statement_timeout=timedelta(milliseconds=50), lock_timeout=timedelta(milliseconds=20)
        )
        async with engine.connect() as connection:
            with pytest.raises(DBAPIError) as caught:
                await connection.execute(text("select pg_sleep(5)"))
            assert isinstance(failures.refusal_of(caught.value), failures.DatabaseSlow)
        async with engine.connect() as holder, engine.connect() as waiter:
            await holder.execute(text("lock table api_keys"))
            with pytest.raises(DBAPIError) as caught:
                await waiter.execute(text("select from api_keys"))
            assert isinstance(failures.refusal_of(caught.value), failures.DatabaseBusy)
        await engine.dispose()

    async def test_takes_settings_of_the_server(self, database_url: str) -> None:
        engine = make_engine(
            database_url, application_name="desk", server_settings={"plan_cache_mode": "force_generic_plan"}
        )
        async with engine.connect() as connection:
            assert await connection.scalar(text("show plan_cache_mode")) == "force_generic_plan"
            assert await connection.scalar(text("show application_name")) == "desk"
            assert await connection.scalar(text("show TimeZone")) == "UTC"
            assert await connection.scalar(text("show synchronous_commit")) == "on"
        await engine.dispose()

    async def test_measures_the_wait_for_a_connection(self, database_url: str) -> None:
        def count() -> float:
            return REGISTRY.get_sample_value("headroom_pool_wait_seconds_count") or 0

        before = count()
        engine = make_engine(database_url, pool_size=1)

        async def ask() -> None:
            async with engine.connect() as connection:
                await connection.execute(text("select 1"))

        await asyncio.gather(*(ask() for _ in range(3)))
        await engine.dispose()
        assert count() == before + 3


class TestAsyncpgUrl:
    def test_translates_the_forms_of_libpq(self) -> None:
        url = asyncpg_url("postgresql://u:p@h:5433/db?sslmode=require")
        assert url.render_as_string(hide_password=False) == "postgresql+asyncpg://u:p@h:5433/db?ssl=require"

    def test_refuses_other_databases(self) -> None:
        with pytest.raises(ValueError, match="has to be PostgreSQL"):
            asyncpg_url("sqlite:///x.db")


class TestRefusalOf:
    async def test_names_a_server_that_is_away(self) -> None:
        engine = make_engine("postgresql://nobody@127.0.0.1:1/none")
        with pytest.raises(OSError) as caught:  # noqa: PT011
            await engine.connect().start()
        assert isinstance(failures.refusal_of(caught.value), failures.DatabaseUnavailable)
        await engine.dispose()

    async def test_leaves_defects_alone(self, database_url: str) -> None:
        engine = make_engine(database_url)
        async with engine.connect() as connection:
            with pytest.raises(DBAPIError) as caught:
                await connection.execute(text("select nonsense"))
        assert failures.refusal_of(caught.value) is None
        assert failures.sqlstate(caught.value) == "42703"
        await engine.dispose()
