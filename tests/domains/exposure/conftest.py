"""Fixtures of the exposure tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from app.infra.clock import FrozenClock
from app.infra.db.engine import make_engine, make_sessions
from app.infra.transaction import Transaction, Transactions
from app.kernel.events import Event
from app.kernel.identity import Actor, ActorKind
from app.reactions import REACTIONS

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ANN = Actor("ann", ActorKind.PERSON)


@pytest.fixture
def tx(session: AsyncSession) -> Transaction:
    """A transaction of Ann's on a Monday morning, undone after the test."""
    return Transaction(session, now=MONDAY, actor=ANN, request_id="test")


@pytest.fixture
def later(session: AsyncSession) -> Later:
    """Makes further transactions of the same test, some time after that Monday morning."""
    return Later(session)


class Later:
    """Transactions at other instants, in the same database transaction that is undone after the test."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    def __call__(self, **after: float) -> Transaction:
        """A transaction this much later: `later(days=1)`."""
        return Transaction(self._session, now=MONDAY + timedelta(**after), actor=ANN, request_id="test")


async def journal(tx: Transaction, events: Sequence[Event]) -> None:
    """A journal that nobody reads."""


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """An engine whose lock timeout is short, so that a test of waiting needs no patience."""
    engine = make_engine(database_url, pool_size=12, lock_timeout=timedelta(milliseconds=400))
    yield engine
    await engine.dispose()


def transactions_on(engine: AsyncEngine, clock: FrozenClock | None = None) -> Transactions:
    """Transactions on `engine` that commit, with the reactions of the product."""
    return Transactions(make_sessions(engine), clock=clock or FrozenClock(MONDAY), journal=journal, reactions=REACTIONS)
