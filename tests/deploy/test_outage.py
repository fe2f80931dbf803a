"""The database goes away and comes back: the process lives, is not ready meanwhile, and goes on by itself.

Away is either stopped, which is noticed at once, or behind a network that swallows everything, which nobody says.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import make_url

from app.infra.clock import stopwatch
from app.infra.db import embedded, migrating
from app.infra.http import health
from app.main import create_app
from app.settings import Settings
from tests.cli.test_serving import Server, serving
from tests.support.api import BOOTSTRAP_KEY, client_of
from tests.support.business import check

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


class Network:
    """What lies between us and the database; `swallows` says that nothing comes through, and nobody is told."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._pumps: list[asyncio.Task[None]] = []
        self.swallows = False

    @asynccontextmanager
    async def open(self) -> AsyncIterator[int]:
        """The port at this end."""
        server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            for pump in self._pumps:
                pump.cancel()
            await asyncio.gather(*self._pumps, return_exceptions=True)

    async def _connect(self, here: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        there, onward = await asyncio.open_connection("127.0.0.1", self._port)
        self._pumps += [asyncio.create_task(self._pump(here, onward)), asyncio.create_task(self._pump(there, back))]

    async def _pump(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        try:
            with suppress(OSError):
                while data := await source.read(65_536):
                    while self.swallows:  # noqa: ASYNC110 - as a network does, it keeps what it has
                        await asyncio.sleep(0.02)
                    target.write(data)
        finally:
            target.close()


class TestBlackHole:
    async def test_keeps_nobody_beyond_the_deadline(self, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        deadline = 8.0
        monkeypatch.setattr(health, "WATCH_SECONDS", 3600.0)
        with embedded.running(place / "data") as database:
            await migrating.upgrade(database.url)
            network = Network(database.port)
            async with network.open() as port:
                url = make_url(database.dsn).set(host="127.0.0.1", port=port, query={})
                settings = Settings(
                    database_url=url.render_as_string(hide_password=False),
                    bootstrap_key=SecretStr(BOOTSTRAP_KEY),
                    worker_in_server=False,
                    request_timeout_seconds=deadline,
                )
                app = create_app(settings)
                async with app.router.lifespan_context(app), client_of(app, BOOTSTRAP_KEY) as api:
                    assert (await api.get("/v1/customers")).status_code == 200
                    assert (await api.get("/readyz")).status_code == 200, "no look is under way that has its answer"
                    network.swallows = True
                    took = await asyncio.gather(
                        *(seconds_of(api, path) for path in ("/v1/customers", "/readyz", CHECK))
                    )
                    assert max(took) < deadline
                    assert took[1] == min(took), "readiness is answered first"
                    network.swallows = False
                    async with asyncio.timeout(PATIENCE_SECONDS):
                        while (await api.get("/readyz")).status_code != 200:  # noqa: ASYNC110 - asked as callers ask
                            await asyncio.sleep(0.05)
                    assert (await api.get("/v1/customers")).status_code == 200
                    assert (await api.post(CHECK, json=check("C-1", "O-1", "1"))).status_code == 404


CHECK = "/v1/credit-checks"


async def seconds_of(api: httpx.AsyncClient, path: str) -> float:
    """How long a request is kept that gets no answer from the database; it is told to come again."""
    began = stopwatch()
    response = await (api.post(path, json=check("C-1", "O-1", "1")) if path == CHECK else api.get(path))
    assert response.status_code == 503, response.text
    assert "retry-after" in response.headers
    return stopwatch() - began
