"""Fixtures of the receivables tests."""

from __future__ import annotations

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from app.infra.transaction import Transaction, Transactions
from tests.domains.receivables.world import ANN, MONDAY
from tests.support.business import open_account


@pytest.fixture
def tx(session: AsyncSession) -> Transaction:
    """A transaction of Ann's on a Monday morning, undone after the test."""
    return Transaction(session, now=MONDAY, actor=ANN, request_id="test")


@pytest.fixture
async def company(transactions: Transactions) -> None:
    """Two customers of one group with accounts, and one beside them."""
    await open_account(transactions, "C1")
    await open_account(transactions, "C2", parent_id="C1")
    await open_account(transactions, "X1")
