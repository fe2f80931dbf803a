"""Activity: what each person has decided, written and achieved in a period, from the journal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Final

from app.domains.control.core.refusals import ActivityPeriodInvalid

PERIOD_DAYS_MAX: Final = 366
PERSONS_MAX: Final = 500
_TENTH: Final = Decimal("0.1")


class Fate(StrEnum):
    """What became of an order that somebody released: the worst that is true of its invoices."""

    WRITTEN_OFF = "written_off"
    OVERDUE = "overdue"
    OPEN = "open"
    PAID = "paid"
    NOT_INVOICED = "not_invoiced"


@dataclass(frozen=True, slots=True)
class Pace:
    """How long decisions took: how many, and the mean and the median from the question to the answer, in seconds."""

    decided: int = 0
    mean_seconds: int | None = None
    median_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Activity:
    """One person's period. Counts are of events, so what was taken back counts too."""

    actor: str
    role: str | None
    limit_requests: Pace = field(default_factory=Pace)
    referred_orders: Pace = field(default_factory=Pace)
    active_hours: int = 0
    """Clock hours in which the person decided at least one referred order."""
    releases: Mapping[Fate, int] = field(default_factory=dict)
    limits_set_outright: int = 0
    policy_overrides: int = 0
    notices: int = 0
    calls: int = 0
    promises: int = 0
    promises_kept: int = 0
    promises_broken: int = 0

    @property
    def referred_orders_per_hour(self) -> Decimal | None:
        """Referred orders decided in an hour of deciding some; null where there was none."""
        if not self.active_hours:
            return None
        return (Decimal(self.referred_orders.decided) / self.active_hours).quantize(_TENTH, ROUND_HALF_UP)


def check_period(since: date, until: date) -> None:
    """Refuses what a request can't sum up. Raises `ActivityPeriodInvalid`."""
    if not 0 <= (until - since).days < PERIOD_DAYS_MAX:
        raise ActivityPeriodInvalid(f"from {since} to {until}: a report covers 1 to {PERIOD_DAYS_MAX} days")
