"""The plain model of settling: what pays what, by whom, in which order, and what closes by itself.

Written from the description of the API, not from the code, like the model it is a part of.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Final

from tests.proof.documents import ZERO, Company, How, Item, Line, Payment, Refused, rounded

RULES: Final = {"early_payment": {"grace_days": 1}, "small_difference": {"max_amount": "3.00", "max_percent": "20"}}
"""What the policy of the company lets close by itself: much, so that it happens often."""
GRACE_DAYS: Final = 1
SMALL_CNY: Final = Decimal(3)
SMALL_PERCENT: Final = 20

Planned = list[Line]


class Settling(Company):
    """The company with what pays what. Nothing is changed by what is refused."""

    def earned(self, item: Item, on: date) -> Decimal:
        """The discount that paying all of an item on a day earns."""
        if item.discount is None or item.plan or self.undisputed(item.number) != self.left(item.number):
            return ZERO
        percent, until = item.discount
        discount = rounded(self.left(item.number) * percent / 100, item.currency)
        in_time = (on - until).days <= GRACE_DAYS
        return discount if in_time and discount < self.left(item.number) else ZERO

    def is_small(self, rest: Decimal, document: Item | Payment) -> bool:
        """Whether a rest of a document is closed by itself."""
        into = self.accounts[document.customer].currency
        small = rounded(SMALL_CNY * self.rate("CNY", into), into)
        in_percent = rest * 100 <= document.amount * SMALL_PERCENT
        return rest > 0 and rounded(rest * document.rate, into) <= small and in_percent

    def due_on(self, item: Item) -> date:
        """The day of the oldest part that is open; the last one's when none is."""
        reached, settled = ZERO, item.amount - self.left(item.number)
        for day, amount in item.parts:
            reached += amount
            if reached > settled:
                return day
        return item.parts[-1][0]

    # ---- how -----------------------------------------------------------------------------------------------

    def _settle(self, name: str, planned: Planned) -> None:
        """What was written off and is paid after all is open again first."""
        for line in planned:
            excess = line.relieves - self.left(line.number)
            if excess > 0:
                self.written_off[line.number] -= excess
            self.settled.append((name, line))
        payment = self.payments.get(name)
        if planned and payment and payment.purpose == "settlement" and self.is_small(self.left(name), payment):
            self.kept[name] = self.left(name)

    def _check_payable(self, number: str, customers: Iterable[str]) -> Item:
        item = self.items.get(number)
        if item is None:
            raise Refused("invoice_unknown")
        if item.customer not in customers:
            raise Refused("invoice_of_another_customer")
        if item.credit or number in self.gone:
            raise Refused("invoice_not_payable")
        return item

    def _planned(self, name: str, credit: Item | Payment, how: How) -> Planned:
        group = self.members if credit.customer in self.members else {credit.customer}
        planned, left = self._as_listed(credit, how.lines, group, self.left(name))
        if how.rule in ("reference", "auto") and left:
            named = [item for item in self._named(how.text, group) if item.currency == credit.currency]
            planned += self._discounted(named, left, planned, credit) or self._oldest(named, left, planned)
            left = self.left(name) - sum((line.amount for line in planned), ZERO)
        own = [item for item in self._open_items({credit.customer}) if item.currency == credit.currency]
        if how.rule in ("exact", "auto") and left:
            planned += self._exactly(own, left, planned, credit)
            left = self.left(name) - sum((line.amount for line in planned), ZERO)
        if how.rule in ("oldest_first", "auto") and left:
            planned += self._discounted(own, left, planned, credit) or self._oldest(own, left, planned)
            left = self.left(name) - sum((line.amount for line in planned), ZERO)
        return self._closed(planned, credit) if not left else planned

    def _as_listed(
        self, credit: Item | Payment, lines: Sequence[Line], group: Iterable[str], left: Decimal
    ) -> tuple[Planned, Decimal]:
        planned: Planned = []
        for asked in lines:
            item = self._check_payable(asked.number, group)
            already = _relieved(planned, asked.number)
            line = self._converted(credit, asked, item, already)
            if not line.discount and not already and isinstance(credit, Payment):
                offered = self.earned(item, credit.dated_on)
                if line.paid + offered == self.left(item.number) > line.paid:
                    line = replace(line, discount=offered)
            left -= line.amount
            if already + line.relieves > self.left(item.number) + self.written_off.get(item.number, ZERO):
                raise Refused("allocation_exceeds_item")
            if left < 0:
                raise Refused("allocation_exceeds_payment")
            planned.append(line)
        return planned, left

    def _converted(self, credit: Item | Payment, line: Line, item: Item, already: Decimal) -> Line:
        """At the credit's own rate into its account's currency, and from there at that of its day."""
        if line.settles is not None or item.currency == credit.currency:
            return line
        into = self.accounts[credit.customer].currency
        rate = credit.rate * self.rate(into, item.currency, on=credit.dated_on)
        rest = self.left(item.number) - already - line.discount
        all_of_it = rest > 0 and rounded(rest / rate, credit.currency) == line.amount
        settles = rest if all_of_it else rounded(line.amount * rate, item.currency)
        if not settles:
            raise Refused("settles_nothing")
        return replace(line, settles=settles)

    def _open_items(self, customers: Iterable[str]) -> list[Item]:
        found = [i for i in self.items.values() if not i.credit and i.customer in customers and self.left(i.number)]
        return sorted(found, key=lambda item: (self.due_on(item), item.number))

    def _named(self, text: str | None, group: Iterable[str]) -> list[Item]:
        words = set((text or "").replace(",", " ").split())
        return [item for item in self._open_items(group) if item.number in words]

    def _discounted(self, items: Sequence[Item], left: Decimal, before: Planned, credit: Item | Payment) -> Planned:
        """The items in full less their discounts, where that is exactly the cash."""
        found, any_discount = Planned(), False
        for item in items:
            undisputed = self.undisputed(item.number)
            if _relieved(before, item.number) or not undisputed or left <= 0:
                continue
            discount = self.earned(item, credit.dated_on) if isinstance(credit, Payment) else ZERO
            any_discount = any_discount or discount > 0
            found.append(Line(item.number, undisputed - discount, discount))
            left -= undisputed - discount
        return found if any_discount and not left else []

    def _exactly(self, items: Sequence[Item], left: Decimal, before: Planned, credit: Item | Payment) -> Planned:
        for item in items:
            undisputed = self.undisputed(item.number)
            if _relieved(before, item.number) or not undisputed:
                continue
            discount = self.earned(item, credit.dated_on) if isinstance(credit, Payment) else ZERO
            if left == undisputed:
                return [Line(item.number, left)]
            if discount and left == undisputed - discount:
                return [Line(item.number, left, discount)]
        return []

    def _oldest(self, items: Sequence[Item], left: Decimal, before: Planned) -> Planned:
        relieved = {item.number: _relieved(before, item.number) for item in items}
        found: dict[str, Decimal] = {}
        for _, number, part in sorted(self._parts(items, relieved)):
            amount = min(left, part)
            if amount > 0:
                found[number] = found.get(number, ZERO) + amount
                left -= amount
        return [Line(number, amount) for number, amount in found.items()]

    def _parts(self, items: Sequence[Item], relieved: Mapping[str, Decimal]) -> Iterator[tuple[date, str, Decimal]]:
        """What is open and undisputed of items, and not relieved already, part by part."""
        for item in items:
            settled = item.amount - self.left(item.number)
            start = settled + relieved[item.number]
            end = settled + self.undisputed(item.number)
            reached = ZERO
            for day, amount in item.parts:
                part = min(reached + amount, end) - max(reached, start)
                reached += amount
                if part > 0:
                    yield day, item.number, part

    def _closed(self, planned: Planned, credit: Item | Payment) -> Planned:
        """The last of them closes a small rest of its item, undisputed as it is."""
        if not planned or not isinstance(credit, Payment):
            return planned
        *others, last = planned
        item = self.items[last.number]
        rest = self.left(item.number) - _relieved(planned, item.number)
        if self.undisputed(item.number) != self.left(item.number) or not self.is_small(rest, item):
            return planned
        return [*others, replace(last, difference=rest)]


def _relieved(planned: Planned, number: str) -> Decimal:
    return sum((line.relieves for line in planned if line.number == number), ZERO)
