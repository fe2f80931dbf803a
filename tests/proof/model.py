"""A plain model of the pipeline: what each call of the API does to the documents of a company.

Written from the description of the API, not from the code. What the API refuses, the model refuses with the same code,
before anything has changed.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from tests.proof.aftermath import Aftermath
from tests.proof.documents import (
    GRACE_DAYS,
    RESERVATION_DAYS,
    RESOLVED,
    ZERO,
    Ask,
    How,
    Item,
    Judged,
    Line,
    Order,
    Payment,
    Refused,
    Release,
    Share,
    Shipment,
)


class Model(Aftermath):
    """The company as it goes on. Nothing is changed by what is refused."""

    # ---- credit checks -------------------------------------------------------------------------------------

    def judge(self, ask: Ask) -> Judged:
        """What a check comes to now, without its consequences."""
        account = self.accounts[ask.customer]
        would = self._as_asked(ask)
        after, asked = would.total(ask.customer), would.orders[ask.order_ref]
        codes = set()
        if after > account.limit:
            codes.add("limit_exceeded")
        if ask.customer in self.members and would.group_total() > self.group_limit:
            codes.add("group_limit_exceeded")
        hold = self.hold(ask.customer)
        if hold != "none":
            codes.add("account_on_hold")
        if hold == "forced":
            excused = self._excused(asked) - {"account_on_hold"}
            return Judged("declined", frozenset(codes - excused), after, asked)
        left = frozenset(codes - self._excused(asked))
        return Judged("referred" if left else "approved", left, after, asked)

    def check(self, ask: Ask) -> Judged:
        """Decides and carries out; the caller says under which id a referral waits with `refer`."""
        known = self.orders.get(ask.order_ref)
        if known is not None:
            if known.customer != ask.customer:
                raise Refused("order_ref_conflict")
            if (known.approved or known.shipped or known.invoiced) and known.currency != ask.currency:
                raise Refused("order_currency_fixed")
        judged = self.judge(ask)
        if not ask.reserve:
            return judged
        if known is not None and known.review is not None:
            self.reviews.pop(known.review, None)
        if judged.outcome == "approved":
            self._approve(ask, judged.asked)
        else:
            self._turn_down(ask, judged)
        return judged

    def refer(self, check_id: str, ask: Ask, judged: Judged) -> None:
        """Opens the review of the check that has just been referred."""
        self.orders[ask.order_ref].review = check_id
        until = self.now + timedelta(days=RESERVATION_DAYS)
        self.reviews[check_id] = (ask, judged.codes, until)

    def release(self, check_id: str) -> None:
        """A person approves what was referred."""
        ask, codes = self._open_review(check_id)
        if self.hold(ask.customer) == "forced":
            raise Refused("forced_hold")
        del self.reviews[check_id]
        self._approve(ask, self._as_asked(ask).orders[ask.order_ref])
        order = self.orders[ask.order_ref]
        order.release = Release(order.approved, codes, self.now + timedelta(days=GRACE_DAYS))

    def reject(self, check_id: str) -> None:
        """A person refuses what was referred."""
        ask, _ = self._open_review(check_id)
        del self.reviews[check_id]
        order = self.orders[ask.order_ref]
        order.held, order.review = ZERO, None
        order.settle("declined")

    # ---- orders --------------------------------------------------------------------------------------------

    def load(self, ref: str, customer: str, currency: str, amounts: tuple[Decimal, Decimal, Decimal]) -> None:
        """Cutover: an order that was accepted before."""
        known = self.orders.get(ref)
        if not any(amounts):
            raise Refused("nothing_to_load")
        if known is not None:
            raise Refused("order_ref_conflict" if known.customer != customer else "order_conflict")
        rate = self.rate(currency, self.accounts[customer].currency)
        until = self.now + timedelta(days=RESERVATION_DAYS)
        order = Order(customer, currency, rate, "open", *amounts, expires_at=until)
        order.settle()
        self.orders[ref] = order

    def ship(self, ref: str, shipment: str, amount: Decimal, *, already_left: bool) -> None:
        """Goods leave."""
        order = self._order(ref)
        if order.shipped + amount > order.approved and not already_left:
            raise Refused("exceeds_reservation")
        self.shipments[shipment] = Shipment(ref, amount)
        order.shipped += amount
        order.settle()

    def take_back(self, shipment: str, *, reorder: bool) -> None:
        """Goods come back."""
        if shipment in self.gone:
            raise Refused("shipment_reversed")
        self.gone.add(shipment)
        sent = self.shipments[shipment]
        order = self._order(sent.order_ref)
        order.shipped -= sent.amount
        if not reorder:
            order.approved = max(order.approved - sent.amount, ZERO)
        order.settle("cancelled")
        until = self.now + timedelta(days=RESERVATION_DAYS)
        if reorder and order.open and (order.expires_at is None or order.expires_at < until):
            order.expires_at = until

    def cancel(self, ref: str) -> None:
        """What is open is freed."""
        order = self._order(ref)
        if order.state in RESOLVED or not (order.open or order.held):
            raise Refused("order_resolved")
        self._end_review(order)
        order.free("cancelled")

    def close(self, ref: str) -> None:
        """What is open and what is delivered is freed."""
        order = self._order(ref)
        if order.state in set(RESOLVED) - {"shipped"}:
            raise Refused("order_resolved")
        self._end_review(order)
        self._close(order)

    def expire(self) -> None:
        """Reservations whose time has come are freed."""
        for order in self.orders.values():
            if order.open and order.expires_at is not None and order.expires_at <= self.now:
                order.free("held" if order.held else "expired")

    # ---- receivables ---------------------------------------------------------------------------------------

    def post_item(self, item: Item) -> None:
        """Enters an invoice or credit note."""
        for share in item.shares:
            order = self.orders.get(share.order_ref)
            if order is not None and order.customer != item.customer:
                raise Refused("order_ref_conflict")
            if order is not None and order.currency != item.currency:
                raise Refused("order_currency_mismatch")
        if item.related is not None:
            named = self._check_payable(item.related, {item.customer})
            if named.currency != item.currency:
                raise Refused("currency_mismatch")
        self.items[item.number] = item
        for share in item.shares:
            self._bill(item, share)
        if item.related is not None and (amount := min(item.amount, self.left(item.related))):
            self.settled.append((item.number, Line(item.related, amount)))
        if not item.credit:
            self._use_advances(item)

    def cancel_item(self, number: str) -> None:
        """Takes an invoice or credit note back."""
        item = self.items[number]
        if number in self.gone:
            raise Refused("invoice_cancelled")
        if self.left(number) != item.amount:
            raise Refused("invoice_allocated")
        self.gone.add(number)
        self.disputes = {i: dispute for i, dispute in self.disputes.items() if dispute.number != number}
        for share in item.shares:
            order = self.orders[share.order_ref]
            order.invoiced -= share.amount
            if order.expires_at is None:
                order.approved = min(order.approved, order.gone)
            order.settle("cancelled")

    def post_payment(self, payment: Payment, how: How) -> None:
        """Enters a payment and allocates it."""
        self.payments[payment.ref] = payment
        try:
            planned = self._planned(payment.ref, payment, how)
        except Refused:
            del self.payments[payment.ref]
            raise
        self._settle(payment.ref, planned)
        if payment.clears_on is not None and payment.clears_on > self.now.date():
            self.drafts.add(payment.ref)

    def allocate(self, name: str, how: How) -> None:
        """Allocates what is left of a payment or credit note."""
        if name in self.gone:
            raise Refused("payment_reversed" if name in self.payments else "invoice_cancelled")
        credit: Item | Payment = self.payments[name] if name in self.payments else self.items[name]
        planned = self._planned(name, credit, how)
        if not planned:
            raise Refused("nothing_to_allocate")
        self._settle(name, planned)

    # ---- how -----------------------------------------------------------------------------------------------

    def _order(self, ref: str) -> Order:
        if ref not in self.orders:
            raise Refused("order_not_found")
        return self.orders[ref]

    def _as_asked(self, ask: Ask) -> Model:
        """The company as it would be if the order were approved."""
        would = replace(self, orders=deepcopy(self.orders))
        fresh = Order(ask.customer, ask.currency, ZERO)
        order = would.orders.setdefault(ask.order_ref, fresh)
        if not order.binds:
            order.rate = self.rate(ask.currency, self.accounts[ask.customer].currency)
            order.currency = ask.currency
        order.approved = max(order.approved, order.shipped + ask.amount) if ask.checkpoint == "shipment" else ask.amount
        for part in ask.replaces:
            replaced = would.orders[part.order_ref]
            replaced.approved = max(replaced.approved - part.amount, replaced.gone)
            replaced.settle("cancelled")
        return would

    def _excused(self, asked: Order) -> frozenset[str]:
        release = asked.release
        if release is None or self.now > release.until or asked.approved > release.amount:
            return frozenset()
        return release.codes

    def _approve(self, ask: Ask, asked: Order) -> None:
        self.orders = self._as_asked(ask).orders
        order = self.orders[ask.order_ref]
        begins = self.now
        if ask.ship_on is not None:
            begins = max(begins, datetime(ask.ship_on.year, ask.ship_on.month, ask.ship_on.day, tzinfo=UTC))
        days = RESERVATION_DAYS if ask.days is None else min(ask.days, RESERVATION_DAYS)
        order.expires_at = begins + timedelta(days=days)
        order.held, order.review = ZERO, None
        order.settle()

    def _turn_down(self, ask: Ask, judged: Judged) -> None:
        """A stays as it was; an order that binds nothing takes the rate of the day."""
        order = self.orders.setdefault(ask.order_ref, Order(ask.customer, ask.currency, judged.asked.rate))
        if not order.binds:
            order.rate, order.currency = judged.asked.rate, ask.currency
        order.held, order.review = ZERO, None
        if judged.outcome == "declined":
            order.settle("declined")
            return
        order.held = max(judged.asked.approved - max(order.approved, order.gone), ZERO)
        if not order.binds:
            order.state = "held"

    def _open_review(self, check_id: str) -> tuple[Ask, frozenset[str]]:
        ask, codes, until = self.reviews.get(check_id, (None, frozenset(), self.now))
        if ask is None or until <= self.now:
            raise Refused("review_closed")
        return ask, codes

    def _end_review(self, order: Order) -> None:
        if order.review is not None:
            self.reviews.pop(order.review, None)
        order.held, order.review = ZERO, None

    def _close(self, order: Order) -> None:
        order.waived += order.delivered
        order.free("closed")
        order.state = "closed"

    def _bill(self, item: Item, share: Share) -> None:
        order = self.orders.setdefault(share.order_ref, Order(item.customer, item.currency, item.rate, "open"))
        order.invoiced += share.amount
        order.settle()
        if share.complete and order.state not in set(RESOLVED) - {"shipped"}:
            self._close(order)
