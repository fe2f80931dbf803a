"""The open items of many accounts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import TextClause, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as PgUUID
from sqlalchemy.ext.asyncio import AsyncSession

from app.domains.receivables.core.items import Item
from app.domains.receivables.repository.records import item_from
from app.domains.receivables.tables import TO_BE_PAID

_OPEN_ITEMS: Final[TextClause] = text(f"""
    select i.* from unnest(cast(:ids as uuid[])) as wanted(id)
     cross join lateral (
           select * from open_items where account_id = wanted.id and {TO_BE_PAID}
     ) i
     order by i.account_id, i.due_on, i.invoice_no limit cast(:most as int)""").bindparams(  # noqa: S608 - a condition of our own
    bindparam("ids", type_=ARRAY(PgUUID(as_uuid=True)))
)


async def open_items(
    session: AsyncSession, account_ids: Collection[UUID], *, most: int | None = None
) -> Sequence[Item]:
    """The open invoices and debit notes of these accounts, or the first `most`, by account, due day and number."""
    if not account_ids:
        return ()
    rows = await session.execute(_OPEN_ITEMS, {"ids": list(account_ids), "most": most})
    return [item_from(row) for row in rows.mappings()]
