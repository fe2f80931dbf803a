"""The load under which things are killed: clients that take orders from the check to the payment."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from decimal import Decimal
from typing import Final

import httpx

from tests.faults.company import open_account
from tests.faults.ledger import Ledger
from tests.faults.site import Server

CLIENTS: Final = 12
LONE: Final = ("HOT", "WARM")
MEMBERS: Final = ("PARENT", "CHILD-1", "CHILD-2")
GROUP_LIMIT: Final = "400000.00"
SETTLE_SECONDS_MAX: Final = 60.0
_BITS: Final = random.Random(7)


async def found(client: httpx.AsyncClient) -> None:
    """The customers that order: some alone, some in a group, with limits that will be reached."""
    for name in LONE:
        await open_account(client, name, limit="200000.00")
    parent, *children = MEMBERS
    await open_account(client, parent, limit="200000.00", group_limit=GROUP_LIMIT)
    for name in children:
        await open_account(client, name, limit="200000.00", parent_id=parent)


@asynccontextmanager
async def under_load(servers: Sequence[Server], ledger: Ledger) -> AsyncIterator[None]:
    """Inside the block clients work; at its end each finishes or gives up the request it has sent."""
    over = asyncio.Event()
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(server.client()) for server in servers]
        working = [asyncio.create_task(_work(clients[n % len(clients)], ledger, over)) for n in range(CLIENTS)]
        try:
            yield
        finally:
            over.set()
            await asyncio.gather(*working)


async def settle(server: Server, ledger: Ledger) -> None:
    """Sends again what was not answered, until it is: under the same key, as every client must."""
    async with server.client() as client, asyncio.timeout(SETTLE_SECONDS_MAX):
        while ledger.unknown:
            for entry in ledger.unknown:
                await entry.send(client)


async def _work(client: httpx.AsyncClient, ledger: Ledger, over: asyncio.Event) -> None:
    """Order after order, until the load is over. A server that is gone is looked for a little later."""
    while not over.is_set():
        if not await _one_order(client, ledger):
            await asyncio.sleep(0.02)


async def _one_order(client: httpx.AsyncClient, ledger: Ledger) -> bool:
    """One order from the check to the payment; false as soon as an answer stays away."""
    value = Decimal(_BITS.randrange(1_000, 90_000)) / 100
    order = ledger.check(_BITS.choice(LONE + MEMBERS), value)
    if not await order.send(client):
        return False
    if not order.approved:
        return True
    part = (value * _BITS.randrange(20, 101) / 100).quantize(Decimal("0.01"))
    return (
        await ledger.shipment(order, part).send(client)
        and await ledger.invoice(order, part).send(client)
        and await ledger.payment(order, (part / 2).quantize(Decimal("0.01"))).send(client)
    )
