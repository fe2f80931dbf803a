"""The worker process: which jobs it runs, and how it is watched."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from app import worker
from app.settings import Settings

START_SECONDS_MAX = 90.0


@contextmanager
def working(database_url: str) -> Iterator[tuple[subprocess.Popen[bytes], httpx.Client]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HEADROOM_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "app.cli", "worker"],
        env={**kept, "HEADROOM_DATABASE_URL": database_url, "HEADROOM_WORKER_PORT": str(port)},
    )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            yield process, client
    finally:
        process.kill()
        process.wait()


def wait_for(client: httpx.Client, path: str, words: str) -> str:
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline:
        try:
            if words in (text := client.get(path).text):
                return text
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise AssertionError(f"{path} never says {words}")


class TestJobs:
    def test_delete_nothing_unless_told_to(self) -> None:
        assert {job.name for job in worker.jobs(Settings())} & {"delete_old_events", "delete_old_checks"} == set()

    def test_delete_what_is_not_to_be_kept(self) -> None:
        settings = Settings(events_kept_days=400, decisions_kept_days=4000)
        assert {job.name for job in worker.jobs(settings)} >= {"delete_old_events", "delete_old_checks"}

    def test_have_a_name_each(self) -> None:
        names = [job.name for job in worker.jobs(Settings(events_kept_days=30, decisions_kept_days=30))]
        assert len(names) == len(set(names))


class TestRunWorker:
    def test_tells_how_it_is_and_ends_on_sigterm(self, database_url: str) -> None:
        with working(database_url) as (process, client):
            wait_for(client, "/readyz", "ready")
            assert client.get("/healthz").json() == {"status": "ok"}
            text = wait_for(client, "/metrics", 'headroom_segments{policy="active"} 1.0')
            assert "headroom_leader 1.0" in text
            assert client.get("/v1/customers").status_code == 404
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) in (0, 128 + signal.SIGTERM)
