"""The embedded PostgreSQL under the things that happen to programs: signals, kills, and pids that come round again."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest

from app.infra.db import embedded
from app.infra.db.embedded import EmbeddedServer, running

OWNER = """
import sys, time
from pathlib import Path
from app.infra.db.embedded import running
with running(Path(sys.argv[1])) as server:
    print(server.pid, flush=True)
    time.sleep(60)
"""
UVICORN_OWNER = """
import sys
from pathlib import Path
import uvicorn
from app.infra.db.embedded import running
class Announcing(uvicorn.Server):
    async def startup(self, sockets=None):
        await super().startup(sockets=sockets)
        print(database.pid, flush=True)
async def app(scope, receive, send):
    raise NotImplementedError
with running(Path(sys.argv[1])) as database:
    Announcing(uvicorn.Config(app, port=0, lifespan="off", log_level="warning")).run()
"""


@pytest.fixture
def data_dir() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="headroom-"))
    directory.chmod(0o711)  # as root the database runs as nobody, which enters but does not list
    yield directory
    shutil.rmtree(directory)


class TestRunning:
    async def test_serves_until_the_block_ends(self, data_dir: Path) -> None:
        with running(data_dir) as server:
            pid = server.pid
            assert os.getsid(pid) == pid, "Ctrl-C must reach the program only"
            assert await ask(server, "select current_setting('server_version_num')::int >= 180000")
        assert not is_alive(pid)

    async def test_finds_its_data_and_its_port_again(self, data_dir: Path) -> None:
        with running(data_dir) as server:
            await ask(server, "create table kept as select 42 as answer")
            port = server.port
        with running(data_dir) as server:
            assert await ask(server, "select answer from kept") == 42
            assert server.port == port

    async def test_keeps_what_it_acknowledges(self, data_dir: Path) -> None:
        with running(data_dir) as server:
            for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                assert await ask(server, f"select current_setting('{setting}')") == "on"

    async def test_sorts_text_alike_on_every_machine(self, data_dir: Path) -> None:
        with running(data_dir) as server:
            assert await ask(
                server,
                "select (datlocprovider::text, datlocale) from pg_database where datname = current_database()",
            ) == ("b", "C.UTF-8")

    async def test_lets_nobody_in_without_the_password(self, data_dir: Path) -> None:
        with running(data_dir) as server:
            for address in ("127.0.0.1", str(data_dir / "run")):
                with pytest.raises(asyncpg.InvalidPasswordError):
                    await asyncpg.connect(
                        host=address, port=server.port, user="headroom", password="guess", database="headroom"
                    )
            assert (data_dir / "password").stat().st_mode & 0o777 == 0o600
            assert await ask(server, "select current_setting('listen_addresses')") == "127.0.0.1"

    async def test_applies_the_settings_given(self, data_dir: Path) -> None:
        with running(data_dir, settings={"work_mem": "7MB"}) as server:
            assert await ask(server, "select current_setting('work_mem')") == "7MB"

    async def test_moves_to_another_port_when_its_own_is_taken(self, data_dir: Path) -> None:
        with running(data_dir) as server:
            port = server.port
        with socket.create_server(("127.0.0.1", port)), running(data_dir) as server:
            assert server.port != port
            assert await ask(server, "select 1") == 1

    async def test_stops_only_when_its_last_user_leaves(self, data_dir: Path) -> None:
        with running(data_dir) as first:
            with running(data_dir) as second:
                assert second.pid == first.pid
            assert await ask(first, "select 1") == 1
        assert not is_alive(pid_of_last_start(data_dir))

    async def test_two_starters_at_once_get_one_server(self, data_dir: Path) -> None:
        owners = [spawn(OWNER, data_dir) for _ in range(3)]
        try:
            pids = {announced_pid(owner) for owner in owners}
            assert len(pids) == 1
        finally:
            for owner in owners:
                owner.terminate()
                owner.communicate(timeout=30)
        assert not is_alive(pids.pop())

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the database as somebody else")
    async def test_as_root_lives_where_nobody_can_reach_it(self, data_dir: Path) -> None:
        data_dir.chmod(0o700)
        with running(data_dir / "deep") as server:
            home = (data_dir / "deep" / "home").readlink()
            assert await ask(server, "create table kept as select 42 as answer") is None
        with running(data_dir / "deep") as server:
            assert await ask(server, "select answer from kept") == 42
        shutil.rmtree(home)
        assert data_dir.stat().st_mode & 0o777 == 0o700


class TestAfterTheDatabaseWasKilled:
    async def test_restarts_with_everything_committed(self, data_dir: Path) -> None:
        with running(data_dir) as server:
            await ask(server, "create table kept as select 42 as answer")
            server.kill()
            server.start()
            assert await ask(server, "select answer from kept") == 42

    async def test_starts_when_somebody_else_killed_it(self, data_dir: Path) -> None:
        with running(data_dir) as server:
            os.kill(server.pid, signal.SIGKILL)
            server.start()
            assert await ask(server, "select 1") == 1

    async def test_a_reused_pid_neither_counts_as_up_nor_is_hurt(self, data_dir: Path) -> None:
        with running(data_dir) as server:
            server.kill()
        with stranger() as other:
            pid_file = data_dir / "postgres" / "postmaster.pid"
            pid_file.write_text("\n".join([str(other.pid), *pid_file.read_text().splitlines()[1:]]))
            with running(data_dir) as server:
                assert server.pid != other.pid
                assert await ask(server, "select 1") == 1
            assert other.poll() is None

    async def test_a_dead_database_does_not_keep_the_program_from_ending(self, data_dir: Path) -> None:
        with running(data_dir) as server:
            os.kill(server.pid, signal.SIGKILL)
            began = time.monotonic()
        assert time.monotonic() - began < 10


class TestAfterTheOwnerWasKilled:
    async def test_the_orphan_is_adopted_and_stopped_in_the_end(self, data_dir: Path) -> None:
        owner = spawn(OWNER, data_dir)
        orphan = announced_pid(owner)
        owner.kill()
        owner.communicate()
        assert is_alive(orphan)
        with running(data_dir) as server:
            assert server.pid == orphan
            assert await ask(server, "select 1") == 1
        assert not is_alive(orphan)

    async def test_a_first_start_cut_short_is_begun_anew(self, data_dir: Path) -> None:
        owner = spawn(OWNER, data_dir)
        wait_until(lambda: any(data_dir.glob("initdb-*/postgres/*")))
        owner.kill()
        owner.communicate()
        with running(data_dir) as server:
            assert await ask(server, "select 1") == 1

    @pytest.mark.parametrize("program", [OWNER, UVICORN_OWNER], ids=["plain", "uvicorn"])
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    async def test_a_polite_signal_stops_the_database_too(
        self, data_dir: Path, program: str, number: signal.Signals
    ) -> None:
        owner = spawn(program, data_dir)
        database = announced_pid(owner)
        owner.send_signal(number)
        owner.communicate(timeout=30)
        assert not is_alive(database)
        if number == signal.SIGTERM:
            assert owner.returncode == 128 + signal.SIGTERM


class TestRefusing:
    def test_says_why_with_the_end_of_the_log(self, data_dir: Path) -> None:
        with (
            pytest.raises(embedded.EmbeddedServerError, match="no_such_setting"),
            running(data_dir, settings={"no_such_setting": "1"}),
        ):
            pytest.fail("it must not start")


async def ask(server: EmbeddedServer, statement: str) -> object:
    connection = await asyncpg.connect(server.dsn)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


def spawn(program: str, data_dir: Path) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", program, str(data_dir)], stdout=subprocess.PIPE, text=True)


def announced_pid(owner: subprocess.Popen[str]) -> int:
    assert owner.stdout is not None
    return int(owner.stdout.readline())


@contextmanager
def stranger() -> Iterator[subprocess.Popen[bytes]]:
    """A process of the same user as the database, which has nothing to do with it."""
    user = {"user": "nobody"} if os.geteuid() == 0 else {}
    process = subprocess.Popen(["sleep", "60"], cwd="/", **user)  # type: ignore[call-overload]
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def pid_of_last_start(data_dir: Path) -> int:
    """From the log, since a stopped server has no pid file."""
    lines = [line for line in (data_dir / "postgres.log").read_text().splitlines() if "starting PostgreSQL" in line]
    return int(lines[-1].split("[")[1].split("]")[0])


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    """An orphan whose new parent has not looked yet is dead all the same."""
    status = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return status.strip().startswith("Z") or not status.strip()


def wait_until(condition: Callable[[], bool], *, seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)
