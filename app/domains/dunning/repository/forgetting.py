"""SQL that finds where a person may be named."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.domains.dunning.tables import CollectionTaskRow, DunningDocumentRow, DunningNoticeRow


async def empty_documents(session: AsyncSession, contact_id: UUID) -> None:
    """Takes away what was sent to a contact; that it was sent, and its digest, stay."""
    row = DunningDocumentRow
    await session.execute(update(row).where(row.contact_ids.contains([contact_id])).values(body=b""))


async def annotated_notices(session: AsyncSession, customer_id: str) -> Sequence[DunningNoticeRow]:
    """A customer's notices with words of a person on them, locked until the transaction ends."""
    row = DunningNoticeRow
    worded = row.note.is_not(None) | (func.jsonb_array_length(row.failures) > 0)
    statement = select(row).where(row.customer_id == customer_id, worded).order_by(row.id).with_for_update()
    return (await session.scalars(statement)).all()


async def annotated_tasks(session: AsyncSession, customer_id: str) -> Sequence[CollectionTaskRow]:
    """A customer's calls with a note, locked until the transaction ends."""
    row = CollectionTaskRow
    statement = select(row).where(row.customer_id == customer_id, row.note.is_not(None)).order_by(row.id)
    return (await session.scalars(statement.with_for_update())).all()
