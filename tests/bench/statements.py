"""Statements of the bench, executed one after another and timed."""

from __future__ import annotations

import time

import asyncpg

from app.infra.db.embedded import EmbeddedServer


async def execute(server: EmbeddedServer, *statements: str) -> float:
    """The seconds that the statements take."""
    connection = await asyncpg.connect(server.dsn)
    began = time.perf_counter()
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()
    return time.perf_counter() - began
