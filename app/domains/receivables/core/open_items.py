"""The open-item list: what a customer has to pay, part by part, on one day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from app.domains.receivables.core.items import Item, ItemKind
from app.kernel.money import ZERO


@dataclass(frozen=True, slots=True)
class OpenLine:
    """One open item, or one instalment of it that is open, in its currency. What is `disputed` of an item stands on its
    last line and is part of what is open there."""

    invoice_no: str
    kind: ItemKind
    issued_on: date
    due_on: date
    currency: str
    amount: Decimal
    open: Decimal
    disputed: Decimal

    def overdue_days(self, on: date) -> int:
        """Days since the due day; 0 for what is not due yet, or wholly disputed."""
        return max((on - self.due_on).days, 0) if self.open > self.disputed else 0


@dataclass(frozen=True, slots=True)
class OpenItems:
    """The open items of an account by due day and number; credits in the account's `currency`."""

    customer_id: str
    segment: str
    on: date
    currency: str
    unallocated_credits: Decimal
    lines: tuple[OpenLine, ...]

    @property
    def totals(self) -> Mapping[str, Decimal]:
        """What is open by currency."""
        sums: dict[str, Decimal] = {}
        for line in self.lines:
            sums[line.currency] = sums.get(line.currency, ZERO) + line.open
        return dict(sorted(sums.items()))


def lines(items: Iterable[Item]) -> tuple[OpenLine, ...]:
    """The lines of open items, by due day and number."""
    found = [line for item in items for line in _lines(item)]
    return tuple(sorted(found, key=lambda line: (line.due_on, line.invoice_no)))


def _lines(item: Item) -> list[OpenLine]:
    parts = [(part.due_on, part.amount) for part in item.parts] or [(item.due_on, ZERO)]
    last = len(parts) - 1
    made = []
    for place, (due_on, amount) in enumerate(parts):
        disputed = item.disputed_open if place == last else ZERO
        made.append(
            OpenLine(
                invoice_no=item.invoice_no,
                kind=item.kind,
                issued_on=item.issued_on,
                due_on=due_on,
                currency=item.currency,
                amount=item.amount,
                open=amount + disputed,
                disputed=disputed,
            )
        )
    return made
