"""The embedded PostgreSQL: a server of our own, for when no `HEADROOM_DATABASE_URL` is given.

    with embedded.running(Path(".data")) as server:
        serve(server.url)

Who is alive is asked of the kernel, never of a pid file. Three locks in the data directory say everything, and the
kernel lets go of each when its holder dies, however it dies:

- `start.lock`: held while somebody starts or stops the server, so two starters at once make one server.
- `users.lock`: shared by every process that uses the server; the last to leave stops it.
- `alive.lock`: inherited by `postgres` and each of its children. Whoever can take it knows that no process of the
  server is left, whatever `postmaster.pid` says, even if that pid belongs to somebody else by now.

After `kill -9` of its owner the server goes on without one (it is in a session of its own, so Ctrl-C does not hit it
either); the next `running` finds it answering, adopts it, and stops it at its own end.

**Signals.** The server is stopped in a `finally`, so the program must unwind. Ctrl-C does so by itself. SIGTERM kills
a Python program on the spot, so `running` turns it into `SystemExit(143)` unless the program has a handler of its own.
uvicorn shuts down on SIGTERM, restores the handlers it found and raises the signal once more: it meets this handler
and unwinds too, provided that uvicorn runs inside the `with` block, in the main thread.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import NoReturn
from urllib.parse import quote

from app.infra.db import embedded_binaries as binaries
from app.infra.db.file_lock import FileLock

SUPERUSER = DATABASE = "headroom"
SETTINGS: Mapping[str, str] = {
    # Sized for a small machine that runs Headroom beside it. Durability settings keep their safe defaults.
    "max_connections": "200",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "maintenance_work_mem": "128MB",
    "work_mem": "16MB",
    "wal_compression": "on",
    "min_wal_size": "256MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "jit": "off",
    "TimeZone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
}
START_SECONDS_MAX = 300.0
"""Recovery after a crash replays at most `max_wal_size`; five minutes are plenty even for a slow disk."""
STOP_SECONDS_MAX = 60.0
SOCKET_PATH_BYTES_MAX = 100
"""A socket's path holds 107 bytes on Linux and 103 on macOS."""
LOG_BYTES_MAX = 10 * 1024 * 1024

_left_running: list[subprocess.Popen[bytes]] = []
"""Servers we started that others still use; referenced so that nobody complains about a child nobody waited for."""


class EmbeddedServerError(RuntimeError):
    """The server did not start or stop; the message says why and ends with the last lines of its log."""


@contextmanager
def running(data_dir: Path, *, settings: Mapping[str, str] | None = None) -> Iterator[EmbeddedServer]:
    """A running server with its data in `data_dir`, made on first use; stopped when its last user leaves.

    `settings` add to `SETTINGS` or replace them, and have no effect on a server that is adopted. Raises
    `EmbeddedServerError`.
    """
    server = EmbeddedServer(data_dir, settings=settings or {})
    with _sigterm_unwinds():
        try:
            server.start()
            yield server
        finally:
            server.leave()


class EmbeddedServer:
    """One server and this process's part in it."""

    def __init__(self, data_dir: Path, *, settings: Mapping[str, str]) -> None:
        self._programs = binaries.find()
        self._settings = {**SETTINGS, **settings}
        self._directory = data_dir.expanduser().absolute()
        self._directory.mkdir(mode=0o711 if self._programs.user.switch else 0o700, parents=True, exist_ok=True)
        self._home = _home(self._directory, self._programs.user)
        self._cluster = self._home / "postgres"
        self._sockets = self._home / "run"
        self._log = self._directory / "postgres.log"
        self._starting = FileLock(self._directory / "start.lock")
        self._using = FileLock(self._directory / "users.lock")
        self._alive = FileLock(self._directory / "alive.lock")
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The database as a SQLAlchemy URL for asyncpg."""
        return self.dsn.replace("postgresql://", "postgresql+asyncpg://", 1)

    @property
    def dsn(self) -> str:
        """The database as a libpq URL, for `psql`, `pgbench` and asyncpg itself.

        Over the Unix socket, which saves a quarter of a round trip, unless its path would be too long.
        """
        login = f"{SUPERUSER}:{quote(self._password(), safe='')}"
        if self._socket_fits():
            return f"postgresql://{login}@/{DATABASE}?host={quote(str(self._sockets))}&port={self.port}"
        return f"postgresql://{login}@127.0.0.1:{self.port}/{DATABASE}"

    @property
    def port(self) -> int:
        """The port on 127.0.0.1, the same at every start as long as nobody else took it."""
        return int((self._directory / "port").read_text())

    @property
    def pid(self) -> int:
        """The pid of the postmaster."""
        return int((self._cluster / "postmaster.pid").read_text().split("\n", 1)[0])

    def program(self, name: str) -> str:
        """The path of a program of this PostgreSQL, such as `psql` or `pgbench`."""
        return self._programs.path(name)

    def start(self) -> None:
        """Starts the server, or joins the one that runs already."""
        with self._starting.held():
            self._using.share()
            deadline = time.monotonic() + START_SECONDS_MAX
            while not self._alive.try_lock():
                # Somebody is alive in there: answering, recovering, or still on the way out.
                if self._answer() == _ACCEPTS:
                    return
                self._pause(deadline, "it neither answers nor ends")
            try:
                self._launch()
            finally:
                self._alive.release()
            while self._answer() != _ACCEPTS:
                if self._child is not None and self._child.poll() is not None:
                    self._fail("it ended at once")
                self._pause(deadline, "it does not answer")

    def leave(self) -> None:
        """Ends this process's use of the server, and stops it if nobody else uses it."""
        with self._starting.held():
            if self._using.try_lock():
                self._shut_down()
            elif self._child is not None:
                _left_running.append(self._child)
            self._using.release()

    def stop(self) -> None:
        """Stops the server (fast shutdown), whoever uses it; stopping a stopped server does nothing."""
        with self._starting.held():
            self._shut_down()

    def restart(self) -> None:
        """Stops the server and starts it again, on the same port unless somebody took it in between."""
        self.stop()
        self.start()

    def kill(self) -> None:
        """Kills the server as `kill -9` does, for tests of what survives; returns when all its processes are gone."""
        with self._starting.held():
            self._signal(signal.SIGKILL)
            if not self._gone_within(STOP_SECONDS_MAX):
                self._fail("its processes outlived a kill")

    # ---- starting

    def _launch(self) -> None:
        """Spawns `postgres`, which inherits the lock that says it is alive."""
        if self._child is not None:
            self._child.wait()
        if not self._cluster.exists():
            self._make_cluster()
        self._sweep()
        port = _free_port(preferred=self.port if (self._directory / "port").exists() else 0)
        _write_whole(self._directory / "port", str(port))
        arguments = {
            **self._settings,
            "port": str(port),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": str(self._sockets) if self._socket_fits() else "",
        }
        with self._log.open("ab") as log:
            self._child = subprocess.Popen(
                [self.program("postgres"), "-D", str(self._cluster), *(f"-c{k}={v}" for k, v in arguments.items())],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=(self._alive.fileno(),),
                **self._programs.user.popen_arguments(),
            )

    def _make_cluster(self) -> None:
        """Makes the cluster aside and moves it into place, so that a half-made one is never found."""
        for leftover in self._home.glob("initdb-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        staging = Path(tempfile.mkdtemp(prefix="initdb-", dir=self._home))
        password_file = staging / "password"
        _write_whole(password_file, self._password())
        for path in (staging, password_file):
            self._programs.user.take_over(path)
        cluster = staging / "postgres"
        made = self._programs.run(
            "initdb",
            f"--pgdata={cluster}",
            f"--username={SUPERUSER}",
            f"--pwfile={password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            # Built in, so that text sorts alike on every machine and no upgrade of a C library corrupts an index.
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
        )
        if made.returncode == 0:
            made = self._programs.run(
                "postgres", "--single", "-D", str(cluster), "template1", stdin=f"create database {DATABASE}\n"
            )
        if made.returncode != 0:
            raise EmbeddedServerError(f"the embedded PostgreSQL could not be set up in {self._home}:\n{made.stdout}")
        cluster.rename(self._cluster)
        shutil.rmtree(staging)

    def _sweep(self) -> None:
        """Removes what a killed server left behind; we hold `alive.lock`, so none of it speaks for a living one."""
        (self._cluster / "postmaster.pid").unlink(missing_ok=True)
        shutil.rmtree(self._sockets, ignore_errors=True)
        self._sockets.mkdir(mode=0o700)
        self._programs.user.take_over(self._sockets)
        if self._log.exists() and self._log.stat().st_size > LOG_BYTES_MAX:
            self._log.replace(self._log.with_suffix(".log.1"))

    def _password(self) -> str:
        path = self._directory / "password"
        if not path.exists():
            _write_whole(path, secrets.token_urlsafe(24))
        return path.read_text()

    def _socket_fits(self) -> bool:
        return len(bytes(self._sockets / ".s.PGSQL.65535")) <= SOCKET_PATH_BYTES_MAX

    # ---- asking

    def _answer(self) -> int:
        """What `pg_isready` says: one of `_ACCEPTS`, `_REFUSES`, or something else when nobody is there."""
        if not (self._directory / "port").exists():
            return _SILENT
        host = str(self._sockets) if self._socket_fits() else "127.0.0.1"
        return self._programs.run("pg_isready", "-q", "-t", "2", "-h", host, "-p", str(self.port)).returncode

    def _pause(self, deadline: float, complaint: str) -> None:
        if time.monotonic() > deadline:
            self._fail(complaint)
        time.sleep(0.02)

    def _fail(self, complaint: str) -> NoReturn:
        lines = self._log.read_text(errors="replace").splitlines()[-20:] if self._log.exists() else []
        raise EmbeddedServerError("\n".join([f"the embedded PostgreSQL: {complaint}; {self._log} ends with", *lines]))

    # ---- stopping

    def _shut_down(self) -> None:
        for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            self._signal(number)
            if self._gone_within(STOP_SECONDS_MAX):
                return
        self._fail("it cannot be stopped")

    def _signal(self, number: signal.Signals) -> None:
        """Signals the postmaster, but only one that is surely ours: our child, or one that answers."""
        if self._child is not None:
            self._child.send_signal(number)
        elif self._answer() in (_ACCEPTS, _REFUSES):
            _send(self.pid, number)

    def _gone_within(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while not self._alive.try_lock():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        self._alive.release()
        if self._child is not None:
            self._child.wait()
            self._child = None
        return True


_ACCEPTS, _REFUSES, _SILENT = 0, 1, 2


def _home(directory: Path, user: binaries.SystemUser) -> Path:
    """Where cluster and socket lie: in `directory`, or where `user` can reach them, with a link to there."""
    link = directory / "home"
    if link.is_symlink():
        return link.readlink()
    if user.reaches(directory):
        return directory
    home = Path(tempfile.mkdtemp(prefix="cluster-", dir=binaries.shared_home()))
    home.chmod(0o711)
    link.symlink_to(home)
    return home


def _write_whole(path: Path, text: str) -> None:
    """Writes a file that only we can read, so that a crash leaves all of it or nothing."""
    aside = path.with_name(f"{path.name}.new")
    aside.unlink(missing_ok=True)
    aside.touch(mode=0o600)
    aside.write_text(text)
    aside.replace(path)


def _free_port(*, preferred: int) -> int:
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise EmbeddedServerError("no free port on 127.0.0.1")


def _send(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


@contextmanager
def _sigterm_unwinds() -> Iterator[None]:
    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, _leave_on_signal)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _leave_on_signal(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)
