"""The customer: what is known of it, and what of that has changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from app.domains.customers.core.terms import PaymentTerms

DEFAULT_PROFILE: Final = "default"
MAX_CONTACTS: Final = 20


class RegistrationScheme(StrEnum):
    """The register that a customer's number is from."""

    CN_USCC = "CN-USCC"
    EU_VAT = "EU-VAT"
    LEI = "LEI"
    OTHER = "OTHER"


class Size(StrEnum):
    """How large the customer is."""

    MICRO = "micro"
    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"
    PUBLIC_BODY = "public_body"


class ContactRole(StrEnum):
    """What a contact is written to about."""

    DUNNING = "dunning"
    ORDERS = "orders"
    FINANCE = "finance"


class ErasureGround(StrEnum):
    """Why a person is forgotten: a word, for a sentence might name them."""

    NO_LONGER_NEEDED = "no_longer_needed"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    OBJECTION = "objection"
    UNLAWFUL = "unlawful"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Registration:
    """A number in a public register. Its check digits have been verified where the scheme has any."""

    scheme: RegistrationScheme
    value: str


@dataclass(frozen=True, slots=True)
class ContactDetails:
    """Whom to talk to. Personal data: it is kept in contacts only and never in events or logs."""

    role: ContactRole
    name: str
    email: str | None = None
    phone: str | None = None
    address: str | None = None

    @property
    def marks(self) -> tuple[str, ...]:
        """Everything that the person is known by."""
        return tuple(mark for mark in (self.name, self.email, self.phone, self.address) if mark)


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact and the id that events and letters name it by. Other details make another contact with another id.

    One who was written to stays known when replaced, until erased: what was sent leads to them by their id.
    """

    id: UUID
    details: ContactDetails
    written_to_at: datetime | None = None
    replaced_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Particulars:
    """What a caller says of a customer; the customer is the payer."""

    name: str
    country: str
    """ISO 3166-1 alpha-2."""
    legal_name: str | None = None
    language: str | None = None
    """BCP 47."""
    registration: Registration | None = None
    industry: str | None = None
    founded_on: date | None = None
    size: Size | None = None
    parent_id: str | None = None
    profile: str = DEFAULT_PROFILE
    terms: PaymentTerms = field(default_factory=PaymentTerms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer(Particulars):
    """A customer as stored. `version` grows by one with every change."""

    customer_id: str
    version: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Changes:
    """What an edit changes: the members that differ, JSON-ready, as they were and as they are."""

    before: dict[str, Any]
    after: dict[str, Any]

    def __bool__(self) -> bool:
        return bool(self.after)


def changes(
    before: Particulars | None,
    after: Particulars,
    *,
    contacts_before: Sequence[Contact] = (),
    contacts_after: Sequence[Contact] = (),
) -> Changes:
    """The difference between two states of a customer; contacts appear by their ids only."""
    old = _members(before, contacts_before) if before else {}
    new = _members(after, contacts_after)
    changed = [name for name in new if name not in old or old[name] != new[name]]
    return Changes({name: old[name] for name in changed if name in old}, {name: new[name] for name in changed})


def _members(particulars: Particulars, contacts: Sequence[Contact]) -> dict[str, Any]:
    members = {item.name: _json(getattr(particulars, item.name)) for item in fields(Particulars)}
    members["payment_terms"] = members.pop("terms")
    return members | {"contacts": [str(contact.id) for contact in contacts]}


def _json(value: Any) -> Any:
    if isinstance(value, Registration | PaymentTerms):
        return {name: _json(member) for name, member in asdict(value).items()}
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    return value
