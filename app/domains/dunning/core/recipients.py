"""Whom a notice goes to, and in which language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from app.domains.customers.core.customer import Contact, ContactRole
from app.domains.customers.core.redaction import ERASED

_PARTS: Final = ("name", "email", "address", "phone")
_ORDER: Final = (ContactRole.DUNNING, ContactRole.FINANCE, ContactRole.ORDERS)
DEFAULT_LANGUAGE: Final = "en"
_LANGUAGE_OF_COUNTRY: Final = {"CN": "zh"}


@dataclass(frozen=True, slots=True)
class Recipient:
    """The contact written to, and the addresses that can be used: each of the first contact that has one.

    `contacts` has the id of the contact that each part is of, by the name of the part.
    """

    name: str | None = None
    email: str | None = None
    address: str | None = None
    phone: str | None = None
    contacts: Mapping[str, UUID] = field(default_factory=dict)


def recipient_of(contacts: Sequence[Contact]) -> Recipient:
    """Contacts for dunning come first, then finance, then orders; in each, in the order they were given."""
    ordered = [c for role in _ORDER for c in contacts if c.details.role is role]
    found = {part: contact for part in _PARTS if (contact := _first(ordered, part)) is not None}
    return _recipient({part: getattr(contact.details, part) for part, contact in found.items()}, found)


def recipient_again(written_to: Mapping[str, str], contacts: Mapping[UUID, Contact]) -> Recipient:
    """Who was written to before; `contacts` are those of them who are still known, the others are erased."""
    found = {part: contacts[UUID(known)] for part, known in written_to.items() if UUID(known) in contacts}
    parts = {part: getattr(found[part].details, part) if part in found else ERASED for part in written_to}
    return _recipient(parts, found)


def addressed(content: Mapping[str, Any], recipient: Recipient) -> dict[str, Any]:
    """What a notice says, with whom it is written to."""
    lines = [line.strip() for line in (recipient.address or "").splitlines() if line.strip()]
    customer = {**content["customer"], "contact": recipient.name, "address": lines}
    return {**content, "customer": customer, "written_to": {p: str(known) for p, known in recipient.contacts.items()}}


def unaddressed(content: Mapping[str, Any]) -> dict[str, Any]:
    """What a notice says as it is kept: of whom it is written to, the ids."""
    return {**content, "customer": {**content["customer"], "contact": None, "address": []}}


def language_of(tag: str | None, country: str, known: Iterable[str]) -> str:
    """Which of the `known` languages a customer is written to in: its own, else its country's, else English."""
    known = frozenset(known)
    wanted = (tag or "").replace("_", "-").lower().split("-")[0] if tag else _LANGUAGE_OF_COUNTRY.get(country, "")
    return wanted if wanted in known else DEFAULT_LANGUAGE


def _recipient(parts: Mapping[str, str | None], found: Mapping[str, Contact]) -> Recipient:
    return Recipient(
        parts.get("name"),
        parts.get("email"),
        parts.get("address"),
        parts.get("phone"),
        {part: contact.id for part, contact in found.items()},
    )


def _first(ordered: Sequence[Contact], part: str) -> Contact | None:
    if part == "name":
        return ordered[0] if ordered else None
    return next((contact for contact in ordered if getattr(contact.details, part)), None)
