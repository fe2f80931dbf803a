"""Invoices, credit notes and payments on the wire."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

from app.domains.receivables.core.instalments import MAX_INSTALMENTS, Instalment
from app.domains.receivables.core.items import Discount, ItemKind, OrderShare
from app.domains.receivables.core.payments import Purpose
from app.domains.receivables.core.refusals import DiscountContradictory, OrdersContradictory, at
from app.domains.receivables.core.requests import AllocationLine, Instruction, InvoiceRequest, PaymentRequest
from app.infra.http.fields import (
    BusinessDay,
    CurrencyCode,
    ExchangeRate,
    Flag,
    NonNegativeAmount,
    Percentage,
    PositiveAmount,
    Prose,
    Reference,
    SegmentName,
    Whole,
    Wire,
    decimals_fit,
)
from app.kernel.money import ZERO, Money

MAX_ORDERS: Final = 500
MAX_ALLOCATIONS: Final = 1_000

MAX_REMITTANCE: Final = 1_000

Remittance = Annotated[Prose, Field(max_length=MAX_REMITTANCE)]
NetDays = Annotated[Whole, Field(ge=0, le=3650)]


class OrderShareIn(Wire):
    """The part of an invoice that bills one order; `complete`: nothing more of it will be invoiced."""

    order_ref: Reference
    amount: PositiveAmount
    complete: Flag = False


class InstalmentIn(Wire):
    """A part of an invoice, in its currency, and the last day on which it is paid in time."""

    due_on: BusinessDay
    amount: PositiveAmount

    def instalment(self) -> Instalment:
        """As the core knows it."""
        return Instalment(self.due_on, self.amount)


Plan = Annotated[tuple[InstalmentIn, ...], Field(max_length=MAX_INSTALMENTS)]


class InvoiceIn(Wire):
    """An invoice, debit note or credit note. `order_ref` is short for one order with the whole amount; without
    `due_on`, `net_days` or `instalments` the customer's terms apply; `discount_percent` is off when paid within
    `discount_days` of the day of issue; `fx_rate` is account currency per unit of `currency`."""

    invoice_no: Reference
    customer_id: Reference
    segment: SegmentName = "main"
    kind: ItemKind = ItemKind.INVOICE
    amount: PositiveAmount
    currency: CurrencyCode
    issued_on: BusinessDay
    due_on: BusinessDay | None = None
    net_days: NetDays | None = None
    fx_rate: ExchangeRate | None = None
    orders: Annotated[tuple[OrderShareIn, ...], Field(max_length=MAX_ORDERS)] = ()
    order_ref: Reference | None = None
    related_invoice_no: Reference | None = None
    instalments: Plan = ()
    discount_percent: Percentage | None = None
    discount_days: NetDays | None = None

    @model_validator(mode="after")
    def _decimals(self) -> InvoiceIn:
        decimals_fit(self, "amount", "orders.*.amount", "instalments.*.amount")
        return self

    def request(self) -> InvoiceRequest:
        """As the core knows it. Raises `OrdersContradictory` when `orders` and `order_ref` are both given, and
        `DiscountContradictory`."""
        orders = tuple(OrderShare(share.order_ref, share.amount, share.complete) for share in self.orders)
        if self.order_ref is not None:
            if orders:
                raise at(OrdersContradictory, "/order_ref", "give orders or order_ref, not both")
            orders = (OrderShare(self.order_ref, self.amount),)
        return InvoiceRequest(
            segment=self.segment,
            invoice_no=self.invoice_no,
            customer_id=self.customer_id,
            amount=Money(self.amount, self.currency),
            issued_on=self.issued_on,
            kind=self.kind,
            due_on=self.due_on,
            net_days=self.net_days,
            fx_rate=self.fx_rate,
            orders=orders,
            related_invoice_no=self.related_invoice_no,
            instalments=tuple(part.instalment() for part in self.instalments),
            discount=self._discount(),
        )

    def _discount(self) -> Discount | None:
        if self.discount_percent is None and self.discount_days is None:
            return None
        if self.discount_percent is None or self.discount_days is None or self.kind is ItemKind.CREDIT_NOTE:
            raise at(DiscountContradictory, "/discount_percent", "a discount on an invoice has a percentage and days")
        return Discount(self.discount_percent, self.issued_on + timedelta(days=self.discount_days))


class ReasonIn(Wire):
    """Why something is taken back."""

    reason: Prose


class CreditLineIn(Wire):
    """An item to be settled by a part of a credit note, in its currency; converted at the credit note's rate and that
    of its day where the item is in another."""

    invoice_no: Reference
    amount: PositiveAmount

    def line(self) -> AllocationLine:
        """As the core knows it."""
        return AllocationLine(self.invoice_no, self.amount)


class CreditNoteAllocationIn(Wire):
    """What a credit note is to settle."""

    allocations: Annotated[tuple[CreditLineIn, ...], Field(min_length=1, max_length=MAX_ALLOCATIONS)]

    def instruction(self) -> Instruction:
        """As the core knows it."""
        return Instruction(tuple(line.line() for line in self.allocations))


class PaymentLineIn(Wire):
    """An item to be settled by `amount` of a payment, in its currency, and by `discount`, in the item's.

    Where the item is in another currency, `settles` says what of it the amount is taken for; left out, the amount is
    converted at the payment's rate and that of the day it was received.
    """

    invoice_no: Reference
    amount: PositiveAmount
    discount: NonNegativeAmount = ZERO
    settles: PositiveAmount | None = None

    def line(self) -> AllocationLine:
        """As the core knows it."""
        return AllocationLine(self.invoice_no, self.amount, self.discount, self.settles)


PaymentLines = Annotated[tuple[PaymentLineIn, ...], Field(max_length=MAX_ALLOCATIONS)]


Rule = Literal["oldest_first", "reference", "exact", "auto"]
RuleOrNone = Literal["oldest_first", "reference", "exact", "auto", "none"]
"""By due day; the items that the payment's text names; one item that the cash pays exactly; all these, the text first
and the oldest last."""


def ruled(lines: tuple[AllocationLine, ...], rule: RuleOrNone) -> Instruction:
    """The lines, then what `rule` finds."""
    return Instruction(
        lines,
        oldest_first=rule in ("oldest_first", "auto"),
        by_reference=rule in ("reference", "auto"),
        exact=rule in ("exact", "auto"),
    )


class PaymentAllocationIn(Wire):
    """What is left of a payment is to settle the items named, then what the rule in `allocate` finds; without items
    named, the oldest."""

    allocations: PaymentLines = ()
    allocate: Rule | None = None

    def instruction(self) -> Instruction:
        """As the core knows it."""
        lines = tuple(line.line() for line in self.allocations)
        return ruled(lines, self.allocate or ("none" if lines else "oldest_first"))


class PaymentIn(Wire):
    """A payment. The items named are settled first, then what the rule in `allocate` finds; without items named the
    oldest, unless it says none. Nothing is settled by itself with a deposit, or before its order is invoiced with an
    advance. `clears_on` is the day on which a draft or cheque becomes money; `remittance` the payer's text; `fx_rate`
    account currency per unit of `currency`."""

    payment_ref: Reference
    customer_id: Reference
    segment: SegmentName = "main"
    amount: PositiveAmount
    currency: CurrencyCode
    received_on: BusinessDay
    clears_on: BusinessDay | None = None
    fx_rate: ExchangeRate | None = None
    allocations: PaymentLines = ()
    allocate: RuleOrNone | None = None
    purpose: Purpose = Purpose.SETTLEMENT
    order_ref: Reference | None = None
    remittance: Remittance | None = None

    @model_validator(mode="after")
    def _decimals(self) -> PaymentIn:
        decimals_fit(self, "amount", "allocations.*.amount")
        return self

    def request(self) -> PaymentRequest:
        """As the core knows it."""
        lines = tuple(line.line() for line in self.allocations)
        unasked: RuleOrNone = "oldest_first"
        if lines or self.purpose is not Purpose.SETTLEMENT:
            unasked = "none"
        return PaymentRequest(
            segment=self.segment,
            payment_ref=self.payment_ref,
            customer_id=self.customer_id,
            amount=Money(self.amount, self.currency),
            received_on=self.received_on,
            fx_rate=self.fx_rate,
            allocate=ruled(lines, self.allocate or unasked),
            clears_on=self.clears_on,
            purpose=self.purpose,
            order_ref=self.order_ref,
            remittance=self.remittance,
        )
