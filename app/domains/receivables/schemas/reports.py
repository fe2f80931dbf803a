"""Aging and the statement of account on the wire."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import Field

from app.domains.receivables.core.aging import Aging
from app.domains.receivables.core.items import ItemKind
from app.domains.receivables.core.open_items import OpenItems
from app.domains.receivables.core.statements import MovementType, Statement
from app.infra.http.fields import MoneyText, Wire
from app.kernel.money import render


class BucketOut(Wire):
    """What is overdue by this many days; the last bucket has no end."""

    from_days: int
    to_days: int | None
    amount: MoneyText


class AgingOut(Wire):
    """What a customer owes by how long it is due, in account currency; `total` is before unallocated credits.

    What is `disputed` is due on no day: it is in the total and in no bucket.
    """

    customer_id: str
    segment: str
    currency: str
    on: date
    not_due: MoneyText
    buckets: list[BucketOut]
    disputed: MoneyText
    total: MoneyText
    unallocated_credits: MoneyText


class MovementOut(Wire):
    """One change of the balance by `effect`; `amount` is the document's, in `currency`.

    A settlement moves the balance by what is no money: a discount, a small or an exchange difference, or an item that
    one member of the group settles for another; `ref` is then the payment or credit note and `invoice_no` the item.
    """

    on: date
    type: MovementType
    ref: str
    invoice_no: str | None
    currency: str
    amount: MoneyText
    effect: MoneyText
    balance: MoneyText


class StatementOut(Wire):
    """What moved the balance (open items less unallocated credits) between two days, in the account's `currency`."""

    customer_id: str
    segment: str
    currency: str
    since: Annotated[date, Field(serialization_alias="from")]
    until: Annotated[date, Field(serialization_alias="to")]
    opening_balance: MoneyText
    movements: list[MovementOut]
    closing_balance: MoneyText


class OpenLineOut(Wire):
    """An open item, or an instalment of it that is open; what is disputed of an item stands on its last line."""

    invoice_no: str
    kind: ItemKind
    issued_on: date
    due_on: date
    overdue_days: int
    currency: str
    amount: MoneyText
    open_amount: MoneyText
    disputed_amount: MoneyText


class OpenTotalOut(Wire):
    """What is open in one currency."""

    currency: str
    amount: MoneyText


class OpenItemsOut(Wire):
    """What a customer has to pay; `unallocated_credits` is in the account's `currency`."""

    customer_id: str
    segment: str
    on: date
    currency: str
    items: list[OpenLineOut]
    totals: list[OpenTotalOut]
    unallocated_credits: MoneyText


def open_items_out(found: OpenItems) -> OpenItemsOut:
    """An open-item list as it travels."""
    return OpenItemsOut(
        customer_id=found.customer_id,
        segment=found.segment,
        on=found.on,
        currency=found.currency,
        items=[
            OpenLineOut(
                invoice_no=line.invoice_no,
                kind=line.kind,
                issued_on=line.issued_on,
                due_on=line.due_on,
                overdue_days=line.overdue_days(found.on),
                currency=line.currency,
                amount=render(line.amount, line.currency),
                open_amount=render(line.open, line.currency),
                disputed_amount=render(line.disputed, line.currency),
            )
            for line in found.lines
        ],
        totals=[OpenTotalOut(currency=code, amount=render(amount, code)) for code, amount in found.totals.items()],
        unallocated_credits=render(found.unallocated_credits, found.currency),
    )


def aging_out(aging: Aging) -> AgingOut:
    """An aging as it travels."""
    return AgingOut(
        customer_id=aging.customer_id,
        segment=aging.segment,
        currency=aging.currency,
        on=aging.on,
        not_due=render(aging.not_due, aging.currency),
        buckets=[
            BucketOut(from_days=b.from_days, to_days=b.to_days, amount=render(b.amount, aging.currency))
            for b in aging.buckets
        ],
        disputed=render(aging.disputed, aging.currency),
        total=render(aging.total, aging.currency),
        unallocated_credits=render(aging.unallocated_credits, aging.currency),
    )


def statement_out(statement: Statement) -> StatementOut:
    """A statement of account as it travels."""
    assert statement.window.end is not None
    return StatementOut(
        customer_id=statement.customer_id,
        segment=statement.segment,
        currency=statement.currency,
        since=statement.window.start,
        until=statement.window.end,
        opening_balance=render(statement.opening, statement.currency),
        movements=[
            MovementOut(
                on=moved.on,
                type=moved.type,
                ref=moved.ref,
                invoice_no=moved.invoice_no,
                currency=moved.currency,
                amount=render(moved.amount, moved.currency),
                effect=render(moved.effect, statement.currency),
                balance=render(balance, statement.currency),
            )
            for moved, balance in zip(statement.movements, statement.balances, strict=True)
        ],
        closing_balance=render(statement.closing, statement.currency),
    )
