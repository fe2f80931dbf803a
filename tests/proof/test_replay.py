"""A thousand stored decisions replay identically, whatever has changed since; a tampered fact shows."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from random import Random
from typing import Any, Final

import pytest
from sqlalchemy import text

from app.infra.transaction import Transaction
from app.kernel.identity import SYSTEM
from tests.proof.background import Background

DECISIONS: Final = 1_000
SEED: Final = int(os.environ.get("REPLAY_SEED", "20260302"))
BATCH: Final = 50
CUSTOMERS: Final = 12
CURRENCIES: Final = ("CNY", "CNY", "EUR", "JPY", "USD")
Json = dict[str, Any]


class Company:
    """Customers of every kind, decided on at random; what is decided about them changes all the time."""

    def __init__(self, background: Background, seed: int) -> None:
        self.background = background
        self.random = Random(seed)
        self.document: Json = background.get("/v1/policies/main")["document"]
        self.asked = 0
        self.second = self._key("second pair of eyes", ["policies:approve", "orders:release", "reports:read"])
        self._quote()
        for number in range(CUSTOMERS):
            self._open_account(number)
        for group in (0, 1):
            self._decide_limit(group, "group-limit")

    def decide(self, checks: int) -> list[str]:
        """The ids of so many fresh checks, in batches; the world moves between the batches."""
        decided: list[str] = []
        while len(decided) < checks:
            items = [self._check() for _ in range(min(BATCH, checks - len(decided)))]
            results = self.background.post("/v1/credit-checks/batch", {"items": items})["results"]
            assert {result["status"] for result in results} <= {201, 409, 422, 503}, results  # 503: a busy machine
            decided += [result["body"]["id"] for result in results if result["status"] == 201]
            self.change()
        return decided

    def change(self) -> None:
        """Something that the next decisions will see, and the earlier ones must not."""
        self.background.clock.move(by=timedelta(hours=self.random.randint(1, 40)))
        for number in self.random.sample(range(CUSTOMERS), 3):
            self._decide_limit(number, "limit")
        change = self.random.choice(
            [self._quote, self.activate, self.override, self._hold, self._release, self._invoice]
        )
        change()

    def activate(self) -> None:
        """A new version of the policy, with other rules at other thresholds."""
        path, pick = "/v1/policies/main/versions", self.random.choice
        rules = {
            "limit": {"effect": pick(["refer", "decline"]), "tolerance_percent": pick(["0", "5", "12.5"])},
            "order_value": pick([None, {"effect": self._effect(), "max_amount": pick(["100", "750.50"])}]),
            "oldest_item": pick(
                [None, {"effect": self._effect(), "max_days_overdue": pick([0, 30]), "min_amount": "1.00"}]
            ),
            "overdue_share": pick(
                [None, {"effect": self._effect(), "max_percent": pick(["0", "40"]), "older_than_days": 3}]
            ),
            "grade": pick([None, {"effect": self._effect(), "worst_allowed": pick("CF")}]),
            "assessment_age": pick([None, {"effect": self._effect(), "max_days": 30}]),
            "terms": pick([None, {"effect": self._effect()}]),
            "cover": pick([None, {"effect": self._effect(), "min_covered_percent": "50"}]),
            "horizon_days": pick([None, 0, 14]),
            "held_orders_count": pick([True, False]),
            "reservation_days": pick([1, 7, 30]),
        }
        document = {**self.document, "order_checks": {**self.document["order_checks"], **rules}}
        profiles = {"key": {"order_checks": {"limit": {"tolerance_percent": pick(["10", "20"])}}}}
        draft = self.background.post(path, {"document": {**document, "profiles": profiles}, "note": "another"})
        self._move(f"{path}/{draft['version']}/submit")
        self._move(f"{path}/{draft['version']}/approve", key=self.second)
        self._move(f"{path}/{draft['version']}/activate")

    def override(self) -> None:
        """A rule of its own for one customer, approved by a second person."""
        path = f"/v1/customers/{self._name(self.random.randrange(CUSTOMERS))}/policy-override"
        rules = {"reservation_days": self.random.randint(1, 60), "order_value": {"effect": "refer", "max_amount": "90"}}
        until = (self.background.clock.now() + timedelta(days=self.random.randint(0, 20))).date().isoformat()
        self.background.put(path, {"patch": {"order_checks": rules}, "valid_until": until, "reason": "agreed"})
        self._move(f"{path}/approve", key=self.second)

    def reprofile(self) -> None:
        """Other particulars for everybody."""
        for number in range(CUSTOMERS):
            self._put_customer(number, profile=self.random.choice(["key", "default", "nobody knows it"]))

    # ---- how -----------------------------------------------------------------------------------------------

    def _check(self) -> Json:
        self.asked += 1
        pick = self.random.choice
        currency = pick(CURRENCIES)
        amount = self.random.randint(1, 60_000)
        return {
            "customer_id": self._name(self.random.randrange(CUSTOMERS)),
            "order_ref": f"O-{self.asked if self.random.random() < 0.7 else self.random.randint(1, self.asked)}",
            "amount": str(amount) if currency == "JPY" else f"{amount // 100}.{amount % 100:02}",
            "currency": currency,
            "checkpoint": pick(["order", "order", "shipment"]),
            "reserve": pick([True, True, False]),
            "reservation_days": pick([None, 0, 3, 90]),
            "requested_ship_on": pick([None, self._day(1), self._day(25)]),
            "payment_terms": pick([None, None, {"net_days": 60}, {"kind": "prepaid"}, {"discount_percent": "4.5"}]),
        }

    def _open_account(self, number: int) -> None:
        self._put_customer(number, profile=self.random.choice(["key", "default"]))
        currency = self.random.choice(["CNY", "CNY", "EUR", "JPY"])
        self.background.put(f"{self._path(number)}/accounts/main", {"currency": currency})
        self._decide_limit(number, "limit")

    def _put_customer(self, number: int, *, profile: str) -> None:
        """Customers 0 and 1 head groups."""
        parent = self._name(number % 2) if 2 <= number < 7 else None
        customer = {"name": f"Customer {number}", "country": "CN", "parent_id": parent, "profile": profile}
        self.background.put(self._path(number), customer)

    def _decide_limit(self, number: int, which: str) -> None:
        pick = self.random.choice
        kind = "granted" if which == "group-limit" else pick(["granted"] * 6 + ["unlimited", "none"])
        temporary = which == "limit" and pick([True, False])
        self.background.post(
            f"{self._path(number)}/accounts/main/{which}",
            {
                "kind": kind,
                "amount": pick(["0", "400", "1500", "20000"]) if kind == "granted" else None,
                "valid_until": self._day(self.random.randint(0, 9)) if temporary else pick([None, self._day(4)]),
                "temporary": temporary,
                "reason": "test",
            },
        )

    def _quote(self) -> None:
        """USD has no rate until the first time that one is published."""
        rates = {"CNY": f"7.{self.random.randint(100, 999)}", "JPY": f"16{self.random.randint(0, 9)}.05"}
        if self.asked > DECISIONS // 3:
            rates["USD"] = f"1.{self.random.randint(10, 30)}"
        self.background.put(f"/v1/fx-rates/{self._day(0)}", {"base": "EUR", "rates": rates})

    def _effect(self) -> str:
        return self.random.choice(["warn", "refer", "decline"])

    def _hold(self) -> None:
        path = f"{self._path(self.random.randrange(CUSTOMERS))}/accounts/main/hold"
        self.background.post(path, {"kind": self.random.choice(["soft", "forced"]), "reason": "test"})

    def _release(self) -> None:
        waiting = self.background.get("/v1/credit-checks?review=open&limit=5")["items"]
        for check in waiting:
            self.background.call(
                "POST", f"/v1/credit-checks/{check['id']}/release", json={"reason": "x"}, key=self.second
            )

    def _invoice(self) -> None:
        for number in range(CUSTOMERS):
            self.background.post(
                "/v1/invoices",
                {
                    "invoice_no": f"I-{self.asked}-{number}",
                    "customer_id": self._name(number),
                    "amount": str(self.random.randint(1, 90)),
                    "currency": "CNY",
                    "issued_on": self._day(-60),
                    "net_days": self.random.randint(1, 90),
                    "fx_rate": None if self._account_currency(number) == "CNY" else "0.128",
                },
            )

    def _account_currency(self, number: int) -> str:
        currency: str = self.background.get(f"{self._path(number)}/accounts/main")["currency"]
        return currency

    def _move(self, path: str, **keyed: str) -> None:
        response = self.background.call("POST", path, json={}, **keyed)
        assert response.is_success, response.text

    def _key(self, name: str, scopes: list[str]) -> str:
        made: Json = self.background.post("/v1/api-keys", {"name": name, "kind": "person", "scopes": scopes})
        return str(made["key"])

    def _day(self, days: int) -> str:
        return (self.background.clock.now() + timedelta(days=days)).date().isoformat()

    def _name(self, number: int) -> str:
        return f"C-{number}"

    def _path(self, number: int) -> str:
        return f"/v1/customers/{self._name(number)}"


class TestReplay:
    """What was decided can be had again, from what was stored and from nothing else."""

    @pytest.mark.timeout(900)
    def test_gives_a_thousand_decisions_again(self, company: Background) -> None:
        world = Company(company, SEED)
        decided = world.decide(DECISIONS)
        _are_varied(company, decided)
        world.activate()
        world.override()
        world.reprofile()
        differing = {check_id: found for check_id in decided if not (found := _replay(company, check_id))["identical"]}
        assert differing == {}

    @pytest.mark.parametrize(
        ("where", "lie"),
        [
            ("account.exposure.receivables", '"900"'),
            ("account.base_limit.amount", '"400"'),
            ("account.hold", '"soft"'),
            ("request.amount", '"100.01"'),
            ("rates.order", '"2"'),
            ("at", '"2026-03-01T09:00:00+00:00"'),
            ("account.exposure", '"nothing"'),
        ],
    )
    def test_says_that_a_tampered_fact_differs(self, company: Background, where: str, lie: str) -> None:
        company.put("/v1/customers/X", {"name": "X", "country": "CN"})
        company.put("/v1/customers/X/accounts/main", {"currency": "CNY"})
        limit = {"kind": "granted", "amount": "500", "reason": "test"}
        company.post("/v1/customers/X/accounts/main/limit", limit)
        check = {"customer_id": "X", "order_ref": "O", "amount": "100", "currency": "CNY"}
        check_id = company.post("/v1/credit-checks", check)["id"]
        assert _replay(company, check_id)["identical"]
        company.run(_tamper(company, check_id, where, lie))
        replayed = _replay(company, check_id)
        assert not replayed["identical"]
        assert replayed["differing"]


def _replay(company: Background, check_id: str) -> Json:
    found: Json = company.get(f"/v1/credit-checks/{check_id}/replay")
    return found


def _are_varied(company: Background, decided: list[str]) -> None:
    """The thousand are worth replaying: every outcome, most codes, every currency, several versions."""
    checks = [check for check in _listed(company) if check["id"] in decided]
    assert len(checks) == len(decided)
    assert {check["outcome"] for check in checks} == {"approved", "referred", "declined"}
    assert {check["currency"] for check in checks} == set(CURRENCIES)
    assert len({check["policy"]["version"] for check in checks}) > 1
    assert {check["policy"]["profile"] for check in checks} >= {"key", "default"}
    assert any(check["policy"]["override_id"] for check in checks)
    assert any(check["limit"]["temporary"] for check in checks)
    codes = {reason["code"] for check in checks for reason in check["reasons"]}
    assert len(codes) >= 10, sorted(codes)


def _listed(company: Background) -> Iterator[Json]:
    """Every check, a page at a time."""
    cursor: str | None = ""
    while cursor is not None:
        page = company.get(f"/v1/credit-checks?limit=500{cursor}")
        yield from page["items"]
        cursor = f"&cursor={page['next_cursor']}" if page["next_cursor"] else None


async def _tamper(company: Background, check_id: str, where: str, lie: str) -> None:
    async with company.transactions.begin(actor=SYSTEM, request_id="tampering") as tx:
        await _write_lie(tx, check_id, where, lie)


async def _write_lie(tx: Transaction, check_id: str, where: str, lie: str) -> None:
    statement = text(
        "update credit_checks set facts = jsonb_set(facts::jsonb, cast(:where as text[]), cast(:lie as jsonb))::text"
        " where id = cast(:id as uuid)"
    )
    await tx.session.execute(statement, {"where": where.split("."), "lie": lie, "id": check_id})
