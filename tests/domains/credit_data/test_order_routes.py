"""Reports that are ordered from an agency: refused by name, guarded against cost, fetched by a job."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from sqlalchemy import text

from app import worker
from app.domains.credit_data import jobs
from app.domains.credit_data.adapters import NoSource, SourceUnavailable, SourceUnusable
from app.domains.credit_data.core.orders import ATTEMPTS, Inquiry
from app.domains.credit_data.core.reports import CreditReport, Scale
from app.infra.clock import FrozenClock
from app.infra.jobs import run_once
from app.settings import Settings
from tests.domains.credit_data.http import C1, REPORT, body, customer, revise_policy

FETCH = f"{C1}/credit-reports/fetch"


class Bureau:
    """An agency in memory: what it answers next, and how often it was asked."""

    def __init__(self, clock: FrozenClock) -> None:
        self.agency = "D&B"
        self.asked: list[Inquiry] = []
        self.failure: Exception | None = None
        self.reports = True
        self.clock = clock

    async def fetch(self, inquiry: Inquiry) -> CreditReport | None:
        self.asked.append(inquiry)
        if self.failure is not None:
            raise self.failure
        if not self.reports:
            return None
        on = self.clock.now().date()
        return CreditReport("D&B", f"R-{on}", on, rating="A")


@pytest.fixture
async def bureau(app: FastAPI, api: AsyncClient, clock: FrozenClock) -> Bureau:
    """An agency that is connected, and a customer."""
    found = Bureau(clock)
    app.state.credit_source = found
    await customer(api)
    return found


async def run(app: FastAPI, bureau: Bureau) -> None:
    [job] = jobs.fetching(bureau)
    assert await run_once(job, app.state.transactions)


async def order(api: AsyncClient) -> dict[str, Any]:
    return body(await api.post(FETCH, json={}), 202)


async def seen(api: AsyncClient, made: dict[str, Any]) -> dict[str, Any]:
    return body(await api.get(f"{C1}/report-orders/{made['id']}"))


class TestOrders:
    async def test_are_refused_by_name_when_no_agency_is_connected(self, api: AsyncClient) -> None:
        await customer(api)
        assert body(await api.post(FETCH, json={}), 409)["code"] == "credit_source_missing"

    async def test_are_delivered_by_the_job(self, api: AsyncClient, app: FastAPI, bureau: Bureau) -> None:
        made = await order(api)
        assert (made["state"], made["agency"], made["ordered_by"]) == ("waiting", "D&B", "bootstrap")
        await run(app, bureau)
        ended = await seen(api, made)
        assert (ended["state"], ended["attempts"], ended["next_attempt_at"]) == ("delivered", 1, None)
        report = body(await api.get(f"{C1}/credit-reports/{ended['credit_report_id']}"))
        assert (report["agency"], report["rating"], report["entered_by"]) == ("D&B", "A", "system")
        assert bureau.asked == [Inquiry("C1", "Red Star", "CN")]
        assert body(await api.get(f"{C1}/report-orders"))["items"] == [ended]

    async def test_are_not_given_twice_while_one_waits(self, api: AsyncClient, app: FastAPI, bureau: Bureau) -> None:
        answers = await asyncio.gather(*(api.post(FETCH, json={}) for _ in range(5)))
        assert len({body(answer, 202)["id"] for answer in answers}) == 1
        await run(app, bureau)
        await run(app, bureau)
        assert len(bureau.asked) == 1

    async def test_are_refused_while_the_last_report_is_current(
        self, api: AsyncClient, app: FastAPI, bureau: Bureau, clock: FrozenClock
    ) -> None:
        last = body(await api.post(f"{C1}/credit-reports", json=REPORT | {"reported_on": "2026-02-01"}), 201)
        refused = body(await api.post(FETCH, json={}), 409)
        assert (refused["code"], refused["record_id"]) == ("report_still_current", last["id"])
        assert refused["next_on"] == "2026-05-02"
        clock.move(by=timedelta(days=60))  # 1 May
        assert (await api.post(FETCH, json={})).status_code == 409
        clock.move(by=timedelta(days=1))
        await order(api)

    async def test_do_not_mind_the_report_of_another_agency(self, api: AsyncClient, bureau: Bureau) -> None:
        await api.post(f"{C1}/credit-reports", json=REPORT | {"agency": "Creditsafe"})
        await order(api)

    async def test_follow_the_policy(self, api: AsyncClient, bureau: Bureau) -> None:
        await api.post(f"{C1}/credit-reports", json=REPORT)
        await revise_policy(api, {"credit_data": {"report_min_age_days": 0}})
        await order(api)

    async def test_end_when_the_agency_knows_nobody(self, api: AsyncClient, app: FastAPI, bureau: Bureau) -> None:
        bureau.reports = False
        made = await order(api)
        await run(app, bureau)
        assert (await seen(api, made))["state"] == "unknown"
        await order(api)  # nothing was bought, so another may be ordered

    async def test_wait_for_an_agency_that_is_away_and_give_up_in_the_end(
        self, api: AsyncClient, app: FastAPI, bureau: Bureau, clock: FrozenClock
    ) -> None:
        bureau.failure = SourceUnavailable("D&B answers 503")
        made = await order(api)
        states = []
        for _ in range(ATTEMPTS):
            await run(app, bureau)
            await run(app, bureau)  # not before its time
            states.append((await seen(api, made))["state"])
            clock.move(by=timedelta(hours=3))
        assert states == ["waiting"] * (ATTEMPTS - 1) + ["failed"]
        assert len(bureau.asked) == ATTEMPTS
        assert (await seen(api, made))["failure"] == "D&B answers 503"

    @pytest.mark.parametrize("failure", [SourceUnusable("D&B answers 401"), None])
    async def test_fail_at_once_where_no_try_can_help(
        self, api: AsyncClient, app: FastAPI, bureau: Bureau, failure: Exception | None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """An agency that refuses us, and one whose report makes no sense."""
        bureau.failure = failure
        if failure is None:
            scale = Scale(Decimal(9), Decimal(1), higher_is_better=True)
            wrong = CreditReport("D&B", "R", bureau.clock.now().date(), rating="A", scale=scale)

            async def fetch(inquiry: Inquiry) -> CreditReport:
                return wrong

            monkeypatch.setattr(bureau, "fetch", fetch)
        made = await order(api)
        await run(app, bureau)
        assert (await seen(api, made))["state"] == "failed"

    async def test_cost_one_attempt_when_the_process_dies_in_between(
        self, api: AsyncClient, app: FastAPI, bureau: Bureau, clock: FrozenClock
    ) -> None:
        bureau.failure = RuntimeError("killed")
        made = await order(api)
        [job] = jobs.fetching(bureau)
        assert not await run_once(job, app.state.transactions)
        bureau.failure = None
        await run(app, bureau)
        assert (await seen(api, made))["attempts"] == 1
        clock.move(by=timedelta(minutes=3))
        await run(app, bureau)
        assert (await seen(api, made))["state"] == "delivered"

    async def test_are_told_of_when_given_and_when_ended(self, api: AsyncClient, app: FastAPI, bureau: Bureau) -> None:
        await order(api)
        await run(app, bureau)
        async with app.state.engine.connect() as connection:
            told = await connection.execute(text("select type from events where type ~ 'report' order by xid, id"))
            assert [row.type for row in told] == ["report_ordered", "credit_report_filed", "report_order_ended"]

    async def test_of_another_customer_or_nobody_are_not_there(self, api: AsyncClient, bureau: Bureau) -> None:
        made = await order(api)
        await customer(api, "C2")
        assert (await api.get(f"/v1/customers/C2/report-orders/{made['id']}")).status_code == 404
        assert (await api.get("/v1/customers/C9/report-orders")).status_code == 404
        assert (await api.post("/v1/customers/C9/credit-reports/fetch", json={})).status_code == 404


class TestSettings:
    def test_connect_an_agency_and_run_its_job(self) -> None:
        settings = Settings(credit_source_url="https://bureau.test", credit_source_agency="Bureau")
        source = worker.credit_source(settings)
        assert source is not None
        assert source.agency == "Bureau"
        assert "fetch_credit_reports" in {job.name for job in worker.jobs(settings)}

    def test_connect_none_by_default(self) -> None:
        assert worker.credit_source(Settings()) is None
        assert "fetch_credit_reports" not in {job.name for job in worker.jobs(Settings())}

    async def test_may_connect_an_agency_that_knows_nobody(self, api: AsyncClient, app: FastAPI) -> None:
        app.state.credit_source = NoSource()
        await customer(api)
        assert (await order(api))["agency"] == "nobody"
