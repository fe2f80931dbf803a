"""What becomes of documents that are posted, as steps of the pipeline: disputes, bad debt, refunds, plans, drafts."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from app.domains.receivables import jobs
from app.infra.jobs import Run
from tests.proof import documents
from tests.proof.background import encoded
from tests.proof.documents import Dispute, How, Item, Line, Payment
from tests.proof.drawing import amounts, mostly, of, some
from tests.proof.machine import Machine, currencies, line_body

FAR = date(2190, 1, 1)
"""In the far future: this is about amounts, not about who is late."""


class Endings(Machine):
    """Each of these calls of the API compared with the model, like all others."""

    @some("items")
    @rule(data=st.data(), number=mostly("payable", "items"), whole=st.booleans())
    def dispute(self, data: st.DataObject, number: str, whole: bool) -> None:
        amount = None if whole else self.part_of(data, number)
        body = {"amount": amount and str(amount), "reason": "quality"}
        with self.compared("POST", f"/v1/invoices/{encoded(number)}/disputes", body) as answer:
            asked = self.model.dispute(number, amount)
            self.model.disputes[answer.document["id"]] = Dispute(number, asked)

    @some("disputes")
    @rule(dispute_id=of("disputes"), upheld=st.booleans())
    def resolve(self, dispute_id: str, upheld: bool) -> None:
        number = self.model.disputes[dispute_id].number
        note = self.fresh("D/")
        body = {"outcome": "upheld", "credit_note_no": note} if upheld else {"outcome": "rejected"}
        with self.compared("POST", f"/v1/invoices/{encoded(number)}/disputes/{dispute_id}/resolve", body):
            if upheld:
                self.model.uphold(dispute_id, note, self.today)
            else:
                del self.model.disputes[dispute_id]

    @some("items")
    @rule(data=st.data(), number=mostly("payable", "items"), whole=st.booleans(), seldom=st.integers(0, 2))
    def write_off(self, data: st.DataObject, number: str, whole: bool, seldom: int) -> None:
        """Seldom: whose account is stopped for good orders nothing more."""
        if seldom:
            return
        amount = None if whole else self.part_of(data, number)
        body = {"amount": amount and str(amount), "reason": "bankrupt"}
        with self.compared("POST", f"/v1/invoices/{encoded(number)}/write-off", body):
            self.model.write_off(number, amount)

    @some("bad")
    @rule(data=st.data(), number=of("bad"), how=st.sampled_from(["whole", "whole", "part", "payment"]))
    def recover(self, data: st.DataObject, number: str, how: str) -> None:
        item, bad = self.model.items[number], self.model.written_off[number]
        if how == "payment":
            self.pay_line(item, Line(number, self.model.left(number) + bad))
            return
        amount = self.part_of(data, number) if how == "part" else None
        body = {"amount": amount and str(amount), "reason": "a dividend"}
        with self.compared("POST", f"/v1/invoices/{encoded(number)}/recover", body):
            self.model.recover(number, amount)

    @some("unspent")
    @rule(data=st.data(), ref=mostly("unspent", "payments"), whole=st.booleans())
    def refund_payment(self, data: st.DataObject, ref: str, whole: bool) -> None:
        amount = None if whole else data.draw(amounts(self.model.payments[ref].currency))
        self.refund(f"/v1/payments/{encoded(ref)}/refund", ref, amount)

    @precondition(lambda self: any(item.credit for item in self.model.items.values()))
    @rule(data=st.data(), whole=st.booleans())
    def refund_credit_note(self, data: st.DataObject, whole: bool) -> None:
        number = data.draw(st.sampled_from(sorted(n for n, item in self.model.items.items() if item.credit)))
        amount = None if whole else data.draw(amounts(self.model.items[number].currency))
        self.refund(f"/v1/invoices/{encoded(number)}/refund", number, amount)

    def refund(self, path: str, name: str, amount: Decimal | None) -> None:
        body = {
            "refund_ref": self.fresh("R/"),
            "amount": amount and str(amount),
            "refunded_on": self.today.isoformat(),
            "reason": "asked for",
        }
        with self.compared("POST", path, body, again=True):
            self.model.refund(name, amount)

    @some("items")
    @rule(data=st.data(), number=mostly("payable", "items"), fits=st.sampled_from([True, True, True, False]))
    def replan(self, data: st.DataObject, number: str, fits: bool) -> None:
        currency = self.model.items[number].currency
        left = self.model.left(number) or self.model.items[number].amount
        total = left if fits else left + documents.rounded(Decimal(1), currency)
        self.plan_anew(number, self.plan(data, currency, total) or ((FAR, total),))

    def plan_anew(self, number: str, plan: tuple[tuple[date, Decimal], ...]) -> None:
        parts = [{"due_on": day.isoformat(), "amount": str(amount)} for day, amount in plan]
        body = {"instalments": parts, "reason": "agreed by phone"}
        with self.compared("POST", f"/v1/invoices/{encoded(number)}/instalments", body):
            self.model.replan(number, plan)

    def plan(self, data: st.DataObject, currency: str, total: Decimal) -> tuple[tuple[date, Decimal], ...]:
        """Up to three parts, or none."""
        count = data.draw(st.sampled_from([0, 0, 2, 3]), label="instalments")
        part = documents.rounded(total / (count or 1) - Decimal("0.5"), currency)
        if not count or part <= 0:
            return ()
        rest = total - part * (count - 1)
        amounts = [part] * (count - 1) + [rest]
        return tuple((FAR + timedelta(days=2 * place), amount) for place, amount in enumerate(amounts))

    @some("payable")
    @rule(data=st.data(), number=of("payable"), currency=currencies)
    def pay_in_another_currency(self, data: st.DataObject, number: str, currency: str) -> None:
        item = self.model.items[number]
        said = item.currency != currency and data.draw(st.booleans(), label="says what it settles")
        line = Line(number, data.draw(amounts(currency)), settles=self.part_of(data, number) if said else None)
        self.pay_line(item, line, currency=currency)

    @some("payable")
    @rule(number=of("payable"), currency=currencies)
    def pay_all_in_another_currency(self, number: str, currency: str) -> None:
        item = self.model.items[number]
        rate = self.model.rate(item.currency, currency)
        amount = documents.rounded(self.model.left(number) * rate, currency)
        if amount:
            self.pay_line(item, Line(number, amount), currency=currency)

    def pay_line(self, item: Item, line: Line, *, currency: str | None = None) -> None:
        payment = self.payment(item.customer, currency or item.currency, line.amount)
        body = {**self.payment_body(payment), "allocations": [line_body(line)]}
        with self.compared("POST", "/v1/payments", body, again=True):
            self.model.post_payment(payment, How((line,)))

    def payment(
        self,
        customer: str,
        currency: str,
        amount: Decimal,
        *,
        purpose: str = "settlement",
        order_ref: str | None = None,
    ) -> Payment:
        rate = self.model.rate(currency, self.model.accounts[customer].currency)
        ref = self.fresh("P/")
        return Payment(ref, customer, amount, currency, rate, order_ref, dated_on=self.today, purpose=purpose)

    def payment_body(self, payment: Payment) -> dict[str, Any]:
        return {
            "payment_ref": payment.ref,
            "customer_id": payment.customer,
            "amount": str(payment.amount),
            "currency": payment.currency,
            "received_on": self.today.isoformat(),
        }

    def part_of(self, data: st.DataObject, number: str) -> Decimal:
        """Any amount in the currency of an item, or exactly what is open of it."""
        left = self.model.left(number)
        drawn: Decimal = data.draw(
            amounts(self.model.items[number].currency) | st.just(left or Decimal(1)), label="part"
        )
        return drawn

    @some("payments")
    @rule(ref=mostly("received", "payments"), fee=st.sampled_from([None, None, "7"]))
    def reverse(self, ref: str, fee: str | None) -> None:
        self.reverse_payment(ref, fee)

    def reverse_payment(self, ref: str, fee: str | None = None) -> None:
        """What is charged is agreed to be paid in the far future: nobody here is late."""
        payment = self.model.payments[ref]
        number = self.fresh("F/")
        charged = {"fee": {"amount": fee, "currency": "CNY", "invoice_no": number}} if fee else {}
        body = {"reason": "bounced", **charged}
        with self.compared("POST", f"/v1/payments/{encoded(ref)}/reverse", body) as answer:
            refunded = self.model.reverse(ref)
            numbers = list(answer.document["charged"])
            if refunded:
                self.charge(numbers.pop(0), payment.customer, refunded, payment.currency, payment.rate)
            if fee:
                into = self.model.accounts[payment.customer].currency
                rate = self.model.rate("CNY", into)
                self.charge(numbers.pop(0), payment.customer, Decimal(fee), "CNY", rate)
            assert not numbers
        for posted in answer.document.get("charged", ()):
            self.plan_anew(posted, ((FAR, self.model.left(posted)),))

    def charge(self, number: str, customer: str, amount: Decimal, currency: str, rate: Decimal) -> None:
        self.model.items[number] = Item(number, customer, False, amount, currency, self.today, rate)

    def clear(self) -> None:
        """Whose account was looked at on the day that a draft clears sees it cleared: the job finds nothing more."""
        before = self.model.drafts.copy()
        self.model.clear()
        self.touched.update(self.model.payments[ref].customer for ref in before - self.model.drafts)
        self.accounts_agree_with_the_model()
        self.company.run(jobs.clear_payments(Run(self.company.transactions, "proof")))
