"""Invoices and credit notes over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from httpx import AsyncClient

from tests.domains.receivables.http import a_payment, an_invoice, exposure_of, faults, post

pytestmark = pytest.mark.usefixtures("company")
ONE_OF_O1 = {"order_ref": "O1", "amount": "1"}


class TestPostInvoice:
    async def test_answers_with_the_invoice(self, api: AsyncClient) -> None:
        body = await post(api, "/v1/invoices", an_invoice("INV/2026/1", order_ref="O/1"))
        assert body == {
            "invoice_no": "INV/2026/1",
            "customer_id": "C1",
            "segment": "main",
            "kind": "invoice",
            "amount": "100.00",
            "open_amount": "100.00",
            "currency": "CNY",
            "fx_rate": "1",
            "status": "open",
            "issued_on": "2026-03-02",
            "due_on": "2026-04-01",
            "overdue_days": 0,
            "orders": [{"order_ref": "O/1", "amount": "100.00", "complete": False}],
            "related_invoice_no": None,
            "instalments": [],
            "discount": None,
            "disputed_amount": "0.00",
            "disputes": [],
            "written_off_amount": "0.00",
            "write_offs": [],
            "allocations": [],
            "refunds": [],
            "cancellation": None,
            "entered_by": "bootstrap",
            "entered_at": "2026-03-02T09:00:00Z",
            "changed_at": "2026-03-02T09:00:00Z",
        }
        assert (await api.get("/v1/invoices/INV%2F2026%2F1")).json() == body
        assert (await exposure_of(api))["total"] == "100.00"

    async def test_again_answers_200_or_409(self, api: AsyncClient) -> None:
        first = await post(api, "/v1/invoices", an_invoice())
        assert await post(api, "/v1/invoices", an_invoice(amount="100"), 200) == first
        response = await api.post("/v1/invoices", json=an_invoice(amount="101"))
        assert (response.status_code, response.json()["code"]) == (409, "invoice_conflict")

    async def test_with_a_key_is_answered_once(self, api: AsyncClient) -> None:
        headers = {"Idempotency-Key": "k1"}
        first = await api.post("/v1/invoices", json=an_invoice(), headers=headers)
        again = await api.post("/v1/invoices", json=an_invoice(), headers=headers)
        assert (again.status_code, again.content) == (201, first.content)
        assert again.headers["Idempotent-Replayed"] == "true"

    @pytest.mark.parametrize(
        ("more", "fault"),
        [
            ({"amount": "0"}, ("/amount", "amount_not_positive")),
            ({"amount": "-1"}, ("/amount", "amount_not_positive")),
            ({"amount": 1.5}, ("/amount", "amount_not_decimal")),
            ({"amount": "1.001"}, ("/amount", "too_many_decimals")),
            ({"currency": "XXX"}, ("/currency", "currency_unknown")),
            ({"currency": "JPY", "amount": "1.5"}, ("/amount", "too_many_decimals")),
            ({"currency": "EUR"}, ("/fx_rate", "fx_rate_missing")),
            ({"issued_on": "0000-01-01"}, ("/issued_on", "date_unknown")),
            ({"clears_on": "2026-03-03"}, ("/clears_on", "unknown_field")),
            ({"due_on": "2026-03-03", "net_days": 1}, ("/net_days", "due_contradictory")),
            ({"net_days": -1}, ("/net_days", "greater_than_equal")),
            (
                {"order_ref": "O1", "orders": [ONE_OF_O1]},
                ("/order_ref", "orders_contradictory"),
            ),
            ({"orders": [{"order_ref": "O1", "amount": "101"}]}, ("/orders/0/amount", "orders_exceed_invoice")),
            ({"orders": [{"order_ref": "O1", "amount": "1.001"}]}, ("/orders/0/amount", "too_many_decimals")),
            ({"orders": [{"order_ref": "O1", "amount": "1", "complete": 1}]}, ("/orders/0/complete", "bool_type")),
        ],
    )
    async def test_refuses_what_is_wrong_by_its_place(
        self, api: AsyncClient, more: dict[str, Any], fault: tuple[str, str]
    ) -> None:
        assert faults(await api.post("/v1/invoices", json=an_invoice(**more))) == [fault]

    async def test_of_a_customer_without_account_is_404(self, api: AsyncClient) -> None:
        response = await api.post("/v1/invoices", json=an_invoice(customer_id="nobody"))
        assert (response.status_code, response.json()["code"]) == (404, "account_not_found")


class TestInvoiceBatch:
    async def test_answers_each_item(self, api: AsyncClient) -> None:
        items = [an_invoice(), {"invoice_no": 7}, an_invoice("I2", segment="west"), "no object", an_invoice(amount="2")]
        body = await post(api, "/v1/invoices/batch", {"items": items}, 207)
        assert [(result["index"], result["status"]) for result in body["results"]] == [
            (0, 201),
            (1, 422),
            (2, 404),
            (3, 422),
            (4, 409),
        ]
        assert body["results"][0]["body"] == (await api.get("/v1/invoices/I1")).json()
        assert {error["pointer"] for error in body["results"][1]["body"]["errors"]} >= {"/invoice_no", "/amount"}
        assert body["results"][4]["body"]["code"] == "invoice_conflict"

    async def test_has_at_most_1000_items(self, api: AsyncClient) -> None:
        response = await api.post("/v1/invoices/batch", json={"items": [{}] * 1001})
        assert faults(response) == [("/items", "too_long")]


class TestListInvoices:
    async def test_filters(self, api: AsyncClient) -> None:
        for number, more in (
            ("I1", {"due_on": "2026-03-01"}),
            ("I2", {"due_on": "2026-03-02"}),
            ("I3", {"customer_id": "C2", "due_on": "2026-02-01"}),
            ("N1", {"kind": "credit_note", "due_on": "2026-02-01"}),
        ):
            await post(api, "/v1/invoices", an_invoice(number, **more))
        await post(api, "/v1/payments", a_payment(amount="40", allocations=[{"invoice_no": "I2", "amount": "40"}]))

        async def numbers(query: str) -> list[str]:
            response = await api.get(f"/v1/invoices?{query}")
            assert response.status_code == 200, response.text
            return sorted(item["invoice_no"] for item in response.json()["items"])

        assert await numbers("") == ["I1", "I2", "I3", "N1"]
        assert await numbers("customer_id=C1") == ["I1", "I2", "N1"]
        assert await numbers("status=partly_paid") == ["I2"]
        assert await numbers("overdue=true") == ["I1", "I3"]
        assert await numbers("overdue=false") == ["I2", "N1"]
        assert await numbers("overdue=true&customer_id=C2") == ["I3"]

    async def test_goes_page_by_page(self, api: AsyncClient) -> None:
        items = [an_invoice(f"I{n}") for n in range(7)]
        await post(api, "/v1/invoices/batch", {"items": items}, 207)
        seen, cursor = [], ""
        while True:
            page = (await api.get(f"/v1/invoices?limit=3{cursor}")).json()
            seen += [item["invoice_no"] for item in page["items"]]
            if page["next_cursor"] is None:
                break
            cursor = f"&cursor={page['next_cursor']}"
        assert sorted(seen) == [f"I{n}" for n in range(7)]


class TestCancelInvoice:
    async def test_answers_with_the_invoice_as_it_is(self, api: AsyncClient) -> None:
        await post(api, "/v1/invoices", an_invoice("INV/1"))
        body = await post(api, "/v1/invoices/INV%2F1/cancel", {"reason": "wrong price"}, 200)
        assert (body["status"], body["open_amount"]) == ("cancelled", "0.00")
        assert body["cancellation"] == {"at": "2026-03-02T09:00:00Z", "by": "bootstrap", "reason": "wrong price"}
        response = await api.post("/v1/invoices/INV%2F1/cancel", json={"reason": "again"})
        assert (response.status_code, response.json()["code"]) == (409, "invoice_cancelled")

    async def test_is_refused_with_allocations(self, api: AsyncClient) -> None:
        await post(api, "/v1/invoices", an_invoice())
        await post(api, "/v1/payments", a_payment(amount="1"))
        response = await api.post("/v1/invoices/I1/cancel", json={"reason": "wrong price"})
        assert (response.status_code, response.json()["code"]) == (409, "invoice_allocated")


class TestCreditNote:
    async def test_is_allocated(self, api: AsyncClient) -> None:
        await post(api, "/v1/invoices", an_invoice())
        await post(api, "/v1/invoices", an_invoice("N1", "30", kind="credit_note"))
        assert (await exposure_of(api))["unallocated_credits"] == "30.00"
        allocations = {"allocations": [{"invoice_no": "I1", "amount": "20"}]}
        body = await post(api, "/v1/invoices/N1/allocate", allocations, 200)
        assert (body["open_amount"], body["status"]) == ("10.00", "partly_paid")
        assert body["allocations"] == [
            {
                "source": {"type": "credit_note", "ref": "N1"},
                "invoice_no": "I1",
                "customer_id": "C1",
                "amount": "20.00",
                "discount": "0.00",
                "difference": "0.00",
                "cash": "20.00",
                "fx_difference": "0.00",
                "allocated_by": "bootstrap",
                "allocated_at": "2026-03-02T09:00:00Z",
            }
        ]
        response = await api.post("/v1/invoices/I1/allocate", json=allocations)
        assert (response.status_code, response.json()["code"]) == (409, "not_a_credit_note")

    async def test_needs_something_to_settle(self, api: AsyncClient) -> None:
        assert faults(await api.post("/v1/invoices/N1/allocate", json={"allocations": []})) == [
            ("/allocations", "too_short")
        ]
