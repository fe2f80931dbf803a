"""The section `credit_data` of a policy: what may be spent on knowing a customer, and what stops one at once."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

from app.domains.policies.core.order_checks import Days
from app.domains.policies.core.reading import Between


class Stop(StrEnum):
    """How hard an account is stopped: soft refers its orders, forced declines them."""

    SOFT = "soft"
    FORCED = "forced"


@dataclass(frozen=True, slots=True)
class AdverseEventHold:
    """An adverse event of at least `min_severity`, from 1 to 5, stops the customer's account until it is over."""

    min_severity: Annotated[int, Between(1, 5)] = 5
    hold: Stop = Stop.SOFT


@dataclass(frozen=True, slots=True)
class CreditData:
    """No report is bought while the agency's last one is younger than `report_min_age_days`; 0: always. Without
    `adverse_event_hold` no event stops an account."""

    report_min_age_days: Days = 90
    adverse_event_hold: AdverseEventHold | None = None


BUYS_SELDOM = CreditData()


def default_credit_data() -> dict[str, Any]:
    """The section a new segment starts with, everything spelled out."""
    return {"report_min_age_days": 90, "adverse_event_hold": {"min_severity": 5, "hold": "soft"}}
