"""SQL of the orders of reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.domains.credit_data.core.orders import OrderState, ReportOrder
from app.domains.credit_data.tables import ReportOrderRow
from app.infra.db.paging import PageRequest, Slice, fetch

Row = ReportOrderRow
_COLUMNS = tuple(column.name for column in Row.__table__.columns)


async def add(session: AsyncSession, order: ReportOrder) -> None:
    """Adds an order of a customer that has none waiting at the agency."""
    await session.execute(insert(Row).values(asdict(order) | {"state": order.state.value}))


async def save(session: AsyncSession, order: ReportOrder) -> None:
    """Writes an order as it is now."""
    await session.execute(update(Row).where(Row.id == order.id).values(asdict(order) | {"state": order.state.value}))


async def waiting(session: AsyncSession, customer_id: str, agency: str) -> ReportOrder | None:
    """The customer's order that waits at the agency, if there is one."""
    return await _one(
        session,
        select(Row).where(Row.customer_id == customer_id, Row.agency == agency, Row.state == OrderState.WAITING.value),
    )


async def find(session: AsyncSession, order_id: UUID, *, lock: bool = False) -> ReportOrder | None:
    """The order with this id; with `lock`, nobody else changes it until the transaction ends."""
    statement = select(Row).where(Row.id == order_id)
    return await _one(session, statement.with_for_update() if lock else statement)


async def due(session: AsyncSession, agency: str, now: datetime, *, most: int) -> Sequence[ReportOrder]:
    """At most `most` orders for the agency whose time has come, the longest due first."""
    rows = await session.scalars(
        select(Row)
        .where(Row.agency == agency, Row.state == OrderState.WAITING.value, Row.next_at <= now)
        .order_by(Row.next_at, Row.id)
        .limit(most)
        .execution_options(populate_existing=True)
    )
    return [_order(row) for row in rows]


async def page(session: AsyncSession, request: PageRequest, *, customer_id: str, segment: str) -> Slice[ReportOrder]:
    """The customer's orders in a segment by the instant they were given."""
    statement = select(Row).where(Row.customer_id == customer_id, Row.segment == segment)
    found = await fetch(session, statement, request, keys=[Row.ordered_at, Row.id])
    return Slice([_order(row) for row in found.rows], found.next_cursor)


async def _one(session: AsyncSession, statement: Select[Row]) -> ReportOrder | None:
    row = await session.scalar(statement.execution_options(populate_existing=True))
    return None if row is None else _order(row)


def _order(row: Row) -> ReportOrder:
    return ReportOrder(**{name: getattr(row, name) for name in _COLUMNS} | {"state": OrderState(row.state)})
