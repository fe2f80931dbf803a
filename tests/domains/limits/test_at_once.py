"""Two servers decide on the same thing at the same moment: one outcome, one event, and nothing half done."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

import pytest
import pytest_asyncio
from fastapi import FastAPI
from httpx import AsyncClient, Response
from sqlalchemy import text

from app.domains.limits.jobs import escalate_requests, expire_requests
from app.infra.clock import FrozenClock
from app.infra.jobs import Run
from app.infra.transaction import Transactions
from app.kernel.identity import SYSTEM
from app.kernel.money import Money
from app.main import create_app
from app.settings import Settings
from app.support.auth.core.scopes import Role, Scope
from tests.domains.limits.world import PATH, Json, approve, ask, current, reject, states
from tests.domains.orders.world import account, check, open_account, order
from tests.support.api import ApiAs, client_of

ROUNDS: Final = 8
"""Each round is another race; who wins is up to the machine."""
CHECKS: Final = "/v1/credit-checks"

pytestmark = pytest.mark.usefixtures("customer")


@dataclass
class Seats:
    """One person, seated at both servers."""

    here: AsyncClient
    there: AsyncClient


@pytest.fixture
async def customer(api: AsyncClient) -> None:
    await open_account(api)


@pytest_asyncio.fixture(loop_scope="session")
async def second(app: FastAPI, settings: Settings, clock: FrozenClock) -> AsyncIterator[FastAPI]:
    """Another server on the same database."""
    other = create_app(settings, clock=clock)
    async with other.router.lifespan_context(other):
        yield other


@pytest_asyncio.fixture(loop_scope="session")
async def seats(api_as: ApiAs, second: FastAPI) -> AsyncIterator[dict[str, Seats]]:
    """An analyst who asks, two managers and a director who approve, and two who release orders."""
    rich = Money(Decimal(900_000_000), "CNY")
    people = {
        "ana": await api_as(Scope.LIMITS_REQUEST, name="ana"),
        "max": await api_as(role=Role.CREDIT_MANAGER, name="max", authority=rich),
        "mia": await api_as(role=Role.CREDIT_MANAGER, name="mia", authority=rich),
        "dora": await api_as(role=Role.FINANCE_DIRECTOR, name="dora", authority=rich),
        "rita": await api_as(Scope.ORDERS_RELEASE, name="rita"),
        "rob": await api_as(Scope.ORDERS_RELEASE, name="rob"),
    }
    async with AsyncExitStack() as stack:
        found = {}
        for name, here in people.items():
            there = await stack.enter_async_context(client_of(second, here.headers["Authorization"].split()[1]))
            found[name] = Seats(here, there)
        yield found


async def told(transactions: Transactions, subject: str) -> Counter[str]:
    """How often the journal has each type of event about a subject."""
    async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
        rows = await tx.session.execute(
            text("select type, count(*) from events where subject_id = :subject group by type"), {"subject": subject}
        )
        return Counter({row[0]: row[1] for row in rows})


def outcome(answer: Response) -> str:
    """`done`, or the code of the refusal."""
    return "done" if answer.is_success else str(answer.json()["code"])


async def race(*attempts: Awaitable[Response]) -> list[str]:
    return sorted(outcome(answer) for answer in await asyncio.gather(*attempts))


async def cancel(by: AsyncClient, request: Json) -> Response:
    return await by.post(f"{PATH}/{request['id']}/cancel")


class TestALimitRequest:
    async def test_is_approved_by_one_of_two_managers(
        self, seats: dict[str, Seats], transactions: Transactions
    ) -> None:
        for _ in range(ROUNDS):
            asked = await ask(seats["ana"].here, "600000")
            outcomes = await race(approve(seats["max"].here, asked), approve(seats["mia"].there, asked))
            assert outcomes == ["done", "role_not_due"]
            decided = await current(seats["ana"].there, asked)
            assert (decided["status"], states(decided)) == ("pending", ["approved", "pending"])
            assert await told(transactions, asked["id"]) == {
                "limit_requested": 1,
                "limit_request_step_approved": 1,
                "limit_approval_refused": 1,
            }

    async def test_is_approved_once_by_a_manager_at_two_servers(
        self, seats: dict[str, Seats], transactions: Transactions
    ) -> None:
        for _ in range(ROUNDS):
            asked = await ask(seats["ana"].here, "600000")
            outcomes = await race(approve(seats["max"].here, asked), approve(seats["max"].there, asked))
            assert outcomes == ["already_approved", "done"]
            assert (await told(transactions, asked["id"]))["limit_request_step_approved"] == 1

    async def test_puts_one_limit_in_force_whoever_approves_the_last_step(
        self, api: AsyncClient, seats: dict[str, Seats], transactions: Transactions
    ) -> None:
        for number in range(ROUNDS):
            amount = f"{5000 + number}"
            asked = await ask(seats["ana"].here, amount)
            outcomes = await race(
                approve(seats["max"].here, asked),
                approve(seats["mia"].there, asked),
                approve(seats["dora"].here, asked),
            )
            assert outcomes == ["done", "limit_request_closed", "limit_request_closed"]
            assert (await told(transactions, asked["id"]))["limit_request_approved"] == 1
            assert (await account(api))["limit"]["effective_amount"] == f"{amount}.00"
            listed = (await api.get("/v1/customers/C-1/accounts/main/limits")).json()["items"]
            assert [item["reason"] for item in listed].count(f"limit request {asked['id']}") == 1

    @pytest.mark.parametrize("against", [cancel, reject])
    async def test_is_approved_or_ended_and_never_both(
        self, api: AsyncClient, seats: dict[str, Seats], transactions: Transactions, against: Any
    ) -> None:
        ends = seats["ana" if against is cancel else "mia"].there
        for number in range(ROUNDS):
            before = (await account(api))["limit"]["effective_amount"]
            amount = f"{5000 + number}"
            asked = await ask(seats["ana"].here, amount)
            outcomes = await race(approve(seats["max"].here, asked), against(ends, asked))
            assert outcomes == ["done", "limit_request_closed"]
            decided = await current(seats["ana"].here, asked)
            approved = decided["status"] == "approved"
            assert (await account(api))["limit"]["effective_amount"] == (f"{amount}.00" if approved else before)
            assert decided["decided_amount"] == (f"{amount}.00" if approved else None)
            events = await told(transactions, asked["id"])
            ended = events["limit_request_cancelled"] + events["limit_request_declined"]
            assert (events["limit_request_approved"], ended) == ((1, 0) if approved else (0, 1))

    async def test_is_handed_on_or_approved_and_never_both(
        self, seats: dict[str, Seats], transactions: Transactions, second: FastAPI, clock: FrozenClock
    ) -> None:
        """Two leaders at once, as while one is being replaced, against somebody who approves at the last moment."""
        leaders = [Run(transactions, "test"), Run(second.state.transactions, "test")]
        for _ in range(ROUNDS):
            asked = await ask(seats["ana"].here, "600000")
            clock.move(by=timedelta(hours=48))
            approving = asyncio.create_task(approve(seats["max"].there, asked))
            await asyncio.gather(*(escalate_requests(leader) for leader in leaders))
            won = outcome(await approving)
            first, last = (await current(seats["ana"].here, asked))["steps"]
            events = await told(transactions, asked["id"])
            passed = (events["limit_request_step_approved"], events["limit_request_escalated"])
            assert last["state"] == "pending"
            if won == "done":
                assert (first["state"], first["by"], passed) == ("approved", "max", (1, 0))
            else:
                assert (won, first["state"], first["by"], passed) == ("role_not_due", "escalated", None, (0, 1))
            await cancel(seats["ana"].here, asked)

    async def test_expires_once(
        self, seats: dict[str, Seats], transactions: Transactions, second: FastAPI, clock: FrozenClock
    ) -> None:
        asked = [await ask(seats["ana"].here, "600000") for _ in range(ROUNDS)]
        clock.move(by=timedelta(days=30))
        leaders = [Run(transactions, "test"), Run(second.state.transactions, "test")]
        await asyncio.gather(*(expire_requests(leader) for leader in leaders))
        for each in asked:
            assert (await told(transactions, each["id"]))["limit_request_expired"] == 1


class TestAReferredOrder:
    async def test_is_released_or_rejected_and_never_both(
        self, api: AsyncClient, seats: dict[str, Seats], transactions: Transactions
    ) -> None:
        bound = Decimal(0)
        for number in range(ROUNDS):
            asked = await check(api, "1500", f"O-{number}")
            path = f"{CHECKS}/{asked['id']}"
            outcomes = await race(
                seats["rita"].here.post(f"{path}/release", json={"reason": "agreed"}),
                seats["rob"].there.post(f"{path}/reject", json={"reason": "too much"}),
            )
            assert outcomes == ["done", "review_closed"]
            review = (await api.get(path)).json()["review"]
            events = await told(transactions, asked["id"])
            decided = (events["credit_check_released"], events["credit_check_rejected"])
            state = (await order(api, f"O-{number}"))["state"]
            released = review == "released"
            assert (decided, state) == (((1, 0), "open") if released else ((0, 1), "declined"))
            bound += 1500 if released else 0
            assert Decimal((await account(api))["exposure"]["open_orders"]) == bound

    async def test_is_claimed_by_one_of_two(
        self, api: AsyncClient, seats: dict[str, Seats], transactions: Transactions
    ) -> None:
        for number in range(ROUNDS):
            asked = await check(api, "1500", f"O-{number}")
            path = f"{CHECKS}/{asked['id']}"
            claims = (seats["rita"].here.post(f"{path}/claim"), seats["rob"].there.post(f"{path}/claim"))
            assert await race(*claims) == ["done", "review_claimed"]
            (claimed,) = [name for name in ("rita", "rob") if (await api.get(path)).json()["claimed_by"] == name]
            assert (await told(transactions, asked["id"]))["credit_check_claimed"] == 1
            other = seats["rob" if claimed == "rita" else "rita"].here
            refusal = await other.post(f"{path}/release", json={"reason": "agreed"})
            assert outcome(refusal) == "review_claimed"

    async def test_is_claimed_once_by_whoever_asks_twice(
        self, api: AsyncClient, seats: dict[str, Seats], transactions: Transactions
    ) -> None:
        for number in range(ROUNDS):
            asked = await check(api, "1500", f"O-{number}")
            path = f"{CHECKS}/{asked['id']}/claim"
            assert await race(seats["rita"].here.post(path), seats["rita"].there.post(path)) == ["done", "done"]
            assert (await told(transactions, asked["id"]))["credit_check_claimed"] == 1

    async def test_is_not_decided_by_one_while_another_claims_it(
        self, api: AsyncClient, seats: dict[str, Seats], transactions: Transactions
    ) -> None:
        for number in range(ROUNDS):
            asked = await check(api, "1500", f"O-{number}")
            path = f"{CHECKS}/{asked['id']}"
            released, claimed = await asyncio.gather(
                seats["rita"].here.post(f"{path}/release", json={"reason": "agreed"}),
                seats["rob"].there.post(f"{path}/claim"),
            )
            assert sorted((outcome(released), outcome(claimed))) in (
                ["done", "review_claimed"],
                ["done", "review_closed"],
            )
            events = await told(transactions, asked["id"])
            assert events["credit_check_released"] + events["credit_check_claimed"] == 1
