"""Whom a notice goes to, and in which language."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from app.domains.customers.core.customer import Contact, ContactDetails, ContactRole

_ORDER: Final = (ContactRole.DUNNING, ContactRole.FINANCE, ContactRole.ORDERS)
DEFAULT_LANGUAGE: Final = "en"
_LANGUAGE_OF_COUNTRY: Final = {"CN": "zh"}


@dataclass(frozen=True, slots=True)
class Recipient:
    """The contact written to, and the addresses that can be used: each of the first contact that has one."""

    name: str | None = None
    email: str | None = None
    address: str | None = None
    phone: str | None = None


def recipient_of(contacts: Sequence[Contact]) -> Recipient:
    """Contacts for dunning come first, then finance, then orders; in each, in the order they were given."""
    ordered = [c.details for role in _ORDER for c in contacts if c.details.role is role]
    return Recipient(
        name=ordered[0].name if ordered else None,
        email=_first(ordered, "email"),
        address=_first(ordered, "address"),
        phone=_first(ordered, "phone"),
    )


def language_of(tag: str | None, country: str, known: Iterable[str]) -> str:
    """Which of the `known` languages a customer is written to in: its own, else its country's, else English."""
    known = frozenset(known)
    wanted = (tag or "").replace("_", "-").lower().split("-")[0] if tag else _LANGUAGE_OF_COUNTRY.get(country, "")
    return wanted if wanted in known else DEFAULT_LANGUAGE


def _first(ordered: Sequence[ContactDetails], member: str) -> str | None:
    return next((value for details in ordered if (value := getattr(details, member))), None)
