"""A demo company whose load was interrupted: it carries a mark, so that it is not taken for a whole one.

Its past is told in order and by the clock, so it can't be taken up in the middle: its database is made anew.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.infra.db import engine as databases

LOAD_MAX: Final = timedelta(minutes=15)
_LOCK: Final = text("select pg_advisory_lock(hashtextextended('headroom demo', 0))")
_MARK: Final = text("comment on table customers is 'the demo company is being loaded'")
_UNMARK: Final = text("comment on table customers is null")
_IS_MARKED: Final = text("select obj_description(to_regclass('customers'), 'pg_class') is not null")
_ANEW: Final = (text("drop schema public cascade"), text("create schema public"))


class Place:
    """The database that a demo company is loaded into, while nobody else loads one or looks whether it is whole."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def lock(self) -> None:
        """Waits until nobody else is here; then nobody else is, until the connection is closed."""
        await self._run(_LOCK)

    async def is_unfinished(self) -> bool:
        """Whether the load of a demo company began here and did not end."""
        async with self._connection.begin():
            return bool(await self._connection.scalar(_IS_MARKED))

    @asynccontextmanager
    async def marked(self) -> AsyncIterator[None]:
        """The block loads the company: until it has ended well, the company is unfinished."""
        await self._run(_MARK)
        yield
        await self._run(_UNMARK)

    async def make_anew(self) -> None:
        """Removes everything: the database is as empty as a new one."""
        await self._run(*_ANEW)

    async def _run(self, *statements: TextClause) -> None:
        async with self._connection.begin():
            for statement in statements:
                await self._connection.execute(statement)


@asynccontextmanager
async def place(database_url: str) -> AsyncIterator[Place]:
    """The database, once nobody else is at it."""
    engine = databases.make_engine(
        database_url,
        pool_size=1,
        application_name="headroom demo",
        lock_timeout=LOAD_MAX,
        statement_timeout=LOAD_MAX,
    )
    try:
        async with engine.connect() as connection:
            here = Place(connection)
            await here.lock()
            yield here
    finally:
        await databases.close(engine)
