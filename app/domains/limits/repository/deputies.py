"""Finds, adds, ends and lists deputies."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.domains.limits.core.deputies import Deputyship
from app.domains.limits.tables import DeputyRow
from app.infra.db.paging import PageRequest, Slice, fetch
from app.kernel.money import Money

MAX_PRINCIPALS: Final = 50
"""In whose place one person can stand at once, for a decision to look at."""


async def lock(session: AsyncSession, deputy_id: UUID) -> Deputyship | None:
    """The deputyship, which nobody else changes until the transaction ends."""
    row = await session.get(DeputyRow, deputy_id, populate_existing=True, with_for_update=True)
    return None if row is None else _deputyship(row)


async def add(session: AsyncSession, deputyship: Deputyship) -> None:
    """Adds a deputyship."""
    authority = deputyship.authority
    await session.execute(
        insert(DeputyRow).values(
            id=deputyship.id,
            segment=deputyship.segment,
            principal=deputyship.principal,
            principal_name=deputyship.principal_name,
            deputy=deputyship.deputy,
            roles=sorted(deputyship.roles),
            authority_amount=authority.amount if authority else None,
            authority_currency=authority.currency if authority else None,
            valid_from=deputyship.valid_from,
            valid_until=deputyship.valid_until,
            reason=deputyship.reason,
            appointed_at=deputyship.appointed_at,
        )
    )


async def end(session: AsyncSession, deputy_id: UUID, *, by: str, now: datetime) -> None:
    """Ends a deputyship."""
    await session.execute(update(DeputyRow).where(DeputyRow.id == deputy_id).values(ended_at=now, ended_by=by))


async def binding(session: AsyncSession, *, principal: str, name: str) -> Sequence[Deputyship]:
    """The deputyships of a principal (id), and those in which `name` is the deputy, locked for this transaction."""
    row = DeputyRow
    either = (row.principal == principal) | (func.lower(row.deputy) == name.lower())
    statement = select(row).where(either, row.ended_at.is_(None)).order_by(row.id).with_for_update()
    return [_deputyship(found) for found in await session.scalars(statement)]


async def of_deputy(session: AsyncSession, deputy: str, *, segment: str, on: date) -> Sequence[Deputyship]:
    """In whose place `deputy` may decide in a segment on a day, the longest-standing first."""
    rows = await session.scalars(
        select(DeputyRow)
        .where(
            func.lower(DeputyRow.deputy) == deputy.lower(),
            DeputyRow.segment == segment,
            DeputyRow.ended_at.is_(None),
            DeputyRow.valid_from <= on,
            DeputyRow.valid_until >= on,
        )
        .order_by(DeputyRow.appointed_at, DeputyRow.id)
        .limit(MAX_PRINCIPALS)
    )
    return [_deputyship(row) for row in rows]


async def list_page(session: AsyncSession, page: PageRequest, *, segments: Collection[str] | None) -> Slice[Deputyship]:
    """A page of deputyships in the order in which they were made."""
    statement = select(DeputyRow)
    if segments is not None:
        statement = statement.where(DeputyRow.segment.in_(segments))
    found = await fetch(session, statement, page, keys=[DeputyRow.appointed_at, DeputyRow.id])
    return Slice([_deputyship(row) for row in found.rows], found.next_cursor)


def _deputyship(row: DeputyRow) -> Deputyship:
    authority = None
    if row.authority_amount is not None and row.authority_currency is not None:
        authority = Money(row.authority_amount, row.authority_currency)
    return Deputyship(
        id=row.id,
        segment=row.segment,
        principal=row.principal,
        principal_name=row.principal_name,
        deputy=row.deputy,
        roles=frozenset(row.roles),
        authority=authority,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        reason=row.reason,
        appointed_at=row.appointed_at,
        ended_at=row.ended_at,
        ended_by=row.ended_by,
    )
