"""The plain model of settling: what pays what, by whom, in which order; and what becomes of documents afterwards.

Written from the description of the API, not from the code, like the model it is a part of.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal

from tests.proof.documents import ZERO, Company, Item, Line, Payment, Refused

Planned = list[tuple[str, Line]]
"""The payment or credit note, and what it is to settle."""


class Aftermath(Company):
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
        self.items[note] = Item(note, item.customer, True, dispute.amount, item.currency, today, item.rate)
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

    def due_on(self, item: Item) -> date:
        """The day of the oldest part that is open; the last one's when none is."""
        reached, settled = ZERO, item.amount - self.left(item.number)
        for day, amount in item.parts:
            reached += amount
            if reached > settled:
                return day
        return item.parts[-1][0]

    # ---- how -----------------------------------------------------------------------------------------------

    def _check_owed(self, number: str) -> None:
        if self.items[number].credit:
            raise Refused("invoice_is_a_credit")
        if number in self.gone:
            raise Refused("invoice_cancelled")

    def _settle(self, planned: Planned) -> None:
        """What was written off and is paid after all is open again first."""
        for name, line in planned:
            excess = line.relieves - self.left(line.number)
            if excess > 0:
                self.written_off[line.number] -= excess
            self.settled.append((name, line))

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

    def _check_payable(self, number: str, customers: Iterable[str]) -> Item:
        item = self.items.get(number)
        if item is None:
            raise Refused("invoice_unknown")
        if item.customer not in customers:
            raise Refused("invoice_of_another_customer")
        if item.credit or number in self.gone:
            raise Refused("invoice_not_payable")
        return item

    def _planned(self, name: str, credit: Item | Payment, lines: tuple[Line, ...], oldest_first: bool) -> Planned:
        group = self.members if credit.customer in self.members else {credit.customer}
        left, relieved = self.left(name), dict[str, Decimal]()
        for line in lines:
            item = self._check_payable(line.number, group)
            if line.settles is None and item.currency != credit.currency:
                raise Refused("currency_mismatch")
            relieved[line.number] = relieved.get(line.number, ZERO) + line.relieves
            left -= line.amount
            if relieved[line.number] > self.left(line.number) + self.written_off.get(line.number, ZERO):
                raise Refused("allocation_exceeds_item")
            if left < 0:
                raise Refused("allocation_exceeds_payment")
        planned = [(name, line) for line in lines]
        return planned + (list(self._oldest(name, credit, left, relieved)) if oldest_first else [])

    def _oldest(
        self, name: str, credit: Item | Payment, left: Decimal, relieved: Mapping[str, Decimal]
    ) -> Iterator[tuple[str, Line]]:
        found: dict[str, Decimal] = {}
        for _, number, part in sorted(self._parts(credit, relieved)):
            amount = min(left, part)
            if amount > 0:
                found[number] = found.get(number, ZERO) + amount
                left -= amount
        return ((name, Line(number, amount)) for number, amount in found.items())

    def _parts(self, credit: Item | Payment, relieved: Mapping[str, Decimal]) -> Iterator[tuple[date, str, Decimal]]:
        """What is open and undisputed of the customer's items, and not relieved already, part by part."""
        for item in self.items.values():
            if item.credit or (item.customer, item.currency) != (credit.customer, credit.currency):
                continue
            settled = item.amount - self.left(item.number)
            start = settled + relieved.get(item.number, ZERO)
            end = settled + self.undisputed(item.number)
            reached = ZERO
            for day, amount in item.parts:
                part = min(reached + amount, end) - max(reached, start)
                reached += amount
                if part > 0:
                    yield day, item.number, part
