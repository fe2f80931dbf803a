"""The portfolio: the accounts of a company, summed up by segment, grade and currency."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

UNGRADED: Final = "none"
"""The grade shown for accounts that were never assessed."""


@dataclass(frozen=True, slots=True)
class PortfolioPart:
    """The accounts of one segment, grade and currency; amounts in that currency.

    `limit` sums the own limits in force that are amounts, `headroom` is what they leave over the exposure of the same
    accounts, `exceeded` counts those of them that leave less than nothing. Days of grace are not counted.
    """

    segment: str
    grade: str
    currency: str
    accounts: int
    exposure: Decimal
    overdue: Decimal
    limit: Decimal
    headroom: Decimal
    exceeded: int

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells it from the other parts."""
        return self.segment, self.grade, self.currency


@dataclass(frozen=True, slots=True)
class SegmentDesk:
    """What waits in a segment: reviews of referred orders, the oldest from `oldest_at`, and limit requests, with those
    that are overdue among them; whether a policy is active."""

    segment: str
    reviews: int
    oldest_at: datetime | None
    requests: int
    requests_overdue: int
    has_policy: bool
