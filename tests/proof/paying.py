"""Payments as steps of the pipeline: what they name, by which rule, early, almost, in other currencies; and bounced."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.proof import documents
from tests.proof.background import encoded
from tests.proof.documents import How, Line, Payment
from tests.proof.drawing import amounts, mostly, of, some
from tests.proof.endings import Endings
from tests.proof.machine import LARGEST, currencies, customers, line_body

rules = st.sampled_from(["oldest_first", "oldest_first", "reference", "exact", "auto", "none", None])


class Paying(Endings):
    """Each of these calls of the API compared with the model, like all others."""

    @rule(data=st.data(), name=customers, currency=currencies, asked=rules)
    def pay(self, data: st.DataObject, name: str, currency: str, asked: str | None) -> None:
        amount = data.draw(amounts(currency), label="amount")
        self.post_payment(data, self.prefix + name, currency, amount, asked, self.lines(data, currency))

    @some("items")
    @rule(data=st.data(), number=mostly("payable", "items"), discounted=st.booleans(), bounces=st.booleans())
    def pay_item(self, data: st.DataObject, number: str, discounted: bool, bounces: bool) -> None:
        """The whole item, or all but a discount; some of these payments bounce."""
        item = self.model.items[number]
        left = self.model.left(number) or item.amount
        amount = documents.rounded(left * Decimal("0.97"), item.currency) or left if discounted else left
        line = Line(number, amount, left - amount)
        ref = self.post_payment(data, item.customer, item.currency, amount, None, (line,))
        if bounces and ref in self.model.payments:
            self.reverse_payment(ref)

    @some("payable")
    @rule(data=st.data(), number=of("payable"), asked=rules, named=st.booleans(), bounces=st.booleans())
    def pay_early(self, data: st.DataObject, number: str, asked: str | None, named: bool, bounces: bool) -> None:
        """One item less its discount, or it and all that is older, each less its own."""
        item = self.model.items[number]
        due = [self.model.due_on(item), number]
        older = [i for i in self.model.items.values() if (i.customer, i.currency) == (item.customer, item.currency)]
        chosen = [i for i in older if i.number in self.model.payable and [self.model.due_on(i), i.number] <= due]
        wanted = chosen if not named and data.draw(st.booleans(), label="all that is older") else [item]
        parts = [(self.model.undisputed(i.number), self.model.earned(i, self.today)) for i in wanted]
        amount = sum((undisputed - discount for undisputed, discount in parts if undisputed), Decimal(0))
        if amount > 0:
            lines = (Line(number, amount),) if named else ()
            ref = self.post_payment(data, item.customer, item.currency, amount, asked, lines, text=number)
            if bounces and ref in self.model.payments:
                self.reverse_payment(ref)

    @some("payable")
    @rule(data=st.data(), number=of("payable"), off=st.integers(-40, 40), asked=rules, named=st.booleans())
    def pay_almost(self, data: st.DataObject, number: str, off: int, asked: str | None, named: bool) -> None:
        """A little more or less than what is open: small differences close by themselves."""
        item, left = self.model.items[number], self.model.left(number)
        amount = left + Decimal(off * 10).scaleb(-documents.DIGITS[item.currency])
        if amount > 0:
            lines = (Line(number, min(amount, left)),) if named else ()
            self.post_payment(data, item.customer, item.currency, amount, asked, lines, text=number)

    def post_payment(
        self,
        data: st.DataObject,
        customer: str,
        currency: str,
        amount: Decimal,
        asked: str | None,
        lines: tuple[Line, ...],
        *,
        text: str | None = None,
    ) -> str:
        rate, entered = self.drawn_rate(data, customer, currency)
        days = data.draw(st.sampled_from([None, None, None, 0, 3, 40]), label="clears")
        clears_on = None if days is None else self.today + timedelta(days=days)
        text = text or self.text(data)
        ref = self.fresh("P/")
        payment = Payment(ref, customer, amount, currency, rate, clears_on=clears_on, dated_on=self.today, text=text)
        body = {
            **self.payment_body(payment),
            "clears_on": clears_on and clears_on.isoformat(),
            "remittance": text,
            "allocations": [line_body(line) for line in lines],
            **entered,
            **({"allocate": asked} if asked else {}),
        }
        how = How(lines, asked or ("none" if lines else "oldest_first"), text)
        with self.compared("POST", "/v1/payments", body, again=True):
            self.model.post_payment(payment, how)
        return payment.ref

    @rule(data=st.data(), name=customers, currency=currencies, ordered=st.booleans())
    def pay_before_it_is_owed(self, data: st.DataObject, name: str, currency: str, ordered: bool) -> None:
        """In advance for an order, which uses it by itself when it is invoiced; or as a deposit, used by name only."""
        orders = sorted(self.model.orders)
        ref = data.draw(st.sampled_from(orders), label="order") if orders else self.fresh("U/")
        known = self.model.orders.get(ref) if ordered else None
        customer, currency = (known.customer, known.currency) if known else (self.prefix + name, currency)
        amount, purpose = data.draw(amounts(currency)), "advance" if ordered else "deposit"
        payment = self.payment(customer, currency, amount, purpose=purpose, order_ref=ref if ordered else None)
        said = {"purpose": purpose, "order_ref": payment.order_ref}
        with self.compared("POST", "/v1/payments", {**self.payment_body(payment), **said}, again=True):
            self.model.post_payment(payment, How())

    def text(self, data: st.DataObject) -> str | None:
        """What the payer wrote: the numbers of some items, or thanks."""
        items = sorted(self.model.items)
        words = data.draw(st.lists(st.sampled_from(items), max_size=3), label="text") if items else []
        return ", ".join([*words, "thanks"]) if words else None

    def drawn_rate(self, data: st.DataObject, customer: str, currency: str) -> tuple[Decimal, dict[str, str]]:
        """The rate of the day, or one entered with the document."""
        into = self.model.accounts[customer].currency
        usual = self.model.rate(currency, into)
        if currency == into or data.draw(st.integers(0, 3), label="entered rate"):
            return usual, {}
        entered = Decimal(format(usual * Decimal("1.03"), ".6f"))
        return entered, {"fx_rate": str(entered)}

    def lines(self, data: st.DataObject, currency: str) -> tuple[Line, ...]:
        """Items named, mostly open ones in the currency, some with a discount."""
        items = self.model.items
        payable = [number for number in self.model.payable if items[number].currency == currency]
        if not items or data.draw(st.booleans(), label="nothing named"):
            return ()
        named = st.sampled_from([*sorted(payable) * 4, *sorted(items)])
        discount = st.just(documents.ZERO) | amounts(currency, most=200)
        line = st.builds(Line, named, amounts(currency, most=LARGEST[currency] // 4), discount)
        drawn = data.draw(st.lists(line, min_size=1, max_size=3), label="allocations")
        return tuple(line for line in drawn if _fits(line.discount, items[line.number].currency))

    @some("payments")
    @rule(data=st.data(), ref=mostly("unspent", "payments"), asked=st.sampled_from([None, "oldest_first", "auto"]))
    def allocate_payment(self, data: st.DataObject, ref: str, asked: str | None) -> None:
        lines = self.lines(data, self.model.payments[ref].currency)
        body: dict[str, Any] = {"allocations": [line_body(line) for line in lines]}
        text = self.model.payments[ref].text
        with self.compared(
            "POST", f"/v1/payments/{encoded(ref)}/allocate", {**body, **({"allocate": asked} if asked else {})}
        ):
            self.model.allocate(ref, How(lines, asked or ("none" if lines else "oldest_first"), text))

    @precondition(lambda self: any(item.credit for item in self.model.items.values()))
    @rule(data=st.data())
    def allocate_credit_note(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(sorted(n for n, item in self.model.items.items() if item.credit)))
        lines = tuple(Line(line.number, line.amount) for line in self.lines(data, self.model.items[number].currency))
        if lines:
            body = {"allocations": [{"invoice_no": line.number, "amount": str(line.amount)} for line in lines]}
            with self.compared("POST", f"/v1/invoices/{encoded(number)}/allocate", body):
                self.model.allocate(number, How(lines))


def _fits(amount: Decimal, currency: str) -> bool:
    """Whether a currency has so many decimals: a discount is in the item's, whatever the payment is in."""
    return documents.rounded(amount, currency) == amount
