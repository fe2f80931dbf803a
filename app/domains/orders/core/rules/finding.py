"""What a rule finds, and what the rules share to find it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Final, NamedTuple

from app.domains.orders.core.decision import Measure
from app.domains.orders.core.trial import Trial
from app.kernel.money import Money, rounded

HUNDRED: Final = Decimal(100)


class Finding(NamedTuple):
    """What a rule found: nothing to object to, or an objection with its measures; `message` is asked for only then."""

    objects: bool
    value: Measure = None
    threshold: Measure = None
    message: Callable[[], str] = str
    code: str | None = None
    shortfall: Money | None = None
    cure: Money | None = None
    room: Decimal | None = None
    most: Decimal | None = None
    declines: bool = False


def policy_amount(trial: Trial, amount: Decimal) -> Money:
    """An amount of the policy, which speaks the segment's currency, in account currency."""
    rate = trial.facts.rates.policy
    if rate is None:
        raise LookupError("no exchange rate leads from the segment's currency to the account's")
    return Money(rounded(amount * rate, trial.currency), trial.currency)
