"""Moves a database to the newest schema. The migrations lie in `migrations/`, beside the package `app`.

That holds in a checkout and in an installed wheel alike, so no setting says where they are.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

import app
from app.infra.db.engine import asyncpg_url

MIGRATIONS = Path(app.__file__).resolve().parent.parent / "migrations"
ADVISORY_LOCK = 0x4865_6164_726F_6F6D  # "Headroom"
"""Held for as long as one process migrates; others wait, and find nothing left to do."""
LOCK_TIMEOUT = "5s"
"""A migration that cannot have its lock soon would block the service behind it: it fails and is tried again."""
STATEMENT_TIMEOUT = "15min"
WAIT_FOR_OTHERS = "30min"


async def upgrade(url: str, *, to: str = "head") -> None:
    """Applies every migration that the database lacks up to the revision `to`, each in a transaction of its own."""
    engine = create_async_engine(asyncpg_url(url), poolclass=NullPool, connect_args=_CONNECT_ARGUMENTS)
    try:
        async with engine.connect() as connection:
            await _wait_for_other_migrators(connection)
            await connection.run_sync(_upgrade, to)
            await connection.commit()
    finally:
        await engine.dispose()  # closes the connection, and with it ends the advisory lock


async def current(connection: AsyncConnection) -> str | None:
    """The revision that the database is at; None when it was never migrated."""
    return await connection.run_sync(lambda sync: MigrationContext.configure(sync).get_current_revision())


def head() -> str:
    """The newest revision there is. Raises when the migrations have more than one end."""
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    if revision is None:
        raise LookupError(f"no migrations in {MIGRATIONS}")
    return revision


def known() -> frozenset[str]:
    """Every revision that this program knows. A database at another one was migrated by a later release."""
    return frozenset(script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions())


async def draft(url: str, message: str) -> None:
    """Writes a new migration with what the tables in the code have and the migrated database lacks."""
    engine = create_async_engine(asyncpg_url(url), poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(lambda sync: command.revision(_config(sync), message=message, autogenerate=True))
    finally:
        await engine.dispose()


_CONNECT_ARGUMENTS = {
    "server_settings": {
        "application_name": "headroom migrate",
        "lock_timeout": LOCK_TIMEOUT,
        "statement_timeout": STATEMENT_TIMEOUT,
    }
}


async def _wait_for_other_migrators(connection: AsyncConnection) -> None:
    await connection.execute(text(f"set local lock_timeout = '{WAIT_FOR_OTHERS}'"))
    await connection.execute(text(f"set local statement_timeout = '{WAIT_FOR_OTHERS}'"))
    await connection.execute(text("select pg_advisory_lock(:key)"), {"key": ADVISORY_LOCK})
    await connection.commit()  # ends the two timeouts, not the lock: it belongs to the session


def _upgrade(connection: Connection, to: str) -> None:
    command.upgrade(_config(connection), to)


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("file_template", "%%(year)d_%%(month).2d_%%(day).2d_%%(rev)s_%%(slug)s")
    config.attributes["connection"] = connection
    return config
