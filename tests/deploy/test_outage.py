"""The database goes away and comes back: the process lives, is not ready meanwhile, and goes on by itself."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from app.infra.db import embedded
from tests.cli.test_serving import Server, serving

PATIENCE_SECONDS = 60
"""Generous, for a busy machine; alone it takes some tenths of a second to notice and less than two to come back."""

pytestmark = pytest.mark.slow


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that the database's user can enter."""
    directory = Path(tempfile.mkdtemp(prefix="headroom-outage-"))
    directory.chmod(0o711)
    yield directory
    shutil.rmtree(directory)


def wait_for(server: Server, status: int) -> float:
    """Seconds until readiness is `status`; liveness is asked all the while."""
    began = time.monotonic()
    while server.client.get("/readyz").status_code != status:
        assert server.client.get("/healthz").status_code == 200
        assert time.monotonic() < began + PATIENCE_SECONDS, f"readiness never turns {status}"
        time.sleep(0.02)
    return time.monotonic() - began


class TestOutage:
    def test_is_noticed_and_overcome(self, place: Path, tmp_path: Path) -> None:
        with (
            embedded.running(place / "data") as database,
            serving(tmp_path, HEADROOM_DATABASE_URL=database.url) as server,
        ):
            database.stop()
            gone = wait_for(server, 503)
            refused = server.client.get("/v1/customers")
            assert (refused.status_code, refused.json()["code"]) == (503, "database_unavailable")
            assert int(refused.headers["retry-after"]) >= 1
            assert "headroom_ready 0.0" in self.metrics(server)
            database.start()
            back = wait_for(server, 200)
            assert server.client.get("/v1/customers").status_code == 200
        print(f"not ready after {gone:.2f} s, ready again after {back:.2f} s")

    @staticmethod
    def metrics(server: Server) -> str:
        response: httpx.Response = server.client.get("/metrics")
        return response.text
