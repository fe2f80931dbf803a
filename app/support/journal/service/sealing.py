"""Giving events their public order, chaining it, and deleting its oldest part."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from app.infra import metrics
from app.infra.transaction import Transaction
from app.kernel.errors import Busy
from app.support.journal.core.encoding import BEGINNING, Block, close
from app.support.journal.core.events import EventsDeleted
from app.support.journal.repository import sealing

SEAL_BATCH: Final = 2_000
DELETE_BATCH: Final = 2_000


class SealerBusy(Busy):
    """Another process seals: the journal cannot be rebased while anything runs."""

    code = "sealer_busy"
    title = "Another process is sealing the journal"


async def seal(tx: Transaction, *, batch: int = SEAL_BATCH) -> int:
    """Gives about `batch` events their places and closes a block over them, whole transactions only; how many.

    0 while another process is at it. An event is sealed once every transaction that began writing before its own has
    ended, so a reader who resumes after a place never misses one that became visible later, and a block never changes.
    A write transaction left open, in any database of the server, stalls this: the metric `headroom_seal_lag_seconds`
    shows it.
    """
    state = await sealing.lock_sealer(tx.session)
    if state is None:
        return 0
    next_xid, last_seq = state
    leaves = await sealing.seal_batch(tx.session, next_xid=next_xid, last_seq=last_seq, batch=batch, now=tx.now)
    if leaves:
        await _close_block(tx, last_seq + 1, leaves)
    oldest = await sealing.oldest_unsealed(tx.session)
    # An event of another process may be dated later than this transaction by a moment.
    metrics.SEAL_LAG_SECONDS.set(max((tx.now - oldest).total_seconds(), 0) if oldest else 0)
    return len(leaves)


async def delete_older(tx: Transaction, *, keep: timedelta, batch: int = DELETE_BATCH) -> int:
    """Deletes one batch of whole blocks with nothing younger than `keep`; how many events. More than 0: try again.

    What is left begins with a block whose predecessor the journal names, in the event of this very deletion.
    """
    deleted = await sealing.delete_oldest(tx.session, instant=tx.now - keep, batch=batch)
    if deleted is None:
        return 0
    after = {
        "events": deleted.events,
        "first_block": deleted.first_block,
        "first_seq": deleted.first_seq,
        "previous": deleted.previous.hex(),
    }
    tx.emit(EventsDeleted(subject_id="journal", after=after))
    return deleted.events


async def rebase(tx: Transaction) -> int:
    """Makes the journal go on in the transaction ids of this server; how many events had no place yet and got one.

    A dump restored into another server brings events whose transaction ids that server has not reached: new events
    would seem older than what is sealed, and wait for ever. Everything restored is complete, so it is sealed as it is,
    and the sealer begins anew; the chain goes on. For the owner of the tables only. Raises `SealerBusy`.
    """
    state = await sealing.lock_sealer(tx.session)
    if state is None:
        raise SealerBusy("stop every server and worker first")
    leaves = await sealing.rebase(tx.session, last_seq=state[1], now=tx.now)
    if leaves:
        await _close_block(tx, state[1] + 1, leaves)
    return len(leaves)


async def head(tx: Transaction) -> Block | None:
    """The block closed last, whose digest stands for the whole journal; None before the first."""
    return await sealing.last_block(tx.session)


async def _close_block(tx: Transaction, first_seq: int, leaves: Sequence[bytes]) -> None:
    before = await sealing.last_block(tx.session)
    number, previous = (before.number + 1, before.digest) if before else (1, BEGINNING)
    block = close(number=number, first_seq=first_seq, leaves=leaves, previous=previous, closed_at=tx.now)
    await sealing.add_block(tx.session, block)
