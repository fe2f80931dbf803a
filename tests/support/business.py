"""A company in a few words: customers with accounts and limits, made through the use cases, for tests of the rest."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from app.domains.customers import service as customers
from app.domains.customers.core.customer import Particulars
from app.domains.exposure import service as exposure
from app.domains.exposure.core.limits import LimitKind, LimitScope
from app.infra.transaction import Transactions
from app.kernel.identity import SYSTEM


async def open_account(
    transactions: Transactions,
    customer_id: str,
    *,
    limit: str | None = "1000.00",
    group_limit: str | None = None,
    currency: str = "CNY",
    segment: str = "main",
    parent_id: str | None = None,
) -> None:
    """A customer with an account and, unless null, limits of its own and of its group."""
    async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
        particulars = Particulars(name=f"Customer {customer_id}", country="CN", parent_id=parent_id)
        await customers.put(tx, customer_id=customer_id, particulars=particulars, contacts=())
        await exposure.open_account(tx, customer_id=customer_id, segment=segment, currency=currency)
    for scope, amount in ((LimitScope.OWN, limit), (LimitScope.GROUP, group_limit)):
        if amount is not None:
            async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
                await exposure.set_limit(
                    tx,
                    customer_id=customer_id,
                    segment=segment,
                    scope=scope,
                    kind=LimitKind.GRANTED,
                    amount=Decimal(amount),
                    reason="test",
                )


def check(customer_id: str, order_ref: str, amount: str, **more: Any) -> dict[str, Any]:
    """The body of a credit check in CNY."""
    return {"customer_id": customer_id, "order_ref": order_ref, "amount": amount, "currency": "CNY", **more}
