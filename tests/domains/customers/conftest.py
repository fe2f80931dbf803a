"""Fixtures of the customers tests."""

from __future__ import annotations

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from app.infra.transaction import Transaction
from app.kernel.identity import Actor, ActorKind
from tests.support.api import MONDAY


@pytest.fixture
def tx(session: AsyncSession) -> Transaction:
    """A transaction of Ann's, undone after the test."""
    return Transaction(session, now=MONDAY, actor=Actor("ann", ActorKind.PERSON), request_id="test")
