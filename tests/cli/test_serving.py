"""`headroom serve` as a process: on a real socket, until a signal ends it and its database."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from app.infra.db.file_lock import FileLock
from tests.support.api import BOOTSTRAP_KEY

START_SECONDS_MAX = 90.0


class Server:
    """One server process and a client of it."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process = process
        self.client = httpx.Client(
            base_url=f"http://127.0.0.1:{port}", headers={"Authorization": f"Bearer {BOOTSTRAP_KEY}"}, timeout=30
        )

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline:
            assert self.process.poll() is None, "the server ended"
            try:
                if self.client.get("/readyz").status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.05)
        raise AssertionError("the server is not ready")

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(60)


@contextmanager
def serving(tmp_path: Path, **environment: str) -> Iterator[Server]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("HEADROOM_")}
    log = (tmp_path / "server.log").open("w")
    process = subprocess.Popen(
        [sys.executable, "-m", "app.cli", "serve", "--port", str(port)],
        env={**inherited, "HEADROOM_BOOTSTRAP_KEY": BOOTSTRAP_KEY, **environment},
        stdout=log,
        stderr=log,
        text=True,
    )
    server = Server(process, port)
    try:
        server.wait_until_ready()
        yield server
    finally:
        server.client.close()
        process.kill()
        process.wait()
        log.close()


class TestServing:
    def test_keeps_the_promises_of_the_edge_on_a_socket(self, database_url: str, tmp_path: Path) -> None:
        with serving(tmp_path, HEADROOM_DATABASE_URL=database_url) as server:
            # A reference with a slash reaches its route, here to be refused by the id's form and not by the router.
            response = server.client.delete("/v1/api-keys/A%2FB")
            assert (response.status_code, response.json()["instance"]) == (422, "/v1/api-keys/A%2FB")
            # Too large a body, in chunks: nobody declared its length.
            chunks = (b" " * 65_536 for _ in range(20))
            response = server.client.post("/v1/api-keys", content=chunks, headers={"Content-Type": "application/json"})
            assert response.json()["code"] == "body_too_large"
            assert server.client.get("/healthz").status_code == 200

    def test_ends_on_sigterm_and_says_so(self, database_url: str, tmp_path: Path) -> None:
        with serving(tmp_path, HEADROOM_DATABASE_URL=database_url) as server:
            assert server.end(signal.SIGTERM) in (-signal.SIGTERM, 128 + signal.SIGTERM)

    @pytest.mark.slow
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_stops_the_embedded_database_with_it(self, tmp_path: Path, number: signal.Signals) -> None:
        data = tmp_path / "data"
        with serving(tmp_path, HEADROOM_DATA_DIR=str(data)) as server:
            alive = FileLock(data / "alive.lock")
            assert not alive.try_lock()
            server.end(number)
            assert alive.try_lock()
            alive.release()

    def test_shares_its_measurements_between_processes(self, database_url: str, tmp_path: Path) -> None:
        shared = tmp_path / "metrics"
        shared.mkdir()
        environment = {"HEADROOM_DATABASE_URL": database_url, "PROMETHEUS_MULTIPROC_DIR": str(shared)}
        (tmp_path / "b").mkdir()
        with serving(tmp_path, **environment) as first, serving(tmp_path / "b", **environment) as second:
            for server in (first, second):
                server.client.get("/healthz")
            counted = 'headroom_requests_total{method="GET",route="/healthz",status="200"} 2.0'
            assert counted in first.client.get("/metrics").text
            second.end(signal.SIGKILL)
            text = first.client.get("/metrics").text
            assert counted in text  # what was counted stays counted
            assert "headroom_build_info" in text
