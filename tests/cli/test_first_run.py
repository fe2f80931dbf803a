"""The first minutes of a stranger: `headroom serve --demo`, the line that it prints, and the end of it all."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from app.cli.demo import company
from app.infra.db.embedded import EmbeddedServer
from app.infra.db.file_lock import FileLock

START_SECONDS_MAX = 120.0
UNFINISHED = "obj_description('customers'::regclass, 'pg_class') is not null"


class FirstRun:
    """`headroom serve --demo` on a data directory, and what it has printed."""

    def __init__(self, data: Path, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.data = data
        self._output = data.parent / "output.txt"
        clean = {name: value for name, value in os.environ.items() if not name.startswith("HEADROOM_")}
        with self._output.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "app.cli", "serve", "--demo", "--port", str(port)],
                env={**clean, "HEADROOM_DATA_DIR": str(data), "HEADROOM_LOG_LEVEL": "warning"},
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def printed(self) -> str:
        """Everything printed so far."""
        return self._output.read_text()

    def wait_until_ready(self) -> None:
        """Returns when the server answers."""
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.printed
            try:
                if httpx.get(f"{self.url}/readyz").status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.1)
        raise AssertionError(f"not ready: {self.printed}")

    def wait_until_loading(self) -> None:
        """Returns when it has customers, and much is still to come."""
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.printed
            with suppress(OSError, asyncpg.PostgresError):
                if self.ask("select count(*) from customers") and self.ask(f"select {UNFINISHED}"):
                    return
            time.sleep(0.05)
        raise AssertionError(f"nothing is loaded: {self.printed}")

    def ask(self, query: str) -> Any:
        """What the database answers, one value."""

        async def answer() -> Any:
            connection = await asyncpg.connect(EmbeddedServer(self.data, settings={}).dsn)
            try:
                return await connection.fetchval(query)
            finally:
                await connection.close()

        return asyncio.run(answer())

    def copied_line(self) -> dict[str, Any]:
        """The answer to the curl line that was printed, run by a shell as it stands."""
        line = next(line for line in self.printed.splitlines() if line.startswith("curl "))
        answer: dict[str, Any] = json.loads(subprocess.check_output(["bash", "-c", line]))
        return answer

    def shown_answer(self) -> dict[str, Any]:
        """The answer that was printed below the line."""
        found = re.search(r"^\{\n.*?^\}$", self.printed, re.MULTILINE | re.DOTALL)
        assert found, self.printed
        answer: dict[str, Any] = json.loads(found.group())
        return answer

    def database_is_alive(self) -> bool:
        """Whether any process of the embedded database is left."""
        lock = FileLock(self.data / "alive.lock")
        if not lock.try_lock():
            return True
        lock.release()
        return False


@contextmanager
def first_run(data: Path) -> Iterator[FirstRun]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    run = FirstRun(data, port)
    try:
        run.wait_until_ready()
        yield run
    finally:
        if run.process.poll() is None:
            run.process.send_signal(signal.SIGTERM)
        run.process.wait(60)


@pytest.mark.slow
class TestFirstRun:
    def test_that_is_killed_while_it_loads_is_begun_anew(self, tmp_path: Path) -> None:
        data = tmp_path / "data"
        killed = FirstRun(data, 0)
        killed.wait_until_loading()
        killed.process.kill()
        killed.process.wait(60)
        with first_run(data) as run:
            assert "Loaded the demo company" in run.printed
            self._same_decision(run)
            assert run.ask("select count(*) from customers") == len(company.PARTIES)
            assert not run.ask(f"select {UNFINISHED}")

    def test_gives_a_line_that_works_and_finds_everything_again_next_time(self, tmp_path: Path) -> None:
        data = tmp_path / "data"
        with first_run(data) as run:
            assert "Loaded the demo company" in run.printed
            assert "hr_live_" in run.printed
            self._same_decision(run)
            assert httpx.get(f"{run.url}/docs").status_code == 200
            run.process.send_signal(signal.SIGINT)
            run.process.wait(60)
            assert not run.database_is_alive()
        with first_run(data) as run:
            assert "Loaded the demo company" not in run.printed
            self._same_decision(run)
            assert run.database_is_alive()
            run.process.send_signal(signal.SIGTERM)
            run.process.wait(60)
            assert not run.database_is_alive()

    @staticmethod
    def _same_decision(run: FirstRun) -> None:
        asked, shown = run.copied_line(), run.shown_answer()
        assert asked["outcome"] == shown["outcome"] == "referred"
        for member in ("reasons", "rules", "limit", "exposure", "headroom_after", "remedies", "policy"):
            assert asked[member] == shown[member], member
