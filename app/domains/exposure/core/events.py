"""What happens to an account. `before` and `after` carry amounts as decimal strings, days and instants in ISO 8601."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from app.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservationExpired(Event):
    """A reservation ran out: its open part counts no more."""

    type: ClassVar[str] = "reservation_expired"
    subject_type: ClassVar[str] = "order"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountOpened(Event):
    """A customer may buy on account in a segment from now on, as far as its limits go."""

    type: ClassVar[str] = "account_opened"
    subject_type: ClassVar[str] = "account"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountCurrencyChanged(Event):
    """An account that nothing was posted to yet is kept in another currency."""

    type: ClassVar[str] = "account_currency_changed"
    subject_type: ClassVar[str] = "account"


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitSet(Event):
    """Somebody decided on the customer's own limit."""

    type: ClassVar[str] = "limit_set"
    subject_type: ClassVar[str] = "account"


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupLimitSet(Event):
    """Somebody decided on the limit that a customer and its descendants share."""

    type: ClassVar[str] = "group_limit_set"
    subject_type: ClassVar[str] = "account"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountsRegrouped(Event):
    """A customer has another parent, so its accounts and its descendants' share another group's limit, or none."""

    type: ClassVar[str] = "accounts_regrouped"
    subject_type: ClassVar[str] = "customer"


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldSet(Event):
    """A source stopped the account, or changed how hard it stops it."""

    type: ClassVar[str] = "hold_set"
    subject_type: ClassVar[str] = "account"


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldLifted(Event):
    """A source no longer stops the account; others may."""

    type: ClassVar[str] = "hold_lifted"
    subject_type: ClassVar[str] = "account"


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskNoted(Event):
    """What higher slices say about the customer's risk has changed."""

    type: ClassVar[str] = "risk_noted"
    subject_type: ClassVar[str] = "account"


@dataclass(frozen=True, slots=True, kw_only=True)
class FxRatesEntered(Event):
    """The exchange rates of one base currency and day are known, or corrected."""

    type: ClassVar[str] = "fx_rates_entered"
    subject_type: ClassVar[str] = "fx_rates"
