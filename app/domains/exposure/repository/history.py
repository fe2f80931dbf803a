"""The account as it was known at an instant: from the ledger, and from decisions that are superseded, never edited."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app.domains.exposure.core.account import Overdue
from app.domains.exposure.core.fx import Quote, Quotes
from app.domains.exposure.core.holds import Hold
from app.domains.exposure.core.ledger import Component, Exposure
from app.domains.exposure.core.limits import Limit, LimitKind, LimitScope, SetLimit
from app.domains.exposure.repository.decisions import hold_of, limit_of
from app.domains.exposure.tables import AccountRow, HoldRow, LedgerRow, LimitRow, MembershipRow
from app.infra.db.paging import PageRequest, Slice, fetch

_DUE: Final = text("""
    select coalesce(sum(amount), 0) as amount, min(due_on) as oldest
      from (select due_on, sum(amount) as amount from ledger
             where account_id = :account_id and at <= :at and component = 'receivables' and due_on < :day
             group by due_on having sum(amount) > 0) rungs
""")
_QUOTES: Final = text("""
    select distinct on (base, quote) base, quote, rate, on_date from fx_rates
     where on_date <= :day and entered_at <= :at order by base, quote, on_date desc
""")


async def exposure_at(session: AsyncSession, account_id: UUID, currency: str, at: datetime) -> Exposure:
    """The components after every entry made up to `at`."""
    rows = await session.execute(
        select(LedgerRow.component, func.sum(LedgerRow.amount))
        .where(LedgerRow.account_id == account_id, LedgerRow.at <= at)
        .group_by(LedgerRow.component)
    )
    sums: dict[str, Decimal] = {Component(component).value: amount for component, amount in rows}
    return Exposure(currency, **sums)


async def overdue_at(session: AsyncSession, account_id: UUID, at: datetime, day: date) -> Overdue:
    """What was late on `day`, as the entries made up to `at` say."""
    row = (await session.execute(_DUE, {"account_id": account_id, "at": at, "day": day})).one()
    return Overdue(amount=row.amount, oldest_due_on=row.oldest)


async def limits_at(
    session: AsyncSession, account_id: UUID, *, scope: LimitScope, at: datetime, day: date
) -> tuple[Limit | None, Limit | None]:
    """The base limit begun last before or on `day` and the temporary one that covers it, as decided up to `at`."""
    rows = await session.scalars(
        select(LimitRow)
        .where(
            LimitRow.account_id == account_id,
            LimitRow.scope == scope.value,
            LimitRow.set_at <= at,
            or_(LimitRow.superseded_at.is_(None), LimitRow.superseded_at > at),
            LimitRow.valid_from <= day,
            or_(LimitRow.temporary.is_(False), LimitRow.valid_until >= day),
        )
        .order_by(LimitRow.valid_from)
    )
    found = list(rows)
    return _last(row for row in found if not row.temporary), _last(row for row in found if row.temporary)


async def list_limits(
    session: AsyncSession, account_id: UUID, page: PageRequest, *, on: date | None, at: datetime | None
) -> Slice[SetLimit]:
    """A page of the account's decisions, in the order they were made: those that hold on the day `on` and were known to
    at the instant `at`; null: whenever."""
    statement = select(LimitRow).where(LimitRow.account_id == account_id)
    if on is not None:
        statement = statement.where(LimitRow.days.contains(on))
    if at is not None:
        known = or_(LimitRow.superseded_at.is_(None), LimitRow.superseded_at > at)
        statement = statement.where(LimitRow.set_at <= at, known)
    if page.changed_after is not None:
        statement = statement.where(func.coalesce(LimitRow.superseded_at, LimitRow.set_at) > page.changed_after)
    keys = [LimitRow.set_at, LimitRow.id]
    found = await fetch(session, statement, replace(page, changed_after=None), keys=keys)
    account = await carrier(session, account_id)
    return Slice([_set_limit(row, account) for row in found.rows], found.next_cursor)


async def ending_limits(
    session: AsyncSession, *, segment: str, first: date, last: date, after: UUID, batch: int
) -> Sequence[SetLimit]:
    """At most `batch` decisions in force with ids behind `after` that end between two days, both included, and that no
    other of their kind follows at once."""
    following = aliased(LimitRow)
    follows = exists().where(
        following.account_id == LimitRow.account_id,
        following.scope == LimitRow.scope,
        following.temporary == LimitRow.temporary,
        following.superseded_at.is_(None),
        following.days.contains(LimitRow.valid_until + 1),
    )
    statement = (
        select(LimitRow, AccountRow)
        .join(AccountRow, AccountRow.id == LimitRow.account_id)
        .where(
            AccountRow.segment == segment,
            LimitRow.superseded_at.is_(None),
            LimitRow.kind != LimitKind.NONE.value,
            LimitRow.valid_until.between(first, last),
            LimitRow.id > after,
            ~follows,
        )
        .order_by(LimitRow.id)
        .limit(batch)
    )
    return [_set_limit(row, account) for row, account in await session.execute(statement)]


async def holds_at(session: AsyncSession, account_id: UUID, at: datetime) -> Sequence[Hold]:
    """The holds that were set at `at`."""
    rows = await session.scalars(
        select(HoldRow)
        .where(
            HoldRow.account_id == account_id,
            HoldRow.set_at <= at,
            or_(HoldRow.lifted_at.is_(None), HoldRow.lifted_at > at),
        )
        .order_by(HoldRow.set_at, HoldRow.source)
    )
    return [hold_of(row) for row in rows]


async def group_at(session: AsyncSession, account_id: UUID, at: datetime) -> UUID | None:
    """The group whose limit the account shared at `at`."""
    found: UUID | None = await session.scalar(
        select(MembershipRow.group_id).where(MembershipRow.account_id == account_id, *_belonged(at))
    )
    return found


async def totals_at(session: AsyncSession, group_id: UUID, at: datetime) -> Mapping[str, Decimal]:
    """The exposure of those who belonged to the group at `at`, by currency, as the entries made up to then say."""
    credit = LedgerRow.component == Component.UNALLOCATED_CREDITS.value
    owed = func.sum(case((credit, -LedgerRow.amount), else_=LedgerRow.amount))
    rows = await session.execute(
        select(AccountRow.currency, owed)
        .join_from(MembershipRow, AccountRow, AccountRow.id == MembershipRow.account_id)
        .join(LedgerRow, and_(LedgerRow.account_id == AccountRow.id, LedgerRow.at <= at))
        .where(MembershipRow.group_id == group_id, *_belonged(at))
        .group_by(AccountRow.currency)
    )
    return {currency: amount for currency, amount in rows if amount}


async def carrier(session: AsyncSession, account_id: UUID) -> AccountRow:
    """The account that carries a group's limit."""
    return (await session.scalars(select(AccountRow).where(AccountRow.id == account_id))).one()


async def quotes_at(session: AsyncSession, at: datetime, day: date) -> Quotes:
    """The latest rate of every pair on or before `day`, of those entered up to `at`."""
    rows = await session.execute(_QUOTES, {"at": at, "day": day})
    return {(row.base, row.quote): Quote(row.rate, row.on_date) for row in rows}


def _set_limit(row: LimitRow, account: AccountRow) -> SetLimit:
    return SetLimit(
        id=row.id,
        account_id=row.account_id,
        customer_id=account.customer_id,
        segment=account.segment,
        currency=account.currency,
        scope=LimitScope(row.scope),
        temporary=row.temporary,
        limit=limit_of(row),
        reason=row.reason,
        set_by=row.set_by,
        set_at=row.set_at,
        superseded_at=row.superseded_at,
    )


def _last(rows: Iterable[LimitRow]) -> Limit | None:
    found = list(rows)
    return limit_of(found[-1]) if found else None


def _belonged(at: datetime) -> tuple[ColumnElement[bool], ...]:
    return (MembershipRow.joined_at <= at, or_(MembershipRow.left_at.is_(None), MembershipRow.left_at > at))
