"""Order, shipment, invoice, payment, in parts and in any order: totals = ledger = documents = a plain model, always.

`HYPOTHESIS_PROFILE=long` runs many more examples.
"""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import count
from typing import Final

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule, run_state_machine_as_test

from tests.proof import documents
from tests.proof.background import Background, encoded
from tests.proof.documents import Ask, Item, Replaced, Share
from tests.proof.drawing import amounts, mostly, of, some
from tests.proof.machine import (
    ACCOUNTS,
    QUOTES,
    check_body,
    currencies,
    customers,
    item_body,
)
from tests.proof.paying import Paying
from tests.proof.seeds import adopt
from tests.proof.settling import RULES

LONG: Final = os.environ.get("HYPOTHESIS_PROFILE") == "long"
EXAMPLES: Final = 1_000 if LONG else 25
STEPS: Final = 100 if LONG else 50


class Pipeline(Paying):
    """Every call of the API, in any sequence that Hypothesis finds."""

    # ---- credit checks -------------------------------------------------------------------------------------

    @rule(data=st.data(), name=customers, currency=currencies, reserve=st.sampled_from([True, True, True, False]))
    def check_new(self, data: st.DataObject, name: str, currency: str, reserve: bool) -> None:
        self.check(data, self.fresh("O/"), self.prefix + name, currency, reserve)

    @some("orders")
    @rule(data=st.data(), ref=of("orders"), reserve=st.sampled_from([True, True, True, False]))
    def check_again(self, data: st.DataObject, ref: str, reserve: bool) -> None:
        order = self.model.orders[ref]
        self.check(data, ref, order.customer, order.currency, reserve)

    @some("orders")
    @rule(data=st.data(), ref=of("orders"), name=customers, currency=currencies)
    def check_as_somebody_else(self, data: st.DataObject, ref: str, name: str, currency: str) -> None:
        self.check(data, ref, self.prefix + name, currency, reserve=True)

    def check(self, data: st.DataObject, ref: str, customer: str, currency: str, reserve: bool) -> None:
        ask = Ask(
            order_ref=ref,
            customer=customer,
            amount=self.amount_for(data, ref, customer, currency),
            currency=currency,
            checkpoint=data.draw(st.sampled_from(["order", "order", "shipment"])),
            reserve=reserve,
            days=data.draw(st.sampled_from([None, None, None, 0, 5])),
            ship_on=data.draw(st.none() | st.integers(0, 60).map(lambda days: self.today + timedelta(days=days))),
            replaces=self.replaced(data, ref, customer),
        )
        with self.compared("POST", "/v1/credit-checks", check_body(ask)) as answer:
            judged = self.model.check(ask)
        if not answer.accepted:
            return
        decided = answer.document
        objections = frozenset(reason["code"] for reason in decided["reasons"] if reason["effect"] != "warn")
        assert (decided["outcome"], objections) == (judged.outcome, judged.codes)
        assert Decimal(decided["headroom_after"]) == self.model.accounts[customer].limit - judged.after
        if judged.outcome == "referred" and reserve:
            self.model.refer(decided["id"], ask, judged)
        if decided["reservation"] is not None:
            assert Decimal(decided["reservation"]["amount"]) == judged.asked.open

    def amount_for(self, data: st.DataObject, ref: str, customer: str, currency: str) -> Decimal:
        """Any amount, or one that leaves the account exactly at its limit, or a little above."""
        account = self.model.accounts[customer]
        known = self.model.orders.get(ref)
        room = account.limit - self.model.total(customer) + (known.open if known else 0)
        exact = [room, room + Decimal("0.01")] if currency == account.currency == "CNY" and room > 1 else []
        drawn: Decimal = data.draw(st.one_of(amounts(currency), *map(st.just, exact)), label="amount")
        return drawn

    def replaced(self, data: st.DataObject, ref: str, customer: str) -> tuple[Replaced, ...]:
        others = [r for r, order in self.model.orders.items() if order.customer == customer and r != ref]
        if not others or data.draw(st.integers(0, 3)):
            return ()
        chosen = data.draw(st.lists(st.sampled_from(sorted(others)), unique=True, max_size=2), label="replaces")
        return tuple(Replaced(r, data.draw(amounts(self.model.orders[r].currency))) for r in chosen)

    @some("reviews")
    @rule(check_id=of("reviews"), move=st.sampled_from(["release", "release", "reject"]))
    def review(self, check_id: str, move: str) -> None:
        path = f"/v1/credit-checks/{check_id}/{move}"
        with self.compared("POST", path, {"reason": "known for years"}, key=self.releaser):
            getattr(self.model, move)(check_id)

    # ---- orders and shipments ------------------------------------------------------------------------------

    @rule(data=st.data(), name=customers, currency=currencies, shipped=st.booleans(), invoiced=st.booleans())
    def load(self, data: st.DataObject, name: str, currency: str, shipped: bool, invoiced: bool) -> None:
        asked = [
            data.draw(amounts(currency) if wanted else st.just(documents.ZERO)) for wanted in (True, shipped, invoiced)
        ]
        ref, customer = self.fresh("O/"), self.prefix + name
        body = {"customer_id": customer, "order_ref": ref, "currency": currency}
        texts = dict(zip(("approved", "shipped", "invoiced"), map(str, asked), strict=True))
        with self.compared("POST", "/v1/orders", {**body, **texts}):
            self.model.load(ref, customer, currency, (asked[0], asked[1], asked[2]))

    @some("orders")
    @rule(data=st.data(), ref=of("orders"), part=st.sampled_from(["rest", "some", "some"]), left=st.booleans())
    def ship(self, data: st.DataObject, ref: str, part: str, left: bool) -> None:
        order = self.model.orders[ref]
        rest = order.approved - order.shipped
        amount = rest if part == "rest" and rest > 0 else data.draw(amounts(order.currency), label="amount")
        shipment = self.fresh("S/")
        body = {"shipment_ref": shipment, "amount": str(amount), "already_left": left}
        with self.compared("POST", f"/v1/orders/{encoded(ref)}/shipments", body, again=True):
            self.model.ship(ref, shipment, amount, already_left=left)

    @some("shipments")
    @rule(shipment=mostly("sent", "shipments"), reorder=st.booleans())
    def take_back(self, shipment: str, reorder: bool) -> None:
        order = encoded(self.model.shipments[shipment].order_ref)
        path = f"/v1/orders/{order}/shipments/{encoded(shipment)}/reverse"
        with self.compared("POST", path, {"reason": "refused at the gate", "reorder": reorder}):
            self.model.take_back(shipment, reorder=reorder)

    @some("orders")
    @rule(ref=of("orders"), move=st.sampled_from(["cancel", "close"]))
    def end(self, ref: str, move: str) -> None:
        with self.compared("POST", f"/v1/orders/{encoded(ref)}/{move}", {"reason": "the customer changed its mind"}):
            getattr(self.model, move)(ref)

    # ---- invoices and payments -----------------------------------------------------------------------------

    @rule(data=st.data(), name=customers, currency=currencies, batch=st.booleans())
    def invoice(self, data: st.DataObject, name: str, currency: str, batch: bool) -> None:
        customer, amount = self.prefix + name, data.draw(amounts(currency), label="amount")
        shares = self.billed(data, customer, currency, amount)
        plan = self.plan(data, currency, amount)
        item = Item("I/", customer, False, amount, currency, self.due(data), Decimal(1), shares)
        self.post_item(data, replace(item, plan=plan, discount=None if plan else self.discount(data)), batch)

    @some("orders")
    @rule(data=st.data(), ref=of("orders"), exact=st.booleans(), complete=st.booleans())
    def invoice_order(self, data: st.DataObject, ref: str, exact: bool, complete: bool) -> None:
        order = self.model.orders[ref]
        amount = order.delivered if exact and order.delivered else data.draw(amounts(order.currency), label="amount")
        shares = (Share(ref, amount, complete),)
        due = self.due(data)
        self.post_item(data, Item("I/", order.customer, False, amount, order.currency, due, Decimal(1), shares), False)

    @rule(data=st.data(), name=customers, currency=currencies, batch=st.booleans())
    def credit_note(self, data: st.DataObject, name: str, currency: str, batch: bool) -> None:
        amount = data.draw(amounts(currency), label="amount")
        related = data.draw(st.none() | mostly("payable", "items")) if self.model.items else None
        due = self.today
        item = Item("N/", self.prefix + name, True, amount, currency, due, Decimal(1), related=related)
        self.post_item(data, item, batch)

    def billed(self, data: st.DataObject, customer: str, currency: str, amount: Decimal) -> tuple[Share, ...]:
        """Up to two orders, known or not, whose parts are no more than the invoice."""
        own = [r for r, order in self.model.orders.items() if (order.customer, order.currency) == (customer, currency)]
        anybodys = sorted(self.model.orders)
        known = st.sampled_from([*sorted(own) * 4, *anybodys]) if anybodys else st.nothing()
        refs = data.draw(st.lists(known | st.just(self.fresh("U/")), max_size=2, unique=True), label="orders")
        part = documents.rounded(amount / (len(refs) or 1) - (Decimal("0.5") if len(refs) > 1 else 0), currency)
        return tuple(Share(ref, part, data.draw(st.booleans(), label="complete")) for ref in refs if part > 0)

    def due(self, data: st.DataObject) -> date:
        """In the far future: this is about amounts, not about who is late."""
        return date(2190, 1, data.draw(st.integers(1, 3), label="due"))

    def discount(self, data: st.DataObject) -> tuple[Decimal, date] | None:
        """What paying early earns, of half of the invoices."""
        days = data.draw(st.sampled_from([None, None, None, 0, 5, 40]), label="discount days")
        percent = data.draw(st.sampled_from([Decimal(2), Decimal("3.5")]), label="discount")
        return None if days is None else (percent, self.today + timedelta(days=days))

    def post_item(self, data: st.DataObject, drawn: Item, batch: bool) -> None:
        rate = self.drawn_rate(data, drawn.customer, drawn.currency)
        item = replace(drawn, number=self.fresh(drawn.number), rate=rate[0], dated_on=self.today)
        body = {**item_body(item, self.today), **rate[1]}
        with self.compared("POST", "/v1/invoices", body, batch=batch, again=True):
            self.model.post_item(item)

    @some("items")
    @rule(number=mostly("payable", "items"))
    def cancel_item(self, number: str) -> None:
        with self.compared("POST", f"/v1/invoices/{encoded(number)}/cancel", {"reason": "typo"}):
            self.model.cancel_item(number)

    # ---- the world -----------------------------------------------------------------------------------------

    @rule(hours=st.sampled_from([1, 1, 24, 5 * 24, 31 * 24]))
    def wait(self, hours: int) -> None:
        self.company.clock.move(by=timedelta(hours=hours))
        self.model.now = self.company.clock.now()
        for customer in self.model.accounts:  # what has expired is freed when its account is looked at
            self.company.get(f"/v1/customers/{customer}/accounts/main")
        self.expire()
        self.clear()

    @rule(data=st.data(), currency=st.sampled_from(sorted(QUOTES)))
    def quote_anew(self, data: st.DataObject, currency: str) -> None:
        self.quote(currency, data.draw(st.sampled_from(QUOTES[currency]), label="rate"))

    @rule(name=customers, share=st.sampled_from(["0.5", "1", "1.5"]))
    def decide_limit(self, name: str, share: str) -> None:
        customer, amount = self.prefix + name, ACCOUNTS[name].limit * Decimal(share)
        amount = documents.rounded(amount, ACCOUNTS[name].currency)
        self.post(f"{self.account(name)}/limit", {"kind": "granted", "amount": amount})
        self.model.accounts[customer] = replace(self.model.accounts[customer], limit=amount)
        self.touched.add(customer)

    @rule(name=customers, kind=st.sampled_from(["soft", "forced"]))
    def hold(self, name: str, kind: str) -> None:
        self.post(f"{self.account(name)}/hold", {"kind": kind})
        self.set_hold(name, kind)

    @precondition(lambda self: any(account.hold != "none" for account in self.model.accounts.values()))
    @rule(name=customers)
    def unhold(self, name: str) -> None:
        if self.model.accounts[self.prefix + name].hold != "none":
            self.post(f"{self.account(name)}/unhold", {})
            self.set_hold(name, "none")


@pytest.mark.timeout(0 if LONG else 900)
class TestAnySequence:
    """Totals, ledger and documents agree with the model after every step."""

    def test_agrees_with_the_model(self, company: Background) -> None:
        adopt(company, {"receivables": RULES})
        key = {"name": "credit manager", "kind": "person", "scopes": ["orders:release", "reports:read"]}
        machine = type(
            "Pipeline",
            (Pipeline,),
            {"company": company, "examples": count(1), "releaser": company.post("/v1/api-keys", key)["key"]},
        )
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=EXAMPLES,
                stateful_step_count=STEPS,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
