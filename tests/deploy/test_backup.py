"""Backup and restore as docs/operating.md describes them, tried: to a point in time, and as a dump.

Against an embedded PostgreSQL of the test's own, with the programs that come with it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest
from pydantic import SecretStr
from sqlalchemy import make_url

from app.cli.environment import bring_up_to_date
from app.infra.clock import SystemClock
from app.infra.db import embedded
from app.infra.db.embedded import EmbeddedServer
from app.infra.db.embedded_binaries import Programs
from app.infra.db.embedded_binaries import find as find_programs
from app.infra.db.engine import make_engine, make_sessions
from app.infra.jobs import Run
from app.infra.transaction import Transactions
from app.main import create_app
from app.reactions import REACTIONS
from app.settings import Settings
from app.support.journal import service as journal
from app.support.journal.jobs import seal_events
from tests.support.api import BOOTSTRAP_KEY, client_of
from tests.support.business import check, open_account

pytestmark = pytest.mark.slow

USE_UP_TRANSACTION_IDS = """
    do $$ begin
        for n in 1..20000 loop perform pg_current_xact_id(); commit; end loop;
    end $$
"""
"""More than a restore uses in the new server."""


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that the database's user can enter."""
    directory = Path(tempfile.mkdtemp(prefix="headroom-backup-"))
    directory.chmod(0o711)
    yield directory
    shutil.rmtree(directory)


@pytest.fixture
def programs() -> Programs:
    return find_programs()


def made(programs: Programs, path: Path) -> Path:
    """A directory that belongs to the database's user."""
    path.mkdir(mode=0o700)
    programs.user.take_over(path)
    return path


@contextmanager
def archiving(data: Path, archive: Path) -> Iterator[EmbeddedServer]:
    """A server that keeps its WAL in `archive`, as `postgresql.conf` of the documentation says."""
    settings = {
        "archive_mode": "on",
        "archive_command": f"test ! -f {archive}/%f && cp %p {archive}/%f",
        "wal_level": "replica",
        "max_wal_senders": "2",
    }
    with embedded.running(data, settings=settings) as server:
        yield server


async def trade(server: EmbeddedServer, *order_refs: str) -> None:
    """Approved orders of a customer, through the application."""
    key = SecretStr(BOOTSTRAP_KEY)
    settings = Settings(database_url=server.url, bootstrap_key=key, worker_in_server=False, access_log=False)
    await bring_up_to_date(settings)
    app = create_app(settings)
    async with app.router.lifespan_context(app), client_of(app, BOOTSTRAP_KEY) as api:
        if (await api.get("/v1/customers/C-1")).status_code == 404:
            await open_account(app.state.transactions, "C-1")
        for order_ref in order_refs:
            response = await api.post("/v1/credit-checks", json=check("C-1", order_ref, "10"))
            assert response.json()["outcome"] == "approved"


async def execute(server: EmbeddedServer, statement: str) -> None:
    connection = await asyncpg.connect(server.dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def orders(server: EmbeddedServer) -> list[str]:
    connection = await asyncpg.connect(server.dsn)
    try:
        return [row[0] for row in await connection.fetch("select order_ref from commitments order by 1")]
    finally:
        await connection.close()


def verified(server: EmbeddedServer) -> Mapping[str, object]:
    """What `headroom verify` says of the database."""
    environment = {**os.environ, "HEADROOM_DATABASE_URL": server.url}
    command = [sys.executable, "-m", "app.cli", "verify", "--json"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    found: Mapping[str, object] = json.loads(done.stdout.splitlines()[-1])
    return found


def login(server: EmbeddedServer) -> list[str]:
    """The database for libpq's programs, over TCP."""
    url = make_url(server.dsn).set(host="127.0.0.1", port=server.port, query={})
    return ["--dbname", url.render_as_string(hide_password=False)]


class TestPointInTime:
    async def test_brings_back_what_was_there_before_the_mistake(self, place: Path, programs: Programs) -> None:
        archive = made(programs, place / "archive")
        with archiving(place / "old", archive) as server:
            await trade(server, "BEFORE-BACKUP")
            target = made(programs, place / "basebackup")
            taken = programs.run("pg_basebackup", *login(server), f"--pgdata={target}", "--checkpoint=fast")
            assert taken.returncode == 0, taken.stdout
            await trade(server, "AFTER-BACKUP")
            await execute(server, "select pg_create_restore_point('before_the_mistake')")
            await execute(server, "truncate commitments cascade")
            await execute(server, "select pg_switch_wal()")
        with self.restored(place, archive) as server:
            assert await orders(server) == ["AFTER-BACKUP", "BEFORE-BACKUP"]
            assert verified(server)
            await trade(server, "AFTER-RESTORE")
            assert "AFTER-RESTORE" in await orders(server)

    @contextmanager
    def restored(self, place: Path, archive: Path) -> Iterator[EmbeddedServer]:
        """A server on the base backup that replays the archive up to the restore point."""
        recovery = {
            "restore_command": f"cp {archive}/%f %p",
            "recovery_target_name": "before_the_mistake",
            "recovery_target_action": "promote",
        }
        data = place / "new"
        data.mkdir(mode=0o711)
        shutil.copy(place / "old" / "password", data)
        shutil.move(place / "basebackup", data / "postgres")
        (data / "postgres" / "recovery.signal").touch()
        with embedded.running(data, settings=recovery) as server:
            yield server


class TestDump:
    async def test_restores_into_another_server_and_goes_on(self, place: Path, programs: Programs) -> None:
        """Transaction ids begin anew there, so the journal is told to: `headroom journal rebase`."""
        dump = made(programs, place / "dump") / "headroom.dump"
        with embedded.running(place / "old") as server:
            await execute(server, USE_UP_TRANSACTION_IDS)
            await trade(server, "DUMPED")
            await seal(server)
            done = programs.run("pg_dump", *login(server), "--format=custom", f"--file={dump}")
            assert done.returncode == 0, done.stdout
        with embedded.running(place / "new") as server:
            done = programs.run("pg_restore", *login(server), "--no-owner", "--exit-on-error", str(dump))
            assert done.returncode == 0, done.stdout
            assert verified(server)
            environment = {**os.environ, "HEADROOM_DATABASE_URL": server.url}
            subprocess.run([sys.executable, "-m", "app.cli", "journal", "rebase"], env=environment, check=True)
            before = await sealed(server)
            await trade(server, "RESTORED")
            await seal(server)
            assert await sealed(server) > before
            assert await orders(server) == ["DUMPED", "RESTORED"]


async def seal(server: EmbeddedServer) -> None:
    engine = make_engine(server.url, pool_size=2)
    transactions = Transactions(make_sessions(engine), clock=SystemClock(), journal=journal.write, reactions=REACTIONS)
    await seal_events(Run(transactions, "test"))
    await engine.dispose()


async def sealed(server: EmbeddedServer) -> int:
    connection = await asyncpg.connect(server.dsn)
    try:
        return int(await connection.fetchval("select count(*) from event_seals"))
    finally:
        await connection.close()
