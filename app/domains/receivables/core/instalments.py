"""Instalments: the parts of an item, each with its own due day; what settles the item fills the first part first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Final

from app.domains.receivables.core.refusals import InstalmentsContradictory, at
from app.kernel.money import ZERO

MAX_INSTALMENTS: Final = 120


@dataclass(frozen=True, slots=True)
class Instalment:
    """A part of an item, in the item's currency, and the last day on which it is paid in time."""

    due_on: date
    amount: Decimal


def checked(plan: Sequence[Instalment], total: Decimal, *, pointer: str = "/instalments") -> tuple[Instalment, ...]:
    """`plan` if its parts sum to `total` and fall due one after another. Raises `InstalmentsContradictory`."""
    for index, (earlier, later) in enumerate(pairwise(plan), start=1):
        if later.due_on <= earlier.due_on:
            message = f"{later.due_on} is not after {earlier.due_on}"
            raise at(InstalmentsContradictory, f"{pointer}/{index}/due_on", message)
    planned = sum((part.amount for part in plan), ZERO)
    if planned != total:
        raise at(InstalmentsContradictory, pointer, f"the parts sum to {planned}, not to {total}")
    return tuple(plan)


def between(plan: Sequence[Instalment], start: Decimal, end: Decimal) -> tuple[Instalment, ...]:
    """What lies between the amounts `start` and `end`, counted from the first part on: the parts cut to that."""
    found, reached = [], ZERO
    for part in plan:
        amount = min(reached + part.amount, end) - max(reached, start)
        if amount > 0:
            found.append(Instalment(part.due_on, amount))
        reached += part.amount
    return tuple(found)


def due_on(plan: Sequence[Instalment], settled: Decimal) -> date:
    """The due day of the first part that `settled` does not fill; the last one's when all are filled."""
    reached = ZERO
    for part in plan:
        reached += part.amount
        if reached > settled:
            return part.due_on
    return plan[-1].due_on
