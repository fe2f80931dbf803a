"""The open items and unallocated credits of many accounts, and who disputes what is due."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Final
from uuid import UUID

from sqlalchemy import TextClause, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as PgUUID
from sqlalchemy.ext.asyncio import AsyncSession

from app.domains.receivables.core.items import Item
from app.domains.receivables.repository.records import item_from
from app.domains.receivables.tables import DISPUTED, TO_BE_PAID

_OPEN_ITEMS: Final[TextClause] = text(f"""
    select i.* from unnest(cast(:ids as uuid[])) as wanted(id)
     cross join lateral (
           select * from open_items where account_id = wanted.id and {TO_BE_PAID}
     ) i
     order by i.account_id, i.due_on, i.invoice_no limit cast(:most as int)""").bindparams(  # noqa: S608 - a condition of our own
    bindparam("ids", type_=ARRAY(PgUUID(as_uuid=True)))
)

_CREDITS: Final[TextClause] = text("""
    select account_id, currency, sum(open_amount)
      from (
           select account_id, currency, open_amount from payments where account_id = any(:ids) and open_amount > 0
           union all
           select account_id, currency, open_amount from open_items
            where account_id = any(:ids) and open_amount > 0 and kind = 'credit_note'
      ) unallocated
     group by account_id, currency""").bindparams(bindparam("ids", type_=ARRAY(PgUUID(as_uuid=True))))

_DISPUTING: Final[TextClause] = text(f"""
    select distinct customer_id from open_items
     where segment = :segment and customer_id > :after and due_on <= :until and {DISPUTED}
     order by customer_id limit :most""")  # noqa: S608 - a condition of our own


async def open_items(
    session: AsyncSession, account_ids: Collection[UUID], *, most: int | None = None
) -> Sequence[Item]:
    """The open invoices and debit notes of these accounts, or the first `most`, by account, due day and number."""
    if not account_ids:
        return ()
    rows = await session.execute(_OPEN_ITEMS, {"ids": list(account_ids), "most": most})
    return [item_from(row) for row in rows.mappings()]


async def credits(session: AsyncSession, account_ids: Collection[UUID]) -> Mapping[UUID, Mapping[str, Decimal]]:
    """What is unallocated of payments and credit notes, by account and the currency they are in."""
    if not account_ids:
        return {}
    found: dict[UUID, dict[str, Decimal]] = {}
    for account_id, currency, amount in await session.execute(_CREDITS, {"ids": list(account_ids)}):
        found.setdefault(account_id, {})[currency] = amount
    return found


async def disputing(session: AsyncSession, *, segment: str, until: date, after: str, most: int) -> Sequence[str]:
    """At most `most` customers of a segment behind `after`, by id, who dispute of an item that is due by `until`."""
    wanted = {"segment": segment, "until": until, "after": after, "most": most}
    return (await session.scalars(_DISPUTING, wanted)).all()
