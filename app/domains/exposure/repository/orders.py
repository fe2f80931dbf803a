"""Looks into orders without locks; none of it is part of a decision."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from app.domains.exposure.core.commitments import Commitment, OrderState
from app.domains.exposure.records import commitment_from
from app.domains.exposure.tables import CommitmentRow
from app.infra.db.paging import PageRequest, Slice, fetch


@dataclass(frozen=True, slots=True)
class FiledOrder:
    """An order as it is stored, and when it first came and last changed."""

    order: Commitment
    created_at: datetime
    changed_at: datetime


async def find(session: AsyncSession, keys: Collection[tuple[str, str]]) -> Sequence[FiledOrder]:
    """Those of the orders of `keys` (segment, reference) that exist, in no order."""
    statement = select(CommitmentRow).where(tuple_(CommitmentRow.segment, CommitmentRow.order_ref).in_(keys))
    rows = await session.scalars(statement, execution_options={"populate_existing": True})
    return [_filed(row) for row in rows]


async def list_page(
    session: AsyncSession,
    page: PageRequest,
    *,
    segments: Collection[str] | None,
    customer_id: str | None,
    state: OrderState | None,
) -> Slice[FiledOrder]:
    """A page of orders by segment and reference, in these segments or all.

    `changed_after` filters and does not order: an index on the instant of the last change would cost every decision.
    """
    statement = select(CommitmentRow)
    if segments is not None:
        statement = statement.where(CommitmentRow.segment.in_(segments))
    if customer_id is not None:
        statement = statement.where(CommitmentRow.customer_id == customer_id)
    if state is not None:
        statement = statement.where(CommitmentRow.state == state.value)
    if page.changed_after is not None:
        statement = statement.where(CommitmentRow.changed_at > page.changed_after)
    keys = [CommitmentRow.segment, CommitmentRow.order_ref]
    found = await fetch(session, statement, replace(page, changed_after=None), keys=keys)
    return Slice([_filed(row) for row in found.rows], found.next_cursor)


def _filed(row: CommitmentRow) -> FiledOrder:
    record = {column.name: getattr(row, column.name) for column in CommitmentRow.__table__.columns}
    return FiledOrder(commitment_from(record), row.created_at, row.changed_at)
