"""What callers ask to be posted, free of wire formats, and the fingerprint that tells a repetition from a conflict."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import accumulate
from typing import Any

from app.domains.receivables.core import instalments
from app.domains.receivables.core.instalments import Instalment
from app.domains.receivables.core.items import Discount, ItemKind, OrderShare
from app.domains.receivables.core.payments import Purpose
from app.domains.receivables.core.refusals import (
    AdvanceWithoutOrder,
    DueContradictory,
    InstalmentsContradictory,
    OrdersContradictory,
    OrdersExceedInvoice,
    at,
)
from app.kernel.digest import digest
from app.kernel.money import ZERO, Money, render


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceRequest:
    """An invoice, debit note or credit note to be posted. Without a day it is due on, the customer's terms apply.

    `instalments` are its parts, each with a due day; `discount` is what paying early earns. `fx_rate` is account
    currency per unit of the document's; null: the latest on the day of issue.
    """

    segment: str
    invoice_no: str
    customer_id: str
    amount: Money
    issued_on: date
    kind: ItemKind = ItemKind.INVOICE
    due_on: date | None = None
    net_days: int | None = None
    fx_rate: Decimal | None = None
    orders: tuple[OrderShare, ...] = ()
    related_invoice_no: str | None = None
    instalments: tuple[Instalment, ...] = ()
    discount: Discount | None = None

    @property
    def key(self) -> tuple[str, str]:
        """The segment and the number."""
        return self.segment, self.invoice_no

    @property
    def account_key(self) -> tuple[str, str]:
        """The customer and the segment: what names the account."""
        return self.customer_id, self.segment

    @property
    def order_keys(self) -> list[tuple[str, str]]:
        """The orders it bills."""
        return [(self.segment, share.order_ref) for share in self.orders]

    @property
    def credits_key(self) -> tuple[str, str] | None:
        """The item that a credit note is allocated to at once."""
        if self.kind is not ItemKind.CREDIT_NOTE or self.related_invoice_no is None:
            return None
        return self.segment, self.related_invoice_no

    @property
    def due_by_terms(self) -> bool:
        """Whether the customer's terms say when it is due; a credit note is due at once."""
        dated = self.due_on is not None or self.net_days is not None or self.instalments
        return not dated and self.kind is not ItemKind.CREDIT_NOTE

    @property
    def dated_on(self) -> date:
        """The day whose exchange rate counts."""
        return self.issued_on

    def check(self) -> None:
        """Raises `DueContradictory`, `InstalmentsContradictory`, `OrdersContradictory` or `OrdersExceedInvoice` when
        its parts don't agree."""
        self._check_instalments()
        if self.due_on is not None and self.net_days is not None:
            raise at(DueContradictory, "/net_days", "due_on says when it is due")
        if self.orders and self.kind is ItemKind.CREDIT_NOTE:
            raise at(OrdersContradictory, "/orders", "a credit note changes no order")
        refs = [share.order_ref for share in self.orders]
        for index, ref in enumerate(refs):
            if ref in refs[:index]:
                raise at(OrdersContradictory, f"/orders/{index}/order_ref", f"{ref} is named twice")
        for index, billed in enumerate(accumulate(share.amount for share in self.orders)):
            if billed > self.amount.amount:
                raise at(OrdersExceedInvoice, f"/orders/{index}/amount", f"{billed} of {self.amount} so far")

    def _check_instalments(self) -> None:
        if not self.instalments:
            return
        if self.kind is ItemKind.CREDIT_NOTE:
            raise at(InstalmentsContradictory, "/instalments", "a credit note is not paid in parts")
        if self.due_on is not None or self.net_days is not None:
            raise at(DueContradictory, "/instalments", "each part says when it is due")
        instalments.checked(self.instalments, self.amount.amount)

    @property
    def fingerprint(self) -> str:
        """The digest of what is asked for: the same for every spelling of the same request."""
        currency = self.amount.currency
        orders = [[share.order_ref, render(share.amount, currency), share.complete] for share in self.orders]
        return digest(
            {
                "customer_id": self.customer_id,
                "kind": self.kind,
                "amount": render(self.amount.amount, currency),
                "currency": currency,
                "issued_on": self.issued_on.isoformat(),
                "due_on": self.due_on and self.due_on.isoformat(),
                "net_days": self.net_days,
                "fx_rate": _plain(self.fx_rate),
                "orders": orders,
                "related_invoice_no": self.related_invoice_no,
                "instalments": [[part.due_on.isoformat(), render(part.amount, currency)] for part in self.instalments],
                "discount": self.discount and [_plain(self.discount.percent), self.discount.until.isoformat()],
            }
        )


@dataclass(frozen=True, slots=True)
class AllocationLine:
    """One item to be settled by `amount` of cash, in the payment's currency, and a discount, in the item's.

    Where the item is in another currency, `settles` says what of it the cash is taken for.
    """

    invoice_no: str
    amount: Decimal
    discount: Decimal = ZERO
    settles: Decimal | None = None

    @property
    def paid(self) -> Decimal:
        """What of the item the cash is taken for, in the item's currency."""
        return self.amount if self.settles is None else self.settles

    @property
    def relieves(self) -> Decimal:
        """What the item is relieved of."""
        return self.paid + self.discount


@dataclass(frozen=True, slots=True)
class Instruction:
    """How to allocate: the `lines`, in order, then what is left by these rules, in this order.

    `by_reference`: the items that the payment's text names; `exact`: one item that the cash pays exactly;
    `oldest_first`: by due day.
    """

    lines: tuple[AllocationLine, ...] = ()
    oldest_first: bool = False
    by_reference: bool = False
    exact: bool = False

    @property
    def has_rules(self) -> bool:
        """Whether anything but the lines is to be settled."""
        return self.oldest_first or self.by_reference or self.exact

    @property
    def document(self) -> dict[str, Any]:
        """JSON-ready, in one spelling, for fingerprints."""
        return {
            "lines": [
                [line.invoice_no, _plain(line.amount), _plain(line.discount), _plain(line.settles)]
                for line in self.lines
            ],
            "rules": [self.by_reference, self.exact, self.oldest_first],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRequest:
    """A payment to be posted. `fx_rate` is account currency per unit of its own; null: the latest on `received_on`."""

    segment: str
    payment_ref: str
    customer_id: str
    amount: Money
    received_on: date
    fx_rate: Decimal | None = None
    allocate: Instruction = Instruction(oldest_first=True)
    clears_on: date | None = None
    purpose: Purpose = Purpose.SETTLEMENT
    order_ref: str | None = None
    remittance: str | None = None

    @property
    def key(self) -> tuple[str, str]:
        """The segment and the reference."""
        return self.segment, self.payment_ref

    @property
    def account_key(self) -> tuple[str, str]:
        """The customer and the segment: what names the account."""
        return self.customer_id, self.segment

    @property
    def dated_on(self) -> date:
        """The day whose exchange rate counts."""
        return self.received_on

    @property
    def advance_key(self) -> tuple[str, str] | None:
        """The order that it is paid for in advance."""
        return None if self.order_ref is None else (self.segment, self.order_ref)

    def check(self) -> None:
        """Raises `AdvanceWithoutOrder` when an advance payment names no order, or another payment names one."""
        if (self.purpose is Purpose.ADVANCE) != (self.order_ref is not None):
            raise at(AdvanceWithoutOrder, "/order_ref", "an advance payment, and no other, names the order it is for")

    @property
    def fingerprint(self) -> str:
        """The digest of what is asked for: the same for every spelling of the same request."""
        return digest(
            {
                "customer_id": self.customer_id,
                "amount": render(self.amount.amount, self.amount.currency),
                "currency": self.amount.currency,
                "received_on": self.received_on.isoformat(),
                "fx_rate": _plain(self.fx_rate),
                "allocate": self.allocate.document,
                "clears_on": self.clears_on and self.clears_on.isoformat(),
                "purpose": self.purpose,
                "order_ref": self.order_ref,
                "remittance": self.remittance,
            }
        )


def _plain(number: Decimal | None) -> str | None:
    return None if number is None else format(number.normalize(), "f")
