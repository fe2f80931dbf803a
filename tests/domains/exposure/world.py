"""Small steps that exposure tests are made of."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from app.domains.customers import service as customers
from app.domains.customers.core.customer import Particulars
from app.domains.exposure import service as exposure
from app.domains.exposure.core.account import Account
from app.domains.exposure.core.commitments import Commitment, OrderState, approve
from app.domains.exposure.core.ledger import Component, Entry, Source
from app.domains.exposure.core.limits import LimitKind, LimitScope
from app.domains.exposure.service import Overview
from app.infra.transaction import Transaction

PLAIN = Particulars(name="Red Star Trading", country="CN")
BILL = Source("invoice", "INV-1")


async def put_customer(tx: Transaction, customer_id: str, parent_id: str | None = None) -> None:
    """A customer, below a parent if one is named."""
    await customers.put(tx, customer_id=customer_id, particulars=replace(PLAIN, parent_id=parent_id))


async def open_account(
    tx: Transaction, customer_id: str = "C1", *, currency: str = "CNY", parent_id: str | None = None
) -> Account:
    """A customer with an account in `main`."""
    await put_customer(tx, customer_id, parent_id)
    await exposure.open_account(tx, customer_id=customer_id, segment="main", currency=currency)
    return await exposure.account(tx, customer_id=customer_id, segment="main")


async def post(tx: Transaction, customer_id: str, amount: int | str, *, due_on: date | None = None) -> Account:
    """A receivable of `amount` on the customer's account."""
    positions = await exposure.lock(tx, keys=[(customer_id, "main")])
    entry = Entry(Component.RECEIVABLES, Decimal(amount), BILL, due_on or tx.now.date())
    positions.post(positions.of(customer_id, "main").id, [entry])
    await exposure.save(tx, positions=positions)
    return positions.of(customer_id, "main")


async def reserve(tx: Transaction, customer_id: str, order_ref: str, amount: int | str, **changes: Any) -> Commitment:
    """An approved order of `amount` in the account's currency; `changes` are `ship_on` and `expires_at`."""
    positions = await exposure.lock(tx, keys=[(customer_id, "main")])
    order = approve(new_order(positions.of(customer_id, "main"), order_ref), amount=Decimal(amount), **changes)
    positions.change_order(order, Source("order", order_ref))
    await exposure.save(tx, positions=positions)
    return order


def new_order(
    account: Account, order_ref: str, *, currency: str | None = None, rate: Decimal = Decimal(1)
) -> Commitment:
    """An order that binds nothing yet."""
    return Commitment(
        segment=account.segment,
        order_ref=order_ref,
        account_id=account.id,
        customer_id=account.customer_id,
        currency=currency or account.currency,
        account_currency=account.currency,
        rate=rate,
        state=OrderState.OPEN,
    )


async def grant(
    tx: Transaction, customer_id: str, amount: int | str, *, scope: LimitScope = LimitScope.OWN, **window: Any
) -> None:
    """A granted limit; `window` are `valid_from`, `valid_until` and `temporary`."""
    await exposure.set_limit(
        tx,
        customer_id=customer_id,
        segment="main",
        scope=scope,
        kind=LimitKind.GRANTED,
        amount=Decimal(amount),
        reason="decided",
        **window,
    )


async def decide(
    tx: Transaction, customer_id: str, kind: LimitKind, scope: LimitScope = LimitScope.OWN, **window: Any
) -> None:
    """A limit without an amount."""
    await exposure.set_limit(
        tx, customer_id=customer_id, segment="main", scope=scope, kind=kind, reason="decided", **window
    )


async def overview(tx: Transaction, customer_id: str = "C1") -> Overview:
    """How the customer's account stands now."""
    return await exposure.overview(tx, customer_id=customer_id, segment="main")
