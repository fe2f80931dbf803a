"""The machine under the pipeline: a company behind the API and its model, told the same, compared after each step."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import count
from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant
from sqlalchemy import text

from app.domains.monitoring import service as monitoring
from app.kernel.identity import SYSTEM, uuid7
from tests.proof.background import Background
from tests.proof.documents import Account, Ask, Item, Line, Refused
from tests.proof.model import Model

ACCOUNTS: Final = {
    "head": Account("CNY", Decimal(600)),
    "euro": Account("EUR", Decimal(90)),
    "yen": Account("JPY", Decimal(12_000)),
    "solo": Account("CNY", Decimal(500)),
}
MEMBERS: Final = ("head", "euro", "yen")
GROUP_LIMIT: Final = Decimal(1200)
QUOTES: Final = {"EUR": ("7.81", "7.9", "8.013"), "JPY": ("0.0479", "0.05", "0.051")}
COMPONENTS: Final = ("receivables", "open_orders", "delivered", "unallocated_credits")
LARGEST: Final = {"CNY": 40_000, "EUR": 6_000, "JPY": 8_000}
"""The largest amount of each currency, in minor units: a few orders fill a limit."""

currencies = st.sampled_from(["CNY", "CNY", "EUR", "JPY"])
customers = st.sampled_from(sorted(ACCOUNTS))


class Machine(RuleBasedStateMachine):
    """A group of three in three currencies and one beside it, driven through the API; the model is told the same."""

    company: Background
    releaser: str
    examples: Iterator[int]

    def __init__(self) -> None:
        super().__init__()
        self.prefix = f"E{next(self.examples)}-"
        self.numbers = count(1)
        self.company.clock.move(by=timedelta(days=1))  # behind every account of the examples before
        self.began = uuid7(self.company.clock.now(), 0)
        self.versions: dict[str, int] = {}
        self.touched: set[str] = set()
        """The customers whose accounts may have changed since the last look, if only by the time."""
        self.model = Model(
            now=self.company.clock.now(),
            accounts={self.prefix + name: account for name, account in ACCOUNTS.items()},
            head=self.prefix + "head",
            members=frozenset(self.prefix + name for name in MEMBERS),
            group_limit=GROUP_LIMIT,
            quotes={},
        )
        for currency, quoted in QUOTES.items():
            self.quote(currency, quoted[0])
        for name in ("head", "euro", "yen", "solo"):
            self.open_account(name)
        self.post(f"{self.account('head')}/group-limit", {"kind": "granted", "amount": GROUP_LIMIT})

    def open_account(self, name: str) -> None:
        account = ACCOUNTS[name]
        parent = self.prefix + "head" if name in MEMBERS and name != "head" else None
        customer = {"name": name, "country": "CN", "parent_id": parent}
        self.company.put(f"/v1/customers/{self.prefix}{name}", customer)
        self.company.put(self.account(name), {"currency": account.currency})
        self.post(f"{self.account(name)}/limit", {"kind": "granted", "amount": account.limit})

    def set_hold(self, name: str, kind: str) -> None:
        customer = self.prefix + name
        self.model.accounts[customer] = replace(self.model.accounts[customer], hold=kind)
        self.touched.add(customer)

    def quote(self, currency: str, rate: str) -> None:
        self.company.put(f"/v1/fx-rates/{self.today}", {"base": currency, "rates": {"CNY": rate}})
        self.model.quote(currency, Decimal(rate), self.today)
        self.touched.add(self.model.head)

    # ---- what must hold after every step -------------------------------------------------------------------

    @invariant()
    def accounts_agree_with_the_model(self) -> None:
        for customer in sorted(self.touched):
            self.account_agrees(customer)
            self.orders_agree(customer)
        self.touched.clear()
        assert self.company.run(self.stored()) == {c: self.model.components(c) for c in self.model.accounts}

    def account_agrees(self, customer: str) -> None:
        shown = self.company.get(f"/v1/customers/{customer}/accounts/main")
        account, exposure, expected = self.model.accounts[customer], shown["exposure"], self.model.components(customer)
        assert tuple(Decimal(exposure[name]) for name in COMPONENTS) == expected, customer
        total = self.model.total(customer)
        assert (Decimal(exposure["total"]), Decimal(shown["headroom"])) == (total, account.limit - total)
        assert shown["hold"]["kind"] == self.model.hold(customer)
        assert shown["version"] >= self.versions.get(customer, 0)
        self.versions[customer] = shown["version"]
        if customer in self.model.members:
            assert Decimal(shown["group"]["exposure"]) == self.model.group_total()

    def orders_agree(self, customer: str) -> None:
        listed = self.company.get(f"/v1/orders?customer_id={customer}&limit=500")["items"]
        shown = {order["order_ref"]: order for order in listed}
        orders = {ref: order for ref, order in self.model.orders.items() if order.customer == customer}
        assert shown.keys() == orders.keys()
        for ref, order in orders.items():
            names = ("approved", "shipped", "invoiced", "open", "delivered", "held")
            found = [shown[ref]["state"], *(Decimal(shown[ref][name]) for name in names)]
            assert found == [order.state, *(getattr(order, name) for name in names)], ref

    async def stored(self) -> dict[str, tuple[Decimal, ...]]:
        """The totals of every account, touched or not."""
        async with self.company.transactions.begin(actor=SYSTEM, request_id="proof") as tx:
            columns = text(f"select customer_id, {', '.join(COMPONENTS)} from accounts where id > :began")
            return {row[0]: tuple(row[1:]) for row in await tx.session.execute(columns, {"began": self.began})}

    def teardown(self) -> None:
        self.touched.update(self.model.accounts)
        self.accounts_agree_with_the_model()

    @invariant()
    def totals_ledger_and_documents_agree(self) -> None:
        proofs = self.company.run(self.prove())
        assert [drift for proof in proofs for drift in proof.drifts] == []
        assert (proofs[0].accounts, proofs[1].groups) == (len(ACCOUNTS), 1)

    async def prove(self) -> list[monitoring.Proof]:
        proofs = []
        for prove in (monitoring.prove_accounts, monitoring.prove_groups):
            async with self.company.transactions.begin(actor=SYSTEM, request_id="proof") as tx:
                proofs.append(await prove(tx, after=self.began))
        return proofs

    # ---- telling both --------------------------------------------------------------------------------------

    @contextmanager
    def compared(
        self, method: str, path: str, body: Any, *, key: str | None = None, batch: bool = False, again: bool = False
    ) -> Iterator[Answer]:
        """Asks the API, then lets the model do the same inside the block: both accept, or both refuse alike.

        With `again` what was accepted is asked for twice: the second time nothing happens.
        """
        keyed = {} if key is None else {"key": key}
        before = deepcopy(self.model)
        answer = batched(self.company, path, body) if batch else single(self.company, method, path, body, **keyed)
        try:
            yield answer
        except Refused as refused:
            expected: str | None = refused.code
        else:
            expected = None
            self.touch_what_differs(before)
        assert expected == (None if answer.accepted else answer.document["code"]), answer
        if expected is not None:
            return
        if again:
            repeated = single(self.company, method, path, body)
            assert (repeated.status, repeated.document) == (200, answer.document)
        self.expire()

    def expire(self) -> None:
        before = deepcopy(self.model)
        self.model.expire()
        self.touch_what_differs(before)

    def touch_what_differs(self, before: Model) -> None:
        self.touched.update(customer for customer in self.model.accounts if self.model.differs(before, customer))

    @property
    def today(self) -> date:
        return self.company.clock.now().date()

    def fresh(self, kind: str) -> str:
        """A reference of its own, with characters that paths must encode."""
        return f"{kind}{self.prefix}{next(self.numbers):03}"

    def account(self, name: str) -> str:
        return f"/v1/customers/{self.prefix}{name}/accounts/main"

    def post(self, path: str, body: dict[str, Any]) -> None:
        texts = {name: str(value) if isinstance(value, Decimal) else value for name, value in body.items()}
        self.company.post(path, {**texts, "reason": "test"})


@dataclass(frozen=True)
class Answer:
    """What the API said, alone or inside a batch."""

    status: int
    document: dict[str, Any]

    @property
    def accepted(self) -> bool:
        """Whether it did what was asked."""
        return 200 <= self.status < 300


def single(company: Background, method: str, path: str, body: Any, **keyed: str) -> Answer:
    response = company.call(method, path, json=body, **keyed)
    return Answer(response.status_code, response.json())


def batched(company: Background, path: str, body: Any) -> Answer:
    [result] = company.post(f"{path}/batch", {"items": [body]})["results"]
    return Answer(result["status"], result["body"])


def check_body(ask: Ask) -> dict[str, Any]:
    return {
        "customer_id": ask.customer,
        "order_ref": ask.order_ref,
        "amount": str(ask.amount),
        "currency": ask.currency,
        "checkpoint": ask.checkpoint,
        "reserve": ask.reserve,
        "reservation_days": ask.days,
        "requested_ship_on": ask.ship_on and ask.ship_on.isoformat(),
        "replaces": [{"order_ref": part.order_ref, "amount": str(part.amount)} for part in ask.replaces],
    }


def item_body(item: Item, today: date) -> dict[str, Any]:
    shares = [{"order_ref": s.order_ref, "amount": str(s.amount), "complete": s.complete} for s in item.shares]
    return {
        "invoice_no": item.number,
        "customer_id": item.customer,
        "kind": "credit_note" if item.credit else "invoice",
        "amount": str(item.amount),
        "currency": item.currency,
        "issued_on": today.isoformat(),
        "due_on": item.due_on.isoformat(),
        "orders": shares,
        "related_invoice_no": item.related,
        **plan_body(item),
        **discount_body(item, today),
    }


def plan_body(item: Item) -> dict[str, Any]:
    """When the item is due: by its instalments, or at once."""
    if not item.plan:
        return {}
    parts = [{"due_on": day.isoformat(), "amount": str(amount)} for day, amount in item.plan]
    return {"due_on": None, "instalments": parts}


def discount_body(item: Item, today: date) -> dict[str, Any]:
    """What paying it early earns, if anything."""
    if item.discount is None:
        return {}
    percent, until = item.discount
    return {"discount_percent": str(percent), "discount_days": (until - today).days}


def line_body(line: Line) -> dict[str, str]:
    body = {"invoice_no": line.number, "amount": str(line.amount), "discount": str(line.discount)}
    return body if line.settles is None else {**body, "settles": str(line.settles)}
