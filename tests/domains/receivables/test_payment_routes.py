"""Payments over HTTP, and who may post and read."""

from __future__ import annotations

from typing import Any

import pytest
from httpx import AsyncClient

from app.support.auth.core.scopes import Scope
from tests.domains.receivables.http import a_payment, an_invoice, exposure_of, faults, post
from tests.support.api import ApiAs

pytestmark = pytest.mark.usefixtures("company")


class TestPostPayment:
    async def test_answers_with_the_payment(self, api: AsyncClient) -> None:
        await post(api, "/v1/invoices", an_invoice(amount="60"))
        body = await post(api, "/v1/payments", a_payment("PAY/1"))
        assert {name: body[name] for name in ("amount", "unallocated", "status", "reversal", "fx_rate")} == {
            "amount": "100.00",
            "unallocated": "40.00",
            "status": "posted",
            "reversal": None,
            "fx_rate": "1",
        }
        assert [(a["invoice_no"], a["amount"]) for a in body["allocations"]] == [("I1", "60.00")]
        assert (await api.get("/v1/payments/PAY%2F1")).json() == body
        invoice = (await api.get("/v1/invoices/I1")).json()
        assert (invoice["status"], invoice["allocations"][0]["source"]) == ("paid", {"type": "payment", "ref": "PAY/1"})
        assert (await exposure_of(api))["total"] == "-40.00"

    async def test_again_answers_200_or_409(self, api: AsyncClient) -> None:
        first = await post(api, "/v1/payments", a_payment())
        assert await post(api, "/v1/payments", a_payment(amount=100), 200) == first
        response = await api.post("/v1/payments", json=a_payment(allocate="none"))
        assert (response.status_code, response.json()["code"]) == (409, "payment_conflict")

    @pytest.mark.parametrize(
        ("allocation", "fault"),
        [
            ({"invoice_no": "I1", "amount": "61"}, ("/allocations/0/amount", "allocation_exceeds_item")),
            ({"invoice_no": "I2", "amount": "101"}, ("/allocations/0/amount", "allocation_exceeds_payment")),
            ({"invoice_no": "I9", "amount": "1"}, ("/allocations/0/invoice_no", "invoice_unknown")),
            ({"invoice_no": "X1", "amount": "1"}, ("/allocations/0/invoice_no", "invoice_of_another_customer")),
            ({"invoice_no": "E1", "amount": "1"}, ("/allocations/0/settles", "fx_rate_missing")),
            ({"invoice_no": "I1", "amount": "0"}, ("/allocations/0/amount", "amount_not_positive")),
            (
                {"invoice_no": "I1", "amount": 1, "discount": "0.001"},
                ("/allocations/0/discount", "too_many_decimals"),
            ),
        ],
    )
    async def test_refuses_allocations_by_their_place(
        self, api: AsyncClient, allocation: dict[str, Any], fault: tuple[str, str]
    ) -> None:
        await post(api, "/v1/invoices", an_invoice("I1", "60"))
        await post(api, "/v1/invoices", an_invoice("I2", "600"))
        await post(api, "/v1/invoices", an_invoice("X1", customer_id="X1"))
        await post(api, "/v1/invoices", an_invoice("E1", currency="EUR", fx_rate="7.8"))
        assert faults(await api.post("/v1/payments", json=a_payment(allocations=[allocation]))) == [fault]
        assert (await api.get("/v1/payments/P1")).status_code == 404

    async def test_refuses_an_unknown_rule_at_its_place(self, api: AsyncClient) -> None:
        response = await api.post("/v1/payments", json=a_payment(allocate="newest_first"))
        assert faults(response) == [("/allocate", "literal_error")]

    async def test_may_settle_items_of_the_group(self, api: AsyncClient) -> None:
        await post(api, "/v1/invoices", an_invoice("I2", "60", customer_id="C2"))
        named = [{"invoice_no": "I2", "amount": "58", "discount": "2"}]
        body = await post(api, "/v1/payments", a_payment(allocations=named))
        assert (body["unallocated"], body["allocations"][0]["customer_id"]) == ("42.00", "C2")
        assert (await exposure_of(api, "C2"))["total"] == "0.00"


class TestPaymentBatch:
    async def test_answers_each_item(self, api: AsyncClient) -> None:
        await post(api, "/v1/invoices", an_invoice())
        items = [
            a_payment("P1", "60"),
            a_payment("P2", "60", allocations=[{"invoice_no": "I1", "amount": "60"}]),
            a_payment("P3", "nothing"),
            a_payment("P4", "60"),
        ]
        body = await post(api, "/v1/payments/batch", {"items": items}, 207)
        assert [result["status"] for result in body["results"]] == [201, 422, 422, 201]
        assert body["results"][1]["body"]["errors"][0]["code"] == "allocation_exceeds_item"
        assert body["results"][3]["body"]["unallocated"] == "20.00"


class TestAllocateAndReverse:
    async def test_settle_and_open_again(self, api: AsyncClient) -> None:
        await post(api, "/v1/payments", a_payment("PAY/1"))
        await post(api, "/v1/invoices", an_invoice(amount="60", due_on="2026-02-20"))
        body = await post(api, "/v1/payments/PAY%2F1/allocate", {}, 200)
        assert body["unallocated"] == "40.00"
        response = await api.post("/v1/payments/PAY%2F1/allocate", json={"allocate": "oldest_first"})
        assert (response.status_code, response.json()["code"]) == (409, "nothing_to_allocate")
        body = await post(api, "/v1/payments/PAY%2F1/reverse", {"reason": "bounced"}, 200)
        assert (body["status"], body["unallocated"], body["allocations"]) == ("reversed", "0.00", [])
        assert body["reversal"]["reason"] == "bounced"
        invoice = (await api.get("/v1/invoices/I1")).json()
        assert (invoice["open_amount"], invoice["overdue_days"]) == ("60.00", 10)
        response = await api.post("/v1/payments/PAY%2F1/reverse", json={"reason": "bounced"})
        assert (response.status_code, response.json()["code"]) == (409, "payment_reversed")
        assert [item["status"] for item in (await api.get("/v1/payments")).json()["items"]] == ["reversed"]

    @pytest.mark.parametrize("path", ["allocate", "reverse"])
    async def test_need_a_payment(self, api: AsyncClient, path: str) -> None:
        body = {"reason": "bounced"} if path == "reverse" else {}
        response = await api.post(f"/v1/payments/P9/{path}", json=body)
        assert (response.status_code, response.json()["code"]) == (404, "payment_not_found")


class TestWhoMay:
    async def test_write_needs_its_scope_and_reading_either(self, api: AsyncClient, api_as: ApiAs) -> None:
        await post(api, "/v1/invoices", an_invoice())
        reader = await api_as(Scope.REPORTS_READ)
        stranger = await api_as(Scope.ORDERS_CHECK)
        assert (await reader.post("/v1/invoices", json=an_invoice("I2"))).status_code == 403
        assert (await reader.post("/v1/payments", json=a_payment())).status_code == 403
        for path in ("invoices", "invoices/I1", "payments", "customers/C1/aging", "customers/C1/statement"):
            assert (await reader.get(f"/v1/{path}")).status_code == 200
            assert (await stranger.get(f"/v1/{path}")).status_code == 403

    async def test_other_segments_are_404(self, api: AsyncClient, api_as: ApiAs) -> None:
        await post(api, "/v1/invoices", an_invoice())
        western = await api_as(Scope.RECEIVABLES_WRITE, segments=["west"])
        assert (await western.get("/v1/invoices/I1")).status_code == 404
        assert (await western.post("/v1/invoices", json=an_invoice())).status_code == 404
        body = await post(western, "/v1/payments/batch", {"items": [a_payment()]}, 207)
        assert body["results"][0]["status"] == 404
