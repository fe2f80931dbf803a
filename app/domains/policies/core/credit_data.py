"""The section `credit_data` of a policy: what may be spent on knowing a customer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.domains.policies.core.order_checks import Days


@dataclass(frozen=True, slots=True)
class CreditData:
    """No report is bought while the agency's last one is younger than `report_min_age_days`; 0: always."""

    report_min_age_days: Days = 90


BUYS_SELDOM = CreditData()


def default_credit_data() -> dict[str, Any]:
    """The section a new segment starts with, everything spelled out."""
    return {"report_min_age_days": 90}
