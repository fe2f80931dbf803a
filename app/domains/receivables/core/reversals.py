"""What a payment that bounces is charged with: the bank's fee, and what was refunded of money that never came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from app.domains.receivables.core.book import Book
from app.domains.receivables.core.items import ItemKind
from app.domains.receivables.core.payments import Payment
from app.domains.receivables.core.refunds import Refund
from app.domains.receivables.core.refusals import InvoiceConflict
from app.domains.receivables.core.requests import InvoiceRequest
from app.kernel.money import ZERO, Money


@dataclass(frozen=True, slots=True)
class Fee:
    """What the bank charges for a payment that bounced; without `invoice_no` its debit note is numbered by itself."""

    amount: Money
    invoice_no: str | None = None


def charges(
    payment: Payment, refunded: Sequence[Refund], fee: Fee | None, *, today: date
) -> tuple[InvoiceRequest, ...]:
    """The debit notes that go with the reversal of `payment`, due today."""
    back = sum((refund.amount for refund in refunded), ZERO)
    made = []
    if back:
        own_rate = None if payment.currency == payment.account_currency else payment.rate
        amount = Money(back, payment.currency)
        made.append(_debit_note(payment, f"RB-{payment.id}", amount, today, fx_rate=own_rate))
    if fee is not None:
        made.append(_debit_note(payment, fee.invoice_no or f"FEE-{payment.id}", fee.amount, today))
    return tuple(made)


def check_numbers(book: Book, made: Sequence[InvoiceRequest]) -> None:
    """Raises `InvoiceConflict` when one of the debit notes' numbers was posted before."""
    for charge in made:
        if charge.key in book.items:
            raise InvoiceConflict(f"{charge.invoice_no} was posted before")


def _debit_note(
    payment: Payment, number: str, amount: Money, today: date, fx_rate: Decimal | None = None
) -> InvoiceRequest:
    return InvoiceRequest(
        segment=payment.segment,
        invoice_no=number,
        customer_id=payment.customer_id,
        amount=amount,
        issued_on=today,
        kind=ItemKind.DEBIT_NOTE,
        due_on=today,
        fx_rate=fx_rate,
    )
