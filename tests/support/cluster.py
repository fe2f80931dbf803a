"""The PostgreSQL of one test run: one server for all workers, and one migrated template in it.

`HEADROOM_TEST_DATABASE_URL` names a server on which databases may be created; without it an embedded one is started by
the first test that asks, and stopped when the last worker leaves. It runs without fsync: nothing in it outlives the
run. Tests of durability start a server of their own with `app.infra.db.embedded.running`.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import asyncpg
from sqlalchemy import URL, make_url

from app.infra.db import embedded, migrating
from app.infra.db.file_lock import FileLock

FAST = {"fsync": "off", "full_page_writes": "off", "max_wal_size": "512MB", "max_connections": "400"}
PREFIX = "headroom-tests-"
MEMORY = Path("/dev/shm")
"""A file system in memory, where there is one: making a database there takes 20 ms, on a slow disk half a second."""
MEMORY_BYTES_MIN = 4 * 1024**3


class Run:
    """What the workers of one run share: a directory with a name of its own."""

    VARIABLE = "HEADROOM_TEST_RUN"

    def __init__(self) -> None:
        """In the controller. Also tidies up after runs that were killed."""
        sweep_abandoned_runs()
        self.directory = Path(tempfile.mkdtemp(prefix=PREFIX, dir=_places()[0]))
        self.directory.chmod(0o711)
        self._alive = FileLock(self.directory / "run.lock")
        self._alive.try_lock()
        os.environ[self.VARIABLE] = str(self.directory)

    def end(self) -> None:
        """In the controller, when all workers have left."""
        cluster = Cluster(os.environ.get("HEADROOM_TEST_DATABASE_URL", ""), self.directory)
        if cluster.is_foreign and (self.directory / "template.lock").exists():
            asyncio.run(cluster.drop(cluster.template))
        shutil.rmtree(self.directory)
        self._alive.release()


class Cluster:
    """A server on which databases can be made."""

    def __init__(self, url: str, directory: Path) -> None:
        self._directory = directory
        self._name = f"test_{directory.name.removeprefix(PREFIX)}"
        self.is_foreign = bool(url)
        self.admin_url = make_url(url) if url else None

    @property
    def template(self) -> str:
        """The name of the migrated database that the others are copied from."""
        return f"{self._name}_template"

    @contextmanager
    def running(self) -> Iterator[Cluster]:
        """Makes sure that the server runs, and that the template is there."""
        if self.is_foreign:
            self._make_template()
            yield self
            return
        with embedded.running(self._directory / "postgres", settings=FAST) as server:
            self.admin_url = make_url(server.url)
            self._make_template()
            yield self

    async def create(self, *, template: str = "") -> str:
        """A new database, copied from the migrated template unless another is named; returns its URL."""
        name = f"{self._name}_{secrets.token_hex(4)}"
        # Copying files needs a checkpoint, which costs little without fsync; the other strategy writes all to the WAL.
        await self._execute(f'create database "{name}" template "{template or self.template}" strategy file_copy')
        return self._url(name)

    async def drop(self, url_or_name: str) -> None:
        """Drops a database, whoever is still connected to it."""
        name = make_url(url_or_name).database if "://" in url_or_name else url_or_name
        await self._execute(f'drop database if exists "{name}" with (force)')

    def _make_template(self) -> None:
        """By whichever worker is first; under a name of its own until it is complete."""
        with FileLock(self._directory / "template.lock").held():
            asyncio.run(self._migrate_template())

    async def _migrate_template(self) -> None:
        if await self._execute(f"select 1 from pg_database where datname = '{self.template}'") == "SELECT 1":
            return
        raw = f"{self.template}_raw"
        await self._execute(f'drop database if exists "{raw}" with (force)')  # of a migration that failed
        await self._execute(f'create database "{raw}"')
        await migrating.upgrade(self._url(raw))
        await self._execute(f'alter database "{raw}" rename to "{self.template}"')

    async def _execute(self, statement: str) -> str:
        connection = await asyncpg.connect(libpq(self._admin()))
        try:
            return await connection.execute(statement)
        finally:
            await connection.close()

    def _url(self, database: str) -> str:
        url = self._admin().set(drivername="postgresql+asyncpg", database=database)
        return url.render_as_string(hide_password=False)

    def _admin(self) -> URL:
        assert self.admin_url is not None, "the server does not run"
        return self.admin_url


def libpq(url: URL | str) -> str:
    """A SQLAlchemy URL as one that asyncpg and `psql` read."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def sweep_abandoned_runs() -> None:
    """Stops and removes the servers of runs that were killed: the kernel has let go of their locks."""
    for directory in (found for place in _places() for found in place.glob(f"{PREFIX}*")):
        lock = FileLock(directory / "run.lock")
        with suppress(OSError, embedded.EmbeddedServerError):
            if not (directory / "run.lock").exists() or not lock.try_lock():
                continue
            if (directory / "postgres" / "port").exists():
                embedded.EmbeddedServer(directory / "postgres", settings={}).stop()
            shutil.rmtree(directory)
        lock.release()


def _places() -> list[Path]:
    """Where the data of a run may lie, best first."""
    places = [Path(tempfile.gettempdir())]
    if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= MEMORY_BYTES_MIN:
        places.insert(0, MEMORY)
    return places
