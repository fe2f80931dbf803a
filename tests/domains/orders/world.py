"""What the tests of orders over HTTP begin with: a customer with an account and a limit, and words to ask with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from httpx import AsyncClient, Response
from sqlalchemy import text

from app.infra.transaction import Transactions
from app.kernel.identity import SYSTEM

Json = dict[str, Any]


async def open_account(
    api: AsyncClient,
    customer_id: str = "C-1",
    *,
    limit: str | None = "1000",
    currency: str = "CNY",
    parent_id: str | None = None,
    payment_terms: Mapping[str, Any] | None = None,
) -> None:
    """A customer with an account in `main`, and a limit unless it is None."""
    customer: Json = {"name": f"Customer {customer_id}", "country": "CN", "parent_id": parent_id}
    if payment_terms is not None:
        customer["payment_terms"] = dict(payment_terms)
    (await api.put(f"/v1/customers/{customer_id}", json=customer)).raise_for_status()
    account = f"/v1/customers/{customer_id}/accounts/main"
    (await api.put(account, json={"currency": currency})).raise_for_status()
    if limit is not None:
        await set_limit(api, customer_id, limit)


async def set_limit(api: AsyncClient, customer_id: str, amount: str) -> None:
    """Decides on the customer's own limit, from today on."""
    decided = {"kind": "granted", "amount": amount, "reason": "test"}
    (await api.post(f"/v1/customers/{customer_id}/accounts/main/limit", json=decided)).raise_for_status()


async def hold(api: AsyncClient, customer_id: str, kind: str) -> None:
    """Puts the account on hold by hand."""
    asked = {"kind": kind, "reason": "test"}
    (await api.post(f"/v1/customers/{customer_id}/accounts/main/hold", json=asked)).raise_for_status()


async def account(api: AsyncClient, customer_id: str = "C-1") -> Json:
    """The account as the API shows it."""
    answer: Json = (await api.get(f"/v1/customers/{customer_id}/accounts/main")).raise_for_status().json()
    return answer


async def check(api: AsyncClient, amount: str, order_ref: str = "O-1", **more: Any) -> Json:
    """A credit check's answer."""
    asked = {"customer_id": "C-1", "order_ref": order_ref, "amount": amount, "currency": "CNY", **more}
    answer = await api.post("/v1/credit-checks", json=asked)
    assert answer.status_code == 201, answer.text
    decided: Json = answer.json()
    return decided


async def order(api: AsyncClient, order_ref: str = "O-1") -> Json:
    """An order as the API shows it."""
    answer: Json = (await api.get(f"/v1/orders/{quote(order_ref, safe='')}")).raise_for_status().json()
    return answer


async def ship(
    api: AsyncClient, amount: str, shipment_ref: str = "S-1", order_ref: str = "O-1", **more: Any
) -> Response:
    """The response to a shipment."""
    body = {"shipment_ref": shipment_ref, "amount": amount, **more}
    return await api.post(f"/v1/orders/{quote(order_ref, safe='')}/shipments", json=body)


async def events(transactions: Transactions, of: str) -> list[Json]:
    """What the journal says of one type of event, oldest first."""
    async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
        rows = await tx.session.execute(text("select * from events where type = :type order by id"), {"type": of})
        return [dict(row) for row in rows.mappings()]


def amounts(order: Json) -> tuple[str, str, str, str]:
    """State, approved, shipped and open of an order, amounts without decimals."""
    return order["state"], *(order[name].removesuffix(".00") for name in ("approved", "shipped", "open"))


def refused(response: Response, status: int, code: str) -> None:
    """Asserts that the response is the problem document of a refusal."""
    assert (response.status_code, response.json()["code"]) == (status, code), response.text
