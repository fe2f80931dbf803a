"""What of a customer has changed, and that no personal data is said."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from uuid import UUID

from app.domains.customers.core.customer import (
    Contact,
    ContactDetails,
    ContactRole,
    Particulars,
    Registration,
    RegistrationScheme,
    changes,
)
from app.domains.customers.core.terms import PaymentTerms

PLAIN = Particulars(name="Red Star Trading", country="CN")
CONTACT = Contact(UUID(int=7), ContactDetails(ContactRole.DUNNING, "Li Wei", "li@example.com", "+86 10 1234"))


class TestChanges:
    def test_of_the_same_are_none(self) -> None:
        assert not changes(PLAIN, replace(PLAIN))

    def test_name_only_what_differs(self) -> None:
        made = changes(PLAIN, replace(PLAIN, parent_id="HEAD", founded_on=date(1998, 5, 1)))
        assert made.before == {"parent_id": None, "founded_on": None}
        assert made.after == {"parent_id": "HEAD", "founded_on": "1998-05-01"}

    def test_of_a_new_customer_are_all_of_it(self) -> None:
        made = changes(None, PLAIN)
        assert made.before == {}
        assert made.after["name"] == "Red Star Trading"
        assert made.after["payment_terms"]["net_days"] == 30

    def test_are_json(self) -> None:
        registration = Registration(RegistrationScheme.LEI, "213800KUD8LAJWSQ9D15")
        terms = PaymentTerms(discount_percent=Decimal("10.00"), discount_days=10)
        made = changes(PLAIN, replace(PLAIN, registration=registration, terms=terms))
        assert made.after["registration"] == {"scheme": "LEI", "value": "213800KUD8LAJWSQ9D15"}
        assert made.after["payment_terms"]["discount_percent"] == "10"

    def test_do_not_see_a_difference_in_trailing_zeros(self) -> None:
        shorter = replace(PLAIN, terms=PaymentTerms(discount_percent=Decimal(2), discount_days=10))
        longer = replace(PLAIN, terms=PaymentTerms(discount_percent=Decimal("2.00"), discount_days=10))
        assert not changes(shorter, longer)

    def test_name_contacts_by_their_ids_only(self) -> None:
        made = changes(PLAIN, PLAIN, contacts_after=[CONTACT])
        assert made.before == {"contacts": []}
        assert made.after == {"contacts": [str(CONTACT.id)]}
