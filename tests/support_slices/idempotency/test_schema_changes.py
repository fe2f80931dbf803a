"""Requests that meet the migration of a later release: what was prepared for a table in its old form is made anew."""

from __future__ import annotations

import pytest
from httpx import AsyncClient
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.infra.transaction import Transactions
from tests.support.business import check, open_account

INVOICE = {"customer_id": "C1", "amount": "10.00", "currency": "CNY", "issued_on": "2026-01-05", "due_on": "2026-02-05"}


@pytest.fixture(params=["accounts", "commitments", "open_items"])
def table(request: pytest.FixtureRequest) -> str:
    """A table that decisions and postings read whole rows of."""
    name: str = request.param
    return name


class TestATableThatGetsAColumn:
    async def test_fails_neither_a_check_nor_a_posting(
        self, api: AsyncClient, transactions: Transactions, engine: AsyncEngine, table: str
    ) -> None:
        await open_account(transactions, "C1")
        for number in range(3):
            for path, body in (
                ("/v1/credit-checks", check("C1", f"O-{number}", "10")),
                ("/v1/invoices", {**INVOICE, "invoice_no": f"I-{number}", "order_ref": f"O-{number}"}),
            ):
                answer = await api.post(path, json=body, headers={"Idempotency-Key": f"{path} {number}"})
                assert answer.status_code == 201, answer.text
            async with engine.begin() as connection:
                await connection.execute(text(f"alter table {table} add later_{number} text not null default ''"))
        assert (await api.get("/v1/invoices")).status_code == 200
