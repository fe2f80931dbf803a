"""The report on activity: who decided how much, how fast, and what became of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from httpx import AsyncClient

from app.domains.control.core.activity import Activity, Pace
from app.infra.clock import FrozenClock
from app.infra.transaction import Transactions
from app.kernel.events import Event
from app.kernel.identity import SYSTEM, Actor, ActorKind
from app.support.auth.core.scopes import Role, Scope
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

    async def test_counts_notices_calls_and_promises(self, rita: AsyncClient, transactions: Transactions) -> None:
        for type_ in ("dunning_notice_released", "dunning_notice_released", "collection_task_completed"):
            await told(transactions, "cora", type_)
        for promise in ("kept", "broken", "reopened", "waits"):
            await told(transactions, "cora", "promise_made", promise)
        for promise, what in (("kept", "kept"), ("broken", "broken"), ("reopened", "kept"), ("reopened", "broken")):
            await told(transactions, SYSTEM.name, f"promise_{what}", promise)
        found = await report(rita)
        assert found["cora"]["collection"] == {
            "notices": 2,
            "calls": 1,
            "promises": 4,
            "promises_kept": 1,
            "promises_broken": 2,
        }
        assert set(found) == {"cora"}

    async def test_counts_steps_of_limit_requests(
        self, rita: AsyncClient, transactions: Transactions, clock: FrozenClock
    ) -> None:
        await told(transactions, "ada", "limit_requested", "R-1")
        clock.move(by=timedelta(hours=2))
        await told(transactions, "mia", "limit_request_step_approved", "R-1")
        clock.move(by=timedelta(hours=2))
        await told(transactions, "fin", "limit_request_approved", "R-1")
        found = await report(rita)
        assert found["mia"]["limit_requests"] == {"decided": 1, "mean_seconds": 7200, "median_seconds": 7200}
        assert found["fin"]["limit_requests"]["mean_seconds"] == 14_400
        assert "ada" not in found

    async def test_keeps_to_the_days_and_the_segment(
        self, rita: AsyncClient, transactions: Transactions, clock: FrozenClock
    ) -> None:
        await told(transactions, "cora", "collection_task_completed")
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
