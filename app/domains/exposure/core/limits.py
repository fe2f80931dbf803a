"""Credit limits: windows of days in which a decision about a customer's credit holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from app.kernel.money import ZERO, Money
from app.kernel.periods import Window


class LimitKind(StrEnum):
    """What was decided: an amount (zero is no credit), no bound at all, or that there is no decision."""

    GRANTED = "granted"
    UNLIMITED = "unlimited"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Limit:
    """One decision and the days it holds; `amount` (account currency) only when granted."""

    kind: LimitKind
    amount: Decimal | None
    valid_from: date
    valid_until: date | None

    @property
    def window(self) -> Window:
        """The days it holds."""
        return Window(self.valid_from, self.valid_until)


class Standing(StrEnum):
    """Why a limit has the effect it has."""

    IN_FORCE = "in_force"
    IN_GRACE = "in_grace"
    EXPIRED = "expired"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class EffectiveLimit:
    """What binds on a day. `amount` is null when unlimited; a missing or expired limit binds at zero."""

    kind: LimitKind
    standing: Standing
    amount: Money | None
    limit: Limit | None
    temporary: bool

    @property
    def granted_zero(self) -> bool:
        """Whether somebody decided that this customer gets no credit."""
        return self.kind is LimitKind.GRANTED and self.amount is not None and not self.amount.amount


def effective(
    base: Limit | None, temporary: Limit | None, *, on: date, currency: str, grace_days: int = 0
) -> EffectiveLimit:
    """The limit in force on the day `on`.

    A temporary limit replaces the base limit inside its window, higher or lower. A base limit counts for `grace_days`
    after its last day; beyond that it has expired and binds at zero.
    """
    if temporary is not None and on in temporary.window:
        return _in_force(temporary, currency, Standing.IN_FORCE, temporary=True)
    if base is None or base.kind is LimitKind.NONE or on < base.valid_from:
        return EffectiveLimit(LimitKind.NONE, Standing.MISSING, Money(ZERO, currency), base, temporary=False)
    if on in base.window:
        return _in_force(base, currency, Standing.IN_FORCE, temporary=False)
    if base.valid_until is not None and on <= base.valid_until + timedelta(days=grace_days):
        return _in_force(base, currency, Standing.IN_GRACE, temporary=False)
    return EffectiveLimit(base.kind, Standing.EXPIRED, Money(ZERO, currency), base, temporary=False)


def _in_force(limit: Limit, currency: str, standing: Standing, *, temporary: bool) -> EffectiveLimit:
    if limit.kind is LimitKind.UNLIMITED:
        return EffectiveLimit(limit.kind, standing, None, limit, temporary)
    if limit.kind is LimitKind.NONE:
        return EffectiveLimit(limit.kind, Standing.MISSING, Money(ZERO, currency), limit, temporary)
    assert limit.amount is not None
    return EffectiveLimit(limit.kind, standing, Money(limit.amount, currency), limit, temporary)
