"""Allocation by rule: which items a payment settles, by how much, and what of them is discount or small difference.

Pure arithmetic over the items at hand. Whatever the rule, no more is allocated than the cash, no item is relieved of
more than is open, and what the settlements use adds up to the cash less what is left, to the last minor unit.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from heapq import heappop, heappush
from typing import Final
from uuid import UUID

from app.domains.receivables.core import instalments
from app.domains.receivables.core.items import Item
from app.kernel.money import ZERO, rounded

MAX_NAMES: Final = 200
"""References looked up for one payment's text."""

NOTHING_TAKEN: Final[Mapping[UUID, Decimal]] = {}

_SEPARATORS: Final = re.compile(r"[\s,;|]+")
_TRIMMED: Final = ".:()[]\"'#"


@dataclass(frozen=True, slots=True)
class Settlement:
    """A part of an item to be settled, all in its currency: by `amount` of cash, `discount`, and a small `difference`.

    `cash` is what the amount uses of the payment, in the payment's currency; null where both are in one.
    """

    item: Item
    amount: Decimal
    discount: Decimal = ZERO
    difference: Decimal = ZERO
    cash: Decimal | None = None

    @property
    def settles(self) -> Decimal:
        """What the item is relieved of."""
        return self.amount + self.discount + self.difference

    @property
    def uses(self) -> Decimal:
        """What is used of the payment, in its currency."""
        return self.amount if self.cash is None else self.cash


@dataclass(frozen=True, slots=True)
class SettlementRules:
    """What a policy lets close by itself. Null is off.

    A discount is earned up to `discount_grace_days` after its last day. A rest is small when it is worth at most
    `small_amount`, in account currency, and at most `small_percent` of its document.
    """

    discount_grace_days: int | None = None
    small_amount: Decimal | None = None
    small_percent: Decimal = Decimal(100)

    def earned(self, item: Item, on: date) -> Decimal:
        """The discount that paying all that is open of `item` on the day `on` earns."""
        offer = item.discount
        if offer is None or self.discount_grace_days is None or item.instalments or item.disputed_open:
            return ZERO
        if on > offer.until + timedelta(days=self.discount_grace_days):
            return ZERO
        discount = rounded(item.open * offer.percent / 100, item.currency)
        return discount if discount < item.open else ZERO

    def is_small(self, rest: Decimal, *, of: Decimal, rate: Decimal, account_currency: str) -> bool:
        """Whether `rest` of a document over `of`, at `rate` units of account currency, may be closed."""
        if self.small_amount is None or rest <= 0:
            return False
        return rounded(rest * rate, account_currency) <= self.small_amount and rest * 100 <= of * self.small_percent


NO_RULES: Final = SettlementRules()

Earned = Callable[[Item], Decimal]
"""The discount that paying an item in full earns."""


def nothing_earned(_: Item) -> Decimal:
    """No discount."""
    return ZERO


def taken(settlements: Iterable[Settlement]) -> Mapping[UUID, Decimal]:
    """What `settlements` relieve each item of, by the item's id."""
    sums: dict[UUID, Decimal] = defaultdict(lambda: ZERO)
    for settlement in settlements:
        sums[settlement.item.id] += settlement.settles
    return sums


def oldest_first(
    items: Iterable[Item], cash: Decimal, *, already: Mapping[UUID, Decimal] = NOTHING_TAKEN
) -> tuple[Settlement, ...]:
    """Settles `items`, given by due day and number, part after part by due day, until `cash` is used up.

    `already` is what an item is relieved of by settlements that go before these. What is disputed is left alone.
    """
    settled: dict[UUID, Settlement] = {}
    left = cash
    if left > 0:
        for item, part in _parts(items, already):
            amount = min(left, part)
            before = settled.get(item.id)
            settled[item.id] = Settlement(item, amount if before is None else before.amount + amount)
            left -= amount
            if left <= 0:
                break
    return tuple(settled.values())


def discounted(
    items: Iterable[Item], cash: Decimal, *, earned: Earned, already: Mapping[UUID, Decimal] = NOTHING_TAKEN
) -> tuple[Settlement, ...]:
    """Settles `items` in full, each less its discount, if `cash` is exactly that; nothing otherwise."""
    settlements: list[Settlement] = []
    left, any_discount = cash, False
    for item in items:
        if item.id in already or not item.undisputed:
            continue
        discount = earned(item)
        any_discount = any_discount or discount > 0
        settlements.append(Settlement(item, item.undisputed - discount, discount))
        left -= item.undisputed - discount
        if left <= 0:
            break
    return tuple(settlements) if any_discount and left == 0 else ()


def exact(
    items: Iterable[Item], cash: Decimal, *, earned: Earned, already: Mapping[UUID, Decimal] = NOTHING_TAKEN
) -> tuple[Settlement, ...]:
    """Settles the first of `items` of which `cash` is exactly what is open, or that less its discount."""
    for item in items:
        if item.id in already or not item.undisputed:
            continue
        discount = earned(item)
        if cash == item.undisputed:
            return (Settlement(item, cash),)
        if discount and cash == item.undisputed - discount:
            return (Settlement(item, cash, discount),)
    return ()


def names(remittance: str | None) -> Sequence[str]:
    """The words of a payment's text that may be numbers of invoices, as written and without marks around them."""
    found: dict[str, None] = {}
    for word in _SEPARATORS.split(remittance or ""):
        for name in (word, word.strip(_TRIMMED)):
            if 0 < len(name) <= 64:
                found[name] = None
    return list(found)[:MAX_NAMES]


def closing(settlements: Sequence[Settlement], *, left: Decimal, rules: SettlementRules) -> tuple[Settlement, ...]:
    """`settlements`, the last of which also closes a small rest of its item, when all the cash is used."""
    if not settlements or left:
        return tuple(settlements)
    *others, last = settlements
    item = last.item
    rest = item.open - taken(settlements)[item.id]
    if item.disputed_open or not rules.is_small(
        rest, of=item.amount, rate=item.rate, account_currency=item.account_currency
    ):
        return tuple(settlements)
    return (*others, replace(last, difference=last.difference + rest))


def _parts(items: Iterable[Item], already: Mapping[UUID, Decimal]) -> Iterator[tuple[Item, Decimal]]:
    """The open parts of `items` by due day and number, as far as they are not relieved already.

    Further parts of an item wait until its turn comes again; an item without instalments never waits.
    """
    waiting: list[tuple[date, str, int, Item, Decimal]] = []
    for item in items:
        while waiting and waiting[0][:2] <= (item.due_on, item.invoice_no):
            yield heappop(waiting)[3:]
        relieved = already.get(item.id, ZERO)
        if not item.instalments:
            if item.undisputed > relieved:
                yield item, item.undisputed - relieved
            continue
        settled = item.amount - item.open
        parts = instalments.between(item.instalments, settled + relieved, settled + item.undisputed)
        for index, part in enumerate(parts):
            if index == 0 and part.due_on == item.due_on:
                yield item, part.amount
            else:
                heappush(waiting, (part.due_on, item.invoice_no, index, item, part.amount))
    while waiting:
        yield heappop(waiting)[3:]
