"""A server process of the bench: the application as `headroom serve --no-worker` runs it, and the bare endpoint.

python -m tests.bench.serving       settings from the environment
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.request import urlopen

from app.cli.environment import load_settings
from app.cli.serve import run_app
from app.main import create_app
from app.settings import Settings
from tests.bench import bare

KEY: Final = "bootstrap-key-of-the-bench-0123456789"
START_SECONDS_MAX: Final = 60.0
STOP_SECONDS_MAX: Final = 30.0


@dataclass(frozen=True, slots=True)
class Server:
    """A server that answers."""

    host: str
    port: int
    pid: int

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://{self.host}:{self.port}"


@contextmanager
def serving(database_url: str, log: Path) -> Iterator[Server]:
    """One server process on this database, from its first answer until the block ends."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("HEADROOM_")},
        "HEADROOM_DATABASE_URL": database_url,
        "HEADROOM_BOOTSTRAP_KEY": KEY,
        "HEADROOM_PORT": str(port),
        "HEADROOM_WORKER_IN_SERVER": "false",
        "HEADROOM_ACCESS_LOG": "false",
        "HEADROOM_LOG_LEVEL": "warning",
    }
    with log.open("ab") as output:
        child = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.serving"], env=environment, stdout=output, stderr=output
        )
    try:
        _await_ready(child, f"http://127.0.0.1:{port}/readyz", log)
        yield Server("127.0.0.1", port, child.pid)
    finally:
        child.send_signal(signal.SIGTERM)
        child.wait(STOP_SECONDS_MAX)


def _await_ready(child: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS_MAX
    while True:
        try:
            with urlopen(url, timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:
            if child.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the server does not answer:\n{log.read_text()[-2000:]}") from None
            time.sleep(0.05)


def serve(settings: Settings) -> None:
    """Serves the application with the bare endpoint until it is told to stop."""
    app = create_app(settings)
    app.router.routes[:0] = bare.router.routes  # in front, like the route it is compared with
    run_app(app, settings)


if __name__ == "__main__":
    serve(load_settings())
