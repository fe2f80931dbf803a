"""SQL over API keys."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Text, and_, cast, exists, or_, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from app.infra.db import paging
from app.infra.db.paging import PageRequest, Slice
from app.support.auth.core.duties import DUTIES
from app.support.auth.core.scopes import Scope
from app.support.auth.tables import ApiKey


async def find_by_hash(session: AsyncSession, digest: bytes, now: datetime) -> ApiKey | None:
    """The key with this hash that works at `now`: current, or replaced and still within the overlap."""
    works = and_(ApiKey.revoked_at.is_(None), or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > now))
    matches = or_(
        ApiKey.key_hash == digest,
        and_(ApiKey.previous_hash == digest, ApiKey.previous_until > now),
    )
    found: ApiKey | None = await session.scalar(select(ApiKey).where(matches, works))
    return found


async def find_live_by_name(session: AsyncSession, name: str) -> ApiKey | None:
    """The key of this name that has not been revoked."""
    found: ApiKey | None = await session.scalar(select(ApiKey).where(ApiKey.name == name, ApiKey.revoked_at.is_(None)))
    return found


async def lock(session: AsyncSession, key_id: UUID) -> ApiKey | None:
    """The key, locked until the transaction ends."""
    return await session.get(ApiKey, key_id, with_for_update=True)


async def ended(session: AsyncSession, key_ids: Collection[UUID], now: datetime) -> set[UUID]:
    """Those of the keys that were revoked or have expired."""
    over = ApiKey.revoked_at.is_not(None) | (ApiKey.expires_at <= now)
    return set(await session.scalars(select(ApiKey.id).where(ApiKey.id.in_(key_ids), over)))


async def lock_table(session: AsyncSession) -> None:
    """Keeps others from making keys until the transaction ends; they may read on."""
    await session.execute(text("lock table api_keys in share row exclusive mode"))


async def any_key(session: AsyncSession) -> bool:
    """Whether any key was ever given out."""
    return bool(await session.scalar(select(exists(select(ApiKey.id)))))


async def list_keys(session: AsyncSession, page: PageRequest) -> Slice[ApiKey]:
    """One page of all keys, by creation."""
    return await paging.fetch(session, select(ApiKey), page, keys=(ApiKey.created_at, ApiKey.id))


async def list_conflicting(session: AsyncSession, page: PageRequest, now: datetime) -> Slice[ApiKey]:
    """One page of the keys that work at `now` and whose scopes break a duty, by creation."""
    works = and_(ApiKey.revoked_at.is_(None), or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > now))
    breaks = [and_(_any_of(duty.these), _any_of(duty.those)) for duty in DUTIES]
    statement = select(ApiKey).where(works, or_(_any_of({Scope.ADMIN}), *breaks))
    return await paging.fetch(session, statement, page, keys=(ApiKey.created_at, ApiKey.id))


def _any_of(scopes: Collection[Scope]) -> ColumnElement[bool]:
    holds: ColumnElement[bool] = ApiKey.scopes.overlap(cast(sorted(scopes), ARRAY(Text)))
    return holds
