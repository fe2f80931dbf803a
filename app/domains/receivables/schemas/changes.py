"""Disputes, write-offs, refunds and instalment plans as they are asked for."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from app.domains.receivables.core.changes import RefundRequest
from app.domains.receivables.core.disputes import DisputeReason
from app.domains.receivables.core.instalments import MAX_INSTALMENTS, Instalment
from app.domains.receivables.core.reversals import Fee
from app.domains.receivables.core.write_offs import BadDebtReason
from app.domains.receivables.schemas.documents import InstalmentIn
from app.infra.http.fields import (
    BusinessDay,
    CurrencyCode,
    PositiveAmount,
    Prose,
    Reference,
    Wire,
    decimals_fit,
)
from app.kernel.money import Money


class DisputeIn(Wire):
    """What is disputed: `amount` in the invoice's currency, all that is open if left out. `reason` is one of the list
    (price, quantity, quality, damaged, not_delivered, wrong_goods, late_delivery, duplicate, tax, terms, already_paid,
    other); any other text counts as other and is kept as the note."""

    amount: PositiveAmount | None = None
    reason: Prose
    note: Prose | None = None

    @property
    def listed(self) -> DisputeReason:
        """The reason of the list."""
        known = self.reason.strip().lower()
        return DisputeReason(known) if known in set(DisputeReason) else DisputeReason.OTHER

    @property
    def remark(self) -> str | None:
        """What is kept beside it."""
        return self.note or (None if self.reason.strip().lower() in set(DisputeReason) else self.reason)


class ResolutionIn(Wire):
    """How a dispute ends: upheld, by a credit note that may be given its number, or rejected."""

    outcome: Literal["upheld", "rejected"]
    credit_note_no: Reference | None = None
    note: Prose | None = None


class WriteOffIn(Wire):
    """What is given up: `amount` in the invoice's currency, all that is open if left out; `category` says why
    (insolvency, uncollectable, compromise, time_barred, uneconomic, fraud, other)."""

    amount: PositiveAmount | None = None
    category: BadDebtReason = BadDebtReason.OTHER
    reason: Prose


class RecoveryIn(Wire):
    """What of a write-off is claimed again: all if left out."""

    amount: PositiveAmount | None = None
    reason: Prose


class PlanIn(Wire):
    """The instalments that what is open of an invoice is to be paid in: they sum to it, one due day after another."""

    instalments: Annotated[tuple[InstalmentIn, ...], Field(min_length=1, max_length=MAX_INSTALMENTS)]
    reason: Prose

    def plan(self) -> tuple[Instalment, ...]:
        """As the core knows it."""
        return tuple(part.instalment() for part in self.instalments)


class RefundIn(Wire):
    """What is paid back: `amount` in the currency of the payment or credit note, all that is left if left out."""

    refund_ref: Reference
    amount: PositiveAmount | None = None
    refunded_on: BusinessDay
    reason: Prose

    def request(self) -> RefundRequest:
        """As the core knows it."""
        return RefundRequest(self.refund_ref, self.amount, self.refunded_on, self.reason)


class FeeIn(Wire):
    """What the bank charges; a debit note of this number, or one of its own, passes it on."""

    amount: PositiveAmount
    currency: CurrencyCode
    invoice_no: Reference | None = None

    @model_validator(mode="after")
    def _decimals(self) -> FeeIn:
        decimals_fit(self, "amount")
        return self


class ReversalIn(Wire):
    """Why a payment is taken back, and the fee that goes with it."""

    reason: Prose
    fee: FeeIn | None = None

    def charged(self) -> Fee | None:
        """As the core knows it."""
        if self.fee is None:
            return None
        return Fee(Money(self.fee.amount, self.fee.currency), self.fee.invoice_no)
