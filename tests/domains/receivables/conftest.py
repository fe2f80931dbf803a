"""Fixtures of the receivables tests."""

from __future__ import annotations

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from app.infra.transaction import Transaction
from tests.domains.receivables.world import ANN, MONDAY


@pytest.fixture
def tx(session: AsyncSession) -> Transaction:
    """A transaction of Ann's on a Monday morning, undone after the test."""
    return Transaction(session, now=MONDAY, actor=ANN, request_id="test")
