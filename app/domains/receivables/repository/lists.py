"""Pages of documents."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.domains.receivables.core.items import Item, ItemKind, ItemStatus
from app.domains.receivables.core.payments import Payment
from app.domains.receivables.repository.records import item_from, payment_from
from app.domains.receivables.tables import OpenItemRow, PaymentRow
from app.infra.db.paging import PageRequest, Slice, fetch

_UNSETTLED = (ItemStatus.OPEN, ItemStatus.PARTLY_PAID)


async def items_page(
    session: AsyncSession,
    page: PageRequest,
    *,
    segment: str,
    customer_id: str | None,
    status: ItemStatus | None,
    overdue: bool | None,
    today: date,
) -> Slice[Item]:
    """Items of a segment by the instant of their last change; overdue: to be paid and due before `today`."""
    statement = select(OpenItemRow).where(OpenItemRow.segment == segment)
    if customer_id is not None:
        statement = statement.where(OpenItemRow.customer_id == customer_id)
    if status is not None:
        statement = statement.where(OpenItemRow.status == status.value)
    late = (OpenItemRow.due_on < today) & (OpenItemRow.kind != ItemKind.CREDIT_NOTE.value)
    if overdue or status in _UNSETTLED:  # said once more so that the index of what is open can be used
        statement = statement.where(OpenItemRow.open_amount > 0)
    if overdue is not None:
        statement = statement.where(late if overdue else ~(late & (OpenItemRow.open_amount > 0)))
    found = await fetch(session, statement, page, keys=[OpenItemRow.changed_at, OpenItemRow.id])
    return Slice([item_from(_record(row)) for row in found.rows], found.next_cursor)


async def payments_page(
    session: AsyncSession, page: PageRequest, *, segment: str, customer_id: str | None
) -> Slice[Payment]:
    """Payments of a segment by the instant of their last change."""
    statement = select(PaymentRow).where(PaymentRow.segment == segment)
    if customer_id is not None:
        statement = statement.where(PaymentRow.customer_id == customer_id)
    found = await fetch(session, statement, page, keys=[PaymentRow.changed_at, PaymentRow.id])
    return Slice([payment_from(_record(row)) for row in found.rows], found.next_cursor)


def _record(row: OpenItemRow | PaymentRow) -> dict[str, object]:
    return {column: getattr(row, column) for column in row.__table__.columns.keys()}  # noqa: SIM118 - a collection of columns, no dict
