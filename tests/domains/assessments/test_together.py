"""Customers assessed together: the same as one by one, at the price of one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from httpx import AsyncClient
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession

from app.domains.assessments import service as assessments
from app.domains.assessments.core.events import CustomerAssessed
from app.domains.assessments.core.record import Assessment
from app.domains.customers import service as customers
from app.infra.transaction import Transaction, Transactions
from app.kernel.identity import SYSTEM
from tests.domains.assessments.http import assess, buy_and_pay, file_report, file_statement, open_account, said

EVERYBODY = ("BARE", "FILED", "GUEST", "PAYER", "WHOLE")


@pytest.fixture
async def company(api: AsyncClient) -> None:
    """Customers with everything, with something, with nothing, and one without an account."""
    for customer_id in ("BARE", "FILED", "PAYER", "WHOLE"):
        await open_account(api, customer_id)
    said(await api.put("/v1/customers/GUEST", json={"name": "Guest", "country": "CN"}), 201)
    for customer_id in ("FILED", "GUEST", "WHOLE"):
        await file_statement(api, customer_id, total_assets=4_000_000, inventory=len(customer_id) * 100_000)
    for customer_id in ("PAYER", "WHOLE"):
        await buy_and_pay(api, customer_id, days_late=len(customer_id))
    await file_report(api, 2, "WHOLE")
    await assess(api, "PAYER")


@pytest.fixture
async def tx(company: None, transactions: Transactions) -> AsyncIterator[Transaction]:
    """A transaction at the instant of the company."""
    async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
        yield tx


class TestTogether:
    async def test_is_the_same_as_one_by_one(self, tx: Transaction) -> None:
        async with tx.session.begin_nested() as alone:
            singly = [await assessments.assess(tx, customer_id=each, segment="main") for each in EVERYBODY]
            said_singly = _told(tx)
            await alone.rollback()
        together = await _together(tx, EVERYBODY)
        assert [_kept(each) for each in together] == [_kept(each) for each in singly]
        assert _told(tx) == said_singly
        for made in together:
            stored = await assessments.find(tx, assessment_id=made.id)
            assert _kept(stored) == _kept(made)
            assert (await assessments.replay(tx, assessment=stored)).identical

    async def test_asks_the_database_no_more_often_than_for_one(self, tx: Transaction) -> None:
        async with _statements(tx.session) as one:
            await _together(tx, EVERYBODY[-1:])
        async with _statements(tx.session) as many:
            await _together(tx, EVERYBODY[:-1])
        assert len(many) == len(one)


async def _together(tx: Transaction, customer_ids: Sequence[str]) -> Sequence[Assessment]:
    known = await customers.find(tx, customer_ids=customer_ids)
    return await assessments.assess_together(tx, of=[known[each] for each in customer_ids], segment="main")


def _kept(made: Assessment) -> Any:
    return made.customer_id, made.facts_digest, made.finding, made.policy, made.assessed_at


def _told(tx: Transaction) -> list[Any]:
    """What was said of assessments and accounts, by customer, without ids."""
    events = tx.take_events()
    assert sum(isinstance(each, CustomerAssessed) for each in events) == len(EVERYBODY)
    return sorted((each.type, each.customer_id or "", str(each.before), str(each.after)) for each in events)


@asynccontextmanager
async def _statements(session: AsyncSession) -> AsyncIterator[list[str]]:
    """What the block executes."""
    said_to: list[str] = []

    def note(_conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        said_to.append(statement)

    connection = (await session.connection()).sync_connection
    event.listen(connection, "before_cursor_execute", note)
    try:
        yield said_to
    finally:
        event.remove(connection, "before_cursor_execute", note)
