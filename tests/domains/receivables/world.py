"""Small steps that receivables tests are made of, and the proof that an account agrees with its documents."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text

from app.domains.customers import service as customers
from app.domains.customers.core.customer import Particulars
from app.domains.customers.core.terms import PaymentTerms
from app.domains.exposure import service as exposure
from app.domains.exposure.core.commitments import Commitment, OrderState, approve, ship
from app.domains.exposure.core.ledger import Exposure, Source
from app.domains.monitoring.statements import ACCOUNT_PROOFS
from app.domains.receivables import service as receivables
from app.domains.receivables.core.items import Item, ItemKind, OrderShare
from app.domains.receivables.core.requests import AllocationLine, Instruction, InvoiceRequest, PaymentRequest
from app.domains.receivables.repository import documents
from app.infra.transaction import Transaction
from app.kernel.errors import Refusal
from app.kernel.identity import Actor, ActorKind
from app.kernel.money import DIGITS, Money, render

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TODAY = MONDAY.date()
ANN = Actor("ann", ActorKind.PERSON)
NOTHING = Instruction()
OLDEST = Instruction(oldest_first=True)


def day(offset: int) -> date:
    """So many days from that Monday."""
    return TODAY + timedelta(days=offset)


# ---- in memory ---------------------------------------------------------------------------------------------


def an_item(amount: str = "100.00", **changes: Any) -> Item:
    """An open invoice of an account in CNY."""
    values: dict[str, Any] = {
        "id": uuid4(),
        "segment": "main",
        "invoice_no": "I1",
        "customer_id": "C1",
        "account_id": UUID(int=1),
        "kind": ItemKind.INVOICE,
        "currency": "CNY",
        "account_currency": "CNY",
        "rate": Decimal(1),
        "amount": Decimal(amount),
        "open": Decimal(amount),
        "issued_on": TODAY,
        "due_on": day(30),
        "fingerprint": "",
        "entered_by": "ann",
        "entered_at": MONDAY,
        "changed_at": MONDAY,
    }
    return Item(**values | changes)


# ---- in the database ---------------------------------------------------------------------------------------


async def open_account(
    tx: Transaction,
    customer_id: str = "C1",
    *,
    currency: str = "CNY",
    parent_id: str | None = None,
    terms: PaymentTerms | None = None,
) -> None:
    """A customer with an account in `main`."""
    particulars = Particulars(name="Red Star", country="CN", parent_id=parent_id, terms=terms or PaymentTerms())
    await customers.put(tx, customer_id=customer_id, particulars=particulars)
    await exposure.open_account(tx, customer_id=customer_id, segment="main", currency=currency)


async def order(
    tx: Transaction,
    order_ref: str,
    amount: str,
    *,
    shipped: str = "0",
    customer_id: str = "C1",
    currency: str = "CNY",
    rate: str = "1",
) -> Commitment:
    """An approved order, partly shipped."""
    positions = await exposure.lock(tx, keys=[(customer_id, "main")])
    account = positions.of(customer_id, "main")
    blank = Commitment(
        segment="main",
        order_ref=order_ref,
        account_id=account.id,
        customer_id=customer_id,
        currency=currency,
        account_currency=account.currency,
        rate=Decimal(rate),
        state=OrderState.OPEN,
    )
    made = approve(blank, amount=Decimal(amount), ship_on=None, expires_at=MONDAY + timedelta(days=30))
    positions.change_order(ship(made, amount=Decimal(shipped)), Source("order", order_ref))
    await exposure.save(tx, positions=positions)
    return positions.orders["main", order_ref]


def an_invoice(invoice_no: str, amount: str, currency: str = "CNY", **more: Any) -> InvoiceRequest:
    """A request for an invoice of that Monday."""
    values: dict[str, Any] = {"segment": "main", "customer_id": "C1", "issued_on": TODAY}
    return InvoiceRequest(invoice_no=invoice_no, amount=Money(Decimal(amount), currency), **values | more)


def a_payment(payment_ref: str, amount: str, currency: str = "CNY", **more: Any) -> PaymentRequest:
    """A request for a payment received on that Monday."""
    values: dict[str, Any] = {"segment": "main", "customer_id": "C1", "received_on": TODAY}
    return PaymentRequest(payment_ref=payment_ref, amount=Money(Decimal(amount), currency), **values | more)


def lines(*named: tuple[str, str] | tuple[str, str, str], oldest_first: bool = False) -> Instruction:
    """An instruction of (invoice_no, amount) or (invoice_no, amount, discount)."""
    made = (AllocationLine(no, Decimal(amount), Decimal(rest[0] if rest else 0)) for no, amount, *rest in named)
    return Instruction(tuple(made), oldest_first=oldest_first)


def billing(order_ref: str, amount: str, *, complete: bool = False) -> tuple[OrderShare, ...]:
    """The part of an invoice that bills one order."""
    return (OrderShare(order_ref, Decimal(amount), complete),)


async def invoice(tx: Transaction, *args: str, **more: Any) -> receivables.InvoiceView:
    """Posts one invoice, or raises its refusal."""
    [outcome] = await receivables.post_invoices(tx, requests=[an_invoice(*args, **more)])
    if isinstance(outcome, Refusal):
        raise outcome
    return outcome


async def pay(tx: Transaction, *args: str, **more: Any) -> receivables.PaymentView:
    """Posts one payment, or raises its refusal."""
    [outcome] = await receivables.post_payments(tx, requests=[a_payment(*args, **more)])
    if isinstance(outcome, Refusal):
        raise outcome
    return outcome


def settled(view: receivables.PaymentView | receivables.InvoiceView) -> list[tuple[str, str]]:
    """What a payment or credit note settles: numbers and amounts."""
    return [(a.invoice_no, render(a.amount, a.currency)) for a in view.allocations]


async def open_amount(tx: Transaction, invoice_no: str) -> Decimal:
    """What is open of an item."""
    return (await receivables.invoice(tx, segment="main", invoice_no=invoice_no)).item.open


async def totals(tx: Transaction, customer_id: str = "C1") -> tuple[str, str]:
    """Receivables and unallocated credits of an account."""
    found = await exposure_of(tx, customer_id)
    return render(found.receivables, found.currency), render(found.unallocated_credits, found.currency)


async def exposure_of(tx: Transaction, customer_id: str = "C1") -> Exposure:
    """The running totals of an account."""
    return (await exposure.account(tx, customer_id=customer_id, segment="main")).exposure


async def prove(tx: Transaction) -> None:
    """Asserts for every account that totals = ledger = sum of documents, that the due ladder is the open items', and
    that the independent proof says the same."""
    accounts = (await tx.session.execute(text("select * from accounts"))).mappings().all()
    documents = await receivables.document_totals(tx, account_ids=[account["id"] for account in accounts])
    ledger = await sums(tx, "select (account_id, component)::text, sum(amount) from ledger group by 1")
    for account in accounts:
        for component in ("receivables", "unallocated_credits", "open_orders", "delivered"):
            assert ledger.get(f"({account['id']},{component})", 0) == account[component], component
        assert documents[account["id"]].receivables == account["receivables"]
        assert documents[account["id"]].unallocated_credits == account["unallocated_credits"]
    ladder = await sums(tx, "select (account_id, due_on)::text, amount from due_rungs where amount <> 0")
    assert ladder == await _due_by_day(tx)
    found = [drift for proof in ACCOUNT_PROOFS for drift in await _drifts(tx, proof)]
    assert found == []


async def _due_by_day(tx: Transaction) -> dict[Any, Decimal]:
    """What is open and undisputed, as the items themselves say."""
    due: dict[Any, Decimal] = defaultdict(Decimal)
    keys = (await tx.session.execute(text("select segment, invoice_no from open_items"))).all()
    for item in await documents.find_items(tx.session, [(row.segment, row.invoice_no) for row in keys]):
        if not item.is_credit:
            for due_on, amount in item.ladder.items():
                if due_on is not None:
                    due[f"({item.account_id},{due_on})"] += amount
    return {key: amount for key, amount in due.items() if amount}


async def _drifts(tx: Transaction, proof: str) -> Sequence[Any]:
    """What the independent proof says of every account."""
    unusual = [(currency, digits) for currency, digits in DIGITS.items() if digits != 2]
    known = {
        "ids": list(await tx.session.scalars(text("select id from accounts"))),
        "currencies": [currency for currency, _ in unusual],
        "digits": [digits for _, digits in unusual],
    }
    asked = {name: value for name, value in known.items() if f":{name}" in proof}
    return (await tx.session.execute(text(proof), asked)).all()


async def prove_groups(tx: Transaction) -> None:
    """Asserts that each group's totals are its members' exposures by currency."""
    for group in (await tx.session.execute(text("select id, totals from groups"))).mappings().all():
        members = """select currency, sum(receivables + open_orders + delivered - unallocated_credits)
                       from accounts where group_id = :id group by currency"""
        found = await sums(tx, members, id=group["id"])
        assert {code: Decimal(amount) for code, amount in group["totals"].items()} == {
            code: amount for code, amount in found.items() if amount
        }


async def sums(tx: Transaction, statement: str, **arguments: Any) -> dict[Any, Decimal]:
    """The rows of a statement with a name and an amount each."""
    rows: Sequence[Any] = (await tx.session.execute(text(statement), arguments)).all()
    return dict(tuple(row) for row in rows)
