"""Aging of many accounts: what is open by how long it is due, summed by customer, group or segment."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from app.domains.receivables.core.aging import BOUNDS, Bucket
from app.kernel.money import ZERO


class AgingBy(StrEnum):
    """What accounts are summed by; each currency apart."""

    CUSTOMER = "customer"
    GROUP = "group"
    SEGMENT = "segment"


@dataclass(frozen=True, slots=True)
class AgingPart:
    """An amount of one key in one currency: `part` is the number of a bucket, 0 for what is not due, or the name of a
    total (receivables, uncleared, credits)."""

    key: str
    currency: str
    part: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class AgedRow:
    """What accounts owe together in one currency. `disputed` is due on no day; `uncleared` drafts are exposed, and in
    no total."""

    key: str
    currency: str
    not_due: Decimal
    buckets: tuple[Bucket, ...]
    disputed: Decimal
    uncleared: Decimal
    unallocated_credits: Decimal

    @property
    def total(self) -> Decimal:
        """All that is open; unallocated credits are not taken off it."""
        return self.not_due + sum((bucket.amount for bucket in self.buckets), self.disputed)


def rows(parts: Iterable[AgingPart]) -> tuple[AgedRow, ...]:
    """The parts put together, in the order of their keys and currencies."""
    found: dict[tuple[str, str], dict[str, Decimal]] = {}
    for part in parts:
        found.setdefault((part.key, part.currency), {})[part.part] = part.amount
    return tuple(_row(*named, amounts) for named, amounts in found.items())


def _row(key: str, currency: str, amounts: dict[str, Decimal]) -> AgedRow:
    not_due = amounts.get("0", ZERO)
    buckets = tuple(
        Bucket(first, last, amounts.get(str(number), ZERO)) for number, (first, last) in enumerate(BOUNDS, start=1)
    )
    due = sum((bucket.amount for bucket in buckets), not_due)
    uncleared = amounts.get("uncleared", ZERO)
    return AgedRow(
        key=key,
        currency=currency,
        not_due=not_due,
        buckets=buckets,
        disputed=amounts.get("receivables", ZERO) - due - uncleared,
        uncleared=uncleared,
        unallocated_credits=amounts.get("credits", ZERO),
    )


@dataclass(frozen=True, slots=True)
class AgingReport:
    """A page of aged rows of one segment on the day `on`."""

    segment: str
    by: AgingBy
    on: date
    rows: Sequence[AgedRow]
    next_cursor: str | None
