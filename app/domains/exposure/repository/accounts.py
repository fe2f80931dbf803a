"""Opens, lists and looks into accounts; none of it is part of a decision."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, func, insert, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app.domains.exposure.core.account import Account, AccountKey
from app.domains.exposure.core.ledger import Component, Entry, Line, Posting, Source
from app.domains.exposure.records import Record, account_from
from app.domains.exposure.tables import AccountRow, CommitmentRow, DueRungRow, LedgerRow, LimitRow
from app.infra.db.paging import PageRequest, Slice, fetch

_DUE: Final = text("""
    select a.customer_id, a.segment from accounts a
     where a.fresh_until <= :now and a.id in (
           select c.account_id from commitments c
            where c.open_amount > 0 and c.expires_at <= :now order by c.expires_at limit :batch)
     limit :batch
""")


async def add(
    session: AsyncSession,
    *,
    account_id: UUID,
    customer_id: str,
    segment: str,
    currency: str,
    group_id: UUID | None,
    now: datetime,
) -> None:
    """Adds an account without entries."""
    await session.execute(
        insert(AccountRow).values(
            id=account_id,
            customer_id=customer_id,
            segment=segment,
            currency=currency,
            group_id=group_id,
            opened_at=now,
            changed_at=now,
        )
    )


async def is_pristine(session: AsyncSession, account_id: UUID) -> bool:
    """Whether nothing was ever said in the account's currency: no entry, no order, no limit."""
    used = await session.scalar(
        select(
            or_(
                exists().where(LedgerRow.account_id == account_id),
                exists().where(CommitmentRow.account_id == account_id),
                exists().where(LimitRow.account_id == account_id),
            )
        )
    )
    return not used


async def change_currency(session: AsyncSession, account_id: UUID, currency: str, now: datetime) -> None:
    """Keeps a pristine, locked account in another currency from now on."""
    await session.execute(
        update(AccountRow)
        .where(AccountRow.id == account_id)
        .values(currency=currency, version=AccountRow.version + 1, changed_at=now)
    )


async def of_customers(
    session: AsyncSession, customer_ids: Collection[str], *, segment: str | None = None
) -> Sequence[Account]:
    """The accounts of these customers, in one segment or all, in the order of their segments, without locks."""
    statement = (
        select(*AccountRow.__table__.c)
        .where(AccountRow.customer_id.in_(customer_ids))
        .order_by(AccountRow.segment, AccountRow.id)
    )
    if segment is not None:
        statement = statement.where(AccountRow.segment == segment)
    return [account_from(row) for row in (await session.execute(statement)).mappings()]


async def companions(session: AsyncSession, customer_ids: Collection[str], *, segment: str) -> Sequence[str]:
    """Those of the customers that have an account in a segment, and those that share a limit with one of them."""
    own = aliased(AccountRow)
    together = or_(AccountRow.id == own.id, AccountRow.group_id == own.group_id)
    statement = select(AccountRow.customer_id).join(own, and_(own.segment == AccountRow.segment, together)).distinct()
    found = await session.scalars(statement.where(own.customer_id.in_(customer_ids), own.segment == segment))
    return found.all()


async def members(session: AsyncSession, group_ids: Collection[UUID]) -> Sequence[str]:
    """The customers whose accounts share the limit of one of these groups."""
    statement = select(AccountRow.customer_id).where(AccountRow.group_id.in_(group_ids)).distinct()
    return (await session.scalars(statement)).all()


async def with_dues(
    session: AsyncSession, *, segment: str, until: date, after: str, most: int, also: Collection[str] = ()
) -> Sequence[Account]:
    """At most `most` accounts of a segment behind the customer `after`, by customer, with something due by `until`, or
    of one of the customers `also`."""
    due = exists().where(DueRungRow.account_id == AccountRow.id, DueRungRow.due_on <= until, DueRungRow.amount > 0)
    wanted = or_(due, AccountRow.customer_id.in_(also)) if also else due
    statement = (
        select(*AccountRow.__table__.c)
        .where(AccountRow.segment == segment, AccountRow.customer_id > after, wanted)
        .order_by(AccountRow.customer_id)
        .limit(most)
    )
    return [account_from(row) for row in (await session.execute(statement)).mappings()]


async def ladder(session: AsyncSession, account_id: UUID) -> Mapping[date, Decimal]:
    """What is open and falls due, by due day."""
    rungs = select(DueRungRow.due_on, DueRungRow.amount).where(DueRungRow.account_id == account_id)
    return {row.due_on: row.amount for row in await session.execute(rungs.where(DueRungRow.amount != 0))}


async def list_page(session: AsyncSession, page: PageRequest, *, segments: Collection[str] | None) -> Slice[Account]:
    """A page of accounts in the order they were opened, in these segments or all.

    `changed_after` filters and does not order: an index on the instant of the last change would cost every posting.
    """
    statement = select(AccountRow)
    if segments is not None:
        statement = statement.where(AccountRow.segment.in_(segments))
    if page.changed_after is not None:
        statement = statement.where(AccountRow.changed_at > page.changed_after)
    found = await fetch(session, statement, replace(page, changed_after=None), keys=[AccountRow.id])
    return Slice([account_from(_record(row)) for row in found.rows], found.next_cursor)


async def ledger_page(session: AsyncSession, account_id: UUID, page: PageRequest) -> Slice[Posting]:
    """A page of the account's ledger, in the order of the entries."""
    statement = select(LedgerRow).where(LedgerRow.account_id == account_id)
    if page.changed_after is not None:
        statement = statement.where(LedgerRow.at > page.changed_after)
    found = await fetch(session, statement, replace(page, changed_after=None), keys=[LedgerRow.seq])
    return Slice([_posting(row) for row in found.rows], found.next_cursor)


async def with_expired_orders(session: AsyncSession, now: datetime, batch: int) -> Sequence[tuple[str, str]]:
    """At most `batch` accounts (customer, segment) with a reservation that has run out."""
    rows = await session.execute(_DUE, {"now": now, "batch": batch})
    return [(row.customer_id, row.segment) for row in rows]


async def stale_after(
    session: AsyncSession, now: datetime, *, after: UUID, scanned: int
) -> tuple[Sequence[tuple[str, str]], UUID | None]:
    """Of the `scanned` accounts behind `after`, those whose standing facts are of an earlier day, and where to go on.

    The scan follows the primary key: an index on `fresh_until` would cost every posting. None: there are no more.
    """
    statement = (
        select(AccountRow.id, AccountRow.customer_id, AccountRow.segment, AccountRow.fresh_until)
        .where(AccountRow.id > after)
        .order_by(AccountRow.id)
        .limit(scanned)
    )
    rows = (await session.execute(statement)).all()
    stale = [(row.customer_id, row.segment) for row in rows if row.fresh_until <= now]
    return stale, rows[-1].id if len(rows) == scanned else None


async def keys_after(
    session: AsyncSession, *, after: UUID, segment: str | None, customers: Collection[str] | None, most: int
) -> Sequence[AccountKey]:
    """At most `most` accounts behind the id `after`, of a segment and of these customers or of all."""
    wanted = _portfolio(segment, customers)
    statement = select(AccountRow.id, AccountRow.customer_id, AccountRow.segment).where(AccountRow.id > after, *wanted)
    rows = await session.execute(statement.order_by(AccountRow.id).limit(most))
    return [AccountKey(row.id, row.customer_id, row.segment) for row in rows]


async def count(session: AsyncSession, *, segment: str | None, customers: Collection[str] | None) -> int:
    """How many accounts a segment and these customers have, or all."""
    found = await session.scalar(select(func.count()).select_from(AccountRow).where(*_portfolio(segment, customers)))
    return int(found or 0)


def _portfolio(segment: str | None, customers: Collection[str] | None) -> list[ColumnElement[bool]]:
    of_segment = [] if segment is None else [AccountRow.segment == segment]
    return of_segment if customers is None else [*of_segment, AccountRow.customer_id.in_(customers)]


def _record(row: AccountRow) -> Record:
    return {column.name: getattr(row, column.name) for column in AccountRow.__table__.columns}


def _posting(row: LedgerRow) -> Posting:
    source = Source(row.source_type, row.source_ref)
    entry = Entry(Component(row.component), row.amount, source, row.due_on)
    return Posting(row.at, Line(row.seq, entry, row.balance))
