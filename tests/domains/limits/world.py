"""What the tests of limits over HTTP begin with: who asks, who approves, and words to ask with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from httpx import AsyncClient, Response
from sqlalchemy import text

from app.domains.limits.core.judging import Opinion
from app.domains.limits.service import requests
from app.infra.transaction import Transactions
from app.kernel.identity import SYSTEM
from app.kernel.money import Money
from app.support.auth.core.scopes import Role, Scope
from tests.support.api import ApiAs

Json = dict[str, Any]
PATH = "/v1/limit-requests"


@dataclass
class People:
    """Who has a part in a request: an analyst who asks, two managers and a director who approve."""

    ana: AsyncClient
    max: AsyncClient
    mia: AsyncClient
    dora: AsyncClient


async def people(api_as: ApiAs) -> People:
    """Each with a key of their own; managers approve up to one million, the director anything in the tests."""
    million, all_ = Money(Decimal(1_000_000), "CNY"), Money(Decimal(900_000_000), "CNY")
    return People(
        ana=await api_as(Scope.LIMITS_REQUEST, name="ana"),
        max=await api_as(role=Role.CREDIT_MANAGER, name="max", authority=million),
        mia=await api_as(role=Role.CREDIT_MANAGER, name="mia", authority=million),
        dora=await api_as(role=Role.FINANCE_DIRECTOR, name="dora", authority=all_),
    )


async def ask(by: AsyncClient, amount: str, **more: Any) -> Json:
    """A request's answer."""
    answer = await try_to_ask(by, amount, **more)
    assert answer.status_code == 201, answer.text
    found: Json = answer.json()
    return found


async def try_to_ask(by: AsyncClient, amount: str, **more: Any) -> Response:
    body = {"customer_id": "C-1", "amount": amount, "currency": "CNY", "justification": "more business", **more}
    return await by.post(PATH, json=body)


async def approve(by: AsyncClient, request: Json, **more: Any) -> Response:
    return await by.post(f"{PATH}/{request['id']}/approve", json={"note": "sound", **more})


async def reject(by: AsyncClient, request: Json) -> Response:
    return await by.post(f"{PATH}/{request['id']}/reject", json={"note": "too risky"})


async def current(api: AsyncClient, request: Json) -> Json:
    found: Json = (await api.get(f"{PATH}/{request['id']}")).raise_for_status().json()
    return found


async def inbox(by: AsyncClient) -> list[str]:
    """The ids of what waits for the caller."""
    answer = await by.get(PATH, params={"status": "pending", "mine": True})
    return [item["id"] for item in answer.raise_for_status().json()["items"]]


def states(request: Json) -> list[str]:
    return [step["state"] for step in request["steps"]]


def graded(monkeypatch: pytest.MonkeyPatch, grade: str) -> None:
    """Lets assessments say this grade, and recommend nothing."""

    async def opinion(*_: Any, on: date, **__: Any) -> Opinion:
        return Opinion(None, grade, None, on)

    monkeypatch.setattr(requests, "opinion", opinion)


async def types(transactions: Transactions, subject: str) -> list[tuple[str, str]]:
    """Type and actor of every event about a subject, oldest first."""
    async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
        rows = await tx.session.execute(
            text("select type, actor from events where subject_id = :subject order by id"), {"subject": subject}
        )
        return [(row.type, row.actor) for row in rows]
