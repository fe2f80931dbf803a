"""Aging: what is open, by how long it has been due."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from app.kernel.money import ZERO

BOUNDS: Final[tuple[tuple[int, int | None], ...]] = ((1, 30), (31, 60), (61, 90), (91, None))
"""The days overdue of each bucket, both ends included; the last has no end."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """What is overdue by `from_days` to `to_days` (null: or more) days."""

    from_days: int
    to_days: int | None
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Aging:
    """The open items of an account on the day `on`, in its `currency`. What is `disputed` is due on no day, and in no
    bucket."""

    customer_id: str
    segment: str
    currency: str
    on: date
    not_due: Decimal
    buckets: tuple[Bucket, ...]
    disputed: Decimal
    unallocated_credits: Decimal

    @property
    def total(self) -> Decimal:
        """All that is open; unallocated credits are not taken off it."""
        return self.not_due + sum((bucket.amount for bucket in self.buckets), self.disputed)


def not_due(by_due_day: Mapping[date, Decimal], on: date) -> Decimal:
    """The part that is not overdue on the day `on`: an item is overdue from the day after it is due."""
    return sum((amount for due_on, amount in by_due_day.items() if due_on >= on), ZERO)


def buckets(by_due_day: Mapping[date, Decimal], on: date) -> tuple[Bucket, ...]:
    """The overdue part on the day `on`, by days overdue."""
    ages = [((on - due_on).days, amount) for due_on, amount in by_due_day.items() if due_on < on]
    return tuple(
        Bucket(first, last, sum((a for days, a in ages if days >= first and (last is None or days <= last)), ZERO))
        for first, last in BOUNDS
    )
