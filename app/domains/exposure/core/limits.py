"""Credit limits: windows of days in which a decision about a customer's credit holds."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

from app.domains.exposure.core.refusals import LimitIncomplete
from app.kernel.errors import Fault
from app.kernel.money import ZERO, Money
from app.kernel.periods import Window

Key = TypeVar("Key", bound=Hashable)


class LimitScope(StrEnum):
    """Whose exposure a limit bounds: the customer's own, or that of the customer with all its descendants."""

    OWN = "own"
    GROUP = "group"


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


@dataclass(frozen=True, slots=True)
class SetLimit:
    """A decision with who made it, and until when it was known to hold. Amounts are in `currency`, the account's."""

    id: UUID
    account_id: UUID
    customer_id: str
    segment: str
    currency: str
    scope: LimitScope
    temporary: bool
    limit: Limit
    reason: str
    set_by: str
    set_at: datetime
    superseded_at: datetime | None

    @property
    def valid_until(self) -> date:
        """The last day of a decision that has one."""
        assert self.limit.valid_until is not None, "asked of limits that end"
        return self.limit.valid_until


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

    A temporary limit replaces the base limit inside its window, higher or lower; one of kind none withdraws it. A base
    limit counts for `grace_days` after its last day; beyond that it has expired and binds at zero.
    """
    if temporary is not None and temporary.kind is not LimitKind.NONE and on in temporary.window:
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
    assert limit.amount is not None, "a granted limit has an amount"
    return EffectiveLimit(limit.kind, standing, Money(limit.amount, currency), limit, temporary)


def check_complete(kind: LimitKind, amount: Decimal | None, *, valid_until: date | None, temporary: bool) -> None:
    """Refuses a decision whose members do not go together. Raises `LimitIncomplete`."""
    faults = []
    if (kind is LimitKind.GRANTED) != (amount is not None):
        needed = "a granted limit needs an amount" if kind is LimitKind.GRANTED else f"{kind} goes without an amount"
        faults.append(Fault("/amount", LimitIncomplete.code, needed))
    if temporary and valid_until is None:
        faults.append(Fault("/valid_until", LimitIncomplete.code, "a temporary limit needs its last day"))
    if faults:
        raise LimitIncomplete("; ".join(fault.message for fault in faults), faults=faults)


def superseded_by(new: Limit, in_force: Mapping[Key, Limit]) -> dict[Key, Limit | None]:
    """Which of the limits `in_force` the decision `new` ends, each with what remains of it.

    One that began earlier remains up to the day before `new` begins; one that begins with it or later goes whole. What
    `new` does not overlap stays as it is.
    """
    return {key: _remainder(old, new) for key, old in in_force.items() if old.window.overlaps(new.window)}


def _remainder(old: Limit, new: Limit) -> Limit | None:
    before = old.window.before(new.valid_from)
    return replace(old, valid_until=before.end) if before is not None else None
