"""What happens to customers. No personal data: contacts appear by their ids."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from app.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerCreated(Event):
    """A customer is known from now on."""

    type: ClassVar[str] = "customer_created"
    subject_type: ClassVar[str] = "customer"


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerChanged(Event):
    """What is known of a customer has changed; `before` and `after` hold the members that differ."""

    type: ClassVar[str] = "customer_changed"
    subject_type: ClassVar[str] = "customer"

    @property
    def parent_changed(self) -> bool:
        """Whether the customer has moved to another parent, or to none."""
        return "parent_id" in self.after

    @property
    def terms_changed(self) -> bool:
        """Whether other payment terms hold from now on."""
        return "payment_terms" in self.after

    @property
    def profile_changed(self) -> bool:
        """Whether another profile of the policies holds from now on."""
        return "profile" in self.after


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactErased(Event):
    """A person is forgotten: their contact is gone, and its id leads nowhere.

    `marks` are what the person was known by. They are for reactions in this transaction, whose texts may name the
    person, and are never journalled.
    """

    type: ClassVar[str] = "contact_erased"
    subject_type: ClassVar[str] = "contact"

    marks: tuple[str, ...] = field(default=(), repr=False)
