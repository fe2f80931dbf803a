"""SQL over idempotency keys: Core statements, for they run on every POST."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.support.idempotency.core import ErasedAnswer, StoredAnswer
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


async def find(session: AsyncSession, *, principal_id: str, key: str) -> StoredAnswer | ErasedAnswer | None:
    """The answer kept under this key, or what is left of it."""
    statement = select(
        IdempotencyKey.fingerprint, IdempotencyKey.status, IdempotencyKey.body, IdempotencyKey.media_type
    ).where(IdempotencyKey.principal_id == principal_id, IdempotencyKey.key == key)
    row = (await session.execute(statement)).first()
    if row is None:
        return None
    assert row.status is not None, "a claim is never committed without its answer"
    if row.body is None:
        return ErasedAnswer(row.fingerprint)
    return StoredAnswer(row.fingerprint, row.status, row.body, row.media_type)


async def keep(
    session: AsyncSession, *, principal_id: str, key: str, answer: StoredAnswer, customer_ids: Collection[str]
) -> None:
    """Writes the answer to the claim, and which customers it is about."""
    await session.execute(
        update(IdempotencyKey)
        .where(IdempotencyKey.principal_id == principal_id, IdempotencyKey.key == key)
        .values(
            status=answer.status,
            body=answer.body,
            media_type=answer.media_type,
            customer_ids=sorted(customer_ids) or None,
        )
    )


async def erase(session: AsyncSession, *, customer_id: str, traces: Collection[bytes]) -> None:
    """Forgets the answers about a customer that have any of `traces` in them; that they were given stays."""
    row = IdempotencyKey
    named = or_(*(func.position(literal(trace).op("in")(row.body)) > 0 for trace in sorted(traces)))
    await session.execute(
        update(row)
        .where(row.customer_ids.contains([customer_id]), named)
        .values(body=None, media_type=None)
        .execution_options(synchronize_session=False)
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
