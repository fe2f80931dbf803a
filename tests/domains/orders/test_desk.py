"""The desk through the API: decisions, what they set aside, and what comes back when a check is repeated."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio
from fastapi import FastAPI
from httpx import AsyncClient, Response
from sqlalchemy import text

from app.domains.exposure import service as exposure
from app.domains.exposure.core.holds import HoldKind
from app.domains.orders.core import rules
from app.domains.orders.core.facts import CheckRequest
from app.domains.orders.core.rules.finding import Finding
from app.domains.orders.records import Question
from app.infra.clock import FrozenClock
from app.infra.transaction import Transactions
from app.kernel.identity import SYSTEM
from app.main import create_app
from app.settings import Settings
from tests.support.api import BOOTSTRAP_KEY, client_of
from tests.support.business import check, open_account

CHECKS = "/v1/credit-checks"


@pytest_asyncio.fixture(loop_scope="session")
async def second_api(settings: Settings, clock: FrozenClock, app: FastAPI) -> AsyncIterator[AsyncClient]:
    """A client of another server on the same database."""
    other = create_app(settings, clock=clock)
    async with other.router.lifespan_context(other), client_of(other, BOOTSTRAP_KEY) as client:
        yield client


async def ask(api: AsyncClient, body: dict[str, Any], key: str | None = None) -> Response:
    return await api.post(CHECKS, json=body, headers={"Idempotency-Key": key} if key else {})


def question(customer_id: str, order_ref: str, amount: str) -> Question:
    """A check as it comes to the desk without HTTP."""
    request = CheckRequest(customer_id, "main", order_ref, Decimal(amount), "CNY")
    return Question(request=request, caller="test", actor=SYSTEM, request_id="test")


async def totals(transactions: Transactions, customer_id: str) -> tuple[Decimal, int]:
    """The open orders of a customer, and how many orders bind credit."""
    async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
        account = await exposure.account(tx, customer_id=customer_id, segment="main")
        counted = text("select count(*) from commitments where customer_id = :c and open_amount > 0")
        return account.exposure.open_orders, await tx.session.scalar(counted, {"c": customer_id})


class TestCheck:
    async def test_approves_up_to_exactly_the_limit_and_refers_beyond(
        self, api: AsyncClient, transactions: Transactions
    ) -> None:
        await open_account(transactions, "C1")
        first = await ask(api, check("C1", "A", "1000.00"))
        assert first.status_code == 201, first.text
        assert first.json()["outcome"] == "approved"
        assert (first.json()["headroom_before"], first.json()["headroom_after"]) == ("1000.00", "0.00")
        assert first.json()["reservation"]["amount"] == "1000.00"
        second = (await ask(api, check("C1", "B", "0.01"))).json()
        assert (second["outcome"], second["review"], second["reservation"]) == ("referred", "open", None)
        assert [(r["code"], r["effect"]) for r in second["reasons"]] == [
            ("limit_exceeded", "refer"),
            ("utilisation_high", "warn"),
        ]
        assert second["reasons"][0]["shortfall"] == "0.01"
        assert await totals(transactions, "C1") == (Decimal(1000), 1)

    async def test_has_no_consequences_without_reserve(self, api: AsyncClient, transactions: Transactions) -> None:
        await open_account(transactions, "C1")
        asked = (await ask(api, check("C1", "A", "400", reserve=False))).json()
        assert (asked["outcome"], asked["review"], asked["reservation"]) == ("approved", "none", None)
        assert await totals(transactions, "C1") == (Decimal(0), 0)

    async def test_decides_an_order_anew_without_counting_it_twice(
        self, api: AsyncClient, transactions: Transactions
    ) -> None:
        await open_account(transactions, "C1")
        await ask(api, check("C1", "A", "800"))
        again = (await ask(api, check("C1", "A", "900"))).json()
        assert (again["outcome"], again["headroom_before"], again["headroom_after"]) == (
            "approved",
            "1000.00",
            "100.00",
        )
        beyond = (await ask(api, check("C1", "A", "1001"))).json()
        assert beyond["outcome"] == "referred"
        assert await totals(transactions, "C1") == (Decimal(900), 1)

    async def test_frees_the_orders_it_replaces_in_the_same_decision(
        self, api: AsyncClient, transactions: Transactions
    ) -> None:
        await open_account(transactions, "C1")
        await ask(api, check("C1", "QUOTE", "1000"))
        split = check("C1", "PART", "600", replaces=[{"order_ref": "QUOTE", "amount": "600"}])
        assert (await ask(api, split)).json()["outcome"] == "approved"
        assert await totals(transactions, "C1") == (Decimal(1000), 2)
        foreign = check("C1", "X", "1", replaces=[{"order_ref": "NOBODYS", "amount": "1"}])
        assert (await ask(api, foreign)).json()["code"] == "replaced_order_unknown"

    async def test_refuses_an_order_reference_of_another_customer(
        self, api: AsyncClient, transactions: Transactions
    ) -> None:
        await open_account(transactions, "C1")
        await open_account(transactions, "C2")
        answers = await asyncio.gather(*(ask(api, check(c, "SAME", "10")) for c in ("C1", "C2")))
        assert sorted(answer.status_code for answer in answers) == [201, 409]
        refused = next(answer for answer in answers if answer.status_code == 409)
        assert refused.json()["code"] == "order_ref_conflict"

    async def test_says_which_account_is_missing(self, api: AsyncClient, transactions: Transactions) -> None:
        nobody = await ask(api, check("NOBODY", "A", "1"))
        assert (nobody.status_code, nobody.json()["code"]) == (404, "account_not_found")

    async def test_refers_by_name_without_a_limit(self, api: AsyncClient, transactions: Transactions) -> None:
        await open_account(transactions, "C1", limit=None)
        answer = (await ask(api, check("C1", "A", "1"))).json()
        assert (answer["outcome"], [r["code"] for r in answer["reasons"]]) == ("referred", ["no_limit"])

    async def test_refers_by_name_without_an_exchange_rate(self, api: AsyncClient, transactions: Transactions) -> None:
        await open_account(transactions, "C1")
        answer = (await ask(api, check("C1", "A", "1", currency="EUR"))).json()
        assert (answer["outcome"], [r["code"] for r in answer["reasons"]]) == ("referred", ["fx_rate_missing"])

    async def test_refers_by_name_when_a_rule_fails(
        self, api: AsyncClient, transactions: Transactions, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*_: object) -> Finding:
            raise ZeroDivisionError

        await open_account(transactions, "C1")
        damaged = tuple(
            rules.Rule(rule.name, rule.code, broken) if rule.name == "oldest_item" else rule for rule in rules.RULES
        )
        monkeypatch.setattr("app.domains.orders.core.decide.RULES", damaged)
        answer = (await ask(api, check("C1", "A", "1"))).json()
        assert (answer["outcome"], [r["code"] for r in answer["reasons"]]) == ("referred", ["rule_failed"])

    async def test_declines_on_a_forced_hold(self, api: AsyncClient, transactions: Transactions) -> None:
        await open_account(transactions, "C1")
        async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
            await exposure.set_hold(
                tx, customer_id="C1", segment="main", source="manual", kind=HoldKind.FORCED, reason="insolvent"
            )
        answer = (await ask(api, check("C1", "A", "1"))).json()
        assert (answer["outcome"], answer["review"]) == ("declined", "none")

    async def test_frees_expired_reservations_before_it_judges(
        self, api: AsyncClient, transactions: Transactions, clock: FrozenClock
    ) -> None:
        await open_account(transactions, "C1")
        assert (await ask(api, check("C1", "A", "1000", reservation_days=2))).json()["outcome"] == "approved"
        clock.move(by=timedelta(days=1, hours=23))
        assert (await ask(api, check("C1", "B", "1000"))).json()["outcome"] == "referred"
        clock.move(by=timedelta(hours=2))
        assert (await ask(api, check("C1", "B", "1000"))).json()["outcome"] == "approved"
        assert await totals(transactions, "C1") == (Decimal(1000), 1)


class TestNeverMoreThanTheHeadroom:
    async def test_approves_exactly_as_many_of_200_at_once_as_fit(
        self, api: AsyncClient, transactions: Transactions
    ) -> None:
        await open_account(transactions, "C1")
        answers = await asyncio.gather(*(ask(api, check("C1", f"O{n}", "10.00")) for n in range(200)))
        assert Counter(a.json()["outcome"] for a in answers) == {"approved": 100, "referred": 100}
        assert await totals(transactions, "C1") == (Decimal(1000), 100)

    async def test_holds_with_two_servers_at_once(
        self, api: AsyncClient, second_api: AsyncClient, transactions: Transactions
    ) -> None:
        await open_account(transactions, "C1")
        servers = (api, second_api)
        answers = await asyncio.gather(*(ask(servers[n % 2], check("C1", f"O{n}", "10.00")) for n in range(200)))
        assert Counter(a.json()["outcome"] for a in answers) == {"approved": 100, "referred": 100}
        assert await totals(transactions, "C1") == (Decimal(1000), 100)

    async def test_holds_for_a_group_whose_members_have_room_of_their_own(
        self, api: AsyncClient, second_api: AsyncClient, transactions: Transactions
    ) -> None:
        await open_account(transactions, "PARENT", limit="700.00", group_limit="1000.00")
        for name in ("CHILD1", "CHILD2"):
            await open_account(transactions, name, limit="700.00", parent_id="PARENT")
        members, servers = ("PARENT", "CHILD1", "CHILD2"), (api, second_api)
        answers = await asyncio.gather(
            *(ask(servers[n % 2], check(members[n % 3], f"O{n}", "10.00")) for n in range(201))
        )
        assert {a.status_code for a in answers} == {201}, [a.text for a in answers if a.status_code != 201][:3]
        assert Counter(a.json()["outcome"] for a in answers) == {"approved": 100, "referred": 101}
        codes = {r["code"] for a in answers if a.json()["outcome"] == "referred" for r in a.json()["reasons"]}
        assert "group_limit_exceeded" in codes


class TestExactlyOnce:
    async def test_gives_the_same_answer_again_byte_for_byte(
        self, api: AsyncClient, transactions: Transactions
    ) -> None:
        await open_account(transactions, "C1")
        first = await ask(api, check("C1", "A", "10"), "key")
        again = await ask(api, check("C1", "A", "10"), "key")
        assert (again.status_code, again.content) == (201, first.content)
        assert (first.headers.get("Idempotent-Replayed"), again.headers["Idempotent-Replayed"]) == (None, "true")

    async def test_decides_once_for_100_at_once_at_two_servers(
        self, api: AsyncClient, second_api: AsyncClient, transactions: Transactions
    ) -> None:
        await open_account(transactions, "C1")
        servers = (api, second_api)
        answers = await asyncio.gather(*(ask(servers[n % 2], check("C1", "A", "10"), "key") for n in range(100)))
        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.content for answer in answers}) == 1
        async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
            assert await tx.session.scalar(text("select count(*) from credit_checks")) == 1
        assert await totals(transactions, "C1") == (Decimal(10), 1)

    async def test_never_reserves_an_order_twice_under_other_keys(
        self, api: AsyncClient, second_api: AsyncClient, transactions: Transactions
    ) -> None:
        await open_account(transactions, "C1")
        servers = (api, second_api)
        answers = await asyncio.gather(*(ask(servers[n % 2], check("C1", "A", "10"), f"key {n}") for n in range(50)))
        assert {answer.json()["outcome"] for answer in answers} == {"approved"}
        assert await totals(transactions, "C1") == (Decimal(10), 1)

    async def test_refuses_a_key_that_was_used_for_another_request(
        self, api: AsyncClient, transactions: Transactions
    ) -> None:
        await open_account(transactions, "C1")
        bodies = [check("C1", "A", "10"), check("C1", "A", "11")]
        answers = await asyncio.gather(*(ask(api, body, "key") for body in bodies))
        later = await ask(api, check("C1", "B", "10"), "key")
        assert sorted(answer.status_code for answer in answers) == [201, 422]
        assert later.json()["code"] == "idempotency_key_reused"

    async def test_keeps_no_refusal_under_a_key(self, api: AsyncClient, transactions: Transactions) -> None:
        assert (await ask(api, check("LATER", "A", "10"), "key")).status_code == 404
        await open_account(transactions, "LATER")
        assert (await ask(api, check("LATER", "A", "10"), "key")).status_code == 201

    async def test_keeps_a_key_private_to_its_caller(
        self, api: AsyncClient, api_as: Any, transactions: Transactions
    ) -> None:
        await open_account(transactions, "C1")
        other = await api_as("orders:check")
        first, second = await ask(api, check("C1", "A", "10"), "key"), await ask(other, check("C1", "B", "10"), "key")
        assert (first.status_code, second.status_code) == (201, 201)


class TestBatch:
    async def test_answers_each_item_by_itself_in_order(self, api: AsyncClient, transactions: Transactions) -> None:
        await open_account(transactions, "C1")
        items: list[Any] = [check("C1", f"O{n}", "10.00") for n in range(150)]
        items[3] = {"customer_id": "C1"}
        items[5] = check("NOBODY", "X", "1")
        items[7] = "nothing"
        answer = await api.post(f"{CHECKS}/batch", json={"items": items})
        results = answer.json()["results"]
        assert (answer.status_code, [r["index"] for r in results]) == (207, list(range(150)))
        assert [results[n]["status"] for n in (3, 5, 7)] == [422, 404, 422]
        assert Counter(r["body"].get("outcome") for r in results) == {"approved": 100, "referred": 47, None: 3}
        assert [r["index"] for r in results if r["body"].get("outcome") == "approved"][-1] == 102

    async def test_decides_nothing_twice_under_one_key(self, api: AsyncClient, transactions: Transactions) -> None:
        await open_account(transactions, "C1")
        body = {"items": [check("C1", f"O{n}", "10.00") for n in range(20)]}
        headers = {"Idempotency-Key": "batch"}
        first = await api.post(f"{CHECKS}/batch", json=body, headers=headers)
        again = await api.post(f"{CHECKS}/batch", json=body, headers=headers)
        assert again.content == first.content
        async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
            await tx.session.execute(text("delete from idempotency_keys where key = 'batch'"))
        cut_off = await api.post(f"{CHECKS}/batch", json=body, headers=headers)
        assert cut_off.content == first.content
        assert await totals(transactions, "C1") == (Decimal(200), 20)

    async def test_refuses_more_than_a_thousand_items(self, api: AsyncClient) -> None:
        answer = await api.post(f"{CHECKS}/batch", json={"items": [{}] * 1001})
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/items")
