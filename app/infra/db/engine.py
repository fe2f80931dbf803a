"""Engines and sessions: pooled connections whose every wait is bounded by the server itself."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final

import orjson
from sqlalchemy import URL, PoolProxiedConnection, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from app.infra.clock import stopwatch
from app.infra.metrics import POOL_WAIT_SECONDS

STATEMENT_TIMEOUT: Final = timedelta(seconds=20)
LOCK_TIMEOUT: Final = timedelta(seconds=2)
IDLE_IN_TRANSACTION_TIMEOUT: Final = timedelta(seconds=60)
CONNECT_TIMEOUT: Final = timedelta(seconds=5)
POOL_TIMEOUT: Final = timedelta(seconds=5)
CLOSE_TIMEOUT: Final = timedelta(seconds=5)

_SSL_MODES: Final = "sslmode"


class MeasuredPool(AsyncAdaptedQueuePool):
    """A pool that tells how long its callers wait for a connection."""

    def connect(self) -> PoolProxiedConnection:
        """A connection, measured from the wish to the possession."""
        asked = stopwatch()
        try:
            return super().connect()
        finally:
            POOL_WAIT_SECONDS.observe(stopwatch() - asked)


def make_engine(
    url: str,
    *,
    pool_size: int = 10,
    application_name: str = "headroom",
    statement_timeout: timedelta = STATEMENT_TIMEOUT,
    lock_timeout: timedelta = LOCK_TIMEOUT,
    server_settings: Mapping[str, str] | None = None,
    isolation_level: str | None = None,
) -> AsyncEngine:
    """An engine for the PostgreSQL at `url` (libpq or SQLAlchemy form), with at most `pool_size` connections.

    Statements, waits for locks, idle transactions and waits for a connection end by themselves, by the server's own
    timeouts. `server_settings` are PostgreSQL settings of each session, stronger than the timeouts here.
    """
    settings = {
        "application_name": application_name,
        "TimeZone": "UTC",
        "statement_timeout": _milliseconds(statement_timeout),
        "lock_timeout": _milliseconds(lock_timeout),
        "idle_in_transaction_session_timeout": _milliseconds(IDLE_IN_TRANSACTION_TIMEOUT),
        "jit": "off",
        **(server_settings or {}),
    }
    options: dict[str, Any] = {} if isolation_level is None else {"isolation_level": isolation_level}
    return create_async_engine(
        asyncpg_url(url),
        poolclass=MeasuredPool,
        pool_size=pool_size,
        max_overflow=0,
        hide_parameters=True,  # errors are logged, what callers sent is not
        pool_timeout=POOL_TIMEOUT.total_seconds(),
        connect_args={"server_settings": settings, "timeout": CONNECT_TIMEOUT.total_seconds()},
        json_serializer=lambda document: orjson.dumps(document).decode(),
        json_deserializer=orjson.loads,
        **options,
    )


async def close(engine: AsyncEngine) -> None:
    """Closes the connections of `engine`. A database that accepts connections and never answers does not keep a server
    from ending: after `CLOSE_TIMEOUT` they are left to the operating system."""
    with suppress(TimeoutError):
        async with asyncio.timeout(CLOSE_TIMEOUT.total_seconds()):
            await engine.dispose()


def make_sessions(engine: AsyncEngine) -> async_sessionmaker[AsyncSession]:
    """Sessions on `engine`. Rows stay readable after the commit; nothing is written before it is flushed by name."""
    return async_sessionmaker(engine, expire_on_commit=False)


def asyncpg_url(url: str) -> URL:
    """`url` for SQLAlchemy's asyncpg dialect: libpq's scheme and `sslmode` are translated."""
    parsed = make_url(url)
    if parsed.get_backend_name() not in ("postgresql", "postgres"):
        raise ValueError("the database has to be PostgreSQL: postgresql://user:password@host:5432/name")
    query = dict(parsed.query)
    if _SSL_MODES in query:
        query["ssl"] = query.pop(_SSL_MODES)
    return parsed.set(drivername="postgresql+asyncpg", query=query)


def _milliseconds(span: timedelta) -> str:
    return str(int(span.total_seconds() * 1000))
