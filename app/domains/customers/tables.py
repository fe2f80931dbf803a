"""Rows of customers and their contacts."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Numeric, text
from sqlalchemy.orm import Mapped, mapped_column

from app.domains.customers.core.customer import (
    Contact,
    ContactDetails,
    ContactRole,
    Customer,
    Particulars,
    Registration,
    RegistrationScheme,
    Size,
)
from app.domains.customers.core.terms import DueFrom, PaymentTerms, TermsKind
from app.infra.db.metadata import Base


class CustomerRow(Base):
    """One customer. References of the ERP are the key."""

    __tablename__ = "customers"
    __table_args__ = (
        CheckConstraint("parent_id <> customer_id", name="not_its_own_parent"),
        CheckConstraint("(registration_scheme is null) = (registration_value is null)", name="registration_whole"),
        CheckConstraint("terms_kind in ('account', 'prepaid', 'cash')", name="terms_kind"),
        CheckConstraint("due_from in ('invoice', 'month_end')", name="due_from"),
        CheckConstraint("net_days >= 0 and discount_days >= 0", name="days_not_negative"),
        CheckConstraint("discount_percent between 0 and 100", name="discount_percent"),
        Index(None, "updated_at", "customer_id"),
        Index(None, "parent_id", postgresql_where=text("parent_id is not null")),
        Index(None, "profile", "updated_at"),
        Index(
            "ix_customers_search",
            "name",
            "customer_id",
            postgresql_using="gin",
            postgresql_ops={"name": "gin_trgm_ops", "customer_id": "gin_trgm_ops"},
        ),
    )

    customer_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    legal_name: Mapped[str | None]
    country: Mapped[str]
    language: Mapped[str | None]
    registration_scheme: Mapped[str | None]
    registration_value: Mapped[str | None]
    industry: Mapped[str | None]
    founded_on: Mapped[date | None]
    size: Mapped[str | None]
    parent_id: Mapped[str | None] = mapped_column(ForeignKey("customers.customer_id"))
    profile: Mapped[str] = mapped_column(server_default="default")
    terms_kind: Mapped[str]
    net_days: Mapped[int]
    due_from: Mapped[str]
    discount_percent: Mapped[Decimal] = mapped_column(Numeric(5, 2))
    discount_days: Mapped[int]
    version: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    def fill(self, particulars: Particulars) -> None:
        """Takes over what a caller says of the customer."""
        registration, terms = particulars.registration, particulars.terms
        self.name = particulars.name
        self.legal_name = particulars.legal_name
        self.country = particulars.country
        self.language = particulars.language
        self.registration_scheme = registration.scheme if registration else None
        self.registration_value = registration.value if registration else None
        self.industry = particulars.industry
        self.founded_on = particulars.founded_on
        self.size = particulars.size
        self.parent_id = particulars.parent_id
        self.profile = particulars.profile
        self.terms_kind = terms.kind
        self.net_days = terms.net_days
        self.due_from = terms.due_from
        self.discount_percent = terms.discount_percent
        self.discount_days = terms.discount_days

    def facts(self) -> Customer:
        """The row as the core knows it."""
        return Customer(
            customer_id=self.customer_id,
            name=self.name,
            legal_name=self.legal_name,
            country=self.country,
            language=self.language,
            registration=self._registration(),
            industry=self.industry,
            founded_on=self.founded_on,
            size=Size(self.size) if self.size else None,
            parent_id=self.parent_id,
            profile=self.profile,
            terms=PaymentTerms(
                TermsKind(self.terms_kind),
                self.net_days,
                DueFrom(self.due_from),
                self.discount_percent,
                self.discount_days,
            ),
            version=self.version,
            created_at=self.created_at,
            updated_at=self.updated_at,
        )

    def _registration(self) -> Registration | None:
        if self.registration_scheme is None or self.registration_value is None:
            return None
        return Registration(RegistrationScheme(self.registration_scheme), self.registration_value)


class ContactRow(Base):
    """One contact of a customer: the only place where personal data is kept. With `replaced_at` it is a former one."""

    __tablename__ = "contacts"
    __table_args__ = (Index(None, "customer_id", "position"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.customer_id"))
    position: Mapped[int]
    role: Mapped[str]
    name: Mapped[str]
    email: Mapped[str | None]
    phone: Mapped[str | None]
    address: Mapped[str | None]
    written_to_at: Mapped[datetime | None]
    replaced_at: Mapped[datetime | None]

    def facts(self) -> Contact:
        """The row as the core knows it."""
        details = ContactDetails(ContactRole(self.role), self.name, self.email, self.phone, self.address)
        return Contact(self.id, details, self.written_to_at, self.replaced_at)
