"""Use cases of customers: put, get, find, list, and walks through groups."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, fields
from uuid import UUID

from app.domains.customers import adapters, repository
from app.domains.customers.core.customer import (
    Changes,
    Contact,
    ContactDetails,
    Customer,
    ErasureGround,
    Particulars,
    changes,
)
from app.domains.customers.core.events import ContactErased, CustomerChanged, CustomerCreated
from app.domains.customers.core.groups import check_parent
from app.domains.customers.core.refusals import ContactNotFound, CustomerNotFound, ParentUnknown
from app.domains.customers.tables import CustomerRow
from app.infra.db.paging import PageRequest
from app.infra.transaction import Transaction
from app.kernel.errors import Fault

Precondition = Callable[[int | None], None]
"""Raises when the edit was not meant for this version of the customer (None: there is none yet)."""


@dataclass(frozen=True, slots=True)
class Filed:
    """A customer with its contacts; `created` when it was not known before."""

    customer: Customer
    contacts: Sequence[Contact]
    created: bool = False


@dataclass(frozen=True, slots=True)
class FiledPage:
    """One page of a list of customers and the cursor of the next."""

    items: Sequence[Filed]
    next_cursor: str | None


async def put(
    tx: Transaction,
    *,
    customer_id: str,
    particulars: Particulars,
    contacts: Sequence[ContactDetails] = (),
    precondition: Precondition = lambda version: None,
) -> Filed:
    """Makes `particulars` and `contacts` all that is known of the customer; the same again changes nothing.

    Raises `RegistrationInvalid`, `ParentUnknown`, `ParentCycle`, `GroupTooDeep`, and what `precondition` raises.
    """
    particulars = _verified(particulars)
    row = await repository.lock(tx.session, customer_id)
    if row is None:
        precondition(None)
        filed = await _create(tx, customer_id, particulars, contacts)
        if filed is not None:
            return filed
        row = await repository.lock(tx.session, customer_id)
        assert row is not None, "customers are never deleted"
    precondition(row.version)
    return await _replace(tx, row, particulars, contacts)


async def get(tx: Transaction, *, customer_id: str) -> Customer:
    """The customer. Raises `CustomerNotFound`."""
    found = await find(tx, customer_ids=[customer_id])
    if customer_id not in found:
        raise CustomerNotFound(f"there is no customer {customer_id!r}")
    return found[customer_id]


async def get_filed(tx: Transaction, *, customer_id: str) -> Filed:
    """The customer with its contacts. Raises `CustomerNotFound`."""
    customer = await get(tx, customer_id=customer_id)
    return Filed(customer, await contacts_of(tx, customer_id=customer_id))


async def find(tx: Transaction, *, customer_ids: Collection[str]) -> dict[str, Customer]:
    """Those of the customers that exist, by id."""
    return {row.customer_id: row.facts() for row in await repository.find(tx.session, customer_ids)}


async def contacts_of(tx: Transaction, *, customer_id: str) -> Sequence[Contact]:
    """The customer's contacts, in the order they were given; no former ones. Personal data."""
    return (await repository.contacts(tx.session, [customer_id]))[customer_id]


async def list_contacts(
    tx: Transaction, *, customer_id: str, page: PageRequest
) -> tuple[Sequence[Contact], str | None]:
    """The customer's contacts and former contacts, and the cursor of the next page. Raises `CustomerNotFound`."""
    await get(tx, customer_id=customer_id)
    found = await repository.contacts_page(tx.session, page, customer_id=customer_id)
    return [row.facts() for row in found.rows], found.next_cursor


async def contacts_by_id(tx: Transaction, *, contact_ids: Collection[UUID]) -> dict[UUID, Contact]:
    """Those of the contacts that are still known, former ones too. Personal data."""
    found = await repository.contacts_by_id(tx.session, contact_ids)
    return {contact_id: contact for contact_id, (_, contact) in found.items()}


async def note_written_to(tx: Transaction, *, contact_ids: Collection[UUID]) -> set[UUID]:
    """Notes that the contacts are about to be written to, so that they stay known; those of them that still are."""
    return await repository.note_written_to(tx.session, contact_ids, now=tx.now)


async def hold_contacts(tx: Transaction, *, contact_ids: Collection[UUID]) -> set[UUID]:
    """Those of the contacts that are still known: nobody erases them before the transaction ends.

    Take it before locking any account, for so does whoever erases one.
    """
    return await repository.hold_contacts(tx.session, contact_ids)


async def erase_contact(tx: Transaction, *, customer_id: str, contact_id: UUID, ground: ErasureGround) -> Customer:
    """Forgets a person for good; the customer. The journal knows contacts by their ids only, and stays.

    With them go the customer's former contacts of the same name or e-mail address. Raises `CustomerNotFound`,
    `ContactNotFound`.
    """
    row = await repository.lock(tx.session, customer_id)
    if row is None:
        raise CustomerNotFound(f"there is no customer {customer_id!r}")
    erased = await repository.contact(tx.session, customer_id, contact_id)
    if erased is None:
        raise ContactNotFound(f"customer {customer_id!r} has no contact {contact_id}")
    email = erased.details.email
    former = await repository.former_contacts(
        tx.session, customer_id, names=[erased.details.name], emails=[email] if email else []
    )
    forgotten = [erased, *(contact for contact in former if contact.id != contact_id)]
    await repository.delete_contacts(tx.session, [contact.id for contact in forgotten])
    row.version += 1
    row.updated_at = tx.now
    for contact in forgotten:
        tx.emit(
            ContactErased(
                subject_id=str(contact.id),
                customer_id=customer_id,
                before={"role": contact.details.role.value},
                after={"ground": ground.value},
                marks=contact.details.marks,
            )
        )
    return row.facts()


async def list_customers(
    tx: Transaction, *, page: PageRequest, query: str | None = None, profile: str | None = None
) -> FiledPage:
    """Customers by the instant of their last change; `query` is part of a name or an id, in any case."""
    rows = await repository.list_page(tx.session, page, query=query, profile=profile)
    contacts = await repository.contacts(tx.session, [row.customer_id for row in rows.rows])
    return FiledPage([Filed(row.facts(), contacts[row.customer_id]) for row in rows.rows], rows.next_cursor)


async def ancestors(tx: Transaction, *, customer_id: str) -> list[str]:
    """The customer's parent, the parent's parent and so on, nearest first."""
    return await repository.ancestors(tx.session, customer_id)


async def descendants(tx: Transaction, *, customer_id: str) -> list[str]:
    """The customer itself and everybody below it, level by level."""
    return [member for member, _ in await repository.descendants(tx.session, customer_id)]


async def hold_hierarchy(tx: Transaction) -> None:
    """Keeps everybody's parent as it is until the transaction ends, for uses that write what follows from it.

    Take it before locking any account: whoever changes a parent holds its counterpart and locks accounts afterwards.
    """
    await repository.lock_hierarchy(tx.session, shared=True)


def _verified(particulars: Particulars) -> Particulars:
    if particulars.registration is None:
        return particulars
    said = {item.name: getattr(particulars, item.name) for item in fields(Particulars)}
    return Particulars(**said | {"registration": adapters.verified(particulars.registration)})


async def _create(
    tx: Transaction, customer_id: str, particulars: Particulars, contacts: Sequence[ContactDetails]
) -> Filed | None:
    """The new customer; None if another transaction has just created it."""
    if particulars.parent_id is not None:
        await repository.lock_hierarchy(tx.session, shared=True)
        await _check_parent(tx, customer_id, particulars.parent_id)
    row = CustomerRow(customer_id=customer_id, version=1, created_at=tx.now, updated_at=tx.now)
    row.fill(particulars)
    if not await repository.add(tx.session, row):
        return None
    kept = [Contact(tx.new_id(), details) for details in contacts]
    await repository.replace_contacts(tx.session, customer_id, kept, now=tx.now)
    made = changes(None, particulars, contacts_after=kept)
    tx.emit(CustomerCreated(subject_id=customer_id, customer_id=customer_id, after=made.after))
    return Filed(row.facts(), kept, created=True)


async def _replace(
    tx: Transaction, row: CustomerRow, particulars: Particulars, contacts: Sequence[ContactDetails]
) -> Filed:
    before = row.facts()
    held = await contacts_of(tx, customer_id=row.customer_id)
    names = [details.name for details in contacts]
    former = await repository.former_contacts(tx.session, row.customer_id, names=names) if names else []
    kept = _matched(tx, [*held, *former], contacts)
    made = changes(before, particulars, contacts_before=held, contacts_after=kept)
    if not made:
        return Filed(before, held)
    if "parent_id" in made.after:
        await repository.lock_hierarchy(tx.session, shared=False)
        if particulars.parent_id is not None:
            await _check_parent(tx, row.customer_id, particulars.parent_id)
    await _apply(tx, row, particulars, made, kept)
    return Filed(row.facts(), kept)


async def _apply(
    tx: Transaction, row: CustomerRow, particulars: Particulars, made: Changes, kept: Sequence[Contact]
) -> None:
    row.fill(particulars)
    row.version += 1
    row.updated_at = tx.now
    await tx.session.flush()
    if "contacts" in made.after:
        await repository.replace_contacts(tx.session, row.customer_id, kept, now=tx.now)
    tx.emit(
        CustomerChanged(subject_id=row.customer_id, customer_id=row.customer_id, before=made.before, after=made.after)
    )


async def _check_parent(tx: Transaction, customer_id: str, parent_id: str) -> None:
    if parent_id != customer_id and not await repository.find(tx.session, [parent_id]):
        message = f"there is no customer {parent_id!r}"
        raise ParentUnknown(message, faults=[Fault("/parent_id", ParentUnknown.code, message)])
    chain = [parent_id, *await repository.ancestors(tx.session, parent_id)]
    tree = await repository.descendants(tx.session, customer_id)
    check_parent(customer_id, chain, height=max((level for _, level in tree), default=1))


def _matched(tx: Transaction, held: Sequence[Contact], contacts: Sequence[ContactDetails]) -> list[Contact]:
    """The contacts, those with the same details keeping their ids."""
    known = list(held)
    matched = []
    for details in contacts:
        same = next((contact for contact in known if contact.details == details), None)
        if same is not None:
            known.remove(same)
        matched.append(same or Contact(tx.new_id(), details))
    return matched
