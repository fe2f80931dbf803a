"""Exactly once: claim a key, keep the answer under it, give it again."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Final

from sqlalchemy.exc import DBAPIError

from app.infra.db.failures import LOCK_NOT_AVAILABLE, sqlstate
from app.infra.transaction import Transaction
from app.support.idempotency import repository
from app.support.idempotency.core import RETRY_AFTER_SECONDS, KeyInProgress, StoredAnswer, same_request, traces

RETENTION: Final = timedelta(days=7)
DELETE_BATCH: Final = 5_000


async def claim(tx: Transaction, *, principal_id: str, key: str, fingerprint: bytes) -> StoredAnswer | None:
    """None if the key is now this transaction's; else the answer that is to be given again.

    Raises `KeyReused` for another request, `KeyInProgress` when the first is still under way after the lock timeout,
    `AnswerErased` when the answer named somebody who has been erased.
    """
    try:
        if await repository.insert_claim(
            tx.session, principal_id=principal_id, key=key, fingerprint=fingerprint, now=tx.now
        ):
            return None
    except DBAPIError as error:
        if sqlstate(error) == LOCK_NOT_AVAILABLE:
            raise KeyInProgress(retry_after=RETRY_AFTER_SECONDS) from None
        raise
    stored = await repository.find(tx.session, principal_id=principal_id, key=key)
    if stored is None:  # deleted by retention between the two statements
        raise KeyInProgress(retry_after=RETRY_AFTER_SECONDS)
    return same_request(stored, fingerprint)


async def keep(tx: Transaction, *, principal_id: str, key: str, answer: StoredAnswer) -> None:
    """Keeps `answer` under the key that this transaction claimed, as one about the customers of its events."""
    customer_ids = {event.customer_id for event in tx.events if event.customer_id is not None}
    await repository.keep(tx.session, principal_id=principal_id, key=key, answer=answer, customer_ids=customer_ids)


async def erase(tx: Transaction, *, customer_id: str, marks: Collection[str]) -> None:
    """Forgets the kept answers about a customer that name whoever is known by `marks`; repetitions are refused."""
    if found := traces(marks):
        await repository.erase(tx.session, customer_id=customer_id, traces=found)


async def release(tx: Transaction, *, principal_id: str, key: str) -> None:
    """Gives the key free, for an answer that is not kept."""
    await repository.release(tx.session, principal_id=principal_id, key=key)


async def delete_expired(tx: Transaction) -> int:
    """Deletes one batch of keys older than the retention; how many. A full batch means there may be more."""
    return await repository.delete_before(tx.session, instant=tx.now - RETENTION, limit=DELETE_BATCH)
