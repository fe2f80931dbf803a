"""Bodies of requests and what tests of receivables over HTTP read from answers."""

from __future__ import annotations

from typing import Any

from httpx import AsyncClient, Response


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
