"""Aging and the statement of account over HTTP."""

from __future__ import annotations

import pytest
from httpx import AsyncClient

from tests.domains.receivables.http import an_invoice, post

pytestmark = pytest.mark.usefixtures("company")


class TestAging:
    async def test_answers_by_days_overdue(self, api: AsyncClient) -> None:
        await post(api, "/v1/invoices", an_invoice("I1", "60", due_on="2026-02-20", issued_on="2026-01-20"))
        await post(api, "/v1/invoices", an_invoice("I2", "40"))
        body = (await api.get("/v1/customers/C1/aging")).json()
        assert body == {
            "customer_id": "C1",
            "segment": "main",
            "currency": "CNY",
            "on": "2026-03-02",
            "not_due": "40.00",
            "buckets": [
                {"from_days": 1, "to_days": 30, "amount": "60.00"},
                {"from_days": 31, "to_days": 60, "amount": "0.00"},
                {"from_days": 61, "to_days": 90, "amount": "0.00"},
                {"from_days": 91, "to_days": None, "amount": "0.00"},
            ],
            "disputed": "0.00",
            "total": "100.00",
            "unallocated_credits": "0.00",
        }
        past = (await api.get("/v1/customers/C1/aging?on=2026-02-20")).json()
        assert (past["not_due"], past["total"]) == ("60.00", "60.00")
        assert (await api.get("/v1/customers/nobody/aging")).status_code == 404


class TestStatement:
    async def test_answers_with_balances(self, api: AsyncClient) -> None:
        await post(api, "/v1/invoices", an_invoice("I1", "60", issued_on="2026-01-20"))
        await post(api, "/v1/invoices", an_invoice("I2", "40"))
        body = (await api.get("/v1/customers/C1/statement?from=2026-02-01&to=2026-03-31")).json()
        assert body == {
            "customer_id": "C1",
            "segment": "main",
            "currency": "CNY",
            "from": "2026-02-01",
            "to": "2026-03-31",
            "opening_balance": "60.00",
            "movements": [
                {
                    "on": "2026-03-02",
                    "type": "invoice",
                    "ref": "I2",
                    "invoice_no": None,
                    "currency": "CNY",
                    "amount": "40.00",
                    "effect": "40.00",
                    "balance": "100.00",
                }
            ],
            "closing_balance": "100.00",
        }

    async def test_refuses_days_in_reverse(self, api: AsyncClient) -> None:
        response = await api.get("/v1/customers/C1/statement?from=2026-03-02&to=2026-03-01")
        assert (response.status_code, response.json()["code"]) == (422, "window_reversed")
