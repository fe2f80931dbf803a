"""The statement of account: what moved the balance between two days, by the days of documents.

The balance is what is open less unallocated credits. Documents move it by their value, and so do write-offs, recoveries
and refunds; settling moves it only by what is no money: discounts, small and exchange differences, and items that one
member of a group settles for another.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from itertools import accumulate

from app.kernel.periods import Window


class MovementType(StrEnum):
    """What moved the balance."""

    INVOICE = "invoice"
    DEBIT_NOTE = "debit_note"
    CREDIT_NOTE = "credit_note"
    PAYMENT = "payment"
    SETTLEMENT = "settlement"
    WRITE_OFF = "write_off"
    RECOVERY = "recovery"
    REFUND = "refund"
    SMALL_DIFFERENCE = "small_difference"


@dataclass(frozen=True, slots=True)
class Movement:
    """One change of the balance by `effect` (account currency). `invoice_no` is the item that a settlement is about."""

    on: date
    type: MovementType
    ref: str
    invoice_no: str | None
    currency: str
    amount: Decimal
    """Of the document, in `currency`."""
    effect: Decimal


@dataclass(frozen=True, slots=True)
class Statement:
    """The movements of an account in `window`, in order; balances in the account's `currency`."""

    customer_id: str
    segment: str
    currency: str
    window: Window
    opening: Decimal
    movements: tuple[Movement, ...]

    @property
    def balances(self) -> list[Decimal]:
        """The balance after each movement."""
        return list(accumulate((movement.effect for movement in self.movements), initial=self.opening))[1:]

    @property
    def closing(self) -> Decimal:
        """The balance at the end."""
        return self.balances[-1] if self.movements else self.opening
