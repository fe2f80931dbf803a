"""What dunning does when something happens below it, in the same transaction."""

from __future__ import annotations

from decimal import Decimal

from app.domains.dunning.core.promises import Paid
from app.domains.dunning.service import promises, standing
from app.domains.receivables.core.change_events import customers_of
from app.infra.transaction import Transaction
from app.kernel.events import Event
from app.kernel.money import ZERO


async def items_moved(tx: Transaction, event: Event) -> None:
    """Something was paid, credited, cancelled, disputed, or is open again: level, hold and notices follow."""
    if event.segment is not None and (concerned := customers_of(event)):
        await standing.bring_in_line(tx, segment=event.segment, customer_ids=concerned)


async def invoice_posted(tx: Transaction, event: Event) -> None:
    """A new invoice concerns nobody's notices unless it was paid as it was posted."""
    if event.after.get("allocations"):
        await items_moved(tx, event)


async def payment_counted(tx: Transaction, event: Event) -> None:
    """A payment counts for the promises of those whose items it settled."""
    if event.segment is not None:
        await promises.count_payment(tx, paid=_paid(event), customer_ids=sorted(customers_of(event)))


async def allocation_counted(tx: Transaction, event: Event) -> None:
    """What a payment settles later counts for the promises that name it."""
    if event.segment is not None:
        await promises.count_allocation(tx, paid=_paid(event), customer_ids=sorted(customers_of(event)))


async def payment_taken_back(tx: Transaction, event: Event) -> None:
    """What a payment counted for promises counts no more."""
    if event.segment is not None:
        await promises.take_payment_back(
            tx, segment=event.segment, customer_ids=sorted(customers_of(event)), payment_ref=event.subject_id
        )


def _paid(event: Event) -> Paid:
    """What the event says of a payment."""
    assert event.segment is not None, "a payment is of a segment"
    allocated: dict[str, Decimal] = {}
    for allocation in event.after.get("allocations", ()):
        number = allocation["invoice_no"]
        allocated[number] = allocated.get(number, ZERO) + Decimal(allocation["amount"])
    return Paid(event.segment, event.subject_id, event.after["currency"], Decimal(event.after["amount"]), allocated)
