"""Runs over a portfolio: everybody once, whatever happens on the way."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from httpx import AsyncClient
from sqlalchemy import text

from app.domains.assessments import jobs
from app.domains.assessments import service as assessments
from app.domains.assessments.core.runs import BEGINNING
from app.domains.assessments.service import runs as running
from app.infra.clock import FrozenClock
from app.infra.jobs import Run
from app.infra.transaction import Transactions
from app.kernel.identity import SYSTEM
from app.support.auth.core.scopes import Role, Scope
from tests.domains.assessments.http import assess, open_account, revise_policy, said
from tests.support.api import ApiAs

CUSTOMERS = [f"C-{number}" for number in range(5)]


@pytest.fixture
async def portfolio(api: AsyncClient) -> None:
    """A few accounts."""
    for customer_id in CUSTOMERS:
        await open_account(api, customer_id)


async def start(api: AsyncClient, **wish: Any) -> str:
    """A run that waits for a worker; its id."""
    return str(said(await api.post("/v1/assessments/batch", json=wish), 202)["id"])


async def work(transactions: Transactions) -> None:
    """One run of the job."""
    await jobs.continue_runs(Run(transactions, "test"))


async def counts(api: AsyncClient, run_id: str) -> tuple[str, int, int, int, int]:
    """State, total, assessed, skipped, failed."""
    run = said(await api.get(f"/v1/assessments/batch/{run_id}"), 200)
    return run["state"], run["total"], run["assessed"], run["skipped"], run["failed"]


async def assessed(api: AsyncClient) -> list[int]:
    """How many assessments each customer has."""
    return [len(said(await api.get(f"/v1/customers/{each}/assessments"), 200)["items"]) for each in CUSTOMERS]


@pytest.mark.usefixtures("portfolio")
class TestRun:
    async def test_assesses_everybody_once(self, api: AsyncClient, transactions: Transactions) -> None:
        run_id = await start(api)
        assert await counts(api, run_id) == ("running", 5, 0, 0, 0)
        await work(transactions)
        assert await counts(api, run_id) == ("done", 5, 5, 0, 0)
        await work(transactions)
        assert await assessed(api) == [1, 1, 1, 1, 1]

    async def test_leaves_out_who_is_not_stale(
        self, api: AsyncClient, transactions: Transactions, clock: FrozenClock
    ) -> None:
        review_on = (await assess(api, "C-1"))["review_on"]
        run_id = await start(api, stale=True)
        await work(transactions)
        assert await counts(api, run_id) == ("done", 5, 4, 1, 0)
        while clock.now().date().isoformat() < review_on:
            clock.move(by=timedelta(days=30))
        again = await start(api, stale=True)
        await work(transactions)
        assert await counts(api, again) == ("done", 5, 5, 0, 0)

    async def test_takes_who_was_assessed_under_an_earlier_policy_as_stale(
        self, api: AsyncClient, api_as: ApiAs, transactions: Transactions
    ) -> None:
        await assess(api, "C-1")
        await revise_policy(api, await api_as(Scope.ADMIN))
        run_id = await start(api, stale=True)
        await work(transactions)
        assert await counts(api, run_id) == ("done", 5, 5, 0, 0)

    async def test_is_confined_to_those_named(self, api: AsyncClient, transactions: Transactions) -> None:
        run_id = await start(api, items=[{"customer_id": "C-1"}, {"customer_id": "C-3"}, {"customer_id": "C-3"}])
        await work(transactions)
        assert await counts(api, run_id) == ("done", 2, 2, 0, 0)
        assert await assessed(api) == [0, 1, 0, 1, 0]

    async def test_refuses_who_is_unknown(self, api: AsyncClient) -> None:
        wish = {"items": [{"customer_id": "X"}]}
        assert said(await api.post("/v1/assessments/batch", json=wish), 404)["code"] == "customer_not_found"
        assert (await api.post("/v1/assessments/batch", json={"segment": "nowhere"})).status_code == 404

    async def test_goes_on_from_where_it_was_left(
        self, api: AsyncClient, transactions: Transactions, monkeypatch: pytest.MonkeyPatch, clock: FrozenClock
    ) -> None:
        run_id = await start(api)
        with monkeypatch.context() as broken:
            broken.setattr(running, "PORTION", 2)
            honest = assessments.portion
            done: list[int] = []

            async def dying(*args: Any, **members: Any) -> Any:
                if len(done) == 1:
                    raise ConnectionError("killed")
                done.append(1)
                return await honest(*args, **members)

            broken.setattr(assessments, "portion", dying)
            with pytest.raises(ConnectionError):
                await work(transactions)
        assert await counts(api, run_id) == ("running", 5, 2, 0, 0)
        await work(transactions)
        assert await counts(api, run_id) == ("running", 5, 2, 0, 0)  # whoever began may still be at it
        clock.move(by=timedelta(seconds=61))
        await work(transactions)
        assert await counts(api, run_id) == ("done", 5, 5, 0, 0)
        assert await assessed(api) == [1, 1, 1, 1, 1]

    async def test_puts_a_long_run_down_for_the_next(
        self, api: AsyncClient, transactions: Transactions, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run_id = await start(api)
        with monkeypatch.context() as hurried:
            hurried.setattr(running, "PORTION", 2)
            instants = iter([0.0, 0.0, 1.0, 1e9])
            hurried.setattr(jobs, "stopwatch", lambda: next(instants))
            await work(transactions)
        assert await counts(api, run_id) == ("running", 5, 2, 0, 0)
        await work(transactions)
        assert await counts(api, run_id) == ("done", 5, 5, 0, 0)

    async def test_does_nothing_twice_when_two_work_on_it(
        self, api: AsyncClient, transactions: Transactions, clock: FrozenClock
    ) -> None:
        run_id = await start(api)
        async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
            run = said(await api.get("/v1/assessments/batch"), 200)["items"][0]
            ahead = await assessments.portion(tx, run_id=run["id"])
        async with transactions.begin(actor=SYSTEM, request_id="one") as tx:
            assert await assessments.step(tx, run_id=run["id"], at=ahead[:2], after=BEGINNING)
        async with transactions.begin(actor=SYSTEM, request_id="other") as tx:
            assert not await assessments.step(tx, run_id=run["id"], at=ahead, after=BEGINNING)
            broken = ArithmeticError("of a defect")
            assert not await assessments.pass_over(tx, run_id=run["id"], at=ahead[0], after=BEGINNING, error=broken)
        clock.move(by=timedelta(seconds=61))
        await work(transactions)
        assert await counts(api, run_id) == ("done", 5, 5, 0, 0)
        assert await assessed(api) == [1, 1, 1, 1, 1]

    async def test_goes_past_who_cannot_be_assessed(
        self, api: AsyncClient, transactions: Transactions, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        honest = assessments.assess_together

        async def failing(tx: Any, *, of: Any, segment: str) -> Any:
            made = await honest(tx, of=of, segment=segment)
            if "C-2" in [customer.customer_id for customer in of]:
                raise ArithmeticError("of a defect")
            return made

        monkeypatch.setattr(running, "assess_together", failing)
        run_id = await start(api)
        await work(transactions)
        assert await counts(api, run_id) == ("done", 5, 4, 0, 1)
        failures = said(await api.get(f"/v1/assessments/batch/{run_id}"), 200)["failures"]
        assert failures == [{"customer_id": "C-2", "segment": "main", "code": "ArithmeticError"}]
        assert await assessed(api) == [1, 1, 0, 1, 1]

    async def test_looks_at_a_few_accounts_at_a_time(
        self, api: AsyncClient, transactions: Transactions, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(running, "PORTION", 2)
        run_id = await start(api)
        async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
            found = said(await api.get("/v1/assessments/batch"), 200)["items"][0]["id"]
            assert len(await assessments.portion(tx, run_id=found)) == 2
        await work(transactions)
        assert await counts(api, run_id) == ("done", 5, 5, 0, 0)

    async def test_is_journalled_at_its_start_and_end(self, api: AsyncClient, transactions: Transactions) -> None:
        run_id = await start(api)
        await work(transactions)
        async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
            types = await tx.session.scalars(
                text("select type from events where subject_id = :id order by id"),
                {"id": run_id},
            )
            assert list(types) == ["assessment_run_started", "assessment_run_finished"]


async def test_a_run_of_another_segment_is_not_there(api: AsyncClient, api_as: ApiAs) -> None:
    run_id = await start(api, segment="main")
    assert (await api.put("/v1/segments/west", json={"name": "West", "currency": "EUR"})).is_success
    confined = await api_as(role=Role.CREDIT_ANALYST, segments=["west"])
    assert said(await confined.get(f"/v1/assessments/batch/{run_id}"), 404)["code"] == "assessment_run_not_found"
    own = said(await confined.post("/v1/assessments/batch", json={}), 202)
    assert own["segment"] == "west"
    assert [run["id"] for run in said(await confined.get("/v1/assessments/batch"), 200)["items"]] == [own["id"]]
