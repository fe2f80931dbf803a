"""Fixtures of the monitoring tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio
from pydantic import SecretStr
from sqlalchemy import make_url

from app.infra.clock import FrozenClock
from app.infra.db.engine import make_engine, make_sessions
from app.infra.transaction import Transactions
from app.main import create_app
from app.reactions import REACTIONS
from app.settings import Settings
from app.support.journal import service as journal
from tests.domains.monitoring import company
from tests.support.api import BOOTSTRAP_KEY, MONDAY, client_of
from tests.support.cluster import Cluster


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def company_url(cluster: Cluster) -> AsyncIterator[str]:
    """A database with the company in it, which each test gets a copy of; nobody is connected to it."""
    url = await cluster.create()
    settings = Settings(database_url=url, bootstrap_key=SecretStr(BOOTSTRAP_KEY), worker_in_server=False)
    app = create_app(settings, clock=FrozenClock(MONDAY))
    async with app.router.lifespan_context(app), client_of(app, BOOTSTRAP_KEY) as api:
        await company.found(app.state.transactions, api)
    yield url
    await cluster.drop(url)


@pytest_asyncio.fixture(loop_scope="session")
async def business_url(cluster: Cluster, company_url: str) -> AsyncIterator[str]:
    """A database of the test's own with the company in it."""
    url = await cluster.create(template=make_url(company_url).database or "")
    yield url
    await cluster.drop(url)


@pytest_asyncio.fixture(loop_scope="session")
async def business(business_url: str) -> AsyncIterator[Transactions]:
    """Transactions on the company."""
    engine = make_engine(business_url, pool_size=3)
    yield Transactions(make_sessions(engine), clock=FrozenClock(MONDAY), journal=journal.write, reactions=REACTIONS)
    await engine.dispose()
