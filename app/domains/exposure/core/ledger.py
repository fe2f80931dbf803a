"""Exposure and its ledger: four components in one currency, changed by entries only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from app.kernel.money import ZERO, Money


class Component(StrEnum):
    """A part of the exposure."""

    RECEIVABLES = "receivables"
    OPEN_ORDERS = "open_orders"
    DELIVERED = "delivered"
    UNALLOCATED_CREDITS = "unallocated_credits"


@dataclass(frozen=True, slots=True)
class Source:
    """The document that caused an entry."""

    type: str
    ref: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One change of one component, in account currency. `due_on` is the due day of the item behind a receivable."""

    component: Component
    amount: Decimal
    source: Source
    due_on: date | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """An entry as posted: `seq` is the account's version after it, `balance` the component's."""

    seq: int
    entry: Entry
    balance: Decimal


@dataclass(frozen=True, slots=True)
class Posting:
    """A line of the ledger and when it was posted."""

    at: datetime
    line: Line


@dataclass(frozen=True, slots=True)
class Exposure:
    """What a customer owes or is about to owe, all in `currency`; unallocated credits are positive and deducted."""

    currency: str
    receivables: Decimal = ZERO
    open_orders: Decimal = ZERO
    delivered: Decimal = ZERO
    unallocated_credits: Decimal = ZERO

    @property
    def amount(self) -> Decimal:
        """receivables + open orders + delivered − unallocated credits, in `currency`."""
        return self.receivables + self.open_orders + self.delivered - self.unallocated_credits

    @property
    def total(self) -> Money:
        """The same as money."""
        return Money(self.amount, self.currency)

    def posted(self, entries: Sequence[Entry], *, version: int) -> tuple[Exposure, tuple[Line, ...]]:
        """This exposure after `entries`, and their ledger lines numbered from `version` + 1."""
        balances = {
            Component.RECEIVABLES: self.receivables,
            Component.OPEN_ORDERS: self.open_orders,
            Component.DELIVERED: self.delivered,
            Component.UNALLOCATED_CREDITS: self.unallocated_credits,
        }
        lines = []
        for seq, entry in enumerate(entries, start=version + 1):
            balances[entry.component] += entry.amount
            lines.append(Line(seq, entry, balances[entry.component]))
        return Exposure(self.currency, *balances.values()), tuple(lines)
