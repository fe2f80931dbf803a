"""Nothing acknowledged is lost: `kill -9` of servers and database under load, again and again."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator
from typing import Final

import pytest

from tests.faults import audit, load
from tests.faults.ledger import Kind, Ledger
from tests.faults.site import Server, Site

MOMENTS_SECONDS: Final = (0.1, 1.2)
"""The kill comes at a random moment of this span after the load has begun."""
ROUNDS_TO_LOSE: Final = 5

Victims = Callable[[Site, Server], None]


def the_server(site: Site, server: Server) -> None:
    """The server alone: its database goes on, with statements under way that nobody waits for."""
    server.kill()


def the_database(site: Site, server: Server) -> None:
    """The database alone: the server must survive to be ended in order."""
    site.kill_database()


def both(site: Site, server: Server) -> None:
    """The power fails."""
    server.process.kill()
    site.kill_database()
    server.join()


VICTIMS: Final = (the_server, the_database, both)


@pytest.mark.parametrize("victims", VICTIMS, ids=lambda victims: victims.__name__)
class TestKilling:
    async def test_loses_nothing_acknowledged_and_does_nothing_twice(
        self, site: Site, victims: Victims, rounds: int, lossy: bool
    ) -> None:
        moments = random.Random(rounds)
        ledger = Ledger()
        server = await founded(site, lossy=lossy)
        for number in range(-(-rounds // len(VICTIMS))):
            async with load.under_load([server], ledger):
                await asyncio.sleep(moments.uniform(*MOMENTS_SECONDS))
                victims(site, server)
                await asyncio.sleep(0.1)
            if server.process.is_alive():
                assert server.terminate() == 143
            server = site.start(*(["--no-worker"] if number % 2 else []))
            assert await audit.findings_on_acknowledged(site, ledger) == []
            assert site.verify()[0] == 0
            await load.settle(server, ledger)
            assert await audit.findings_on_everything(site, ledger) == []
        assert site.verify()[0] == 0
        code, said = site.verify_journal()
        assert (code, "intact" in said) == (0, True), said
        assert {entry.kind for entry in ledger.entries} == set(Kind)


class TestTheProof:
    """A proof that can't fail proves nothing."""

    async def test_fails_when_the_database_answers_before_the_disk_does(self, site: Site) -> None:
        ledger = Ledger()
        server = await founded(site, lossy=True)
        for _ in range(ROUNDS_TO_LOSE):
            async with load.under_load([server], ledger):
                await asyncio.sleep(1)
                both(site, server)
            server = site.start("--no-worker")
            if findings := await audit.findings_on_acknowledged(site, ledger):
                assert any("was acknowledged and is lost" in finding for finding in findings)
                return
        raise AssertionError(f"nothing was lost in {ROUNDS_TO_LOSE} rounds without synchronous_commit")

    async def test_notices_whatever_is_lost_or_doubled(self, site: Site) -> None:
        ledger = Ledger()
        server = await founded(site, lossy=False)
        async with load.under_load([server], ledger):
            await asyncio.sleep(1)
        await load.settle(server, ledger)
        assert await audit.findings_on_everything(site, ledger) == []
        for damage, finding in damages(ledger):
            await harm(site, damage)
            assert finding in "; ".join(await audit.findings_on_everything(site, ledger)), damage
        assert site.verify()[0] == 1


def damages(ledger: Ledger) -> Iterator[tuple[str, str]]:
    """Harm of every kind, each to other rows, and what the audit must say of it."""
    for kind in Kind:
        table, reference = kind.value
        ref = next(entry.ref for entry in reversed(ledger.entries) if entry.kind is kind)
        yield f"delete from {table} where {reference} = '{ref}'", f"{kind.name} {ref} was acknowledged and is lost"
    first, second = [entry for entry in ledger.entries if entry.approved][:2]
    yield f"delete from idempotency_keys where key = '{first.key}'", f"the answer to {first.key} is lost"
    yield (
        f"update commitments set approved = approved - 0.01 where order_ref = '{first.ref}'",
        f"the reservation of {first.ref} is lost",
    )
    again = "(jsonb_populate_record(c, jsonb_build_object('id', gen_random_uuid()))).*"
    yield (
        f"insert into credit_checks select {again} from credit_checks c where order_ref = '{second.ref}'",
        f"CHECK {second.ref} is there 2 times",
    )
    told = next(entry.ref for entry in ledger.entries if entry.kind is Kind.INVOICE)
    yield (
        f"delete from events where type = 'invoice_posted' and subject_id = '{told}'",
        f"the journal tells 0 times of INVOICE {told}",
    )
    yield "update credit_checks set order_ref = 'STRANGE' where order_ref = 'O-0'", "CHECK STRANGE was never sent"
    yield "update accounts set open_orders = open_orders + 0.01 where customer_id = 'HOT'", "account HOT is "


async def harm(site: Site, statement: str) -> None:
    """Runs a statement that no constraint keeps from doing harm."""
    connection = await site.connect()
    try:
        await connection.execute("set session_replication_role = replica")
        await connection.execute(statement)
    finally:
        await connection.close()


async def founded(site: Site, *, lossy: bool) -> Server:
    """A server with customers; `lossy`, on a database that acknowledges what is not on disk yet."""
    server = site.start("--no-worker")
    async with server.client() as client:
        await load.found(client)
    if lossy:
        await site.fetch("alter system set synchronous_commit = off")
        await site.fetch("select pg_reload_conf()")
    return server
