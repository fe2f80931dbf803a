"""Finds documents for the book and writes what was touched in it: one statement each, however many there are."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import Select, TextClause, func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from app.domains.receivables.core.allocations import Allocation
from app.domains.receivables.core.book import Book, Key
from app.domains.receivables.core.items import Item
from app.domains.receivables.core.payments import Payment
from app.domains.receivables.repository import endings
from app.domains.receivables.repository.records import (
    Record,
    Values,
    allocation_from,
    allocation_values,
    item_from,
    item_values,
    payment_from,
    payment_values,
)
from app.domains.receivables.tables import TO_BE_PAID, AllocationRow, OpenItemRow, PaymentRow
from app.infra.db.bulk import WORTH_COPYING, copy_rows
from app.infra.db.failures import UNIQUE_VIOLATION, sqlstate
from app.kernel.money import DIGITS

Wanted = Mapping[tuple[UUID, str], Decimal]
"""By account and currency: how much the oldest items are wanted for."""


def _inserting(row: type[OpenItemRow | PaymentRow]) -> TextClause:
    """A document whose number another transaction has just taken is left out."""
    table, columns = row.__tablename__, ", ".join(row.__table__.columns.keys())
    return text(f"""
        insert into {table} ({columns})
        select {columns} from json_populate_recordset(null::{table}, cast(:rows as json))
            on conflict do nothing""")  # noqa: S608 - names of our own tables


_INSERT_ITEMS: Final = _inserting(OpenItemRow)
_INSERT_PAYMENTS: Final = _inserting(PaymentRow)

_UPDATE_ITEMS: Final = text("""
    update open_items i
       set open_amount = r.open_amount, account_open_amount = r.account_open_amount, status = r.status,
           changed_at = r.changed_at, cancelled_by = r.cancelled_by, cancelled_at = r.cancelled_at,
           cancel_reason = r.cancel_reason, due_on = r.due_on, instalments = r.instalments,
           next_part_amount = r.next_part_amount, disputed_amount = r.disputed_amount,
           written_off_amount = r.written_off_amount
      from json_populate_recordset(null::open_items, cast(:rows as json)) r
     where i.id = r.id""")

_UPDATE_PAYMENTS: Final = text("""
    update payments p
       set open_amount = r.open_amount, account_open_amount = r.account_open_amount, status = r.status,
           changed_at = r.changed_at, reversed_by = r.reversed_by, reversed_at = r.reversed_at,
           reverse_reason = r.reverse_reason, cleared_at = r.cleared_at, uncleared_amount = r.uncleared_amount
      from json_populate_recordset(null::payments, cast(:rows as json)) r
     where p.id = r.id""")

_ALLOCATION_COLUMNS: Final = ", ".join(AllocationRow.__table__.columns.keys())
_INSERT_ALLOCATIONS: Final = text(f"""
    insert into allocations ({_ALLOCATION_COLUMNS})
    select {_ALLOCATION_COLUMNS} from json_populate_recordset(null::allocations, cast(:rows as json))""")  # noqa: S608

_UNDO_ALLOCATIONS: Final = text("""
    update allocations a set undone_at = r.undone_at
      from json_populate_recordset(null::allocations, cast(:rows as json)) r
     where a.id = r.id""")


def _naming(row: type[OpenItemRow | PaymentRow], reference: str) -> TextClause:
    table = row.__tablename__
    return text(f"""
        select found.* from json_to_recordset(cast(:rows as json)) as named(segment text, reference text)
          join {table} found on found.segment = named.segment and found.{reference} = named.reference""")  # noqa: S608


_NAMED_ITEMS: Final = _naming(OpenItemRow, "invoice_no")
_NAMED_PAYMENTS: Final = _naming(PaymentRow, "payment_ref")

_SURELY_TAKES: Final = """
    case when instalments is null
         then (open_amount - least(open_amount, disputed_amount)) * (1 - coalesce(discount_percent, 0) / 100)
         else next_part_amount end"""
"""The least cash that an item of those read takes before a later one has its turn."""

_OLDEST: Final = text(f"""
    with recursive walk as (
        select wanted.account_id, wanted.currency, wanted.amount as wanted, found.*
          from json_to_recordset(cast(:rows as json)) as wanted(account_id uuid, currency text, amount numeric)
         cross join lateral (
               select id, due_on, invoice_no, cast({_SURELY_TAKES} as numeric) as reached from open_items
                where account_id = wanted.account_id and currency = wanted.currency and {TO_BE_PAID}
                order by due_on, invoice_no limit 1
         ) found
        union all
        select walk.account_id, walk.currency, walk.wanted, found.*
          from walk cross join lateral (
               select id, due_on, invoice_no, walk.reached + {_SURELY_TAKES} from open_items
                where account_id = walk.account_id and currency = walk.currency and {TO_BE_PAID}
                  and (due_on, invoice_no) > (walk.due_on, walk.invoice_no)
                order by due_on, invoice_no limit 1
         ) found
         where walk.reached < walk.wanted
    )
    select i.* from walk join open_items i on i.id = walk.id""")  # noqa: S608 - a condition of our own
"""Walks the index from item to item until the amount wanted is reached: reads what will be settled, not all."""


_EXACT: Final = text(f"""
    select found.* from json_to_recordset(cast(:rows as json))
             as wanted(account_id uuid, currency text, amount numeric, digits int)
     cross join lateral (
           (select * from open_items i
             where i.account_id = wanted.account_id and i.currency = wanted.currency and {TO_BE_PAID}
               and i.open_amount - least(i.open_amount, i.disputed_amount) = wanted.amount
             order by i.due_on, i.invoice_no limit 1)
           union
           (select * from open_items i
             where i.account_id = wanted.account_id and i.currency = wanted.currency and {TO_BE_PAID}
               and i.disputed_amount = 0 and i.discount_percent > 0
               and i.open_amount - round(i.open_amount * i.discount_percent / 100, wanted.digits) = wanted.amount
             order by i.due_on, i.invoice_no limit 1)
     ) found""")  # noqa: S608 - a condition of our own

_ADVANCES: Final = text("""
    select p.* from json_to_recordset(cast(:rows as json)) as named(segment text, reference text)
      join payments p on p.segment = named.segment and p.order_ref = named.reference and p.open_amount > 0""")


async def find_items(session: AsyncSession, keys: Collection[Key]) -> Sequence[Item]:
    """The items of `keys` that exist."""
    return [item_from(row) for row in await _named(session, _NAMED_ITEMS, keys)]


async def find_items_by_id(session: AsyncSession, ids: Collection[UUID]) -> Sequence[Item]:
    """The items with these ids."""
    if not ids:
        return ()
    rows = await session.execute(select(*OpenItemRow.__table__.c).where(OpenItemRow.id.in_(ids)))
    return [item_from(row) for row in rows.mappings()]


async def find_payments(session: AsyncSession, keys: Collection[Key]) -> Sequence[Payment]:
    """The payments of `keys` that exist."""
    return [payment_from(row) for row in await _named(session, _NAMED_PAYMENTS, keys)]


async def oldest_items(session: AsyncSession, wanted: Wanted) -> Sequence[Item]:
    """Of each account and currency, the oldest items to be paid whose open amounts reach the amount wanted."""
    rows = [
        {"account_id": account_id, "currency": currency, "amount": amount}
        for (account_id, currency), amount in wanted.items()
        if amount > 0
    ]
    if not rows:
        return ()
    found = await session.execute(_OLDEST, {"rows": _json(rows)})
    return [item_from(row) for row in found.mappings()]


async def exact_items(session: AsyncSession, wanted: Sequence[tuple[UUID, str, Decimal]]) -> Sequence[Item]:
    """For each account, currency and amount of cash: the oldest item that the cash pays exactly, and the oldest that it
    pays less a discount."""
    rows = [
        {"account_id": account_id, "currency": currency, "amount": cash, "digits": DIGITS[currency]}
        for account_id, currency, cash in wanted
    ]
    if not rows:
        return ()
    found = await session.execute(_EXACT, {"rows": _json(rows)})
    return [item_from(row) for row in found.mappings()]


async def advances(session: AsyncSession, orders: Collection[Key]) -> Sequence[Payment]:
    """The payments made in advance for these orders (segment, reference) of which something is left."""
    if not orders:
        return ()
    named = [{"segment": segment, "reference": reference} for segment, reference in set(orders)]
    rows = await session.execute(_ADVANCES, {"rows": _json(named)})
    return [payment_from(row) for row in rows.mappings()]


async def allocations_of_credits(session: AsyncSession, ids: Collection[UUID]) -> Sequence[Allocation]:
    """What payments and credit notes with these ids settle now, oldest first."""
    if not ids:
        return ()
    either = AllocationRow.payment_id.in_(ids) | AllocationRow.credit_note_id.in_(ids)
    return await _live(session, _allocations().where(either))


async def allocations_of_items(session: AsyncSession, ids: Collection[UUID]) -> Sequence[Allocation]:
    """What settles the items with these ids now, oldest first."""
    if not ids:
        return ()
    return await _live(session, _allocations().where(AllocationRow.item_id.in_(ids)))


async def write(session: AsyncSession, book: Book) -> bool:
    """Writes what was touched in the book; False if another transaction has taken a number or reference meanwhile."""
    new_items, items = _split(book.touched_items, book.stored_items)
    new_payments, payments = _split(book.touched_payments, book.stored_payments)
    if not await _insert(session, OpenItemRow, _INSERT_ITEMS, [item_values(book.items[key]) for key in new_items]):
        return False
    if not await _insert(
        session, PaymentRow, _INSERT_PAYMENTS, [payment_values(book.payments[key]) for key in new_payments]
    ):
        return False
    await _execute(session, _UPDATE_ITEMS, (item_values(book.items[key]) for key in items))
    await _execute(session, _UPDATE_PAYMENTS, (payment_values(book.payments[key]) for key in payments))
    await _insert_allocations(session, [allocation_values(book.allocations[made]) for made in book.made])
    await _execute(session, _UNDO_ALLOCATIONS, (allocation_values(book.allocations[gone]) for gone in book.undone))
    return await endings.write(session, book)


def _split(touched: Collection[Key], stored: Collection[Key]) -> tuple[list[Key], list[Key]]:
    """Touched keys in order, so that no two transactions wait for each other: those that are new, those stored."""
    ordered = sorted(touched)
    return [key for key in ordered if key not in stored], [key for key in ordered if key in stored]


def _allocations() -> Select[Any]:
    """Allocations with the numbers of the documents they are between."""
    made = AllocationRow.__table__
    item, note = OpenItemRow.__table__.alias("item"), OpenItemRow.__table__.alias("note")
    payment = PaymentRow.__table__
    between = (
        made.join(item, item.c.id == made.c.item_id)
        .outerjoin(payment, payment.c.id == made.c.payment_id)
        .outerjoin(note, note.c.id == made.c.credit_note_id)
    )
    named = (item.c.invoice_no, item.c.customer_id, item.c.account_id, item.c.segment, item.c.currency)
    order = (made.c.made_at, item.c.due_on, item.c.invoice_no, made.c.id)
    ref = func.coalesce(payment.c.payment_ref, note.c.invoice_no).label("credit_ref")
    return select(*made.c, *named, ref).select_from(between).order_by(*order)


async def _named(session: AsyncSession, statement: TextClause, keys: Collection[Key]) -> Sequence[Record]:
    if not keys:
        return ()
    named = [{"segment": segment, "reference": reference} for segment, reference in set(keys)]
    return (await session.execute(statement, {"rows": _json(named)})).mappings().all()


async def _live(session: AsyncSession, statement: Select[Any]) -> Sequence[Allocation]:
    rows = await session.execute(statement.where(AllocationRow.undone_at.is_(None)))
    return [allocation_from(row) for row in rows.mappings()]


async def _insert(
    session: AsyncSession, row: type[OpenItemRow | PaymentRow], statement: TextClause, rows: Sequence[Values]
) -> bool:
    if not rows:
        return True
    if len(rows) < WORTH_COPYING:
        done: Any = await session.execute(statement, {"rows": _json(rows)})
        return bool(done.rowcount == len(rows))
    try:
        await copy_rows(session, row.__tablename__, list(rows[0]), map(_copied, rows))
    except DBAPIError as error:
        if sqlstate(error) == UNIQUE_VIOLATION:
            return False
        raise
    return True


def _copied(values: Values) -> Sequence[Any]:
    """The values of a row for COPY, which takes JSON as text."""
    return [orjson.dumps(value).decode() if isinstance(value, list) else value for value in values.values()]


async def _insert_allocations(session: AsyncSession, rows: Sequence[Values]) -> None:
    if len(rows) < WORTH_COPYING:
        await _execute(session, _INSERT_ALLOCATIONS, rows)
    else:
        await copy_rows(session, AllocationRow.__tablename__, list(rows[0]), (list(row.values()) for row in rows))


async def _execute(session: AsyncSession, statement: TextClause, rows: Iterable[Values]) -> None:
    values = list(rows)
    if values:
        await session.execute(statement, {"rows": _json(values)})


def _json(rows: Sequence[Mapping[str, Any]]) -> str:
    return orjson.dumps(rows, default=str).decode()
