"""A rolling upgrade under load: the schema first, then process by process, and no request fails."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from itertools import count
from pathlib import Path
from typing import Final

import httpx

from app.infra.background import meanwhile
from tests.faults.company import CHECKS, check, invoice, open_account, payment
from tests.faults.releases import COLUMN, REVISION, later_release, write_migrations
from tests.faults.site import Server, Site, command

CLIENTS: Final = 6
LOAD_SECONDS: Final = 1.0
DRAIN_SECONDS: Final = "2"
LOOK_SECONDS: Final = 0.1
"""How often the balancer asks for readiness: much more often than a server drains for."""


class Balancer:
    """Spreads requests over the servers that say they are ready, as load balancers do; counts what became of them."""

    def __init__(self) -> None:
        self.failed: list[str] = []
        self.served: Counter[str] = Counter()
        self._clients: dict[str, httpx.AsyncClient] = {}
        self._ready: list[str] = []
        self._turn = count()

    @asynccontextmanager
    async def open(self, *servers: Server) -> AsyncIterator[Balancer]:
        """Looks after its servers inside the block."""
        async with AsyncExitStack() as stack:
            self._stack = stack
            for server in servers:
                await self.add(server)
            async with meanwhile(self._look(), name="balancer"):
                yield self

    async def add(self, server: Server) -> None:
        """Takes a server in that is ready."""
        self._clients[server.url] = await self._stack.enter_async_context(server.client())
        self._ready.append(server.url)

    async def post(self, path: str, body: Mapping[str, object], key: str) -> None:
        """One request, to one server, once."""
        url = self._ready[next(self._turn) % len(self._ready)]
        try:
            answer = await self._clients[url].post(path, json=body, headers={"Idempotency-Key": key})
        except httpx.TransportError as error:
            self.failed.append(f"{path} at {url}: {error!r}")
            return
        self.served[url] += 1
        if answer.status_code != 201:
            self.failed.append(f"{path} at {url}: {answer.status_code} {answer.text}")

    async def _look(self) -> None:
        while True:
            ready = []
            for url, client in list(self._clients.items()):
                try:
                    ready += [url] if (await client.get("/readyz")).status_code == 200 else []
                except httpx.TransportError:
                    continue
            self._ready = ready
            await asyncio.sleep(LOOK_SECONDS)


class TestARollingUpgrade:
    async def test_fails_no_request(self, site: Site, tmp_path: Path) -> None:
        site.database.start()
        given = {"HEADROOM_DATABASE_URL": site.database.url, "HEADROOM_DRAIN_SECONDS": DRAIN_SECONDS}
        later = {**given, **write_migrations(tmp_path / "migrations")}
        old = [await asyncio.to_thread(partial(site.start, program=command, **given)) for _ in range(2)]
        async with Balancer().open(*old) as balancer:
            async with old[0].client() as client:
                for number in range(CLIENTS):
                    await open_account(client, f"C{number}", limit="1000000.00")
            async with under_load(balancer):
                await asyncio.to_thread(site.migrate, program=later_release, **later)
                await asyncio.sleep(LOAD_SECONDS)
                new = []
                for leaving in old:
                    new.append(await asyncio.to_thread(site.start, program=later_release, **later))
                    await balancer.add(new[-1])
                    assert await asyncio.to_thread(leaving.terminate) in (143, -15)
                await asyncio.sleep(LOAD_SECONDS)
        assert not balancer.failed, (len(balancer.failed), balancer.failed[:20])
        assert all(balancer.served[server.url] for server in (*old, *new)), balancer.served
        [migrated] = await site.fetch("select version_num from alembic_version")
        assert migrated["version_num"].startswith(REVISION)
        assert await site.fetch(f"select 1 from allocations where {COLUMN} = '' limit 1"), "both have written"
        assert site.verify(program=later_release, **later)[0] == 0


@asynccontextmanager
async def under_load(balancer: Balancer) -> AsyncIterator[None]:
    """Inside the block, customers order, are invoiced and pay, request after request."""
    over = asyncio.Event()

    async def work(customer_id: str) -> None:
        for number in count():
            if over.is_set():
                return
            ref = f"{customer_id}-{number}"
            await balancer.post(CHECKS, check(customer_id, ref, "10.00"), f"check {ref}")
            shipped = {"shipment_ref": ref, "amount": "10.00"}
            await balancer.post(f"/v1/orders/{ref}/shipments", shipped, f"shipment {ref}")
            await balancer.post("/v1/invoices", invoice(customer_id, ref, "10.00", order_ref=ref), f"invoice {ref}")
            await balancer.post("/v1/payments", payment(customer_id, ref, "10.00"), f"payment {ref}")

    working = [asyncio.create_task(work(f"C{number}")) for number in range(CLIENTS)]
    try:
        yield
    finally:
        over.set()
        await asyncio.gather(*working)
