"""Promises to pay: what a payment counts for them, and what becomes of them when their day has passed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

from app.kernel.lifecycle import Lifecycle
from app.kernel.money import ZERO


class PromiseState(StrEnum):
    """Whether a promise was kept. Until its day, and the policy's grace, have passed it is open."""

    OPEN = "open"
    KEPT = "kept"
    PARTLY_KEPT = "partly_kept"
    BROKEN = "broken"
    WITHDRAWN = "withdrawn"


class PromiseMove(StrEnum):
    """What happens to a promise."""

    KEEP = "keep"
    KEEP_PARTLY = "keep_partly"
    BREAK = "break"
    REOPEN = "reopen"
    WITHDRAW = "withdraw"


_ENDS: Final = {PromiseMove.REOPEN: PromiseState.OPEN}

PROMISES: Final = Lifecycle(
    {
        PromiseState.OPEN: {
            PromiseMove.KEEP: PromiseState.KEPT,
            PromiseMove.KEEP_PARTLY: PromiseState.PARTLY_KEPT,
            PromiseMove.BREAK: PromiseState.BROKEN,
            PromiseMove.WITHDRAW: PromiseState.WITHDRAWN,
        },
        PromiseState.KEPT: _ENDS,
        PromiseState.PARTLY_KEPT: {},
        PromiseState.BROKEN: {},
        PromiseState.WITHDRAWN: {},
    }
)
"""A kept promise is open again when the payment bounces: then it is judged by its day like any other."""


@dataclass(frozen=True, slots=True)
class Paid:
    """A payment of `amount`, and what of it settled which invoices just now; amounts are in `currency`."""

    segment: str
    payment_ref: str
    currency: str
    amount: Decimal
    allocated: Mapping[str, Decimal]


def counted(
    paid: Decimal, allocated: Mapping[str, Decimal], *, missing: Sequence[tuple[Decimal, Sequence[str]]]
) -> list[Decimal]:
    """What a payment counts for each promise of `missing` (what is still to come, and the invoices it names), in order.

    A promise with invoices takes what settled those; one without takes of whatever was paid.
    """
    left, by_invoice, found = paid, dict(allocated), []
    for wanted, invoices in missing:
        if invoices:
            available = sum((by_invoice.get(number, ZERO) for number in invoices), ZERO)
            taken = min(wanted, available, left)
            rest = taken
            for number in invoices:
                used = min(rest, by_invoice.get(number, ZERO))
                by_invoice[number] = by_invoice.get(number, ZERO) - used
                rest -= used
        else:
            taken = min(wanted, left)
        left -= taken
        found.append(taken)
    return found


def given_back(excess: Decimal, taken: Sequence[Decimal]) -> list[Decimal]:
    """How much of what counted for promises counts for others now: `excess` in all, the last ones first."""
    found = []
    for amount in reversed(taken):
        found.append(min(amount, max(excess, ZERO)))
        excess -= found[-1]
    return found[::-1]


def end_of(amount: Decimal, received: Decimal, promised_on: date, on: date, *, grace_days: int) -> PromiseMove | None:
    """What becomes of an open promise on the day `on`; null while it may still be kept."""
    if received >= amount:
        return PromiseMove.KEEP
    if on <= promised_on + timedelta(days=grace_days):
        return None
    return PromiseMove.KEEP_PARTLY if received > 0 else PromiseMove.BREAK


def end_of_settled(received: Decimal) -> PromiseMove:
    """What becomes of a promise whose day has passed when nothing that it is about is open any more: what was missing
    was credited or given up, and nobody broke a word."""
    return PromiseMove.KEEP if received > 0 else PromiseMove.WITHDRAW
