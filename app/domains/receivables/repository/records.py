"""Between rows and the core: how a record of the database becomes a document, and a document the values to write."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from app.domains.receivables.core.allocations import Allocation, CreditKind
from app.domains.receivables.core.instalments import Instalment
from app.domains.receivables.core.items import Cancellation, Discount, Item, ItemKind, OrderShare
from app.domains.receivables.core.payments import Payment, Purpose
from app.kernel.money import ZERO

Record = Mapping[Any, Any]
"""A row by the names of its columns."""
Values = dict[str, Any]


def item_from(record: Record) -> Item:
    """The item in a row of `open_items`."""
    return Item(
        id=record["id"],
        segment=record["segment"],
        invoice_no=record["invoice_no"],
        customer_id=record["customer_id"],
        account_id=record["account_id"],
        kind=ItemKind(record["kind"]),
        currency=record["currency"],
        account_currency=record["account_currency"],
        rate=record["rate"],
        amount=record["amount"],
        open=record["open_amount"],
        issued_on=record["issued_on"],
        due_on=record["due_on"],
        fingerprint=record["fingerprint"],
        entered_by=record["entered_by"],
        entered_at=record["entered_at"],
        changed_at=record["changed_at"],
        orders=tuple(
            OrderShare(share["order_ref"], Decimal(share["amount"]), share["complete"]) for share in record["orders"]
        ),
        related_invoice_no=record["related_invoice_no"],
        cancellation=_cancellation(record["cancelled_at"], record["cancelled_by"], record["cancel_reason"]),
        instalments=tuple(
            Instalment(date.fromisoformat(part["due_on"]), Decimal(part["amount"]))
            for part in record["instalments"] or ()
        ),
        discount=_discount(record["discount_percent"], record["discount_until"]),
        disputed=record["disputed_amount"],
        written_off=record["written_off_amount"],
    )


def item_values(item: Item) -> Values:
    """A whole row of `open_items`."""
    gone = item.cancellation
    return {
        "id": item.id,
        "segment": item.segment,
        "invoice_no": item.invoice_no,
        "customer_id": item.customer_id,
        "account_id": item.account_id,
        "kind": item.kind.value,
        "currency": item.currency,
        "account_currency": item.account_currency,
        "rate": item.rate,
        "amount": item.amount,
        "open_amount": item.open,
        "account_open_amount": item.value,
        "status": item.status.value,
        "issued_on": item.issued_on,
        "due_on": item.due_on,
        "orders": [
            {"order_ref": share.order_ref, "amount": str(share.amount), "complete": share.complete}
            for share in item.orders
        ],
        "related_invoice_no": item.related_invoice_no,
        "fingerprint": item.fingerprint,
        "entered_by": item.entered_by,
        "entered_at": item.entered_at,
        "changed_at": item.changed_at,
        "cancelled_by": gone and gone.by,
        "cancelled_at": gone and gone.at,
        "cancel_reason": gone and gone.reason,
        "instalments": _plan_values(item),
        "next_part_amount": _next_part(item),
        "discount_percent": item.discount and item.discount.percent,
        "discount_until": item.discount and item.discount.until,
        "disputed_amount": item.disputed,
        "written_off_amount": item.written_off,
    }


def payment_from(record: Record) -> Payment:
    """The payment in a row of `payments`."""
    return Payment(
        id=record["id"],
        segment=record["segment"],
        payment_ref=record["payment_ref"],
        customer_id=record["customer_id"],
        account_id=record["account_id"],
        currency=record["currency"],
        account_currency=record["account_currency"],
        rate=record["rate"],
        amount=record["amount"],
        open=record["open_amount"],
        received_on=record["received_on"],
        fingerprint=record["fingerprint"],
        entered_by=record["entered_by"],
        entered_at=record["entered_at"],
        changed_at=record["changed_at"],
        reversal=_cancellation(record["reversed_at"], record["reversed_by"], record["reverse_reason"]),
        purpose=Purpose(record["purpose"]),
        order_ref=record["order_ref"],
        remittance=record["remittance"],
        clears_on=record["clears_on"],
        cleared_at=record["cleared_at"],
    )


def payment_values(payment: Payment) -> Values:
    """A whole row of `payments`."""
    gone = payment.reversal
    return {
        "id": payment.id,
        "segment": payment.segment,
        "payment_ref": payment.payment_ref,
        "customer_id": payment.customer_id,
        "account_id": payment.account_id,
        "currency": payment.currency,
        "account_currency": payment.account_currency,
        "rate": payment.rate,
        "amount": payment.amount,
        "open_amount": payment.open,
        "account_open_amount": payment.value,
        "status": payment.status.value,
        "received_on": payment.received_on,
        "fingerprint": payment.fingerprint,
        "entered_by": payment.entered_by,
        "entered_at": payment.entered_at,
        "changed_at": payment.changed_at,
        "reversed_by": gone and gone.by,
        "reversed_at": gone and gone.at,
        "reverse_reason": gone and gone.reason,
        "purpose": payment.purpose.value,
        "order_ref": payment.order_ref,
        "remittance": payment.remittance,
        "clears_on": payment.clears_on,
        "cleared_at": payment.cleared_at,
        "uncleared_amount": payment.uncleared,
    }


def allocation_from(record: Record) -> Allocation:
    """The allocation in a row of `allocations`, joined with the documents it is between."""
    by_payment = record["payment_id"] is not None
    return Allocation(
        id=record["id"],
        credit=CreditKind.PAYMENT if by_payment else CreditKind.CREDIT_NOTE,
        credit_id=record["payment_id"] if by_payment else record["credit_note_id"],
        credit_ref=record["credit_ref"],
        item_id=record["item_id"],
        invoice_no=record["invoice_no"],
        customer_id=record["customer_id"],
        account_id=record["account_id"],
        segment=record["segment"],
        amount=record["amount"],
        discount=record["discount"],
        difference=record["difference"],
        cash=record["cash_amount"],
        currency=record["currency"],
        fx_difference=record["fx_difference"],
        effective_on=record["effective_on"],
        made_by=record["made_by"],
        made_at=record["made_at"],
        undone_at=record["undone_at"],
    )


def allocation_values(allocation: Allocation) -> Values:
    """A whole row of `allocations`."""
    by_payment = allocation.credit is CreditKind.PAYMENT
    return {
        "id": allocation.id,
        "item_id": allocation.item_id,
        "payment_id": allocation.credit_id if by_payment else None,
        "credit_note_id": None if by_payment else allocation.credit_id,
        "amount": allocation.amount,
        "discount": allocation.discount,
        "fx_difference": allocation.fx_difference,
        "effective_on": allocation.effective_on,
        "made_by": allocation.made_by,
        "made_at": allocation.made_at,
        "undone_at": allocation.undone_at,
        "difference": allocation.difference,
        "cash_amount": allocation.cash,
    }


def _cancellation(at: Any, by: Any, reason: Any) -> Cancellation | None:
    return None if at is None else Cancellation(at, by, reason)


def _discount(percent: Any, until: Any) -> Discount | None:
    return None if percent is None else Discount(percent, until)


def _plan_values(item: Item) -> list[dict[str, str]] | None:
    if not item.instalments:
        return None
    return [{"due_on": part.due_on.isoformat(), "amount": str(part.amount)} for part in item.instalments]


def _next_part(item: Item) -> Decimal | None:
    if not item.instalments:
        return None
    parts = item.parts
    return parts[0].amount if parts and parts[0].due_on == item.due_on else ZERO
