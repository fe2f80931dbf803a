"""A plain model of receivables: dictionaries and sums, no entries, no ledger, nothing incremental."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

ZERO = Decimal(0)
CENT = Decimal("0.01")
RATES = {"CNY": Decimal(1), "EUR": Decimal("7.813"), "JPY": Decimal("0.0479")}
Line = tuple[str, Decimal, Decimal]
"""The number of an item, an amount and a discount."""


class Refused(Exception):
    """The model refuses."""


@dataclass(frozen=True)
class Invoice:
    """What is asked to be posted, and at which rate."""

    number: str
    customer: str
    credit: bool
    amount: Decimal
    currency: str
    due_on: date
    rate: Decimal
    order: str | None = None
    related: str | None = None


@dataclass(frozen=True)
class Payment:
    """What is asked to be posted, and how to allocate it."""

    ref: str
    customer: str
    amount: Decimal
    currency: str
    rate: Decimal
    lines: tuple[Line, ...]
    oldest_first: bool


@dataclass
class Model:
    """Documents, and who has settled how much of what. Nothing is changed by what is refused."""

    group: frozenset[str]
    orders: dict[str, tuple[str, Decimal, Decimal]]
    """By reference: the customer, approved, shipped; in CNY."""
    invoices: dict[str, Invoice] = field(default_factory=dict)
    payments: dict[str, Payment] = field(default_factory=dict)
    settled: list[tuple[str, Line]] = field(default_factory=list)
    """The payment or credit note, and the line."""
    gone: set[str] = field(default_factory=set)

    def post_invoice(self, new: Invoice) -> None:
        """Enters an invoice or credit note."""
        known = self.invoices.get(new.number)
        if known is not None:
            self._same(known, new)
            return
        if new.order is not None and self.orders.get(new.order, (new.customer,))[0] != new.customer:
            raise Refused
        if new.related is not None:
            self._check_payable(new.related, new.currency, frozenset({new.customer}))
        self.invoices[new.number] = new
        if new.order is not None:
            self.orders.setdefault(new.order, (new.customer, ZERO, ZERO))
        if new.related is not None and (amount := min(new.amount, self.open(new.related))):
            self.settled.append((new.number, (new.related, amount, ZERO)))

    def post_payment(self, new: Payment) -> None:
        """Enters and allocates a payment."""
        known = self.payments.get(new.ref)
        if known is not None:
            self._same(known, new)
            return
        self.payments[new.ref] = new
        try:
            self.settled += self._planned(new.ref, new.lines, new.oldest_first)
        except Refused:
            del self.payments[new.ref]
            raise

    def allocate(self, credit: str, lines: tuple[Line, ...], oldest_first: bool) -> None:
        """Allocates what is left of a payment or credit note."""
        if credit in self.gone or not (credit in self.payments or self._is_note(credit)):
            raise Refused
        planned = self._planned(credit, lines, oldest_first)
        if not planned:
            raise Refused
        self.settled += planned

    def reverse(self, ref: str) -> None:
        """Takes a payment back."""
        if ref not in self.payments or ref in self.gone:
            raise Refused
        self.gone.add(ref)
        self.settled = [(credit, line) for credit, line in self.settled if credit != ref]

    def cancel(self, number: str) -> None:
        """Takes an invoice or credit note back."""
        if number not in self.invoices or number in self.gone or self.open(number) != self.invoices[number].amount:
            raise Refused
        self.gone.add(number)

    def open(self, name: str) -> Decimal:
        """What is open of an invoice, or left of a credit note or payment."""
        if name in self.gone:
            return ZERO
        amount = self.payments[name].amount if name in self.payments else self.invoices[name].amount
        used = sum((line[1] for credit, line in self.settled if credit == name), ZERO)
        return amount - used - sum((line[1] + line[2] for _, line in self.settled if line[0] == name), ZERO)

    def receivables(self, customer: str) -> Decimal:
        """The sum of what is open, each rounded at its rate."""
        return sum((self._value(i.number, i.rate) for i in self._items(customer) if not i.credit), ZERO)

    def credits(self, customer: str) -> Decimal:
        """The sum of what is left of credit notes and payments, each rounded at its rate."""
        notes = (self._value(i.number, i.rate) for i in self._items(customer) if i.credit)
        payments = (self._value(p.ref, p.rate) for p in self.payments.values() if p.customer == customer)
        return sum((*notes, *payments), ZERO)

    def bound(self, customer: str) -> Decimal:
        """The open and delivered parts of the customer's orders."""
        total = ZERO
        for ref, (owner, approved, shipped) in self.orders.items():
            if owner == customer:
                billed = [i.amount for i in self.invoices.values() if i.order == ref and i.number not in self.gone]
                invoiced = sum(billed, ZERO)
                total += max(approved - max(shipped, invoiced), ZERO) + max(shipped - invoiced, ZERO)
        return total

    def _items(self, customer: str) -> Iterator[Invoice]:
        return (item for item in self.invoices.values() if item.customer == customer)

    def _is_note(self, number: str) -> bool:
        return number in self.invoices and self.invoices[number].credit

    def _value(self, name: str, rate: Decimal) -> Decimal:
        return (self.open(name) * rate).quantize(CENT, ROUND_HALF_UP)

    def _same(self, known: object, new: object) -> None:
        if known != new:
            raise Refused

    def _check_payable(self, number: str, currency: str, customers: frozenset[str]) -> None:
        item = self.invoices.get(number)
        if item is None or item.customer not in customers or item.credit or item.currency != currency:
            raise Refused
        if number in self.gone:
            raise Refused

    def _planned(self, credit: str, lines: tuple[Line, ...], oldest_first: bool) -> list[tuple[str, Line]]:
        held: Payment | Invoice = self.payments[credit] if credit in self.payments else self.invoices[credit]
        group = self.group if held.customer in self.group else frozenset({held.customer})
        for number, *_ in lines:
            self._check_payable(number, held.currency, group)
        left = self.open(credit) - sum((amount for _, amount, _ in lines), ZERO)

        def still(number: str) -> Decimal:
            named = (amount + discount for line, amount, discount in lines if line == number)
            return self.open(number) - sum(named, ZERO)

        if left < 0 or any(still(number) < 0 for number, *_ in lines):
            raise Refused
        planned = list(lines)
        if oldest_first:
            due = sorted(self._items(held.customer), key=lambda item: (item.due_on, item.number))
            for item in due:
                amount = min(left, still(item.number))
                if amount > 0 and item.currency == held.currency and not item.credit:
                    planned.append((item.number, amount, ZERO))
                    left -= amount
        return [(credit, line) for line in planned]
