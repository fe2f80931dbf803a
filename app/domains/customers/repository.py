"""SQL of customers: find, lock, list, and the two directions of a group."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Select, delete, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.domains.customers.core.customer import Contact
from app.domains.customers.core.groups import MAX_DEPTH
from app.domains.customers.tables import ContactRow, CustomerRow
from app.infra.db.paging import PageRequest, Slice, fetch

HIERARCHY_LOCK: Final = 0x6865_6164_0001
"""The advisory lock that guards who is whose parent."""

_ANCESTORS: Final = text("""
    with recursive chain(customer_id, parent_id, depth) as (
        select customer_id, parent_id, 0 from customers where customer_id = :customer_id
        union all
        select parent.customer_id, parent.parent_id, chain.depth + 1
        from chain join customers parent on parent.customer_id = chain.parent_id
        where chain.depth < :max_depth
    )
    select customer_id from chain where depth > 0 order by depth
""")
_DESCENDANTS: Final = text("""
    with recursive tree(customer_id, depth) as (
        select customer_id, 1 from customers where customer_id = :customer_id
        union all
        select child.customer_id, tree.depth + 1
        from tree join customers child on child.parent_id = tree.customer_id
        where tree.depth <= :max_depth
    )
    select customer_id, depth from tree order by depth, customer_id
""")


async def find(session: AsyncSession, customer_ids: Collection[str]) -> Sequence[CustomerRow]:
    """Those of the customers that exist, as they are now."""
    rows = await session.scalars(
        select(CustomerRow)
        .where(CustomerRow.customer_id == func.any(list(customer_ids)))
        .execution_options(populate_existing=True)
    )
    return rows.all()


async def lock(session: AsyncSession, customer_id: str) -> CustomerRow | None:
    """The customer, locked until the transaction ends. Others may still refer to it."""
    row: CustomerRow | None = await session.scalar(
        select(CustomerRow)
        .where(CustomerRow.customer_id == customer_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return row


async def add(session: AsyncSession, row: CustomerRow) -> bool:
    """Adds the customer; False, and nothing is added, if another transaction has been faster."""
    values = {column.name: getattr(row, column.name) for column in CustomerRow.__table__.columns}
    added = await session.execute(
        insert(CustomerRow).values(values).on_conflict_do_nothing().returning(CustomerRow.customer_id)
    )
    return added.scalar() is not None


async def list_page(
    session: AsyncSession, page: PageRequest, *, query: str | None, profile: str | None
) -> Slice[CustomerRow]:
    """A page of customers, by the instant of their last change; `query` is part of a name or id in any case."""
    statement = select(CustomerRow)
    if query is not None:
        statement = statement.where(
            CustomerRow.name.icontains(query, autoescape=True)
            | CustomerRow.customer_id.icontains(query, autoescape=True)
        )
    if profile is not None:
        statement = statement.where(CustomerRow.profile == profile)
    return await fetch(session, statement, page, keys=[CustomerRow.updated_at, CustomerRow.customer_id])


async def contacts(session: AsyncSession, customer_ids: Collection[str]) -> dict[str, list[Contact]]:
    """The contacts of each of the customers, in the order they were given; no former ones."""
    rows = await session.scalars(
        select(ContactRow)
        .where(ContactRow.customer_id == func.any(list(customer_ids)), ContactRow.replaced_at.is_(None))
        .order_by(ContactRow.customer_id, ContactRow.position)
        .execution_options(populate_existing=True)
    )
    found: dict[str, list[Contact]] = {customer_id: [] for customer_id in customer_ids}
    for row in rows:
        found[row.customer_id].append(row.facts())
    return found


async def contacts_page(session: AsyncSession, page: PageRequest, *, customer_id: str) -> Slice[ContactRow]:
    """A customer's contacts and former contacts, by their ids: in the order they became known."""
    statement = select(ContactRow).where(ContactRow.customer_id == customer_id)
    return await fetch(session, statement, replace(page, changed_after=None), keys=[ContactRow.id])


async def contact(session: AsyncSession, customer_id: str, contact_id: UUID) -> Contact | None:
    """One contact or former contact of a customer."""
    found = (await contacts_by_id(session, [contact_id])).get(contact_id)
    return found[1] if found is not None and found[0] == customer_id else None


async def contacts_by_id(session: AsyncSession, contact_ids: Collection[UUID]) -> dict[UUID, tuple[str, Contact]]:
    """Those of the contacts that are still known, former ones too, each with its customer."""
    rows = await session.scalars(
        select(ContactRow).where(ContactRow.id == func.any(list(contact_ids))).execution_options(populate_existing=True)
    )
    return {row.id: (row.customer_id, row.facts()) for row in rows}


async def former_contacts(
    session: AsyncSession, customer_id: str, *, names: Collection[str], emails: Collection[str] = ()
) -> list[Contact]:
    """The customer's former contacts of any of the names or e-mail addresses, in any case."""
    row = ContactRow
    same = or_(
        func.lower(row.name).in_([name.lower() for name in names]),
        func.lower(row.email).in_([email.lower() for email in emails]),
    )
    statement = select(row).where(row.customer_id == customer_id, row.replaced_at.is_not(None), same).order_by(row.id)
    return [found.facts() for found in await session.scalars(statement, execution_options={"populate_existing": True})]


async def replace_contacts(
    session: AsyncSession, customer_id: str, contacts: Sequence[Contact], *, now: datetime
) -> None:
    """Makes `contacts` the customer's, in this order. Of the others, those who were written to become former ones."""
    row = ContactRow
    others = (row.customer_id == customer_id, row.id.not_in([contact.id for contact in contacts]))
    await session.execute(delete(row).where(*others, row.written_to_at.is_(None), row.replaced_at.is_(None)))
    await session.execute(update(row).where(*others, row.replaced_at.is_(None)).values(replaced_at=now))
    if contacts:
        values = [_contact_values(customer_id, position, contact) for position, contact in enumerate(contacts)]
        added = insert(row).values(sorted(values, key=lambda each: str(each["id"])))
        back = {"position": added.excluded.position, "replaced_at": None}
        await session.execute(added.on_conflict_do_update(index_elements=[row.id], set_=back))


async def delete_contacts(session: AsyncSession, contact_ids: Collection[UUID]) -> None:
    """Forgets contacts."""
    await session.execute(delete(ContactRow).where(ContactRow.id == func.any(list(contact_ids))))


async def note_written_to(session: AsyncSession, contact_ids: Collection[UUID], *, now: datetime) -> set[UUID]:
    """Notes that the contacts are written to; those of them that are still known."""
    row = ContactRow
    known = set(await session.scalars(_in_order(contact_ids).with_for_update(key_share=True)))
    first = update(row).where(row.id == func.any(list(known)), row.written_to_at.is_(None))
    await session.execute(first.values(written_to_at=now))
    return known


async def hold_contacts(session: AsyncSession, contact_ids: Collection[UUID]) -> set[UUID]:
    """Those of the contacts that are still known, and stay so until the transaction ends."""
    return set(await session.scalars(_in_order(contact_ids).with_for_update(read=True, key_share=True)))


def _in_order(contact_ids: Collection[UUID]) -> Select[UUID]:
    """In one order for all, so that nobody waits for each other."""
    return select(ContactRow.id).where(ContactRow.id == func.any(list(contact_ids))).order_by(ContactRow.id)


async def ancestors(session: AsyncSession, customer_id: str) -> list[str]:
    """The parent, its parent and so on."""
    chain = await session.scalars(_ANCESTORS, {"customer_id": customer_id, "max_depth": MAX_DEPTH})
    return list(chain)


async def descendants(session: AsyncSession, customer_id: str) -> list[tuple[str, int]]:
    """The customer and everybody below it with their levels, its own being 1."""
    tree = await session.execute(_DESCENDANTS, {"customer_id": customer_id, "max_depth": MAX_DEPTH})
    return [(row.customer_id, row.depth) for row in tree]


async def lock_hierarchy(session: AsyncSession, *, shared: bool) -> None:
    """Waits until nobody changes a parent (shared) or looks at one either (not shared), until the transaction ends."""
    take = func.pg_advisory_xact_lock_shared if shared else func.pg_advisory_xact_lock
    await session.execute(select(take(HIERARCHY_LOCK)))


def _contact_values(customer_id: str, position: int, contact: Contact) -> dict[str, UUID | str | int | None]:
    details = contact.details
    return {
        "id": contact.id,
        "customer_id": customer_id,
        "position": position,
        "role": details.role,
        "name": details.name,
        "email": details.email,
        "phone": details.phone,
        "address": details.address,
    }
