"""SQL of credit data: find versions of records as they were known, file new ones, and the turns of covers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.domains.credit_data.core.records import Filed, Key, Kind
from app.domains.credit_data.records import document, filed
from app.domains.credit_data.tables import CoverTurnRow, CreditRecordRow
from app.infra.db.paging import PageRequest, Slice, fetch

_FILE_LOCK: Final = 0x6865_6366
"""The first half of the advisory locks that guard the records of one kind and customer."""
MAX_VERSIONS: Final = 1_000

_KNOWN: Final = text("""
    select r.*
      from unnest(cast(:customer_ids as text[])) c(customer_id)
     cross join unnest(cast(:kinds as text[])) k(kind)
     cross join lateral (
           select * from credit_records
            where customer_id = c.customer_id and kind = k.kind and not retracted
              and (segment is null or segment = :segment)
              and case when cast(:known_at as timestamptz) is null then superseded_at is null
                       else known_at <= :known_at and (superseded_at is null or superseded_at > :known_at) end
            order by valid_on desc, known_at desc, id desc limit :most
     ) r
     order by r.customer_id, r.kind, r.valid_on desc, r.known_at desc, r.id desc""").columns(content=JSONB)

Row = CreditRecordRow


async def lock(session: AsyncSession, customer_id: str, kind: Kind) -> None:
    """Waits until nobody else files records of this kind for the customer."""
    key = func.hashtext(f"{kind.value}/{customer_id}")
    await session.execute(select(func.pg_advisory_xact_lock(_FILE_LOCK, key)))


async def of_id(
    session: AsyncSession, customer_id: str, record_id: UUID, *, known_at: datetime | None
) -> Filed[Any] | None:
    """A record of the customer as it was known at `known_at`, or as it is known last; retracted ones too."""
    statement = select(Row).where(Row.customer_id == customer_id, Row.record_id == record_id, _known(known_at))
    return next(iter(await _read(session, statement)), None)


async def of_key(session: AsyncSession, key: Key, *, known_at: datetime | None) -> Filed[Any] | None:
    """The record of `key` as it was known at `known_at`, or as it is known last; retracted ones too."""
    statement = select(Row).where(
        Row.customer_id == key.customer_id, Row.kind == key.kind.value, Row.ref == key.ref, _known(known_at)
    )
    if key.segment is not None:
        statement = statement.where(Row.segment == key.segment)
    return next(iter(await _read(session, statement)), None)


async def versions(session: AsyncSession, customer_id: str, record_id: UUID) -> Sequence[Filed[Any]]:
    """All versions of a record of the customer, the first one first; at most the last `MAX_VERSIONS`."""
    statement = (
        select(Row)
        .where(Row.customer_id == customer_id, Row.record_id == record_id)
        .order_by(Row.version.desc())
        .limit(MAX_VERSIONS)
    )
    return list(reversed(await _read(session, statement)))


async def page(
    session: AsyncSession,
    request: PageRequest,
    *,
    customer_id: str,
    kind: Kind,
    segment: str | None,
    known_at: datetime | None,
) -> Slice[Filed[Any]]:
    """Records of one kind by the instant their version became known, as they were known at `known_at`."""
    statement = select(Row).where(
        Row.customer_id == customer_id, Row.kind == kind.value, _known(known_at), Row.retracted.is_(False)
    )
    if segment is not None:
        statement = statement.where(Row.segment == segment)
    found = await fetch(session, statement, request, keys=[Row.known_at, Row.id])
    return Slice([filed(row) for row in found.rows], found.next_cursor)


async def known(
    session: AsyncSession,
    *,
    customer_ids: Collection[str],
    segment: str,
    known_at: datetime | None,
    kinds: Collection[Kind] = tuple(Kind),
    most: int,
) -> Mapping[str, Sequence[Filed[Any]]]:
    """At most `most` records of each kind that were known at `known_at`, of each customer or of it in `segment`; by
    kind, and by the day they are valid for, newest first."""
    asked = {
        "customer_ids": list(customer_ids),
        "kinds": [kind.value for kind in kinds],
        "segment": segment,
        "known_at": known_at,
        "most": most,
    }
    found: dict[str, list[Filed[Any]]] = {customer_id: [] for customer_id in customer_ids}
    for row in await session.execute(_KNOWN, asked):
        found[row.customer_id].append(filed(row))
    return found


async def any_of(session: AsyncSession, customer_id: str) -> bool:
    """Whether anything was ever filed for the customer."""
    found = await session.scalar(select(select(Row.id).where(Row.customer_id == customer_id).exists()))
    return bool(found)


async def add(session: AsyncSession, record: Filed[Any], *, row_id: UUID) -> None:
    """Files `record` as the newest version; the one before it is superseded at that instant."""
    if record.version > 1:
        await session.execute(
            update(Row)
            .where(Row.record_id == record.id, Row.superseded_at.is_(None))
            .values(superseded_at=record.known_at)
        )
    await session.execute(
        insert(Row).values(
            id=row_id,
            record_id=record.id,
            customer_id=record.customer_id,
            kind=record.kind.value,
            ref=record.ref,
            segment=record.segment,
            version=record.version,
            valid_on=record.valid_on,
            source=record.source,
            independence=record.independence.value,
            content=document(record.content),
            retracted=record.retracted,
            reason=record.reason,
            entered_by=record.entered_by,
            known_at=record.known_at,
        )
    )


async def turn_on(session: AsyncSession, customer_id: str, segment: str, day: date | None) -> None:
    """Notes the next day on which the covers of an account change by themselves; null: none."""
    if day is None:
        await session.execute(
            delete(CoverTurnRow).where(CoverTurnRow.customer_id == customer_id, CoverTurnRow.segment == segment)
        )
        return
    noted = insert(CoverTurnRow).values(customer_id=customer_id, segment=segment, turns_on=day)
    await session.execute(
        noted.on_conflict_do_update(index_elements=["customer_id", "segment"], set_={"turns_on": day})
    )


async def turned(session: AsyncSession, segment: str, by: date, *, most: int) -> Sequence[tuple[str, str]]:
    """At most `most` accounts (customer, segment) of a segment whose covers turn on or before the day `by`."""
    rows = await session.execute(
        select(CoverTurnRow.customer_id, CoverTurnRow.segment)
        .where(CoverTurnRow.segment == segment, CoverTurnRow.turns_on <= by)
        .order_by(CoverTurnRow.turns_on, CoverTurnRow.customer_id)
        .limit(most)
    )
    return [(row.customer_id, row.segment) for row in rows]


def _known(at: datetime | None) -> ColumnElement[bool]:
    """Rows that were the newest version at the instant `at`; null: that are it now."""
    if at is None:
        return Row.superseded_at.is_(None)
    return (Row.known_at <= at) & (Row.superseded_at.is_(None) | (Row.superseded_at > at))


async def _read(session: AsyncSession, statement: Select[Any]) -> Sequence[Filed[Any]]:
    rows = await session.scalars(statement.execution_options(populate_existing=True))
    return [filed(row) for row in rows]
