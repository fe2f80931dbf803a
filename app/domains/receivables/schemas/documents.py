"""Invoices, credit notes and payments on the wire."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

from app.domains.receivables.core.allocations import Allocation, CreditKind
from app.domains.receivables.core.items import Cancellation, ItemKind, ItemStatus, OrderShare
from app.domains.receivables.core.payments import PaymentStatus
from app.domains.receivables.core.refusals import OrdersContradictory, at
from app.domains.receivables.core.requests import AllocationLine, Instruction, InvoiceRequest, PaymentRequest
from app.domains.receivables.service.invoices import InvoiceView
from app.domains.receivables.service.payments import PaymentView
from app.infra.http.fields import (
    BusinessDay,
    CurrencyCode,
    ExchangeRate,
    Flag,
    MoneyText,
    NonNegativeAmount,
    PositiveAmount,
    Prose,
    Reference,
    SegmentName,
    Whole,
    Wire,
    decimals_fit,
)
from app.kernel.money import ZERO, Money, render

MAX_ORDERS: Final = 500
MAX_ALLOCATIONS: Final = 1_000

NetDays = Annotated[Whole, Field(ge=0, le=3650)]


class OrderShareIn(Wire):
    """The part of an invoice that bills one order; `complete`: nothing more of it will be invoiced."""

    order_ref: Reference
    amount: PositiveAmount
    complete: Flag = False


class InvoiceIn(Wire):
    """An invoice, debit note or credit note. `order_ref` is short for one order with the whole amount; without `due_on`
    or `net_days` the customer's terms apply; `fx_rate` is account currency per unit of `currency`."""

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

    @model_validator(mode="after")
    def _decimals(self) -> InvoiceIn:
        decimals_fit(self, "amount", "orders.*.amount")
        return self

    def request(self) -> InvoiceRequest:
        """As the core knows it. Raises `OrdersContradictory` when `orders` and `order_ref` are both given."""
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
        )


class ReasonIn(Wire):
    """Why something is taken back."""

    reason: Prose


class CreditLineIn(Wire):
    """An item to be settled by a part of a credit note, in its currency."""

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
    """An item to be settled by `amount` of a payment and by `discount`, both in the payment's currency."""

    invoice_no: Reference
    amount: PositiveAmount
    discount: NonNegativeAmount = ZERO

    def line(self) -> AllocationLine:
        """As the core knows it."""
        return AllocationLine(self.invoice_no, self.amount, self.discount)


PaymentLines = Annotated[tuple[PaymentLineIn, ...], Field(max_length=MAX_ALLOCATIONS)]


class PaymentAllocationIn(Wire):
    """What is left of a payment is to settle the items named, then the oldest if `allocate` says so; without items
    named, the oldest."""

    allocations: PaymentLines = ()
    allocate: Literal["oldest_first"] | None = None

    def instruction(self) -> Instruction:
        """As the core knows it."""
        lines = tuple(line.line() for line in self.allocations)
        return Instruction(lines, oldest_first=self.allocate is not None or not lines)


class PaymentIn(Wire):
    """A payment. The items named are settled first, then the oldest if `allocate` says so; without items named, the
    oldest unless it says none. `fx_rate` is account currency per unit of `currency`."""

    payment_ref: Reference
    customer_id: Reference
    segment: SegmentName = "main"
    amount: PositiveAmount
    currency: CurrencyCode
    received_on: BusinessDay
    fx_rate: ExchangeRate | None = None
    allocations: PaymentLines = ()
    allocate: Literal["oldest_first", "none"] | None = None

    @model_validator(mode="after")
    def _decimals(self) -> PaymentIn:
        decimals_fit(self, "amount", "allocations.*.amount", "allocations.*.discount")
        return self

    def request(self) -> PaymentRequest:
        """As the core knows it."""
        lines = tuple(line.line() for line in self.allocations)
        oldest_first = not lines if self.allocate is None else self.allocate == "oldest_first"
        return PaymentRequest(
            segment=self.segment,
            payment_ref=self.payment_ref,
            customer_id=self.customer_id,
            amount=Money(self.amount, self.currency),
            received_on=self.received_on,
            fx_rate=self.fx_rate,
            allocate=Instruction(lines, oldest_first=oldest_first),
        )


class CreditOut(Wire):
    """The payment or credit note that settles an item."""

    type: CreditKind
    ref: str


class AllocationOut(Wire):
    """`invoice_no` of `customer_id` settled by `amount` of `source` and by `discount`, in the item's currency.

    `fx_difference` (account currency) is what the amount was worth less what the item was; null between accounts of
    different currencies.
    """

    source: CreditOut
    invoice_no: str
    customer_id: str
    amount: MoneyText
    discount: MoneyText
    fx_difference: MoneyText | None
    allocated_by: str
    allocated_at: datetime


class CancellationOut(Wire):
    """Who took it back, when and why."""

    at: datetime
    by: str
    reason: str


class OrderShareOut(Wire):
    """The part of an invoice that bills one order."""

    order_ref: str
    amount: MoneyText
    complete: bool


class InvoiceOut(Wire):
    """An invoice, debit note or credit note: what is open of it, and what has settled it (or what it has settled)."""

    invoice_no: str
    customer_id: str
    segment: str
    kind: ItemKind
    amount: MoneyText
    open_amount: MoneyText
    currency: str
    fx_rate: MoneyText
    status: ItemStatus
    issued_on: date
    due_on: date
    overdue_days: int
    orders: list[OrderShareOut]
    related_invoice_no: str | None
    allocations: list[AllocationOut]
    cancellation: CancellationOut | None
    entered_by: str
    entered_at: datetime
    changed_at: datetime


class PaymentOut(Wire):
    """A payment and what it settles; `unallocated` is what is left of it."""

    payment_ref: str
    customer_id: str
    segment: str
    amount: MoneyText
    unallocated: MoneyText
    currency: str
    fx_rate: MoneyText
    status: PaymentStatus
    received_on: date
    allocations: list[AllocationOut]
    reversal: CancellationOut | None
    entered_by: str
    entered_at: datetime
    changed_at: datetime


def invoice_out(view: InvoiceView) -> InvoiceOut:
    """An item as it travels."""
    item = view.item
    return InvoiceOut(
        invoice_no=item.invoice_no,
        customer_id=item.customer_id,
        segment=item.segment,
        kind=item.kind,
        amount=render(item.amount, item.currency),
        open_amount=render(item.open, item.currency),
        currency=item.currency,
        fx_rate=_plain(item.rate),
        status=item.status,
        issued_on=item.issued_on,
        due_on=item.due_on,
        overdue_days=view.overdue_days,
        orders=[
            OrderShareOut(order_ref=s.order_ref, amount=render(s.amount, item.currency), complete=s.complete)
            for s in item.orders
        ],
        related_invoice_no=item.related_invoice_no,
        allocations=_allocations_out(view.allocations, item.account_currency),
        cancellation=_cancellation_out(item.cancellation),
        entered_by=item.entered_by,
        entered_at=item.entered_at,
        changed_at=item.changed_at,
    )


def payment_out(view: PaymentView) -> PaymentOut:
    """A payment as it travels."""
    payment = view.payment
    return PaymentOut(
        payment_ref=payment.payment_ref,
        customer_id=payment.customer_id,
        segment=payment.segment,
        amount=render(payment.amount, payment.currency),
        unallocated=render(payment.open, payment.currency),
        currency=payment.currency,
        fx_rate=_plain(payment.rate),
        status=payment.status,
        received_on=payment.received_on,
        allocations=_allocations_out(view.allocations, payment.account_currency),
        reversal=_cancellation_out(payment.reversal),
        entered_by=payment.entered_by,
        entered_at=payment.entered_at,
        changed_at=payment.changed_at,
    )


def _allocations_out(allocations: Sequence[Allocation], account_currency: str) -> list[AllocationOut]:
    return [
        AllocationOut(
            source=CreditOut(type=a.credit, ref=a.credit_ref),
            invoice_no=a.invoice_no,
            customer_id=a.customer_id,
            amount=render(a.amount, a.currency),
            discount=render(a.discount, a.currency),
            fx_difference=None if a.fx_difference is None else render(a.fx_difference, account_currency),
            allocated_by=a.made_by,
            allocated_at=a.made_at,
        )
        for a in allocations
    ]


def _cancellation_out(cancellation: Cancellation | None) -> CancellationOut | None:
    if cancellation is None:
        return None
    return CancellationOut(at=cancellation.at, by=cancellation.by, reason=cancellation.reason)


def _plain(rate: Decimal) -> str:
    return format(rate.normalize(), "f")
