"""SQL over the texts of payments."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domains.receivables.tables import PaymentRow

_REWORD = text("update payments set remittance = :said where id = :id")


async def remittances(session: AsyncSession, customer_id: str) -> dict[UUID, str]:
    """What the payer wrote on each of the customer's payments, where anything was written."""
    row = PaymentRow
    statement = select(row.id, row.remittance).where(row.customer_id == customer_id, row.remittance.is_not(None))
    return {payment: said for payment, said in await session.execute(statement) if said is not None}


async def reword(session: AsyncSession, said: Mapping[UUID, str]) -> None:
    """Gives the payments other texts."""
    if said:
        await session.execute(_REWORD, [{"id": payment, "said": words} for payment, words in said.items()])
