"""A segment in which things have been decided."""

from __future__ import annotations

import pytest_asyncio
from httpx import AsyncClient

from app.infra.transaction import Transactions
from app.support.auth.core.scopes import Role, Scope
from tests.support.api import ApiAs
from tests.support.business import check, open_account
from tests.support.sealing import seal_all


async def seal(transactions: Transactions) -> None:
    """Gives all events their places."""
    await seal_all(transactions)


@pytest_asyncio.fixture(loop_scope="session")
async def rita(api_as: ApiAs) -> AsyncClient:
    """A credit manager."""
    return await api_as(role=Role.CREDIT_MANAGER, name="rita")


@pytest_asyncio.fixture(loop_scope="session")
async def ann(api_as: ApiAs) -> AsyncClient:
    """An auditor."""
    return await api_as(role=Role.AUDITOR, name="ann")


@pytest_asyncio.fixture(loop_scope="session")
async def bob(api_as: ApiAs) -> AsyncClient:
    """Another auditor."""
    return await api_as(role=Role.AUDITOR, name="bob")


@pytest_asyncio.fixture(loop_scope="session")
async def decided(api: AsyncClient, api_as: ApiAs, rita: AsyncClient, transactions: Transactions) -> list[str]:
    """Twelve checks, two of them referred: one was released and one rejected; a limit set outright. All is sealed."""
    await open_account(transactions, "C1", limit=None)
    limit = {"kind": "granted", "amount": "1000", "reason": "test"}
    (await rita.post("/v1/customers/C1/accounts/main/limit", json=limit)).raise_for_status()
    desk = await api_as(Scope.ORDERS_CHECK, name="desk")
    asked = [check("C1", f"O-{number}", "10") for number in range(10)]
    asked += [check("C1", "BIG-1", "5000"), check("C1", "BIG-2", "6000")]
    answers = [(await desk.post("/v1/credit-checks", json=body)).json() for body in asked]
    first, second = [answer["id"] for answer in answers if answer["outcome"] == "referred"]
    (await rita.post(f"/v1/credit-checks/{first}/release", json={"reason": "paid"})).raise_for_status()
    (await rita.post(f"/v1/credit-checks/{second}/reject", json={"reason": "no"})).raise_for_status()
    await seal(transactions)
    return [answer["id"] for answer in answers]
