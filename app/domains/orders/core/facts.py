"""The facts of a credit check: everything a decision depends on, and nothing else.

They are stored with the decision. The same facts under the same policy version give the same decision, years later.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

from app.domains.customers.core.terms import DueFrom, PaymentTerms
from app.domains.exposure.core.account import Account, Group
from app.domains.exposure.core.commitments import Commitment


class Checkpoint(StrEnum):
    """When the question is asked: for the whole order, or for the goods that leave now."""

    ORDER = "order"
    SHIPMENT = "shipment"


@dataclass(frozen=True, slots=True)
class Replacement:
    """A part of another order, in its currency, that this order replaces."""

    order_ref: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class CheckRequest:
    """What an order-entry system asks. `amount` is in `currency`; without `terms` the customer's apply."""

    customer_id: str
    segment: str
    order_ref: str
    amount: Decimal
    currency: str
    checkpoint: Checkpoint = Checkpoint.ORDER
    requested_ship_on: date | None = None
    terms: PaymentTerms | None = None
    reserve: bool = True
    reservation_days: int | None = None
    replaces: tuple[Replacement, ...] = ()
    on_behalf_of: str | None = None
    ship_to: str | None = None


@dataclass(frozen=True, slots=True)
class Rates:
    """Exchange rates of the day. A missing one is null, or absent from `into_group`.

    `order` is account currency per unit of the order's, `policy` account currency per unit of the segment's,
    `into_group` group currency per unit of each member currency.
    """

    order: Decimal | None
    policy: Decimal | None
    into_group: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CheckFacts:
    """What one credit check is decided from.

    `terms` are the customer's; `ship_from` is when the requested ship day begins, or `at` if that is later.
    """

    at: datetime
    on: date
    ship_from: datetime
    request: CheckRequest
    terms: PaymentTerms
    account: Account
    rates: Rates
    group: Group | None = None
    order: Commitment | None = None
    replaced: tuple[Commitment, ...] = ()

    @property
    def asked_terms(self) -> PaymentTerms:
        """The terms of the order: those asked for, else the customer's."""
        return self.request.terms or self.terms


LONGEST_MONTH: Final = 31


def credit_days(terms: PaymentTerms) -> int:
    """The most days between delivery and payment: none where goods are paid before or at delivery."""
    if not terms.on_credit:
        return 0
    return terms.net_days + (LONGEST_MONTH if terms.due_from is DueFrom.MONTH_END else 0)
