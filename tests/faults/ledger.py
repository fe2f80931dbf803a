"""What the clients know: every request they sent, and the answer if one came.

From it follows, without asking the server, what must be in the database: each acknowledged document once, as it was
acknowledged; and, when every request has been answered in the end, each account to the cent.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import Any, Final

import httpx

from tests.faults.company import BUSY, CHECKS, check, invoice, payment

ZERO: Final = Decimal(0)


class Kind(Enum):
    """What a request asks for; the value is the table that keeps it and the column of its reference."""

    CHECK = ("credit_checks", "order_ref")
    SHIPMENT = ("shipments", "shipment_ref")
    INVOICE = ("open_items", "invoice_no")
    PAYMENT = ("payments", "payment_ref")


@dataclass(slots=True)
class Entry:
    """One request, with the key it keeps for ever, and the answer once there is one."""

    kind: Kind
    key: str
    ref: str
    order_ref: str
    customer_id: str
    amount: Decimal
    path: str
    body: dict[str, Any]
    answer: bytes | None = None

    @property
    def document(self) -> dict[str, Any]:
        """The answer, read."""
        assert self.answer is not None, "it has not been answered"
        document: dict[str, Any] = json.loads(self.answer)
        return document

    @property
    def approved(self) -> bool:
        """Whether this is a check that was approved."""
        return self.kind is Kind.CHECK and self.document["outcome"] == "approved"

    async def send(self, client: httpx.AsyncClient) -> bool:
        """Sends the request, again or for the first time; whether it was acknowledged.

        A repetition must be answered as the first time. An answer that is neither an acknowledgement nor "come again"
        is wrong: nothing that is sent here is refused.
        """
        try:
            answer = await client.post(self.path, json=self.body, headers={"Idempotency-Key": self.key})
        except httpx.TransportError:
            return False
        if answer.status_code in BUSY or answer.status_code >= 500:
            return False
        assert answer.status_code == 201, (self, answer.text)
        assert self.answer in (None, answer.content), (self, answer.text)
        self.answer = answer.content
        return True


@dataclass(slots=True)
class Expected:
    """What an account must show, by the clients' own arithmetic."""

    open_orders: Decimal = ZERO
    delivered: Decimal = ZERO
    owed: Decimal = ZERO
    """Receivables less unallocated credits."""


@dataclass(slots=True)
class Ledger:
    """Every request of every client, in the order in which they were first sent."""

    entries: list[Entry] = field(default_factory=list)

    @property
    def acknowledged(self) -> list[Entry]:
        """The requests that were answered."""
        return [entry for entry in self.entries if entry.answer is not None]

    @property
    def unknown(self) -> list[Entry]:
        """The requests of which only the database knows what became of them."""
        return [entry for entry in self.entries if entry.answer is None]

    def check(self, customer_id: str, amount: Decimal) -> Entry:
        """A check of a new order."""
        order_ref = f"O-{len(self.entries)}"
        body = check(customer_id, order_ref, str(amount))
        return self._enter(Kind.CHECK, order_ref, order_ref, customer_id, amount, CHECKS, body)

    def shipment(self, order: Entry, amount: Decimal) -> Entry:
        """A shipment for an order that was approved."""
        ref = f"S-{len(self.entries)}"
        body = {"shipment_ref": ref, "amount": str(amount)}
        path = f"/v1/orders/{order.ref}/shipments"
        return self._enter(Kind.SHIPMENT, ref, order.ref, order.customer_id, amount, path, body)

    def invoice(self, order: Entry, amount: Decimal) -> Entry:
        """An invoice of an order."""
        ref = f"I-{len(self.entries)}"
        body = invoice(order.customer_id, ref, str(amount), order_ref=order.ref)
        return self._enter(Kind.INVOICE, ref, order.ref, order.customer_id, amount, "/v1/invoices", body)

    def payment(self, order: Entry, amount: Decimal) -> Entry:
        """A payment by the customer of an order."""
        ref = f"P-{len(self.entries)}"
        body = payment(order.customer_id, ref, str(amount))
        return self._enter(Kind.PAYMENT, ref, order.ref, order.customer_id, amount, "/v1/payments", body)

    def expected(self) -> dict[str, Expected]:
        """Each account as it must stand, now that every request has been answered."""
        assert not self.unknown, "only the database knows"
        sums: dict[str, dict[Kind, Decimal]] = defaultdict(lambda: dict.fromkeys(Kind, ZERO))
        owners = {}
        accounts: dict[str, Expected] = defaultdict(Expected)
        for entry in self.entries:
            owners[entry.order_ref] = entry.customer_id
            if entry.kind is not Kind.CHECK or entry.approved:
                sums[entry.order_ref][entry.kind] += entry.amount
        for order_ref, of in sums.items():
            account = accounts[owners[order_ref]]
            account.open_orders += max(of[Kind.CHECK] - max(of[Kind.SHIPMENT], of[Kind.INVOICE]), ZERO)
            account.delivered += max(of[Kind.SHIPMENT] - of[Kind.INVOICE], ZERO)
            account.owed += of[Kind.INVOICE] - of[Kind.PAYMENT]
        return accounts

    def _enter(
        self, kind: Kind, ref: str, order_ref: str, customer_id: str, amount: Decimal, path: str, body: dict[str, Any]
    ) -> Entry:
        entry = Entry(kind, f"key-{ref}", ref, order_ref, customer_id, amount, path, body)
        self.entries.append(entry)
        return entry
