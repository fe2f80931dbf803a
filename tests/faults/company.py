"""A company in a few words over the API of a running server: customers, accounts, limits, checks that come again."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

import httpx

CHECKS: Final = "/v1/credit-checks"
BUSY: Final = (409, 503)
COME_AGAIN_MAX: Final = 100


async def open_account(
    client: httpx.AsyncClient,
    customer_id: str,
    *,
    limit: str,
    group_limit: str | None = None,
    parent_id: str | None = None,
) -> None:
    """A customer with an account in `main` and its limits."""
    account = f"/v1/customers/{customer_id}/accounts/main"
    customer = {"name": f"Customer {customer_id}", "country": "CN", "parent_id": parent_id}
    (await client.put(f"/v1/customers/{customer_id}", json=customer)).raise_for_status()
    (await client.put(account, json={"currency": "CNY"})).raise_for_status()
    for path, amount in (("limit", limit), ("group-limit", group_limit)):
        if amount is not None:
            decided = {"kind": "granted", "amount": amount, "reason": "test"}
            (await client.post(f"{account}/{path}", json=decided)).raise_for_status()


async def account(client: httpx.AsyncClient, customer_id: str) -> dict[str, Any]:
    """The account as the API shows it."""
    answer: dict[str, Any] = (await client.get(f"/v1/customers/{customer_id}/accounts/main")).raise_for_status().json()
    return answer


def check(customer_id: str, order_ref: str, amount: str) -> dict[str, Any]:
    """The body of a credit check."""
    return {"customer_id": customer_id, "order_ref": order_ref, "amount": amount, "currency": "CNY"}


def invoice(customer_id: str, invoice_no: str, amount: str, **more: Any) -> dict[str, Any]:
    """The body of an invoice."""
    day = {"issued_on": "2026-01-05", "net_days": 3650}
    return {"invoice_no": invoice_no, "customer_id": customer_id, "amount": amount, "currency": "CNY", **day, **more}


def payment(customer_id: str, payment_ref: str, amount: str, **more: Any) -> dict[str, Any]:
    """The body of a payment."""
    day = {"received_on": "2026-01-06"}
    return {"payment_ref": payment_ref, "customer_id": customer_id, "amount": amount, "currency": "CNY", **day, **more}


async def post(client: httpx.AsyncClient, path: str, body: Mapping[str, Any], key: str) -> httpx.Response:
    """The answer to a request; as a well-behaved client, comes again with the same key when told that it may."""
    answer = await client.post(path, json=body, headers={"Idempotency-Key": key})
    for _ in range(COME_AGAIN_MAX):
        if answer.status_code not in BUSY or "Retry-After" not in answer.headers:
            break
        await asyncio.sleep(0.1)
        answer = await client.post(path, json=body, headers={"Idempotency-Key": key})
    return answer


async def check_all(
    clients: Sequence[httpx.AsyncClient], bodies: Sequence[Mapping[str, Any]], *, keys: Sequence[str]
) -> list[dict[str, Any]]:
    """The answers to checks sent all at once, spread over the servers."""
    answers = await asyncio.gather(
        *(
            post(clients[n % len(clients)], CHECKS, body, key)
            for n, (body, key) in enumerate(zip(bodies, keys, strict=True))
        )
    )
    assert {answer.status_code for answer in answers} == {201}, [a.text for a in answers if a.status_code != 201][:3]
    return [answer.json() for answer in answers]
