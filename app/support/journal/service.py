"""Writing the journal, giving events their public order, reading it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from app.infra import metrics
from app.infra.transaction import Transaction
from app.kernel.errors import Busy
from app.kernel.events import Event
from app.support.journal import repository
from app.support.journal.tables import JournalEvent

SEAL_BATCH: Final = 2_000
DELETE_BATCH: Final = 2_000


@dataclass(frozen=True, slots=True)
class Feed:
    """A stretch of the journal: events with their places, and where to go on reading."""

    events: Sequence[tuple[int, JournalEvent]]
    next_after: int


async def write(tx: Transaction, events: Sequence[Event]) -> None:
    """Appends `events` in the transaction that caused them: the `JournalWriter` of `Transactions`."""
    await repository.insert_events(
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


async def seal(tx: Transaction, *, batch: int = SEAL_BATCH) -> int:
    """Gives about `batch` events their places, whole transactions only; how many, 0 while another process is at it.

    An event is sealed once every transaction that began writing before its own has ended, so a reader who resumes after
    a place never misses one that became visible later. A write transaction left open, in any database of the server,
    stalls this: the metric `headroom_seal_lag_seconds` shows it.
    """
    state = await repository.lock_sealer(tx.session)
    if state is None:
        return 0
    next_xid, last_seq = state
    sealed = await repository.seal_batch(tx.session, next_xid=next_xid, last_seq=last_seq, batch=batch, now=tx.now)
    oldest = await repository.oldest_unsealed(tx.session)
    metrics.SEAL_LAG_SECONDS.set((tx.now - oldest).total_seconds() if oldest else 0)
    return sealed


async def delete_older(tx: Transaction, *, keep: timedelta, batch: int = DELETE_BATCH) -> int:
    """Deletes one batch of sealed events older than `keep`; how many. A full batch means there may be more."""
    return await repository.delete_oldest(tx.session, instant=tx.now - keep, batch=batch)


class SealerBusy(Busy):
    """Another process seals: the journal cannot be rebased while anything runs."""

    code = "sealer_busy"
    title = "Another process is sealing the journal"


async def rebase(tx: Transaction) -> int:
    """Makes the journal go on in the transaction ids of this server; how many events had no place yet and got one.

    A dump restored into another server brings events whose transaction ids that server has not reached: new events
    would seem older than what is sealed, and wait for ever. Everything restored is complete, so it is sealed as it is,
    and the sealer begins anew. Raises `SealerBusy`.
    """
    state = await repository.lock_sealer(tx.session)
    if state is None:
        raise SealerBusy("stop every server and worker first")
    return await repository.rebase(tx.session, last_seq=state[1], now=tx.now)


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
    until = await repository.last_place(tx.session)
    rows = await repository.list_sealed(
        tx.session,
        after=after,
        until=until,
        limit=limit,
        type=type,
        customer_id=customer_id,
        segments=segments,
        exceptional=exceptional,
    )
    next_after = rows[-1][0] if len(rows) == limit else max(after, until)
    return Feed(rows, next_after)
