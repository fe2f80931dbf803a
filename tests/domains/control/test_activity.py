"""The report on activity: who decided how much, how fast, and what became of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from app.domains.control.core.activity import Activity, Pace
from app.domains.dunning.service import runs
from app.infra.clock import FrozenClock
from app.infra.transaction import Transactions
from app.kernel.events import Event
from app.kernel.identity import SYSTEM, Actor, ActorKind
from app.support.auth.core.scopes import Role, Scope
from tests.domains.dunning.world import LEVELS, Company
from tests.domains.limits.world import approve, ask, people, reject
from tests.domains.orders.world import open_account as open_account_over_http
from tests.infra.http.test_problem import problem
from tests.support.api import ApiAs
from tests.support.business import check, open_account

Json = dict[str, Any]
URL = "/v1/reports/activity"


async def report(client: AsyncClient, **query: str) -> dict[str, Json]:
    answer = await client.get(URL, params=query)
    assert answer.status_code == 200, answer.text
    return {item["actor"]: item for item in answer.json()["items"]}


async def told(transactions: Transactions, actor: str, type_: str, subject_id: str = "1") -> None:
    """An event as another slice would write it."""
    named = type("Told", (Event,), {"type": type_, "subject_type": "thing"})
    kind = ActorKind.SYSTEM if actor == SYSTEM.name else ActorKind.PERSON
    async with transactions.begin(actor=Actor(actor, kind), request_id="test") as tx:
        tx.emit(named(subject_id=subject_id, segment="main", customer_id="C1"))


async def owing(company: Company, *customer_ids: str) -> None:
    """Customers who owe a hundred each, for ten days; the first reminder is a call."""
    await company.rules([{**LEVELS[0], "channel": "call"}])
    for customer_id in customer_ids:
        await company.customer(customer_id)
        await company.owes(f"INV-{customer_id}", customer_id=customer_id)


async def call(company: Company, customer_id: str, outcome: str) -> None:
    """Notes what came of the call that the customer's task asks for."""
    task = (await company.get("collection-tasks", customer_id=customer_id))["items"][0]
    said: Json = {"outcome": outcome}
    if outcome == "promised":
        said["promise"] = {"amount": "100.00", "currency": "CNY", "promised_on": "2026-03-05"}
    await company.post(f"collection-tasks/{task['id']}/complete", said)


async def referred(desk: AsyncClient, order_ref: str) -> str:
    answer = (await desk.post("/v1/credit-checks", json=check("C1", order_ref, "5000"))).json()
    assert answer["outcome"] == "referred"
    return str(answer["id"])


class TestReport:
    async def test_counts_what_each_person_decided_and_how_fast(
        self, api_as: ApiAs, rita: AsyncClient, transactions: Transactions, clock: FrozenClock
    ) -> None:
        await open_account(transactions, "C1")
        desk = await api_as(Scope.ORDERS_CHECK, name="desk")
        asked = [await referred(desk, f"O-{number}") for number in range(3)]
        for minutes, check_id, how in ((10, asked[0], "release"), (20, asked[1], "reject"), (60, asked[2], "release")):
            clock.move(by=timedelta(minutes=minutes))
            (await rita.post(f"/v1/credit-checks/{check_id}/{how}", json={"reason": "x"})).raise_for_status()
        found = (await report(rita))["rita"]
        assert found["role"] == "credit_manager"
        assert found["referred_orders"] == {
            "decided": 3,
            "mean_seconds": (10 + 30 + 90) * 60 // 3,
            "median_seconds": 30 * 60,
            "per_hour": "1.5",
        }
        assert found["overrides"]["released"] == 2

    async def test_says_what_became_of_released_orders(
        self, api: AsyncClient, api_as: ApiAs, rita: AsyncClient, transactions: Transactions, clock: FrozenClock
    ) -> None:
        await open_account(transactions, "C1")
        desk = await api_as(Scope.ORDERS_CHECK, name="desk")
        for order_ref in ("PAID", "LATE", "OPEN", "NONE"):
            released = await rita.post(
                f"/v1/credit-checks/{await referred(desk, order_ref)}/release", json={"reason": "x"}
            )
            released.raise_for_status()
        about = {"customer_id": "C1", "currency": "CNY", "issued_on": "2026-03-02"}
        for order_ref, due_on in (("PAID", "2026-03-03"), ("LATE", "2026-03-05"), ("OPEN", "2026-03-31")):
            bill = {**about, "invoice_no": f"I-{order_ref}", "amount": "5000", "order_ref": order_ref, "due_on": due_on}
            (await api.post("/v1/invoices", json=bill)).raise_for_status()
        paid = {
            "payment_ref": "P",
            "customer_id": "C1",
            "amount": "5000",
            "currency": "CNY",
            "received_on": "2026-03-02",
        }
        (await api.post("/v1/payments", json=paid)).raise_for_status()
        clock.move(by=timedelta(days=10))
        became = (await report(rita))["rita"]["overrides"]["released_became"]
        assert became == {"paid": 1, "overdue": 1, "open": 1, "not_invoiced": 1}

    async def test_counts_what_went_past_the_procedure(self, rita: AsyncClient, transactions: Transactions) -> None:
        await open_account(transactions, "C1")
        for amount in ("2000", "3000"):
            limit = {"kind": "granted", "amount": amount, "reason": "x"}
            (await rita.post("/v1/customers/C1/accounts/main/limit", json=limit)).raise_for_status()
        assert (await report(rita))["rita"]["overrides"]["limits_set_outright"] == 2

    async def test_says_whose_policy_overrides_there_are(
        self, api: AsyncClient, rita: AsyncClient, api_as: ApiAs
    ) -> None:
        await api.put("/v1/customers/C1", json={"name": "C1", "country": "CN"})
        wish = {"patch": {"order_checks": {"reservation_days": 10}}, "valid_until": "2026-12-31", "reason": "x"}
        (await rita.put("/v1/customers/C1/policy-override", json=wish)).raise_for_status()
        dora = await api_as(role=Role.FINANCE_DIRECTOR, name="dora")
        (await dora.post("/v1/customers/C1/policy-override/approve", json={})).raise_for_status()
        found = await report(rita)
        assert found["dora"]["overrides"]["policy_overrides"] == 1

    async def test_counts_notices_calls_and_promises_and_what_became_of_these(
        self, app: FastAPI, api: AsyncClient, api_as: ApiAs, rita: AsyncClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Over HTTP, with the jobs: half of the notices are released by a job, and one task is closed by a payment."""
        monkeypatch.setattr(runs, "RELEASED_A_PAGE", 2)
        cora = Company(app, await api_as(role=Role.COLLECTOR, name="cora"))
        await owing(Company(app, api), "KEEPS", "BREAKS", "PAYS", "REFUSES")
        await cora.reminds()
        assert (await report(rita))["cora"]["collection"]["notices"] == 4
        for customer_id, outcome in (("KEEPS", "promised"), ("BREAKS", "promised"), ("REFUSES", "refused")):
            await call(cora, customer_id, outcome)
        books = await api_as(role=Role.ACCOUNTS_RECEIVABLE, name="bert")
        for customer_id in ("KEEPS", "PAYS"):
            paid = {"payment_ref": customer_id, "customer_id": customer_id, "amount": "100.00", "currency": "CNY"}
            (await books.post("/v1/payments", json={**paid, "received_on": "2026-03-02"})).raise_for_status()
        app.state.clock.move(by=timedelta(days=6))
        await cora.works()
        found = await report(rita)
        assert found["cora"]["collection"] == {
            "notices": 4,
            "calls": 3,
            "promises": 2,
            "promises_kept": 1,
            "promises_broken": 1,
        }
        assert "bert" not in found

    async def test_counts_decisions_on_limit_requests_by_people(
        self, api: AsyncClient, api_as: ApiAs, rita: AsyncClient, clock: FrozenClock
    ) -> None:
        await open_account_over_http(api, limit=None)
        staff = await people(api_as)
        granted, declined = await ask(staff.ana, "600000"), await ask(staff.ana, "500000")
        clock.move(by=timedelta(hours=2))
        (await approve(staff.max, granted)).raise_for_status()
        (await reject(staff.mia, declined)).raise_for_status()
        clock.move(by=timedelta(hours=2))
        (await approve(staff.dora, granted)).raise_for_status()
        found = await report(rita)
        two_hours = {"decided": 1, "mean_seconds": 7200, "median_seconds": 7200}
        assert (found["max"]["limit_requests"], found["mia"]["limit_requests"]) == (two_hours, two_hours)
        assert found["dora"]["limit_requests"] == {"decided": 1, "mean_seconds": 14_400, "median_seconds": 14_400}
        assert found["max"]["overrides"]["limits_set_outright"] == 0
        assert "ana" not in found

    async def test_counts_nothing_that_the_policy_decided(
        self, api: AsyncClient, api_as: ApiAs, rita: AsyncClient
    ) -> None:
        """A lower limit is granted at once, in the name of whoever asks for it."""
        await open_account_over_http(api, limit="1000")
        staff = await people(api_as)
        assert (await ask(staff.ana, "900"))["status"] == "approved"
        assert "ana" not in await report(rita)

    async def test_keeps_to_the_days_and_the_segment(
        self, rita: AsyncClient, transactions: Transactions, clock: FrozenClock
    ) -> None:
        await told(transactions, "cora", "promise_made")
        clock.move(by=timedelta(days=1))
        assert "cora" in await report(rita)
        assert "cora" in await report(rita, **{"from": "2026-03-02", "to": "2026-03-02"})
        assert "cora" not in await report(rita, **{"from": "2026-03-03", "to": "2026-03-03"})
        problem(await rita.get(URL, params={"segment": "nowhere"}), 404, "segment_not_found")

    @pytest.mark.parametrize("query", [("2026-03-02", "2026-03-01"), ("2025-03-01", "2026-03-02")])
    async def test_refuses_periods_that_are_none_or_too_long(self, rita: AsyncClient, query: tuple[str, str]) -> None:
        answer = await rita.get(URL, params={"from": query[0], "to": query[1]})
        problem(answer, 422, "activity_period_invalid")

    @pytest.mark.parametrize(
        "role", [role for role in Role if role not in (Role.CREDIT_MANAGER, Role.FINANCE_DIRECTOR)]
    )
    async def test_is_for_a_manager_s_eyes(self, api_as: ApiAs, role: Role) -> None:
        problem(await (await api_as(role=role)).get(URL), 403, "scope_missing")


class TestPerHour:
    def test_is_null_where_nothing_was_decided(self) -> None:
        assert Activity("rita", None).referred_orders_per_hour is None

    def test_is_rounded_half_up(self) -> None:
        assert str(Activity("rita", None, referred_orders=Pace(5), active_hours=4).referred_orders_per_hour) == "1.3"
