"""SIGTERM under load: what is under way is answered, nothing acknowledged is lost, and nothing is left running."""

from __future__ import annotations

import asyncio

from tests.faults import audit, load
from tests.faults.ledger import Ledger
from tests.faults.site import Site


class TestEndingUnderLoad:
    async def test_answers_what_is_under_way_and_stops_the_database_with_the_last_server(self, site: Site) -> None:
        ledger = Ledger()
        first, second = site.start("--no-worker"), site.start()
        async with first.client() as client:
            await load.found(client)
        async with load.under_load([first, second], ledger):
            await asyncio.sleep(0.5)
            ended = await asyncio.to_thread(first.terminate)
            before = len(ledger.acknowledged)
            assert site.database_lives()
            await asyncio.sleep(0.5)
            assert len(ledger.acknowledged) > before, "the other server does not go on"
            codes = {ended, await asyncio.to_thread(second.terminate)}
        assert codes <= {0, 143}
        assert not site.database_lives()
        again = site.start()
        assert await audit.findings_on_acknowledged(site, ledger) == []
        await load.settle(again, ledger)
        assert await audit.findings_on_everything(site, ledger) == []
        assert site.verify()[0] == 0
