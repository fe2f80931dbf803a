"""A company that is owed money, over HTTP, and what its worker does."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from fastapi import FastAPI
from httpx import AsyncClient

from app.domains.dunning import jobs
from app.domains.dunning.adapters.carriers import Outbox
from app.domains.policies import service as policies
from app.domains.policies.core.document import default_document
from app.infra.jobs import Run
from app.infra.transaction import Transactions
from app.kernel.identity import Actor, ActorKind
from tests.support.sealing import seal_all

ANN = Actor("ann", ActorKind.PERSON)
BOB = Actor("bob", ActorKind.PERSON)
TODAY = date(2026, 3, 2)
LEVELS: list[dict[str, Any]] = [
    {"days_overdue": 5, "min_days_since_previous": 0, "template": "reminder"},
    {"days_overdue": 20, "min_days_since_previous": 10, "template": "second"},
    {"days_overdue": 35, "min_days_since_previous": 10, "template": "final", "effect": "soft_hold"},
]
"""By letter when no mail server is set."""
MAIL = [{"role": "dunning", "name": "Jane", "email": "jane@example.com", "address": "1 Road\nLondon"}]
"""Contacts who get mail."""


class Company:
    """A client with an administrator's key, and the jobs."""

    def __init__(self, app: FastAPI, api: AsyncClient) -> None:
        self.app = app
        self.api = api
        self.outbox: Outbox = app.state.outbox
        self.transactions: Transactions = app.state.transactions

    async def get(self, path: str, **params: Any) -> Any:
        answer = await self.api.get(f"/v1/{path}", params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, path: str, body: dict[str, Any] | None = None, *, status: int | None = None) -> Any:
        answer = await self.api.post(f"/v1/{path}", json=body if body is not None else {})
        assert answer.status_code in ((status,) if status else (200, 201)), answer.text
        return answer.json()

    async def put(self, path: str, body: dict[str, Any]) -> Any:
        answer = await self.api.put(f"/v1/{path}", json=body)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    async def rules(
        self, levels: Sequence[dict[str, Any]] = LEVELS, *, profiles: dict[str, Any] | None = None, **members: Any
    ) -> None:
        """Puts a policy with these rules of dunning into force."""
        self.app.state.clock.move(by=timedelta(seconds=1))  # each version holds from an instant of its own
        document = default_document()
        document["dunning"] |= {"levels": list(levels), "business_days": None, **members}
        document["profiles"] |= profiles or {}
        async with self.transactions.begin(actor=ANN, request_id="test") as tx:
            drafted = await policies.draft(tx, segment="main", document=document, note="test")
        number = drafted.version.version
        async with self.transactions.begin(actor=ANN, request_id="test") as tx:
            await policies.submit(tx, segment="main", number=number)
        async with self.transactions.begin(actor=BOB, request_id="test") as tx:
            await policies.approve(tx, segment="main", number=number)
            await policies.activate(tx, segment="main", number=number)

    async def customer(self, customer_id: str = "C1", *, currency: str = "CNY", **members: Any) -> None:
        contacts = members.pop("contacts", [{"role": "dunning", "name": "Li Wei", "address": "1 Road\nShanghai"}])
        body = {"name": f"Customer {customer_id}", "country": "CN", "language": "en", "contacts": contacts, **members}
        await self.put(f"customers/{customer_id}", body)
        await self.put(f"customers/{customer_id}/accounts/main", {"currency": currency})

    async def owes(
        self, number: str = "INV-1", *, overdue: int = 10, amount: str = "100.00", customer_id: str = "C1", **more: Any
    ) -> None:
        """An invoice that is overdue for so many days; negative: due in so many."""
        due_on = TODAY - timedelta(days=overdue)
        body = {
            "invoice_no": number,
            "customer_id": customer_id,
            "amount": amount,
            "currency": "CNY",
            "issued_on": (due_on - timedelta(days=30)).isoformat(),
            "due_on": due_on.isoformat(),
            **more,
        }
        await self.post("invoices", body)

    async def pays(self, amount: str, ref: str = "PAY-1", *, customer_id: str = "C1", **more: Any) -> None:
        body = {"payment_ref": ref, "customer_id": customer_id, "amount": amount, "currency": "CNY"}
        await self.post("payments", body | {"received_on": TODAY.isoformat(), **more})

    async def proposes(self, **body: Any) -> Any:
        return await self.post("dunning-runs", body, status=201)

    async def reminds_not_yet(self) -> Any:
        """A run that is proposed and not released."""
        return await self.proposes()

    async def reminds(self, **body: Any) -> Any:
        """A run that is released, and its notices delivered."""
        run = await self.proposes(**body)
        await self.post(f"dunning-runs/{run['id']}/release")
        await self.works()
        return run

    async def works(self) -> None:
        """What the jobs of dunning do when they come round."""
        run = Run(self.transactions, request_id="job:test")
        await jobs.begin_scheduled_runs(run)
        await jobs.go_on_with_runs(run)
        for job in jobs.delivery(self.outbox):
            await job.run(run)
        await jobs.end_promises(run)
        await jobs.rank_tasks(run)
        await jobs.go_on_with_runs(run)

    async def level(self, customer_id: str = "C1") -> int:
        level: int = (await self.get(f"customers/{customer_id}/accounts/main"))["dunning_level"]
        return level

    async def notice(self, customer_id: str = "C1") -> Any:
        """The customer's last notice, all of it."""
        found = await self.get("dunning-notices", customer_id=customer_id)
        return await self.get(f"dunning-notices/{found['items'][0]['id']}")

    async def events(self, *types: str) -> list[Any]:
        """What the feed says once all is sealed."""
        await seal_all(self.transactions)
        found = (await self.get("events", limit=500))["items"]
        return [event for event in found if not types or event["type"] in types]
