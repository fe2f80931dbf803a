"""Trade references and adverse events: what other suppliers and public registers say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from app.domains.credit_data.core.refusals import ResolvedTooEarly
from app.kernel.errors import Fault
from app.kernel.money import Money

SEVERITY_MIN: Final = 1
SEVERITY_MAX: Final = 5


@dataclass(frozen=True, slots=True)
class TradeReference:
    """What another supplier says of its business with the customer.

    `credit_limit` is what it grants, `highest_balance` the most it was owed, `past_due` what is late now; `days_late`
    is the mean lateness it sees (below zero: early), `terms_days` the terms it grants.
    """

    supplier: str
    reported_on: date
    credit_limit: Money | None = None
    highest_balance: Money | None = None
    past_due: Money | None = None
    terms_days: int | None = None
    days_late: int | None = None
    known_since: date | None = None
    note: str | None = None


class AdverseKind(StrEnum):
    """What has happened to the customer."""

    INSOLVENCY = "insolvency"
    LITIGATION = "litigation"
    ENFORCEMENT = "enforcement"
    DISHONOURED_PAYMENT = "dishonoured_payment"
    TAX_ARREARS = "tax_arrears"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class AdverseEvent:
    """Something bad that happened on a day. `severity` from 1, slight, to 5, grave; over on the day `resolved_on`."""

    kind: AdverseKind
    occurred_on: date
    severity: int
    amount: Money | None = None
    description: str | None = None
    resolved_on: date | None = None

    def is_resolved(self, on: date) -> bool:
        """Whether it is over on the day `on`."""
        return self.resolved_on is not None and self.resolved_on <= on

    def check(self) -> None:
        """Raises `ResolvedTooEarly`."""
        if self.resolved_on is not None and self.resolved_on < self.occurred_on:
            what = "what was resolved had occurred before"
            raise ResolvedTooEarly(what, faults=[Fault("/resolved_on", ResolvedTooEarly.code, what)])
