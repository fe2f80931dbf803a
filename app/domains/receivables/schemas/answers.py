"""Invoices, credit notes and payments as they are answered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from app.domains.receivables.core.allocations import Allocation, CreditKind
from app.domains.receivables.core.disputes import Dispute, DisputeReason, DisputeState
from app.domains.receivables.core.items import Cancellation, Discount, Item, ItemKind, ItemStatus
from app.domains.receivables.core.payments import PaymentStatus, Purpose
from app.domains.receivables.core.refunds import Refund, RefundKind
from app.domains.receivables.core.write_offs import BadDebtReason, WriteOff, WriteOffKind
from app.domains.receivables.service.invoices import InvoiceView
from app.domains.receivables.service.payments import PaymentView
from app.infra.http.fields import MoneyText, Wire
from app.kernel.money import ZERO, render


class CreditOut(Wire):
    """The payment or credit note that settles an item."""

    type: CreditKind
    ref: str


class AllocationOut(Wire):
    """`invoice_no` of `customer_id` settled by `amount` of `source`, by `discount` and by a small `difference`, in the
    item's currency; `cash` is what that used of the source, in the source's.

    `fx_difference` (account currency) is what the amount was worth less what the item was; null between accounts of
    different currencies.
    """

    source: CreditOut
    invoice_no: str
    customer_id: str
    amount: MoneyText
    discount: MoneyText
    difference: MoneyText
    cash: MoneyText
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


class InstalmentOut(Wire):
    """A part of an invoice and its due day; `open_amount` is what is undisputed and open of it."""

    due_on: date
    amount: MoneyText
    open_amount: MoneyText


class DiscountOut(Wire):
    """What paying until the day `until` earns."""

    percent: MoneyText
    until: date


class DisputeOut(Wire):
    """A part of an invoice that the customer does not want to pay, and what became of that."""

    id: UUID
    invoice_no: str
    customer_id: str
    segment: str
    amount: MoneyText
    currency: str
    reason: DisputeReason
    note: str | None
    state: DisputeState
    opened_by: str
    opened_at: datetime
    resolved_by: str | None
    resolved_at: datetime | None
    resolution: str | None
    credit_note_no: str | None


class WriteOffOut(Wire):
    """A part of an invoice given up as bad debt, or open again; `category` is null for a recovery."""

    kind: WriteOffKind
    amount: MoneyText
    category: BadDebtReason | None
    reason: str
    effective_on: date
    made_by: str
    made_at: datetime


class RefundOut(Wire):
    """A part of a payment or credit note paid back; a small difference was kept and has no reference."""

    refund_ref: str | None
    kind: RefundKind
    source: CreditOut
    customer_id: str
    segment: str
    amount: MoneyText
    currency: str
    refunded_on: date
    reason: str
    made_by: str
    made_at: datetime


class InvoiceOut(Wire):
    """An invoice, debit note or credit note: what is open of it, and what has settled it (or what it has settled).

    `disputed_amount` is what is open and disputed, `disputes` the open ones about it; `due_on` is the due day of its
    oldest open instalment.
    """

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
    instalments: list[InstalmentOut]
    discount: DiscountOut | None
    disputed_amount: MoneyText
    disputes: list[DisputeOut]
    written_off_amount: MoneyText
    write_offs: list[WriteOffOut]
    allocations: list[AllocationOut]
    refunds: list[RefundOut]
    cancellation: CancellationOut | None
    entered_by: str
    entered_at: datetime
    changed_at: datetime


class PaymentOut(Wire):
    """A payment and what it settles; `unallocated` is what is left of it, `uncleared` what of it is exposed until it
    clears, in account currency. `charged` are the debit notes that its reversal has just made."""

    payment_ref: str
    customer_id: str
    segment: str
    amount: MoneyText
    unallocated: MoneyText
    currency: str
    fx_rate: MoneyText
    status: PaymentStatus
    received_on: date
    clears_on: date | None
    cleared_at: datetime | None
    uncleared: MoneyText
    purpose: Purpose
    order_ref: str | None
    remittance: str | None
    allocations: list[AllocationOut]
    refunds: list[RefundOut]
    charged: list[str]
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
        instalments=_instalments_out(item),
        discount=_discount_out(item.discount),
        disputed_amount=render(item.disputed_open, item.currency),
        disputes=[dispute_out(dispute) for dispute in view.disputes],
        written_off_amount=render(item.written_off, item.currency),
        write_offs=[_write_off_out(made, item.currency) for made in view.write_offs],
        allocations=_allocations_out(view.allocations, item.account_currency),
        refunds=[refund_out(refund) for refund in view.refunds],
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
        clears_on=payment.clears_on,
        cleared_at=payment.cleared_at,
        uncleared=render(payment.uncleared, payment.account_currency),
        purpose=payment.purpose,
        order_ref=payment.order_ref,
        remittance=payment.remittance,
        refunds=[refund_out(refund) for refund in view.refunds],
        charged=list(view.charged),
        allocations=_allocations_out(view.allocations, payment.account_currency, payment.currency),
        reversal=_cancellation_out(payment.reversal),
        entered_by=payment.entered_by,
        entered_at=payment.entered_at,
        changed_at=payment.changed_at,
    )


def dispute_out(dispute: Dispute) -> DisputeOut:
    """A dispute as it travels."""
    return DisputeOut(
        id=dispute.id,
        invoice_no=dispute.invoice_no,
        customer_id=dispute.customer_id,
        segment=dispute.segment,
        amount=render(dispute.amount, dispute.currency),
        currency=dispute.currency,
        reason=dispute.reason,
        note=dispute.note,
        state=dispute.state,
        opened_by=dispute.opened_by,
        opened_at=dispute.opened_at,
        resolved_by=dispute.resolved_by,
        resolved_at=dispute.resolved_at,
        resolution=dispute.resolution,
        credit_note_no=dispute.credit_note_no,
    )


def refund_out(refund: Refund) -> RefundOut:
    """A refund as it travels."""
    return RefundOut(
        refund_ref=refund.refund_ref,
        kind=refund.kind,
        source=CreditOut(type=refund.credit, ref=refund.credit_ref),
        customer_id=refund.customer_id,
        segment=refund.segment,
        amount=render(refund.amount, refund.currency),
        currency=refund.currency,
        refunded_on=refund.refunded_on,
        reason=refund.reason,
        made_by=refund.made_by,
        made_at=refund.made_at,
    )


def _write_off_out(made: WriteOff, currency: str) -> WriteOffOut:
    return WriteOffOut(
        kind=made.kind,
        amount=render(made.amount, currency),
        category=made.category,
        reason=made.reason,
        effective_on=made.effective_on,
        made_by=made.made_by,
        made_at=made.made_at,
    )


def _instalments_out(item: Item) -> list[InstalmentOut]:
    """The plan, with what is open of each part; parts of one day show together."""
    left = {part.due_on: part.amount for part in item.parts}
    return [
        InstalmentOut(
            due_on=part.due_on,
            amount=render(part.amount, item.currency),
            open_amount=render(left.get(part.due_on, ZERO), item.currency),
        )
        for part in item.instalments
    ]


def _discount_out(discount: Discount | None) -> DiscountOut | None:
    return None if discount is None else DiscountOut(percent=_plain(discount.percent), until=discount.until)


def _allocations_out(
    allocations: Sequence[Allocation], account_currency: str, cash_currency: str | None = None
) -> list[AllocationOut]:
    return [
        AllocationOut(
            source=CreditOut(type=a.credit, ref=a.credit_ref),
            invoice_no=a.invoice_no,
            customer_id=a.customer_id,
            amount=render(a.amount, a.currency),
            discount=render(a.discount, a.currency),
            difference=render(a.difference, a.currency),
            cash=render(a.cash, cash_currency or a.currency),
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
