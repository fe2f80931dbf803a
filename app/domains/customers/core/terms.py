"""Payment terms: when an invoice is due, and what paying early earns."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

from app.kernel.errors import Fault, Invalid

DEFAULT_NET_DAYS: Final = 30


class TermsKind(StrEnum):
    """How a customer pays: on account, before delivery, or on delivery."""

    ACCOUNT = "account"
    PREPAID = "prepaid"
    CASH = "cash"


class DueFrom(StrEnum):
    """The day that net days are counted from."""

    INVOICE = "invoice"
    MONTH_END = "month_end"


class TermsContradictory(Invalid):
    """The parts of the payment terms do not go together."""

    code = "terms_contradictory"
    title = "The payment terms contradict themselves"


@dataclass(frozen=True, slots=True)
class PaymentTerms:
    """What a customer has agreed to. Days are calendar days; `discount_percent` is 0–100.

    Raises `TermsContradictory` for a discount period that ends after the net days, both counted from the invoice.
    """

    kind: TermsKind = TermsKind.ACCOUNT
    net_days: int = DEFAULT_NET_DAYS
    due_from: DueFrom = DueFrom.INVOICE
    discount_percent: Decimal = Decimal(0)
    discount_days: int = 0

    def __post_init__(self) -> None:
        if self.due_from is DueFrom.INVOICE and self.discount_days > self.net_days:
            message = f"the discount period of {self.discount_days} days ends after the net {self.net_days} days"
            raise TermsContradictory(
                message, faults=[Fault("/payment_terms/discount_days", TermsContradictory.code, message)]
            )

    @property
    def on_credit(self) -> bool:
        """Whether goods leave before they are paid."""
        return self.kind is TermsKind.ACCOUNT

    def due_on(self, issued_on: date) -> date:
        """The last day on which an invoice of `issued_on` is paid in time."""
        start = issued_on
        if self.due_from is DueFrom.MONTH_END:
            start = issued_on.replace(day=calendar.monthrange(issued_on.year, issued_on.month)[1])
        return start + timedelta(days=self.net_days)
