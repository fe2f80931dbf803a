"""What the customers slice refuses, by name."""

from __future__ import annotations

from app.kernel.errors import Invalid, NotFound


class CustomerNotFound(NotFound):
    """Nobody has told us of this customer."""

    code = "customer_not_found"
    title = "No such customer"


class ContactNotFound(NotFound):
    """The customer has no such contact, or no longer."""

    code = "contact_not_found"
    title = "No such contact"


class ParentUnknown(Invalid):
    """The parent is not a customer."""

    code = "parent_unknown"
    title = "The parent is not a customer"


class ParentCycle(Invalid):
    """The parent is the customer itself or one of its descendants."""

    code = "parent_cycle"
    title = "The parent belongs to the customer's own group"


class GroupTooDeep(Invalid):
    """The chain of parents would be too long."""

    code = "group_too_deep"
    title = "The group has too many levels"


class RegistrationInvalid(Invalid):
    """The registration number can't be right: its check digits or its format are wrong."""

    code = "registration_invalid"
    title = "The registration number is not valid"
