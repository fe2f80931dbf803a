"""Finds what a change of items can concern: customers who were reminded, their notices, their hold."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.domains.dunning.core.notices import NoticeState
from app.domains.dunning.tables import DunningLineRow, DunningNoticeRow


async def reminded(session: AsyncSession, segment: str, customer_ids: Collection[str]) -> Sequence[str]:
    """Those of the customers of whom there is any notice."""
    row = DunningNoticeRow
    found = await session.scalars(
        select(row.customer_id)
        .where(row.customer_id == func.any(list(customer_ids)), row.segment == segment)
        .distinct()
        .order_by(row.customer_id)
    )
    return list(found)


async def notices(
    session: AsyncSession, customer_id: str, segment: str, open_items: Collection[UUID]
) -> Sequence[DunningNoticeRow]:
    """A customer's notices that are not over, and those that are but were about items that are open now; locked."""
    notice, line = DunningNoticeRow, DunningLineRow
    about = select(line.notice_id).where(line.item_id == func.any(list(open_items)), line.is_raised, line.is_live)
    live = notice.state.in_([NoticeState.PROPOSED, NoticeState.RELEASED, NoticeState.SENT])
    over = (notice.state == NoticeState.SETTLED) & notice.id.in_(about)
    statement = (
        select(notice)
        .where(notice.customer_id == customer_id, notice.segment == segment, live | over)
        .order_by(notice.id)
        .with_for_update()
    )
    return (await session.scalars(statement, execution_options={"populate_existing": True})).all()
