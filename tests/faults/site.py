"""An installation to be hurt: real `headroom serve` processes on an embedded PostgreSQL that keeps its promises.

Each server is a process of its own that runs the command line; it can be killed, and started again on what it left
behind. The processes are forked from one that has imported everything, so that a start costs a second and not five.
"""

from __future__ import annotations

import multiprocessing
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from functools import cached_property
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any, Final

import asyncpg
import httpx

from app.infra.db.embedded import EmbeddedServer
from app.infra.db.file_lock import FileLock
from tests.support.api import BOOTSTRAP_KEY

START_SECONDS_MAX: Final = 120.0
END_SECONDS_MAX: Final = 90.0
ANSWER_SECONDS_MAX: Final = 60.0
_LISTENS: Final = re.compile(r"running on http://127\.0\.0\.1:(\d+)")
_FORKS: Final = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["app.cli", "app.main", "tests.faults.mortal", "tests.faults.releases"])

Program = Callable[[Sequence[str]], None]
"""What a process does with its command line."""


def command(arguments: Sequence[str]) -> None:
    """`headroom …`."""
    from app.cli import main

    main(list(arguments))


class Server:
    """One server process."""

    def __init__(self, process: ForkServerProcess, log: Path) -> None:
        self.process = process
        self.log = log
        self.url = ""

    def wait_until_ready(self) -> None:
        """Returns when it answers that it is ready."""
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline:
            assert self.process.is_alive(), f"the server ended: {self.log.read_text()[-2000:]}"
            if listens := _LISTENS.search(self.log.read_text()):
                self.url = f"http://127.0.0.1:{listens[1]}"
                if httpx.get(f"{self.url}/readyz", timeout=ANSWER_SECONDS_MAX).status_code == 200:
                    return
            time.sleep(0.02)
        raise AssertionError(f"the server is not ready: {self.log.read_text()[-2000:]}")

    def client(self) -> httpx.AsyncClient:
        """A client with an administrator's key and as many connections as it has requests."""
        return httpx.AsyncClient(
            base_url=self.url,
            headers={"Authorization": f"Bearer {BOOTSTRAP_KEY}"},
            timeout=ANSWER_SECONDS_MAX,
            limits=httpx.Limits(max_connections=None),
        )

    def kill(self) -> None:
        """As `kill -9` does."""
        self.process.kill()
        self.join()

    def terminate(self) -> int:
        """Asks it to end, and says how it did."""
        self.process.terminate()
        return self.join()

    def join(self) -> int:
        """Waits for its end, and says how it ended."""
        self.process.join(END_SECONDS_MAX)
        assert self.process.exitcode is not None, f"the server does not end: {self.log.read_text()[-2000:]}"
        return self.process.exitcode


class Site:
    """A data directory, and the processes that work on it."""

    def __init__(self, model: Path | None = None) -> None:
        """With a copy of the data directory `model`, else with none."""
        self.directory = Path(tempfile.mkdtemp(prefix="headroom-faults-"))
        self.directory.chmod(0o711)  # as root the database runs as nobody, which enters but does not list
        self.data_dir = self.directory / "data"
        self.servers: list[Server] = []
        if model is not None and not (model / "home").is_symlink():
            subprocess.run(["cp", "-a", str(model), str(self.data_dir)], check=True)

    @cached_property
    def database(self) -> EmbeddedServer:
        """The embedded database, to look at and to kill; the servers start and stop it."""
        return EmbeddedServer(self.data_dir, settings={})

    def start(self, *arguments: str, program: Program = command, **environment: str) -> Server:
        """A server that is ready. `arguments` and `environment` are those of `headroom serve`."""
        server = self._spawn(program, ["serve", "--port", "0", *arguments], environment)
        self.servers.append(server)
        server.wait_until_ready()
        return server

    def migrate(self, *, program: Program = command, **environment: str) -> None:
        """`headroom migrate`: makes the database, or brings it up to date; nothing runs afterwards."""
        migrating = self._spawn(program, ["migrate"], environment)
        assert migrating.join() == 0, migrating.log.read_text()

    def verify(self, *, program: Program = command, **environment: str) -> tuple[int, str]:
        """How `headroom verify` ended, and what it said."""
        verifying = self._spawn(program, ["verify"], environment)
        return verifying.join(), verifying.log.read_text()

    def verify_journal(self) -> tuple[int, str]:
        """How `headroom journal verify` ended, and what it said."""
        verifying = self._spawn(command, ["journal", "verify"], {})
        return verifying.join(), verifying.log.read_text()

    async def connect(self) -> asyncpg.Connection:
        """A connection of our own, past all servers."""
        return await asyncpg.connect(self.database.dsn)

    async def fetch(self, query: str, *parameters: Any) -> list[asyncpg.Record]:
        """The rows of one query, past all servers."""
        connection = await self.connect()
        try:
            rows: list[asyncpg.Record] = await connection.fetch(query, *parameters)
            return rows
        finally:
            await connection.close()

    def kill_database(self) -> None:
        """Kills the postmaster and each of its children; none of them can tidy up."""
        postmaster = self.database.pid
        os.kill(postmaster, signal.SIGSTOP)  # so that it neither makes children now nor mends what is broken
        for pid in (*_children_of(postmaster), postmaster):
            os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + END_SECONDS_MAX
        while self.database_lives():
            assert time.monotonic() < deadline, "the database outlived a kill"
            time.sleep(0.01)

    def database_lives(self) -> bool:
        """Whether any process of the database is left: each of them holds this lock."""
        alive = FileLock(self.data_dir / "alive.lock")
        if not alive.try_lock():
            return True
        alive.release()
        return False

    def close(self) -> None:
        """Ends everything and forgets it."""
        for server in self.servers:
            server.process.kill()
            server.process.join()
        if (self.data_dir / "port").exists():
            self.database.kill()
        if (self.data_dir / "home").is_symlink():
            shutil.rmtree((self.data_dir / "home").readlink())
        shutil.rmtree(self.directory)

    def _spawn(self, program: Program, arguments: Sequence[str], environment: dict[str, str]) -> Server:
        number, path = tempfile.mkstemp(suffix=".log", dir=self.directory)
        os.close(number)
        given = {"HEADROOM_BOOTSTRAP_KEY": BOOTSTRAP_KEY, "HEADROOM_DATA_DIR": str(self.data_dir), **environment}
        process = _FORKS.Process(target=_run, args=(program, arguments, given, path))
        process.start()
        return Server(process, Path(path))


def _run(program: Program, arguments: Sequence[str], environment: dict[str, str], log: str) -> None:
    """In the new process: what a shell would have arranged, then the program."""
    for name in [name for name in os.environ if name.startswith("HEADROOM_")]:
        del os.environ[name]
    os.environ.update(environment)
    with open(log, "ab") as out:
        os.dup2(out.fileno(), sys.stdout.fileno())
        os.dup2(out.fileno(), sys.stderr.fileno())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    program(arguments)


def _end_with_parent() -> None:
    """Nothing outlives a test run, even one that was killed; the signal lets a server stop its database."""
    parent = multiprocessing.parent_process()
    assert parent is not None, "only in a process that was started here"
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)


def _children_of(pid: int) -> list[int]:
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    pairs = (line.split() for line in listed.splitlines())
    return [int(child) for child, parent in pairs if int(parent) == pid]
