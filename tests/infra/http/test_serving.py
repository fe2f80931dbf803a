"""SIGTERM fails no request: readiness goes first, what comes meanwhile is answered, then the server ends."""

from __future__ import annotations

import asyncio
import signal
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from tests.cli.test_serving import Server, serving

CALLERS = 8
DRAIN_SECONDS = "3"


@dataclass
class Balancer:
    """Sends requests for as long as the server says that it is ready, as a load balancer does."""

    url: httpx.URL
    headers: httpx.Headers
    ready: bool = True
    answered: int = 0
    told_to_leave: int = 0
    failures: list[str] = field(default_factory=list)

    async def run(self) -> None:
        """Until the server is no longer ready, and every request has its answer."""
        limits = httpx.Limits(max_connections=CALLERS)
        async with httpx.AsyncClient(base_url=self.url, headers=self.headers, timeout=30, limits=limits) as client:
            await asyncio.gather(self._ask_for_readiness(), *(self._call(client) for _ in range(CALLERS)))

    async def _ask_for_readiness(self) -> None:
        async with httpx.AsyncClient(base_url=self.url, timeout=30) as client:
            while self.ready:
                await asyncio.sleep(0.3)  # a balancer asks only now and then
                self.ready = (await client.get("/readyz")).status_code == 200

    async def _call(self, client: httpx.AsyncClient) -> None:
        while self.ready:
            try:
                response = await client.get("/v1/customers")
            except httpx.HTTPError as error:
                self.failures.append(repr(error))
                continue
            self.answered += 1
            self.told_to_leave += response.headers.get("connection") == "close"
            if response.status_code != 200:
                self.failures.append(response.text)


async def drained_under_load(server: Server) -> Balancer:
    """What a balancer saw of a server that was told to end while requests came in."""
    balancer = Balancer(server.client.base_url, server.client.headers)
    running = asyncio.create_task(balancer.run())
    while not balancer.answered:  # noqa: ASYNC110 - a counter of the client, not an event of ours
        await asyncio.sleep(0.01)
    server.process.send_signal(signal.SIGTERM)
    await asyncio.wait_for(running, 120)
    return balancer


class TestDrainingServer:
    @pytest.mark.slow
    async def test_fails_no_request_when_told_to_end(self, database_url: str, tmp_path: Path) -> None:
        environment = {"HEADROOM_DATABASE_URL": database_url, "HEADROOM_DRAIN_SECONDS": DRAIN_SECONDS}
        with serving(tmp_path, **environment) as server:
            balancer = await drained_under_load(server)
            assert balancer.failures == []
            assert balancer.told_to_leave > 0
            assert server.process.wait(60) in (-signal.SIGTERM, 128 + signal.SIGTERM)

    def test_ends_at_once_when_told_twice(self, database_url: str, tmp_path: Path) -> None:
        environment = {"HEADROOM_DATABASE_URL": database_url, "HEADROOM_DRAIN_SECONDS": "300"}
        with serving(tmp_path, **environment) as server:
            server.process.send_signal(signal.SIGTERM)
            while server.client.get("/readyz").status_code != 503:
                pass
            assert server.client.get("/healthz").status_code == 200
            assert server.end(signal.SIGTERM) in (-signal.SIGTERM, 128 + signal.SIGTERM)
