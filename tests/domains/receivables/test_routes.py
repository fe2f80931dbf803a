"""Invoices, payments and aging over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from httpx import AsyncClient, Response

from app.infra.transaction import Transactions
from app.support.auth.core.scopes import Scope
from tests.support.api import ApiAs
from tests.support.business import open_account


@pytest.fixture
async def company(transactions: Transactions) -> None:
    """Two customers of one group with accounts, and one beside them."""
    await open_account(transactions, "C1")
    await open_account(transactions, "C2", parent_id="C1")
    await open_account(transactions, "X1")


ONE_OF_O1 = {"order_ref": "O1", "amount": "1"}

pytestmark = pytest.mark.usefixtures("company")


def an_invoice(invoice_no: str = "I1", amount: str | int = "100.00", **more: Any) -> dict[str, Any]:
    """The body of an invoice in CNY."""
    body = {"invoice_no": invoice_no, "customer_id": "C1", "amount": amount, "currency": "CNY"}
    return {**body, "issued_on": "2026-03-02", **more}


def a_payment(payment_ref: str = "P1", amount: str | int = "100.00", **more: Any) -> dict[str, Any]:
    """The body of a payment in CNY."""
    body = {"payment_ref": payment_ref, "customer_id": "C1", "amount": amount, "currency": "CNY"}
    return {**body, "received_on": "2026-03-02", **more}


def faults(response: Response) -> list[tuple[str, str]]:
    """Where and what an answer says is wrong."""
    assert response.status_code == 422, response.text
    return [(error["pointer"], error["code"]) for error in response.json()["errors"]]


async def post(api: AsyncClient, path: str, body: dict[str, Any], expected: int = 201) -> dict[str, Any]:
    """The answer to a POST that is expected to go well."""
    response = await api.post(path, json=body)
    assert response.status_code == expected, response.text
    answer: dict[str, Any] = response.json()
    return answer


async def exposure_of(api: AsyncClient, customer_id: str = "C1") -> dict[str, str]:
    """The exposure of an account."""
    response = await api.get(f"/v1/customers/{customer_id}/accounts/main")
    found: dict[str, str] = response.json()["exposure"]
    return found


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
            "allocations": [],
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
            ({"invoice_no": "E1", "amount": "1"}, ("/allocations/0/invoice_no", "currency_mismatch")),
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
            "total": "100.00",
            "unallocated_credits": "0.00",
        }
        past = (await api.get("/v1/customers/C1/aging?on=2026-02-20")).json()
        assert (past["not_due"], past["total"]) == ("60.00", "60.00")
        assert (await api.get("/v1/customers/nobody/aging")).status_code == 404


class TestWhoMay:
    async def test_write_needs_its_scope_and_reading_either(self, api: AsyncClient, api_as: ApiAs) -> None:
        await post(api, "/v1/invoices", an_invoice())
        reader = await api_as(Scope.REPORTS_READ)
        stranger = await api_as(Scope.ORDERS_CHECK)
        assert (await reader.post("/v1/invoices", json=an_invoice("I2"))).status_code == 403
        assert (await reader.post("/v1/payments", json=a_payment())).status_code == 403
        for path in ("invoices", "invoices/I1", "payments", "customers/C1/aging"):
            assert (await reader.get(f"/v1/{path}")).status_code == 200
            assert (await stranger.get(f"/v1/{path}")).status_code == 403

    async def test_other_segments_are_404(self, api: AsyncClient, api_as: ApiAs) -> None:
        await post(api, "/v1/invoices", an_invoice())
        western = await api_as(Scope.RECEIVABLES_WRITE, segments=["west"])
        assert (await western.get("/v1/invoices/I1")).status_code == 404
        assert (await western.post("/v1/invoices", json=an_invoice())).status_code == 404
        body = await post(western, "/v1/payments/batch", {"items": [a_payment()]}, 207)
        assert body["results"][0]["status"] == 404
