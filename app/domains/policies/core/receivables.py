"""The section `receivables` of a policy: what a payment may close by itself."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any

from app.domains.policies.core.order_checks import Percent, Threshold
from app.domains.policies.core.reading import Between


@dataclass(frozen=True, slots=True)
class EarlyPayment:
    """Cash that is an invoice less the discount agreed closes it, up to `grace_days` after the discount's last day."""

    grace_days: Annotated[int, Between(0, 60)] = 0


@dataclass(frozen=True, slots=True)
class SmallDifference:
    """A rest worth at most `max_amount` and at most `max_percent` of its document is closed with the payment."""

    max_amount: Threshold
    max_percent: Percent = Decimal(1)


@dataclass(frozen=True, slots=True)
class Receivables:
    """What a payment may close by itself. A rule that is None is off."""

    early_payment: EarlyPayment | None = None
    small_difference: SmallDifference | None = None


CLOSES_NOTHING = Receivables()


def default_receivables() -> dict[str, Any]:
    """The section a new segment starts with, everything spelled out."""
    return {"early_payment": {"grace_days": 0}, "small_difference": None}
