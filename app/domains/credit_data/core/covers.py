"""Covers: credit insurance, guarantees and deposits behind an account, and what they cover on a day.

The words of the status follow UN/EDIFACT 4507 as far as it goes; a provider's own code (Atradius DC01 approved, DC08
withdrawn, DC21 withdrawal announced …) stands beside it, unread.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

from app.domains.credit_data.core.refusals import WithdrawalUndated
from app.kernel.errors import Fault
from app.kernel.money import ZERO, Money, rounded
from app.kernel.periods import Window

HUNDRED: Final = Decimal(100)


class CoverKind(StrEnum):
    """What kind of security it is."""

    INSURANCE = "insurance"
    GUARANTEE = "guarantee"
    DEPOSIT = "deposit"


class CoverStatus(StrEnum):
    """What the provider has decided."""

    APPROVED = "approved"
    CONDITIONAL = "conditional"
    PARTLY_APPROVED = "partly_approved"
    NOT_APPROVED = "not_approved"
    PENDING = "pending"
    REDUCED = "reduced"
    WITHDRAWAL_ANNOUNCED = "withdrawal_announced"
    CANCELLED = "cancelled"


COUNTING: Final[Mapping[CoverStatus, bool]] = {
    CoverStatus.APPROVED: True,
    CoverStatus.CONDITIONAL: True,
    CoverStatus.PARTLY_APPROVED: True,
    CoverStatus.NOT_APPROVED: False,
    CoverStatus.PENDING: False,
    CoverStatus.REDUCED: True,
    CoverStatus.WITHDRAWAL_ANNOUNCED: True,
    CoverStatus.CANCELLED: False,
}
"""Whether a cover of this status covers anything within its days. Pending never does; an announced withdrawal does
until its date, which is the cover's `valid_until`."""


@dataclass(frozen=True, slots=True)
class Cover:
    """A security, valid from one day to another, both included. `amount` is the limit that the provider approved, of
    which it pays `insured_percent` when the customer doesn't."""

    provider: str
    kind: CoverKind
    status: CoverStatus
    amount: Money
    insured_percent: Decimal
    valid_from: date
    valid_until: date | None = None
    provider_code: str | None = None

    def check(self) -> None:
        """Raises `WindowReversed`, and `WithdrawalUndated` for a withdrawal that doesn't say from when on."""
        Window(self.valid_from, self.valid_until)
        if self.status is CoverStatus.WITHDRAWAL_ANNOUNCED and self.valid_until is None:
            what = "an announced withdrawal covers until its date: valid_until says which"
            raise WithdrawalUndated(what, faults=[Fault("/valid_until", WithdrawalUndated.code, what)])

    def counts_on(self, on: date) -> bool:
        """Whether it covers anything on the day `on`."""
        return COUNTING[self.status] and on in Window(self.valid_from, self.valid_until)

    def withdrawn_since(self, since: date, on: date) -> bool:
        """Whether the day for which its withdrawal was announced came between two days, the last not included."""
        if self.status is not CoverStatus.WITHDRAWAL_ANNOUNCED or self.valid_until is None:
            return False
        return since <= self.valid_until < on

    @property
    def payable(self) -> Money:
        """What the provider would pay within its days, the insured share of the amount; nothing by a status that never
        covers."""
        share = self.amount.amount * self.insured_percent / HUNDRED if COUNTING[self.status] else ZERO
        return Money(rounded(share, self.amount.currency), self.amount.currency)


@dataclass(frozen=True, slots=True)
class CoverOnDay:
    """What the covers of an account amount to on a day, by currency, and the last day for which that is true.

    `until` is null when nothing ends or begins by itself any more.
    """

    by_currency: Mapping[str, Decimal] = field(default_factory=dict)
    until: date | None = None


def covered_on(covers: Iterable[Cover], on: date) -> CoverOnDay:
    """What `covers` amount to on the day `on`, until the first day on which one of them ends or another begins."""
    totals: dict[str, Decimal] = {}
    last_days: list[date] = []
    for cover in covers:
        if cover.counts_on(on):
            payable = cover.payable
            totals[payable.currency] = totals.get(payable.currency, ZERO) + payable.amount
            if cover.valid_until is not None:
                last_days.append(cover.valid_until)
        elif COUNTING[cover.status] and cover.valid_from > on:
            last_days.append(cover.valid_from - timedelta(days=1))
    return CoverOnDay(dict(sorted(totals.items())), min(last_days, default=None))
