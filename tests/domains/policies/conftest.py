"""Fixtures of the policies tests: Ann's and Bob's transactions in one database session, undone after the test."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from app.infra.transaction import Transaction
from app.kernel.identity import Actor, ActorKind
from tests.support.api import MONDAY

MakeTx = Callable[..., Transaction]


@pytest.fixture
def tx_of(session: AsyncSession) -> MakeTx:
    """Makes transactions: `tx_of("bob", now=…, kind=…)`."""

    def make(name: str, *, now: datetime = MONDAY, kind: ActorKind = ActorKind.PERSON) -> Transaction:
        return Transaction(session, now=now, actor=Actor(name, kind), request_id="test")

    return make


@pytest.fixture
def ann(tx_of: MakeTx) -> Transaction:
    """A transaction of Ann's, a person."""
    return tx_of("ann")


@pytest.fixture
def bob(tx_of: MakeTx) -> Transaction:
    """A transaction of Bob's, a person."""
    return tx_of("bob")
