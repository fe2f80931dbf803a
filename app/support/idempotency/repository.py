"""SQL over idempotency keys: Core statements, for they run on every POST."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.support.idempotency.core import StoredAnswer
from app.support.idempotency.tables import IdempotencyKey


async def insert_claim(
    session: AsyncSession, *, principal_id: str, key: str, fingerprint: bytes, now: datetime
) -> bool:
    """Whether the key was free and is now claimed. Waits for whoever is working on it, as long as locks may."""
    claim = (
        insert(IdempotencyKey)
        .values(principal_id=principal_id, key=key, fingerprint=fingerprint, created_at=now)
        .on_conflict_do_nothing()
        .returning(IdempotencyKey.key)
    )
    return (await session.execute(claim)).first() is not None


async def find(session: AsyncSession, *, principal_id: str, key: str) -> StoredAnswer | None:
    """The answer kept under this key."""
    statement = select(
        IdempotencyKey.fingerprint, IdempotencyKey.status, IdempotencyKey.body, IdempotencyKey.media_type
    ).where(IdempotencyKey.principal_id == principal_id, IdempotencyKey.key == key)
    row = (await session.execute(statement)).first()
    if row is None:
        return None
    assert row.status is not None, "a claim is never committed without its answer"
    assert row.body is not None, "a claim is never committed without its answer"
    return StoredAnswer(row.fingerprint, row.status, row.body, row.media_type)


async def keep(session: AsyncSession, *, principal_id: str, key: str, answer: StoredAnswer) -> None:
    """Writes the answer to the claim."""
    await session.execute(
        update(IdempotencyKey)
        .where(IdempotencyKey.principal_id == principal_id, IdempotencyKey.key == key)
        .values(status=answer.status, body=answer.body, media_type=answer.media_type)
    )


async def release(session: AsyncSession, *, principal_id: str, key: str) -> None:
    """Gives the key free again."""
    await session.execute(
        delete(IdempotencyKey).where(IdempotencyKey.principal_id == principal_id, IdempotencyKey.key == key)
    )


async def delete_before(session: AsyncSession, *, instant: datetime, limit: int) -> int:
    """Deletes at most `limit` keys from before `instant`; how many there were."""
    old = (
        select(IdempotencyKey.principal_id, IdempotencyKey.key)
        .where(IdempotencyKey.created_at < instant)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("old")
    )
    deleted = await session.execute(
        delete(IdempotencyKey)
        .where(IdempotencyKey.principal_id == old.c.principal_id, IdempotencyKey.key == old.c.key)
        .returning(IdempotencyKey.key)
    )
    return len(deleted.all())
