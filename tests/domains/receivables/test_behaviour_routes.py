"""Payment behaviour over HTTP, and the payment index on the account."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from sqlalchemy import text

from app.domains.receivables import jobs
from app.domains.receivables import service as receivables
from app.domains.receivables.service import paying
from app.infra.clock import FrozenClock
from app.infra.jobs import run_once
from app.infra.transaction import Transactions
from app.kernel.events import Event
from app.kernel.identity import SYSTEM
from app.support.auth.core.scopes import Scope
from tests.domains.receivables.http import a_payment, an_invoice, post
from tests.support.api import ApiAs
from tests.support.business import open_account


class Broken(Event):
    """A promise that was broken, as dunning tells of it."""

    type = "promise_broken"
    subject_type = "promise"


BEHAVIOUR = "/v1/customers/C1/payment-behaviour"


@pytest.fixture(autouse=True)
async def account(transactions: Transactions) -> None:
    await open_account(transactions, "C1", limit=None)


async def behaviour(api: AsyncClient, **asked: Any) -> dict[str, Any]:
    response = await api.get(BEHAVIOUR, params=asked)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


async def refresh(app: FastAPI) -> None:
    job = next(job for job in jobs.JOBS if job.name == "refresh_payment_indices")
    assert await run_once(job, app.state.transactions)


async def rows(app: FastAPI, query: str) -> list[Any]:
    async with app.state.engine.connect() as connection:
        return [tuple(row) for row in await connection.execute(text(query))]


async def index(app: FastAPI) -> str | None:
    """What the account says."""
    [(found,)] = await rows(app, "select payment_index from accounts where customer_id = 'C1'")
    return None if found is None else f"{found:.1f}"


async def issue(api: AsyncClient, invoice_no: str, due_on: str, *, paid_on: str | None = None, **more: Any) -> None:
    """An invoice of January, and its payment."""
    await post(api, "/v1/invoices", an_invoice(invoice_no, issued_on="2026-01-01", due_on=due_on, **more))
    if paid_on is not None:
        lines = [{"invoice_no": invoice_no, "amount": more.get("amount", "100.00")}]
        body = a_payment(f"P-{invoice_no}", more.get("amount", "100.00"), received_on=paid_on, allocations=lines)
        await post(api, "/v1/payments", body)


class TestBehaviour:
    async def test_of_a_new_customer_says_nothing(self, api: AsyncClient) -> None:
        found = await behaviour(api)
        assert (found["on"], found["payment_index"], found["known_since"]) == ("2026-03-02", None, None)

    async def test_is_read_from_items_and_allocations(self, api: AsyncClient) -> None:
        await issue(api, "I1", "2026-01-31", paid_on="2026-01-31")
        await issue(api, "I2", "2026-01-31", paid_on="2026-03-02")
        await issue(api, "I3", "2026-02-20")
        await issue(api, "I4", "2026-03-30")
        found = await behaviour(api)
        assert (found["settled_items"], found["late_items"], found["longest_lateness"]) == (2, 1, 30)
        assert (found["known_since"], found["relation_months"], found["year_volume"]) == ("2026-01-01", 2, "400.00")
        assert 50 < float(found["payment_index"]) < 80

    async def test_on_a_past_day_knows_nothing_of_what_came_later(self, api: AsyncClient) -> None:
        await issue(api, "I1", "2026-01-31", paid_on="2026-03-02")
        assert (await behaviour(api, on="2026-01-31"))["payment_index"] is None
        assert (await behaviour(api, on="2026-03-01"))["late_items"] == 1
        assert (await behaviour(api, on="2026-03-02"))["settled_items"] == 1
        assert (await behaviour(api, on="2025-12-31"))["known_since"] is None

    async def test_sees_the_last_part_payment_as_the_settlement(self, api: AsyncClient) -> None:
        await issue(api, "I1", "2026-01-31")
        for number, day in enumerate(("2026-02-10", "2026-03-02")):
            lines = [{"invoice_no": "I1", "amount": "50.00"}]
            await post(api, "/v1/payments", a_payment(f"P{number}", "50.00", received_on=day, allocations=lines))
        assert (await behaviour(api))["payment_index"] == "50.00"
        part = await behaviour(api, on="2026-02-20")
        assert (part["settled_items"], part["late_items"]) == (0, 1)

    async def test_forgets_payments_that_bounced(self, api: AsyncClient) -> None:
        await issue(api, "I1", "2026-01-31", paid_on="2026-01-20")
        await post(api, "/v1/payments/P-I1/reverse", {"reason": "bounced"}, 200)
        found = await behaviour(api)
        assert (found["settled_items"], found["late_items"], found["longest_lateness"]) == (0, 1, 30)

    async def test_learns_nothing_from_what_credit_notes_settle_and_what_was_cancelled(self, api: AsyncClient) -> None:
        await issue(api, "I1", "2026-01-31")
        await issue(api, "I2", "2026-01-31")
        await post(api, "/v1/invoices", an_invoice("N1", kind="credit_note", related_invoice_no="I1"))
        await post(api, "/v1/invoices/I2/cancel", {"reason": "never ordered"}, 200)
        found = await behaviour(api)
        assert (found["settled_items"], found["late_items"], found["payment_index"]) == (0, 0, None)

    async def test_does_not_call_late_what_is_disputed(self, api: AsyncClient) -> None:
        await issue(api, "I1", "2026-01-31")
        await issue(api, "I2", "2026-01-31", paid_on="2026-01-31", amount="300.00")
        dispute = await post(api, "/v1/invoices/I1/disputes", {"amount": "100.00", "reason": "quality"})
        found = await behaviour(api)
        assert (found["payment_index"], found["late_items"]) == ("80.00", 0)
        assert (found["disputed_items"], found["disputed_share"]) == (1, "25.00")
        assert (await behaviour(api, on="2026-03-01"))["disputed_items"] == 0
        await post(api, f"/v1/invoices/I1/disputes/{dispute['id']}/resolve", {"outcome": "rejected"}, 200)
        found = await behaviour(api)
        assert (found["late_items"], found["longest_lateness"], found["disputed_items"]) == (1, 30, 1)

    async def test_never_forgets_what_was_written_off(self, api: AsyncClient) -> None:
        await issue(api, "I1", "2026-01-31")
        await post(api, "/v1/invoices/I1/write-off", {"reason": "insolvent"}, 200)
        found = await behaviour(api)
        assert (found["settled_items"], found["late_items"], found["payment_index"]) == (0, 1, "50.00")

    async def test_remembers_broken_promises_for_a_year(self, api: AsyncClient, transactions: Transactions) -> None:
        async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
            broken = Broken(subject_id=str(tx.new_id()), customer_id="C1", segment="main")
            await receivables.note_broken_promise(tx, broken)
            await receivables.note_broken_promise(tx, broken)
        assert (await behaviour(api))["broken_promises"] == 1
        assert (await behaviour(api, on="2026-03-01"))["broken_promises"] == 0
        assert (await behaviour(api, on="2027-03-03"))["broken_promises"] == 0

    async def test_of_a_long_relation_counts_all_of_it(self, api: AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(paying, "MAX_DEALINGS", 1)
        await issue(api, "I1", "2026-01-31", paid_on="2026-01-31")
        await post(api, "/v1/invoices", an_invoice("I2", issued_on="2026-03-01", due_on="2026-03-01"))
        found = await behaviour(api)
        assert (found["known_since"], found["relation_months"], found["year_volume"]) == ("2026-01-01", 2, "200.00")
        assert found["settled_items"] + found["late_items"] == 1

    async def test_needs_an_account_and_a_scope(self, api: AsyncClient, api_as: ApiAs) -> None:
        assert (await api.get("/v1/customers/C9/payment-behaviour")).status_code == 404
        assert (await api.get(BEHAVIOUR, params={"segment": "moon"})).status_code == 404
        confined = await api_as(Scope.REPORTS_READ, segments=["eu"])
        assert (await confined.get(BEHAVIOUR)).status_code == 404
        assert (await (await api_as(Scope.ORDERS_CHECK)).get(BEHAVIOUR)).status_code == 403


class TestIndexOfTheAccount:
    async def test_follows_each_settlement(self, api: AsyncClient, app: FastAPI) -> None:
        await issue(api, "I1", "2026-03-02", paid_on="2026-03-02")
        assert await index(app) is None
        await refresh(app)
        assert await index(app) == "80.0"
        await issue(api, "I2", "2026-01-31", paid_on="2026-03-02")
        await refresh(app)
        assert await index(app) == "65.0"
        await post(api, "/v1/payments/P-I2/reverse", {"reason": "bounced"}, 200)
        await refresh(app)
        assert await index(app) == "65.0"  # late by as much as it was when it was paid
        assert await rows(app, "select count(*) from events where type = 'risk_noted'") == [(2,)]

    async def test_is_computed_only_where_something_has_happened(self, api: AsyncClient, app: FastAPI) -> None:
        await issue(api, "I1", "2026-03-02", paid_on="2026-03-02")
        await refresh(app)
        assert await rows(app, "select * from behaviour_marks") == []
        before = await rows(app, "select version from accounts")
        await refresh(app)
        assert await rows(app, "select version from accounts") == before

    async def test_falls_day_by_day_while_an_item_is_late(
        self, api: AsyncClient, app: FastAPI, clock: FrozenClock
    ) -> None:
        await issue(api, "I1", "2026-03-02")
        await refresh(app)
        assert await index(app) is None
        found = []
        for _ in range(3):
            clock.move(by=timedelta(days=1))
            await refresh(app)
            await refresh(app)
            found.append(await index(app))
        assert found == ["79.3", "78.7", "78.0"]
        assert await rows(app, "select due_on::text from behaviour_marks") == [("2026-03-06",)]

    async def test_is_that_of_the_owner_of_the_item_that_a_relative_pays(
        self, api: AsyncClient, app: FastAPI, transactions: Transactions
    ) -> None:
        await open_account(transactions, "C2", limit=None, parent_id="C1")
        await issue(api, "I1", "2026-01-31", customer_id="C2")
        lines = [{"invoice_no": "I1", "amount": "100.00"}]
        await post(api, "/v1/payments", a_payment("P1", "100.00", allocations=lines))
        await refresh(app)
        indices = await rows(app, "select customer_id, payment_index::int from accounts order by 1")
        assert indices == [("C1", None), ("C2", 50)]

    async def test_passes_over_an_account_that_others_hold(self, api: AsyncClient, app: FastAPI) -> None:
        await issue(api, "I1", "2026-03-02", paid_on="2026-03-02")
        async with app.state.engine.begin() as connection:
            await connection.execute(text("select from accounts for update"))
            await refresh(app)
        assert await index(app) is None
        await refresh(app)
        assert await index(app) == "80.0"
