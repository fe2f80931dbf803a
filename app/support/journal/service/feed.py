"""Writing the journal, and reading it as a feed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.infra.transaction import Transaction
from app.kernel.events import Event
from app.support.journal.repository import events as rows
from app.support.journal.tables import JournalEvent


@dataclass(frozen=True, slots=True)
class Feed:
    """A stretch of the journal: events with their places, and where to go on reading."""

    events: Sequence[tuple[int, JournalEvent]]
    next_after: int


async def write(tx: Transaction, events: Sequence[Event]) -> None:
    """Appends `events` in the transaction that caused them: the `JournalWriter` of `Transactions`."""
    await rows.insert_events(
        tx.session,
        [
            {
                "at": tx.now,
                "type": event.type,
                "actor": tx.actor.name,
                "actor_kind": tx.actor.kind.value,
                "request_id": tx.request_id,
                "segment": event.segment,
                "customer_id": event.customer_id,
                "subject_type": event.subject_type,
                "subject_id": event.subject_id,
                "before": dict(event.before),
                "after": dict(event.after),
                "exceptional": event.exceptional,
            }
            for event in events
        ],
    )


async def read(
    tx: Transaction,
    *,
    after: int,
    limit: int,
    type: str | None = None,
    customer_id: str | None = None,
    segments: frozenset[str] | None = None,
    exceptional: bool | None = None,
) -> Feed:
    """Sealed events behind the place `after`; a filtered reader resumes behind what was searched, not behind a hit."""
    until = await rows.last_place(tx.session)
    found = await rows.list_sealed(
        tx.session,
        after=after,
        until=until,
        limit=limit,
        type=type,
        customer_id=customer_id,
        segments=segments,
        exceptional=exceptional,
    )
    next_after = found[-1][0] if len(found) == limit else max(after, until)
    return Feed(found, next_after)
