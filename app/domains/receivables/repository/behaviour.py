"""The items that tell how a customer pays, and the marks of accounts whose payment index is to be computed anew."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

import orjson
from sqlalchemy import delete, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.domains.receivables.core.behaviour import Dealing
from app.domains.receivables.core.book import Book
from app.domains.receivables.tables import BehaviourMarkRow, BrokenPromiseRow

AT_ONCE: Final = date(1970, 1, 1)
"""The day of a mark that is due whatever day it is."""

_MARK: Final = text("""
    insert into behaviour_marks (account_id, customer_id, segment, due_on)
    select account_id, customer_id, segment, due_on
      from json_populate_recordset(null::behaviour_marks, cast(:rows as json))
     order by account_id
        on conflict (account_id) do update set due_on = excluded.due_on
     where excluded.due_on < behaviour_marks.due_on""")

_DEALINGS: Final = text("""
    select c.customer_id, i.issued_on, i.due_on, i.amount * i.rate as amount,
           i.status = 'paid' and s.later = 0 as is_settled, s.paid_on, d.times > 0 as is_disputed,
           greatest(i.open_amount + i.written_off_amount + s.later - d.amount, 0) * i.rate as late_amount
      from unnest(cast(:customer_ids as text[])) c(customer_id)
     cross join lateral (
           select id, issued_on, due_on, amount, open_amount, written_off_amount, rate, status from open_items
            where customer_id = c.customer_id and segment = :segment and kind <> 'credit_note'
              and status <> 'cancelled' and issued_on <= :on
            order by changed_at desc, id desc limit :most
      ) i
     cross join lateral (
           select max(effective_on) filter (where payment_id is not null and effective_on <= :on) as paid_on,
                  coalesce(sum(amount + discount + difference) filter (where effective_on > :on), 0) as later
             from allocations where item_id = i.id and undone_at is null
      ) s
     cross join lateral (
           select count(*) as times,
                  coalesce(sum(amount) filter (where resolved_on is null or resolved_on > :on), 0) as amount
             from disputes where item_id = i.id and opened_on <= :on
      ) d""")
"""What was allocated after the day is open again for this look. What is written off stays unpaid; what is disputed on
the day is not late. What only credit notes have settled tells nothing of how the customer pays."""

_RELATION: Final = text("""
    select min(issued_on) as since,
           coalesce(sum(amount * rate) filter (where issued_on > :year_before), 0) as year_volume
      from open_items
     where customer_id = :customer_id and segment = :segment and kind <> 'credit_note' and status <> 'cancelled'
       and issued_on <= :on""")


@dataclass(frozen=True, slots=True)
class Relation:
    """Since when there is business with a customer, and the volume of its last year in account currency."""

    since: date
    year_volume: Decimal


async def dealings(
    session: AsyncSession, *, customer_ids: Collection[str], segment: str, on: date, most: int
) -> Mapping[str, Sequence[Dealing]]:
    """Of each customer's items issued up to the day `on`, the `most` that changed last, as they stood at the end of
    that day by the days of their documents."""
    asked = {"customer_ids": list(customer_ids), "segment": segment, "on": on, "most": most}
    found: dict[str, list[Dealing]] = {customer_id: [] for customer_id in customer_ids}
    for row in await session.execute(_DEALINGS, asked):
        if row.paid_on is not None or not row.is_settled:
            found[row.customer_id].append(
                Dealing(
                    issued_on=row.issued_on,
                    due_on=row.due_on,
                    amount=row.amount,
                    settled_on=row.paid_on if row.is_settled else None,
                    disputed=row.is_disputed,
                    open_amount=None if row.is_settled else row.late_amount,
                )
            )
    return found


async def relation(session: AsyncSession, *, customer_id: str, segment: str, on: date) -> Relation:
    """The whole relation with a customer that has items: reads all of them."""
    asked = {"customer_id": customer_id, "segment": segment, "on": on, "year_before": on - timedelta(days=365)}
    row = (await session.execute(_RELATION, asked)).one()
    return Relation(row.since, row.year_volume)


async def add_broken_promise(
    session: AsyncSession, *, promise_id: UUID, customer_id: str, segment: str, broken_on: date
) -> None:
    """Remembers that a promise was broken; one that was broken before, was kept open and is broken again, once."""
    broken = insert(BrokenPromiseRow).values(
        promise_id=promise_id, customer_id=customer_id, segment=segment, broken_on=broken_on
    )
    await session.execute(broken.on_conflict_do_nothing())


async def broken_promises(
    session: AsyncSession, *, customer_ids: Collection[str], segment: str, on: date
) -> Mapping[str, int]:
    """How many promises each customer broke in the year that ends with the day `on`; those who broke none are left
    out."""
    statement = (
        select(BrokenPromiseRow.customer_id, func.count().label("broken"))
        .where(
            BrokenPromiseRow.customer_id.in_(customer_ids),
            BrokenPromiseRow.segment == segment,
            BrokenPromiseRow.broken_on <= on,
            BrokenPromiseRow.broken_on > on - timedelta(days=365),
        )
        .group_by(BrokenPromiseRow.customer_id)
    )
    return {row.customer_id: row.broken for row in await session.execute(statement)}


async def mark(session: AsyncSession, book: Book) -> None:
    """Marks the accounts of the items that a transaction has touched; it holds their locks, so no two marks meet.

    An item that is new and owed changes the index when it gets late; whatever else happened to one changes it at once.
    """
    due: dict[UUID, tuple[str, str, date]] = {}
    for key in book.touched_items:
        item = book.items[key]
        if item.is_credit:
            continue
        is_new = key not in book.stored_items and item.open == item.amount
        day = item.due_on + timedelta(days=1) if is_new else AT_ONCE
        known = due.get(item.account_id)
        if known is None or day < known[2]:
            due[item.account_id] = (item.customer_id, item.segment, day)
    if due:
        rows = [
            {"account_id": account_id, "customer_id": customer_id, "segment": segment, "due_on": day}
            for account_id, (customer_id, segment, day) in due.items()
        ]
        await session.execute(_MARK, {"rows": orjson.dumps(rows, default=str).decode()})


async def mark_on(session: AsyncSession, account_id: UUID, customer_id: str, segment: str, day: date | None) -> None:
    """Replaces the mark of an account by one for the day; null: by none."""
    if day is None:
        await session.execute(delete(BehaviourMarkRow).where(BehaviourMarkRow.account_id == account_id))
        return
    marked = insert(BehaviourMarkRow).values(
        account_id=account_id, customer_id=customer_id, segment=segment, due_on=day
    )
    await session.execute(marked.on_conflict_do_update(index_elements=["account_id"], set_={"due_on": day}))


async def marked(session: AsyncSession, segment: str, by: date, *, most: int) -> Sequence[tuple[str, str]]:
    """At most `most` accounts (customer, segment) of a segment marked for the day `by` or before."""
    rows = await session.execute(
        select(BehaviourMarkRow.customer_id, BehaviourMarkRow.segment)
        .where(BehaviourMarkRow.segment == segment, BehaviourMarkRow.due_on <= by)
        .order_by(BehaviourMarkRow.due_on, BehaviourMarkRow.account_id)
        .limit(most)
    )
    return [(row.customer_id, row.segment) for row in rows]
