"""Use cases of payment behaviour: how a customer pays, and the payment index on the account, kept up to date.

Posting only marks the account; a job computes the index within a minute. So an import of a million invoices costs one
statement more a batch, not a walk over a customer's items for each of them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Final
from uuid import UUID

from app.domains.exposure import service as exposure
from app.domains.policies import service as policies
from app.domains.receivables.core.behaviour import (
    PaymentBehaviour,
    months_between,
    next_change,
    payment_behaviour,
    payment_index,
    per_month,
)
from app.domains.receivables.repository import behaviour as repository
from app.domains.receivables.repository.behaviour import Relation
from app.domains.receivables.service.days import today
from app.infra.transaction import Transaction
from app.kernel.events import Event
from app.kernel.periods import local_day

MAX_DEALINGS: Final = 5_000
"""The items of a customer that its behaviour is read from, those that changed last."""
_TENTH: Final = Decimal("0.1")


async def behaviour(tx: Transaction, *, customer_id: str, segment: str, on: date | None = None) -> PaymentBehaviour:
    """How the customer had paid up to the day `on`, today in the segment's zone if null, by the days of its documents.

    Raises `AccountNotFound`.
    """
    await exposure.account(tx, customer_id=customer_id, segment=segment)
    on = on or await today(tx, segment)
    return (await behaviours(tx, customer_ids=[customer_id], segment=segment, on=on))[customer_id]


async def behaviours(
    tx: Transaction, *, customer_ids: Collection[str], segment: str, on: date
) -> Mapping[str, PaymentBehaviour]:
    """How each of the customers had paid up to the day `on`: two statements, and one for each that has many items."""
    dealings = await repository.dealings(
        tx.session, customer_ids=customer_ids, segment=segment, on=on, most=MAX_DEALINGS
    )
    broken = await repository.broken_promises(tx.session, customer_ids=customer_ids, segment=segment, on=on)
    found = {}
    for customer_id, known in dealings.items():
        paid = replace(payment_behaviour(known, on=on), broken_promises=broken.get(customer_id, 0))
        if len(known) >= MAX_DEALINGS:
            relation = await repository.relation(tx.session, customer_id=customer_id, segment=segment, on=on)
            paid = _with_relation(paid, relation, on)
        found[customer_id] = paid
    return found


async def note_broken_promise(tx: Transaction, event: Event) -> None:
    """Remembers the promise that the event says was broken, on the day it is in the segment."""
    assert event.customer_id is not None
    assert event.segment is not None
    await repository.add_broken_promise(
        tx.session,
        promise_id=UUID(event.subject_id),
        customer_id=event.customer_id,
        segment=event.segment,
        broken_on=await today(tx, event.segment),
    )


async def refresh_payment_index(tx: Transaction, *, customer_id: str, segment: str) -> None:
    """Computes the payment index of an account anew, and when it has to be computed next.

    Under the account's lock, so that no posting falls between the look and the note. Raises `AccountBusy`,
    `AccountNotFound`.
    """
    positions = await exposure.lock(tx, keys=[(customer_id, segment)])
    account = positions.of(customer_id, segment)
    on = await today(tx, segment)
    found = await repository.dealings(tx.session, customer_ids=[customer_id], segment=segment, on=on, most=MAX_DEALINGS)
    dealings = found[customer_id]
    index = payment_index(dealings, on=on)
    await exposure.note_risk(
        tx,
        customer_id=customer_id,
        segment=segment,
        payment_index=None if index is None else index.quantize(_TENTH, ROUND_HALF_UP),
    )
    await repository.mark_on(tx.session, account.id, customer_id, segment, next_change(dealings, on=on))


async def marked_accounts(tx: Transaction, *, most: int) -> Sequence[tuple[str, str]]:
    """At most `most` accounts (customer, segment) whose payment index is to be computed anew today, there."""
    found: list[tuple[str, str]] = []
    for segment in await policies.list_segments(tx):
        day = local_day(tx.now, segment.zone)
        found += await repository.marked(tx.session, segment.segment, day, most=most - len(found))
    return found


def _with_relation(paid: PaymentBehaviour, relation: Relation, on: date) -> PaymentBehaviour:
    """`paid` by the last items only, with what all items tell."""
    months = months_between(relation.since, on)
    return replace(
        paid,
        known_since=relation.since,
        relation_months=months,
        year_volume=relation.year_volume,
        monthly_volume=per_month(relation.year_volume, months),
    )
