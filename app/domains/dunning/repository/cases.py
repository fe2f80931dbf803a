"""SQL of claims, stops, promises and collection tasks."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date
from typing import TypeVar
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.domains.dunning.core.promises import PromiseState
from app.domains.dunning.core.tasks import TaskState
from app.domains.dunning.tables import (
    CollectionTaskRow,
    DunningClaimRow,
    DunningStopRow,
    PromiseRow,
    StatutoryRateRow,
)
from app.infra.db.paging import PageRequest, Slice, fetch

Row = TypeVar("Row", CollectionTaskRow, DunningClaimRow, DunningStopRow, PromiseRow)


async def claim(session: AsyncSession, claim_id: UUID) -> DunningClaimRow | None:
    """One claim, locked until the transaction ends."""
    return await _locked(session, select(DunningClaimRow).where(DunningClaimRow.id == claim_id))


async def claims_page(
    session: AsyncSession, page: PageRequest, *, segment: str, customer_id: str
) -> Slice[DunningClaimRow]:
    """A customer's claims by the instant they were made."""
    row = DunningClaimRow
    statement = select(row).where(row.customer_id == customer_id, row.segment == segment)
    return await fetch(session, statement, page, keys=[row.changed_at, row.id])


async def stop(session: AsyncSession, stop_id: UUID) -> DunningStopRow | None:
    """One stop, locked until the transaction ends."""
    return await _locked(session, select(DunningStopRow).where(DunningStopRow.id == stop_id))


async def stops_page(
    session: AsyncSession, page: PageRequest, *, segment: str, customer_id: str
) -> Slice[DunningStopRow]:
    """A customer's stops, those that are over included."""
    row = DunningStopRow
    statement = select(row).where(row.customer_id == customer_id, row.segment == segment)
    return await fetch(session, statement, page, keys=[row.set_at, row.id])


async def promise(session: AsyncSession, promise_id: UUID) -> PromiseRow | None:
    """One promise, locked until the transaction ends."""
    return await _locked(session, select(PromiseRow).where(PromiseRow.id == promise_id))


async def promises_of(
    session: AsyncSession, segment: str, customer_ids: Collection[str], *, currency: str
) -> Sequence[PromiseRow]:
    """The open promises of customers in a currency, those due first, locked."""
    row = PromiseRow
    statement = (
        select(row)
        .where(
            row.customer_id == func.any(list(customer_ids)),
            row.segment == segment,
            row.currency == currency,
            row.state == PromiseState.OPEN,
        )
        .order_by(row.promised_on, row.id)
        .with_for_update()
    )
    return (await session.scalars(statement, execution_options={"populate_existing": True})).all()


async def promises_paid_by(
    session: AsyncSession, segment: str, customer_ids: Collection[str], payment_ref: str
) -> Sequence[PromiseRow]:
    """The promises for which a payment counted, locked."""
    row = PromiseRow
    statement = (
        select(row)
        .where(
            row.customer_id == func.any(list(customer_ids)),
            row.segment == segment,
            row.receipts.has_key(payment_ref),
        )
        .order_by(row.id)
        .with_for_update()
    )
    return (await session.scalars(statement, execution_options={"populate_existing": True})).all()


async def promises_past(session: AsyncSession, before: date, *, limit: int) -> Sequence[PromiseRow]:
    """Open promises for days before `before`, locked; those that others hold are left out."""
    row = PromiseRow
    statement = (
        select(row)
        .where(row.state == PromiseState.OPEN, row.promised_on < before)
        .order_by(row.promised_on, row.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return (await session.scalars(statement, execution_options={"populate_existing": True})).all()


async def promises_page(
    session: AsyncSession, page: PageRequest, *, segment: str, customer_id: str
) -> Slice[PromiseRow]:
    """A customer's promises, those that are over included."""
    row = PromiseRow
    statement = select(row).where(row.customer_id == customer_id, row.segment == segment)
    return await fetch(session, statement, page, keys=[row.changed_at, row.id])


async def task(session: AsyncSession, task_id: UUID) -> CollectionTaskRow | None:
    """One task, locked until the transaction ends."""
    return await _locked(session, select(CollectionTaskRow).where(CollectionTaskRow.id == task_id))


async def open_task(session: AsyncSession, account_id: UUID) -> CollectionTaskRow | None:
    """The open task of an account, locked."""
    row = CollectionTaskRow
    return await _locked(session, select(row).where(row.account_id == account_id, row.state == TaskState.OPEN))


async def last_contact(session: AsyncSession, account_id: UUID) -> date | None:
    """The day of the account's last call."""
    row = CollectionTaskRow
    found: date | None = await session.scalar(select(func.max(row.last_contact_on)).where(row.account_id == account_id))
    return found


async def tasks_page(
    session: AsyncSession, page: PageRequest, *, segment: str, customer_id: str | None, due_until: date | None
) -> Slice[CollectionTaskRow]:
    """Open tasks, the highest rank first; `changed_after`: those opened since."""
    row = CollectionTaskRow
    statement = select(row).where(row.segment == segment, row.state == TaskState.OPEN)
    if customer_id is not None:
        statement = statement.where(row.customer_id == customer_id)
    if due_until is not None:
        statement = statement.where(row.due_on <= due_until)
    if page.changed_after is not None:
        statement = statement.where(row.created_at > page.changed_after)
    return await fetch(session, statement, replace(page, changed_after=None), keys=[row.rank, row.id])


async def tasks_behind(session: AsyncSession, after: UUID, *, limit: int) -> Sequence[CollectionTaskRow]:
    """The next open tasks behind an id, locked; those that others hold are left out."""
    row = CollectionTaskRow
    statement = (
        select(row)
        .where(row.state == TaskState.OPEN, row.id > after)
        .order_by(row.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return (await session.scalars(statement, execution_options={"populate_existing": True})).all()


async def rate(session: AsyncSession, reference: str, valid_from: date) -> StatutoryRateRow | None:
    """A reference rate that was entered here, locked."""
    found: StatutoryRateRow | None = await session.get(
        StatutoryRateRow, (reference, valid_from), with_for_update=True, populate_existing=True
    )
    return found


async def _locked(session: AsyncSession, statement: Select[Row]) -> Row | None:
    found: Row | None = await session.scalar(statement.with_for_update().execution_options(populate_existing=True))
    return found
