"""The plain model of what becomes of documents that are posted: disputes, bad debt, refunds, plans, drafts."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

from tests.proof.documents import ZERO, Item, Line, Refused
from tests.proof.settling import Settling


class Aftermath(Settling):
    """The company with what happens to items and payments. Nothing is changed by what is refused."""

    def dispute(self, number: str, amount: Decimal | None) -> Decimal:
        """Says that a part of an item is not owed; how much that is."""
        self._check_owed(number)
        if not self.undisputed(number):
            raise Refused("invoice_settled")
        asked = self.undisputed(number) if amount is None else amount
        if asked > self.undisputed(number):
            raise Refused("dispute_exceeds_item")
        return asked

    def uphold(self, dispute_id: str, note: str, today: date) -> None:
        """A credit note over the amount."""
        dispute = self.disputes.pop(dispute_id)
        item = self.items[dispute.number]
        self.items[note] = Item(
            note, item.customer, True, dispute.amount, item.currency, today, item.rate, dated_on=today
        )
        if amount := min(dispute.amount, self.left(dispute.number)):
            self.settled.append((note, Line(dispute.number, amount)))

    def write_off(self, number: str, amount: Decimal | None) -> None:
        """Gives up what is open of an item, or a part of it."""
        self._check_owed(number)
        if not self.left(number):
            raise Refused("invoice_settled")
        given_up = self.left(number) if amount is None else amount
        if given_up > self.left(number):
            raise Refused("write_off_exceeds_item")
        self.written_off[number] = self.written_off.get(number, ZERO) + given_up

    def recover(self, number: str, amount: Decimal | None) -> None:
        """Claims it again."""
        known = self.written_off.get(number, ZERO)
        back = known if amount is None else amount
        if back > known or not back:
            raise Refused("recovery_exceeds_write_off")
        self.written_off[number] = known - back

    def refund(self, name: str, amount: Decimal | None) -> None:
        """Pays back what is left of a payment or credit note."""
        if name in self.items and not self.items[name].credit:
            raise Refused("not_a_credit_note")
        if name in self.gone:
            raise Refused("payment_reversed" if name in self.payments else "invoice_cancelled")
        if not self.left(name):
            raise Refused("nothing_to_refund")
        back = self.left(name) if amount is None else amount
        if back > self.left(name):
            raise Refused("refund_exceeds_credit")
        self.refunds.append((name, back))

    def replan(self, number: str, plan: tuple[tuple[date, Decimal], ...]) -> None:
        """Spreads what is open of an item over new parts; what is settled keeps its day."""
        self._check_owed(number)
        item, left = self.items[number], self.left(number)
        if not left:
            raise Refused("invoice_settled")
        if sum(amount for _, amount in plan) != left:
            raise Refused("instalments_contradictory")
        settled = item.amount - left
        first = ((min(self.due_on(item), plan[0][0]), settled),) if settled else ()
        self.items[number] = replace(item, plan=(*first, *plan))

    def clear(self) -> None:
        """Drafts whose day has come are money."""
        due = {ref for ref in self.drafts if (day := self.payments[ref].clears_on) and day <= self.now.date()}
        self.drafts -= due

    def reverse(self, ref: str) -> Decimal:
        """Takes a payment back; what was refunded of it is charged."""
        if ref in self.gone:
            raise Refused("payment_reversed")
        refunded = sum((amount for credit, amount in self.refunds if credit == ref), ZERO)
        self.gone.add(ref)
        self.settled = [(credit, line) for credit, line in self.settled if credit != ref]
        return refunded

    # ---- how -----------------------------------------------------------------------------------------------

    def _check_owed(self, number: str) -> None:
        if self.items[number].credit:
            raise Refused("invoice_is_a_credit")
        if number in self.gone:
            raise Refused("invoice_cancelled")

    def _use_advances(self, item: Item) -> None:
        for share in item.shares:
            wanted = share.amount
            made = [p for p in self.payments.values() if p.order_ref == share.order_ref and p.ref not in self.gone]
            for payment in made:  # in the order they were received
                if (payment.customer, payment.currency) != (item.customer, item.currency):
                    continue
                amount = min(wanted, self.left(payment.ref), self.left(item.number))
                if amount > 0:
                    self.settled.append((payment.ref, Line(item.number, amount)))
                    wanted -= amount
