"""A flood is told at once to come again, and does not keep orders waiting."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from fastapi import FastAPI
from httpx import Response
from sqlalchemy import text
from starlette.types import Receive, Scope, Send

from app.infra.clock import FrozenClock, SystemClock
from app.infra.db.engine import make_engine
from app.infra.http.admission import Admission
from app.main import create_app
from app.settings import Settings
from tests.infra.http.test_problem import problem
from tests.support.api import BOOTSTRAP_KEY, client_of
from tests.support.business import check, open_account
from tests.support.patience import until

FLOOD = 30
LET_IN = 12


@pytest_asyncio.fixture(loop_scope="session")
async def small(settings: Settings, clock: FrozenClock) -> AsyncIterator[FastAPI]:
    """An application that lets few requests in, on fewer connections."""
    app = create_app(
        settings.model_copy(update={"max_requests": LET_IN, "max_checks": LET_IN, "pool_size": 2}), clock=clock
    )
    async with app.router.lifespan_context(app):
        yield app


class TestAdmission:
    async def test_refuses_at_once_what_would_only_queue(self, small: FastAPI, database_url: str) -> None:
        """The first lists hang on a locked table; those beyond the bound are refused before any of them ends."""
        async with client_of(small, BOOTSTRAP_KEY) as client:
            finished: list[Response] = []

            async def ask() -> None:
                finished.append(await client.get("/v1/shipments"))

            async with locked("shipments", database_url):
                asking = [asyncio.create_task(ask()) for _ in range(FLOOD)]
                await until(lambda: len(finished) >= FLOOD - LET_IN)
                refused = list(finished)
            await asyncio.gather(*asking)
        for response in refused:
            problem(response, 503, "overloaded")
            assert response.headers["retry-after"] == "1"

    async def test_refuses_at_once_checks_that_would_only_queue(self, small: FastAPI, database_url: str) -> None:
        """The first checks wait for an account that somebody holds; those beyond the bound are refused meanwhile."""
        await open_account(small.state.transactions, "C-1")
        async with client_of(small, BOOTSTRAP_KEY) as client:
            finished: list[Response] = []

            async def ask(number: int) -> None:
                body = check("C-1", f"O-{number}", "1")
                finished.append(await client.post("/v1/credit-checks", json=body, headers={"X-Request-Id": "mine"}))

            async with locked("idempotency_keys", database_url):
                asking = [asyncio.create_task(ask(number)) for number in range(FLOOD)]
                await until(lambda: len(finished) >= FLOOD - LET_IN)
                refused = list(finished)
                assert (await client.get("/v1/shipments")).status_code == 200, "lists have a door of their own"
            await asyncio.gather(*asking)
            measured = (await client.get("/metrics")).text
        for response in refused:
            problem(response, 503, "overloaded")
            assert (response.headers["retry-after"], response.headers["x-request-id"]) == ("1", "mine")
        assert 'route="/v1/credit-checks",status="503"' in measured

    async def test_lets_orders_through_a_flood_of_lists(self, small: FastAPI, database_url: str) -> None:
        await open_account(small.state.transactions, "C-1")
        async with client_of(small, BOOTSTRAP_KEY) as client, locked("shipments", database_url):
            lists = [asyncio.create_task(client.get("/v1/shipments")) for _ in range(FLOOD)]
            await asyncio.sleep(0)
            answers = [await client.post("/v1/credit-checks", json=check("C-1", f"O-{n}", "10")) for n in range(5)]
            assert [answer.status_code for answer in answers] == [201] * 5
            assert not all(done.done() for done in lists), "the lists still hold their connections"
            await asyncio.gather(*lists)

    async def test_answers_operations_in_a_flood(self, small: FastAPI, database_url: str) -> None:
        async with client_of(small, BOOTSTRAP_KEY) as client, locked("shipments", database_url):
            lists = [asyncio.create_task(client.get("/v1/shipments")) for _ in range(FLOOD)]
            await asyncio.sleep(0)
            assert [(await client.get(path)).status_code for path in ("/healthz", "/readyz", "/metrics")] == [200] * 3
            await asyncio.gather(*lists)

    async def test_lets_others_in_when_one_has_left(self) -> None:
        inside = 0

        async def fail(scope: Scope, receive: Receive, send: Send) -> None:
            nonlocal inside
            inside += 1
            raise RuntimeError("of the application")

        admission = Admission(fail, clock=SystemClock(), limit=1)
        scope = {"type": "http", "path": "/v1/anything", "method": "GET"}
        for _ in range(3):
            with pytest.raises(RuntimeError):
                await admission(scope, receive=None, send=None)  # type: ignore[arg-type]
        assert inside == 3


class locked:  # noqa: N801 - reads like a function, as context managers do
    """Holds a table, so that whoever reads it waits."""

    def __init__(self, table: str, database_url: str) -> None:
        self._table = table
        self._engine = make_engine(database_url, pool_size=1)

    async def __aenter__(self) -> None:
        self._connection = await self._engine.connect()
        await self._connection.execute(text(f"lock table {self._table} in access exclusive mode"))

    async def __aexit__(self, *_: object) -> None:
        await self._connection.rollback()
        await self._connection.close()
        await self._engine.dispose()
