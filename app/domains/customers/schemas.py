"""Customers on the wire."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from app.domains.customers.core.countries import COUNTRIES, known_country
from app.domains.customers.core.customer import (
    DEFAULT_PROFILE,
    MAX_CONTACTS,
    Contact,
    ContactDetails,
    ContactRole,
    Customer,
    ErasureGround,
    Particulars,
    Registration,
    RegistrationScheme,
    Size,
)
from app.domains.customers.core.terms import DEFAULT_NET_DAYS, DueFrom, PaymentTerms, TermsKind
from app.domains.customers.service import Filed
from app.infra.http.fields import Line, Percentage, Prose, Reference, Whole, Wire, refusing

FIRST_FOUNDED: Final = date(1000, 1, 1)
LAST_FOUNDED: Final = date(2200, 12, 31)
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _written_day(value: object) -> object:
    if not isinstance(value, date) and not (isinstance(value, str) and _DAY.fullmatch(value)):
        raise PydanticCustomError("date_malformed", "a date is written YYYY-MM-DD")
    return value


def _two_decimals(value: Decimal) -> Decimal:
    if value != round(value, 2):
        raise PydanticCustomError("percentage_out_of_range", "a discount has at most 2 decimals")
    return value


FoundingDay = Annotated[date, BeforeValidator(_written_day), Field(ge=FIRST_FOUNDED, le=LAST_FOUNDED)]
"""The day a company was founded: some are older than any ledger."""
CountryCode = Annotated[
    str,
    AfterValidator(refusing(known_country)),
    WithJsonSchema({"type": "string", "enum": sorted(COUNTRIES), "description": "ISO 3166-1 alpha-2"}),
]
LanguageTag = Annotated[str, Field(pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}$", examples=["zh-CN"])]
"""A language tag (BCP 47)."""
ProfileName = Annotated[Line, Field(max_length=64)]
Discount = Annotated[Percentage, AfterValidator(_two_decimals)]
TermsDays = Annotated[Whole, Field(ge=0, le=3650)]


class RegistrationWire(Wire):
    """A number in a public register. Check digits are verified; the answer has it in the register's compact form."""

    scheme: RegistrationScheme
    value: Annotated[Line, Field(max_length=64)]


class PaymentTermsWire(Wire):
    """When the customer pays. `net_days` is 30 on account and 0 otherwise, if it is not given."""

    kind: TermsKind
    net_days: TermsDays | None = None
    due_from: DueFrom = DueFrom.INVOICE
    discount_percent: Discount = Decimal(0)
    discount_days: TermsDays = 0

    def terms(self) -> PaymentTerms:
        """The terms as the core knows them. Raises `TermsContradictory`."""
        usual = DEFAULT_NET_DAYS if self.kind is TermsKind.ACCOUNT else 0
        net_days = usual if self.net_days is None else self.net_days
        return PaymentTerms(self.kind, net_days, self.due_from, self.discount_percent, self.discount_days)


class ContactIn(Wire):
    """Whom to talk to, and about what."""

    role: ContactRole
    name: Line
    email: Annotated[str, Field(max_length=254, pattern=r"^[!-?A-~]+@[!-?A-~]+$")] | None = None
    phone: Annotated[str, Field(pattern=r"^[+]?[0-9 ()./-]{3,40}$")] | None = None
    address: Prose | None = None


class ContactOut(ContactIn):
    """A contact and the id that events name it by."""

    id: UUID


class KnownContactOut(ContactOut):
    """A contact, or a former one: `replaced_at` says since when. Whoever was written to stays known until erased."""

    written_to_at: datetime | None
    replaced_at: datetime | None


class ErasureIn(Wire):
    """Why a person is forgotten."""

    ground: ErasureGround


class ErasedOut(Wire):
    """A person is forgotten. Names nobody, for answers to repeated requests are kept."""

    customer_id: str
    contact_id: UUID
    ground: ErasureGround
    erased_at: datetime


class CustomerIn(Wire):
    """All that is known of a customer; what is left out is not known."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "Red Star Trading",
                    "country": "CN",
                    "registration": {"scheme": "CN-USCC", "value": "91110000600037341L"},
                    "payment_terms": {"kind": "account", "net_days": 60, "due_from": "month_end"},
                    "contacts": [{"role": "dunning", "name": "Li Wei", "email": "li.wei@example.com"}],
                }
            ]
        }
    )

    name: Line
    legal_name: Line | None = None
    country: CountryCode
    language: LanguageTag | None = None
    registration: RegistrationWire | None = None
    industry: Line | None = None
    founded_on: FoundingDay | None = None
    size: Size | None = None
    parent_id: Reference | None = None
    profile: ProfileName = DEFAULT_PROFILE
    payment_terms: PaymentTermsWire = PaymentTermsWire(kind=TermsKind.ACCOUNT)
    contacts: Annotated[tuple[ContactIn, ...], Field(max_length=MAX_CONTACTS)] = ()

    def particulars(self) -> Particulars:
        """What is said of the customer itself. Raises `TermsContradictory`."""
        registration = self.registration
        return Particulars(
            name=self.name,
            legal_name=self.legal_name,
            country=self.country,
            language=self.language,
            registration=Registration(registration.scheme, registration.value) if registration else None,
            industry=self.industry,
            founded_on=self.founded_on,
            size=self.size,
            parent_id=self.parent_id,
            profile=self.profile,
            terms=self.payment_terms.terms(),
        )

    def contact_details(self) -> list[ContactDetails]:
        """The contacts as the core knows them."""
        return [ContactDetails(c.role, c.name, c.email, c.phone, c.address) for c in self.contacts]


class CustomerOut(Wire):
    """A customer."""

    customer_id: str
    name: str
    legal_name: str | None
    country: str
    language: str | None
    registration: RegistrationWire | None
    industry: str | None
    founded_on: date | None
    size: Size | None
    parent_id: str | None
    profile: str
    payment_terms: PaymentTermsWire
    contacts: list[ContactOut]
    version: int
    created_at: datetime
    updated_at: datetime


def customer_out(filed: Filed) -> CustomerOut:
    """A customer and its contacts as an answer."""
    customer = filed.customer
    return CustomerOut(
        **_plain(customer),
        registration=_registration(customer.registration),
        payment_terms=_terms(customer.terms),
        contacts=[_contact(contact) for contact in filed.contacts],
    )


def _plain(customer: Customer) -> dict[str, Any]:
    return {
        name: getattr(customer, name)
        for name in CustomerOut.model_fields
        if name not in ("registration", "payment_terms", "contacts")
    }


def _registration(registration: Registration | None) -> RegistrationWire | None:
    return RegistrationWire(scheme=registration.scheme, value=registration.value) if registration else None


def _terms(terms: PaymentTerms) -> PaymentTermsWire:
    return PaymentTermsWire(
        kind=terms.kind,
        net_days=terms.net_days,
        due_from=terms.due_from,
        discount_percent=terms.discount_percent.normalize(),
        discount_days=terms.discount_days,
    )


def known_contact_out(contact: Contact) -> KnownContactOut:
    """A contact as an answer, with how long it has been one."""
    return KnownContactOut(
        **_contact(contact).model_dump(), written_to_at=contact.written_to_at, replaced_at=contact.replaced_at
    )


def _contact(contact: Contact) -> ContactOut:
    details = contact.details
    return ContactOut(
        id=contact.id,
        role=details.role,
        name=details.name,
        email=details.email,
        phone=details.phone,
        address=details.address,
    )
