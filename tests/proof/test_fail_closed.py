"""What is not known, or fails, never lets an order leave; and the answer says which it was."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from secrets import token_hex
from typing import Any, Final

import pytest
from httpx import AsyncClient, Response
from sqlalchemy import text

from app.domains.exposure import service as exposure
from app.domains.orders.core import decide as deciding
from app.domains.orders.core.rules import RULES, Rule
from app.domains.policies.core.order_checks import OrderChecks
from app.infra.clock import FrozenClock
from app.infra.transaction import Transactions
from app.kernel.identity import SYSTEM
from tests.support.api import MONDAY
from tests.support.business import check as a_check

Json = dict[str, Any]
TODAY: Final = MONDAY.date()

EVERY_RULE: Final[Json] = {
    "limit": {"effect": "refer"},
    "group_limit": {"effect": "refer"},
    "missing_limit": {"effect": "refer"},
    "limit_expiry": {"effect": "refer"},
    "hold": {"effect": "warn"},
    "fx_rate": {"effect": "refer"},
    "order_value": {"effect": "warn", "max_amount": "100000"},
    "oldest_item": {"effect": "warn"},
    "overdue_share": {"effect": "warn", "max_percent": "50"},
    "overdue_with_utilisation": {"effect": "warn", "min_overdue_amount": "1", "min_utilisation_percent": "50"},
    "dunning_level": {"effect": "warn"},
    "payment_index": {"effect": "warn", "min_index": "10"},
    "grade": {"effect": "warn", "worst_allowed": "C"},
    "assessment_age": {"effect": "warn", "max_days": 365},
    "terms": {"effect": "warn"},
    "cover": {"effect": "warn", "min_covered_percent": "10"},
    "utilisation_warning": {"effect": "warn", "percent": "90"},
}
"""Every rule on, and no harsher than it may be: an error must not be softened to a warning."""


@pytest.fixture
async def customer(api: AsyncClient) -> str:
    """A customer whose orders up to 1,000.00 are approved."""
    await open_account(api, "C-1")
    assert (await check(api))["outcome"] == "approved"
    return "C-1"


class TestMissingFact:
    """One fact is missing; everything else speaks for the order."""

    async def test_no_account(self, api: AsyncClient) -> None:
        await put(api, "/v1/customers/C-1", {"name": "C-1", "country": "CN"})
        refused(await ask(api), 404, "account_not_found")

    async def test_no_policy(self, api: AsyncClient, customer: str, transactions: Transactions) -> None:
        await execute(transactions, "update policy_versions set effective_at = null")
        refused(await ask(api), 409, "policy_missing")
        await untouched(api)

    async def test_no_limit(self, api: AsyncClient) -> None:
        await open_account(api, "C-1", limit=None)
        await referred(api, "no_limit")

    async def test_a_limit_of_kind_none(self, api: AsyncClient, customer: str) -> None:
        await limit(api, kind="none", amount=None)
        await referred(api, "no_limit")

    async def test_a_limit_that_has_not_begun(self, api: AsyncClient) -> None:
        await open_account(api, "C-1", limit=None)
        await limit(api, valid_from=str(TODAY + timedelta(days=1)))
        await referred(api, "no_limit")

    async def test_an_expired_limit(self, api: AsyncClient, customer: str, clock: FrozenClock) -> None:
        await limit(api, valid_until=str(TODAY))
        assert (await check(api))["outcome"] == "approved"
        clock.move(by=timedelta(days=1))
        await referred(api, "limit_expired")

    async def test_an_expired_temporary_limit(self, api: AsyncClient, clock: FrozenClock) -> None:
        await open_account(api, "C-1", limit=None)
        await limit(api, valid_until=str(TODAY), temporary=True)
        assert (await check(api))["outcome"] == "approved"
        clock.move(by=timedelta(days=1))
        await referred(api, "no_limit")

    async def test_an_expired_group_limit(self, api: AsyncClient, customer: str, clock: FrozenClock) -> None:
        await limit(api, "group-limit", valid_until=str(TODAY))
        assert (await check(api))["outcome"] == "approved"
        clock.move(by=timedelta(days=1))
        await referred(api, "group_limit_exceeded")

    async def test_no_rate_from_the_order(self, api: AsyncClient, customer: str) -> None:
        await referred(api, "fx_rate_missing", currency="USD")

    async def test_no_rate_from_a_member_of_the_group(self, api: AsyncClient, customer: str) -> None:
        await open_account(api, "C-2", parent_id="C-1", currency="USD")
        await limit(api, "group-limit")
        assert (await check(api, customer_id="C-2", order_ref="O-2", currency="USD"))["outcome"] == "referred"
        invoice = {"invoice_no": "I", "customer_id": "C-2", "amount": "1", "currency": "USD", "issued_on": str(TODAY)}
        await post(api, "/v1/invoices", invoice)
        await referred(api, "fx_rate_missing")

    async def test_no_rate_for_an_amount_of_the_policy(self, api: AsyncClient) -> None:
        await activate(api, {"order_value": {"effect": "warn", "max_amount": "100000"}})
        await open_account(api, "C-1", currency="USD")
        decided = await referred(api, "rule_failed", currency="USD")
        assert [rule["rule"] for rule in decided["rules"] if rule["code"] == "rule_failed"] == ["order_value"]

    @pytest.mark.parametrize(
        ("rule", "parameters", "code"),
        [
            ("payment_index", {"min_index": "0"}, "payment_index_low"),
            ("grade", {"worst_allowed": "H"}, "grade_too_low"),
            ("assessment_age", {"max_days": 3650}, "assessment_missing"),
            ("cover", {"min_covered_percent": "0.01"}, "cover_insufficient"),
        ],
    )
    async def test_nobody_has_said(
        self, api: AsyncClient, customer: str, rule: str, parameters: Json, code: str
    ) -> None:
        await activate(api, {rule: {"effect": "refer", **parameters}})
        await referred(api, code)

    async def test_an_unknown_grade(self, api: AsyncClient, customer: str, transactions: Transactions) -> None:
        await activate(api, {"grade": {"effect": "refer", "worst_allowed": "H"}})
        await note_risk(transactions, grade="ZZ")
        await referred(api, "grade_too_low")

    async def test_a_stale_assessment(self, api: AsyncClient, customer: str, transactions: Transactions) -> None:
        await activate(api, {"assessment_age": {"effect": "refer", "max_days": 30}})
        await note_risk(transactions, assessed_on=TODAY - timedelta(days=31))
        await referred(api, "assessment_stale")

    async def test_a_cover_that_has_ended(self, api: AsyncClient, customer: str, transactions: Transactions) -> None:
        await activate(api, {"cover": {"effect": "refer", "min_covered_percent": "50"}})
        await note_risk(transactions, cover_amount=Decimal(1000), cover_until=TODAY - timedelta(days=1))
        await referred(api, "cover_insufficient")

    async def test_an_override_that_no_longer_fits(self, api: AsyncClient, customer: str) -> None:
        profiles = {"odd": {"grades": [{"name": "X"}], "scorecard": None, "approvals": None}}
        await activate(api, {}, profiles=profiles)
        patch = {"order_checks": {"grade": {"effect": "warn", "worst_allowed": "H"}}}
        override = {"patch": patch, "valid_until": str(TODAY + timedelta(days=9)), "reason": "agreed"}
        await put(api, "/v1/customers/C-1/policy-override", override)
        await post(api, "/v1/customers/C-1/policy-override/approve", {}, headers=await second_person(api))
        assert (await check(api))["outcome"] == "approved"
        await put(api, "/v1/customers/C-1", {"name": "C-1", "country": "CN", "profile": "odd"})
        refused(await ask(api), 409, "policy_override_unfit")
        await untouched(api)


class TestFailingRule:
    """An error inside a rule refers the order, and the rule is named."""

    @pytest.mark.parametrize("failing", RULES, ids=lambda rule: rule.name)
    async def test_refers(
        self,
        api: AsyncClient,
        customer: str,
        transactions: Transactions,
        monkeypatch: pytest.MonkeyPatch,
        failing: Rule,
    ) -> None:
        await activate(api, EVERY_RULE)
        await note_risk(
            transactions, grade="A", payment_index=Decimal(99), assessed_on=TODAY, cover_amount=Decimal(10_000)
        )
        assert (await check(api))["outcome"] == "approved"
        broken = [replace(rule, judge=_fails) if rule is failing else rule for rule in RULES]
        monkeypatch.setattr(deciding, "RULES", tuple(broken))
        decided = await referred(api, "rule_failed")
        [verdict] = [rule for rule in decided["rules"] if rule["code"] == "rule_failed"]
        assert (verdict["rule"], verdict["verdict"]) == (failing.name, "refer")
        [reason] = [reason for reason in decided["reasons"] if reason["code"] == "rule_failed"]
        assert failing.name in reason["message"]
        assert "ZeroDivisionError" in reason["message"]

    async def test_refers_when_all_fail(self, api: AsyncClient, customer: str, monkeypatch: pytest.MonkeyPatch) -> None:
        await activate(api, EVERY_RULE)
        monkeypatch.setattr(deciding, "RULES", tuple(replace(rule, judge=_fails) for rule in RULES))
        decided = await referred(api, "rule_failed")
        assert len(decided["reasons"]) == len(RULES)

    def test_every_rule_of_the_policy_is_judged(self) -> None:
        parameters = {name for name in OrderChecks.__dataclass_fields__ if not name.endswith(("_days", "_count"))}
        assert {rule.name for rule in RULES} == parameters == set(EVERY_RULE)


class TestFailureAroundTheRules:
    """What fails outside every rule is a failure of the request: nothing was decided, nothing is set aside."""

    @pytest.mark.parametrize("part", ["attempt", "reservation", "judge_all"])
    async def test_decides_nothing(
        self, api: AsyncClient, customer: str, monkeypatch: pytest.MonkeyPatch, part: str
    ) -> None:
        monkeypatch.setattr(deciding, part, _fails)
        refused(await ask(api), 500, "internal_error")
        monkeypatch.undo()
        await untouched(api)


def _fails(*_: object) -> Any:
    raise ZeroDivisionError


async def open_account(api: AsyncClient, customer_id: str, *, currency: str = "CNY", **more: Any) -> None:
    decided = more.pop("limit", "1000")
    await put(api, f"/v1/customers/{customer_id}", {"name": customer_id, "country": "CN", **more})
    await put(api, f"/v1/customers/{customer_id}/accounts/main", {"currency": currency})
    if decided is not None:
        path = f"/v1/customers/{customer_id}/accounts/main/limit"
        await post(api, path, {"kind": "granted", "amount": decided, "reason": "test"})


async def limit(api: AsyncClient, which: str = "limit", **decision: Any) -> None:
    asked = {"kind": "granted", "amount": "1000", "reason": "test", **decision}
    await post(api, f"/v1/customers/C-1/accounts/main/{which}", asked)


async def activate(api: AsyncClient, rules: Json, **sections: Any) -> None:
    """Puts the default policy with these rules in force."""
    document = (await api.get("/v1/policies/main")).json()["document"]
    checks = {**document["order_checks"], **rules}
    path = "/v1/policies/main/versions"
    draft = await post(api, path, {"document": {**document, "order_checks": checks, **sections}, "note": "test"})
    await post(api, f"{path}/{draft['version']}/submit", {})
    await post(api, f"{path}/{draft['version']}/approve", {}, headers=await second_person(api))
    await post(api, f"{path}/{draft['version']}/activate", {})


async def second_person(api: AsyncClient) -> dict[str, str]:
    """The headers of somebody who may approve what the administrator proposes."""
    made = await post(api, "/v1/api-keys", {"name": f"person {token_hex(4)}", "kind": "person", "scopes": ["admin"]})
    return {"Authorization": f"Bearer {made['key']}"}


async def note_risk(transactions: Transactions, **facts: Any) -> None:
    async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
        await exposure.note_risk(tx, customer_id="C-1", segment="main", **facts)


async def execute(transactions: Transactions, statement: str) -> None:
    async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
        await tx.session.execute(text(statement))


async def ask(api: AsyncClient, order_ref: str = "O-1", **more: Any) -> Response:
    asked = {**a_check("C-1", order_ref, "10.00"), **more}
    return await api.post("/v1/credit-checks", json=asked)


async def check(api: AsyncClient, **more: Any) -> Json:
    """What a fresh order of 10.00 comes to; it sets nothing aside."""
    answer = await ask(api, **{"reserve": False, **more})
    assert answer.status_code == 201, answer.text
    decided: Json = answer.json()
    return decided


async def referred(api: AsyncClient, code: str, **more: Any) -> Json:
    """Asserts that the order is referred for this reason, nothing else, and sets nothing aside."""
    decided = await check(api, reserve=True, **more)
    reasons = {reason["code"] for reason in decided["reasons"] if reason["effect"] != "warn"}
    assert (decided["outcome"], reasons, decided["reservation"]) == ("referred", {code}, None)
    assert all(reason["message"] for reason in decided["reasons"])
    await untouched(api)
    return decided


async def untouched(api: AsyncClient) -> None:
    """Asserts that no order of the customer has anything set aside."""
    orders = (await api.get("/v1/orders?customer_id=C-1")).json()["items"]
    assert {order["open"] for order in orders} <= {"0.00"}


def refused(answer: Response, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


async def put(api: AsyncClient, path: str, body: Json) -> Json:
    return _taken(await api.put(path, json=body))


async def post(api: AsyncClient, path: str, body: Json, *, headers: dict[str, str] | None = None) -> Json:
    return _taken(await api.post(path, json=body, headers=headers))


def _taken(answer: Response) -> Json:
    assert answer.is_success, answer.text
    document: Json = answer.json()
    return document
