"""Fixtures: the application on a database of the test's own, and clients that call it.

- `clock`: stands at a Monday morning until the test moves it.
- `app`: the application, started, without periodic jobs; with the routes of `tests.support.probe` beside its own.
- `api`: a client with an administrator's key.
- `api_as`: makes clients with other keys: `await api_as(Scope.ORDERS_CHECK, kind=ActorKind.SERVICE)`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Final, Protocol

import pytest
import pytest_asyncio
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from pydantic import SecretStr

from app.infra.clock import FrozenClock
from app.infra.transaction import Transactions
from app.kernel.identity import SYSTEM, ActorKind
from app.kernel.money import Money
from app.main import create_app
from app.settings import Settings
from app.support.auth import service as auth
from app.support.auth.core.scopes import Role, Scope
from tests.support import probe

BOOTSTRAP_KEY: Final = "bootstrap-key-of-the-tests-0123456789"
MONDAY: Final = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
BASE_URL: Final = "http://headroom.test"


class ApiAs(Protocol):
    """Makes a client with a key of its own."""

    async def __call__(
        self,
        *scopes: Scope,
        role: Role | None = None,
        name: str | None = None,
        kind: ActorKind = ActorKind.PERSON,
        segments: Sequence[str] | None = None,
        authority: Money | None = None,
    ) -> AsyncClient: ...


@pytest.fixture
def clock() -> FrozenClock:
    """A clock that stands at a Monday morning."""
    return FrozenClock(MONDAY)


@pytest.fixture
def settings(database_url: str) -> Settings:
    """Settings for an application without periodic jobs, on a database of the test's own."""
    return Settings(
        database_url=database_url, bootstrap_key=SecretStr(BOOTSTRAP_KEY), worker_in_server=False, access_log=False
    )


@pytest_asyncio.fixture(loop_scope="session")
async def app(settings: Settings, clock: FrozenClock) -> AsyncIterator[FastAPI]:
    """The application, started."""
    app = create_app(settings, clock=clock)
    app.include_router(probe.router)
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
def transactions(app: FastAPI) -> Transactions:
    """What the application begins its transactions with."""
    found: Transactions = app.state.transactions
    return found


@pytest_asyncio.fixture(loop_scope="session")
async def api(app: FastAPI) -> AsyncIterator[AsyncClient]:
    """A client with an administrator's key."""
    async with client_of(app, BOOTSTRAP_KEY) as client:
        yield client


@pytest_asyncio.fixture(loop_scope="session")
async def api_as(app: FastAPI) -> AsyncIterator[ApiAs]:
    """Makes clients with keys of their own, closed after the test."""
    async with AsyncExitStack() as stack:
        made = 0

        async def make(
            *scopes: Scope,
            role: Role | None = None,
            name: str | None = None,
            kind: ActorKind = ActorKind.PERSON,
            segments: Sequence[str] | None = None,
            authority: Money | None = None,
        ) -> AsyncClient:
            nonlocal made
            made += 1
            transactions: Transactions = app.state.transactions
            async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
                _, text = await auth.create_key(
                    tx,
                    name=name or f"caller {made}",
                    kind=kind,
                    role=role,
                    scopes=scopes,
                    segments=segments,
                    authority=authority,
                )
            return await stack.enter_async_context(client_of(app, text))

        yield make


def client_of(app: FastAPI, key: str | None) -> AsyncClient:
    """A client of `app` with this key; an exception inside is an answer, as it is on a server."""
    return AsyncClient(
        transport=ASGITransport(app=app, raise_app_exceptions=False),
        base_url=BASE_URL,
        headers={"Authorization": f"Bearer {key}"} if key else {},
    )
