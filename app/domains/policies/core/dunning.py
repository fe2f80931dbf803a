"""The section `dunning` of a policy: how customers are reminded of what is overdue, level by level.

The place of a level in the list is its number, from 1 on; level 0 is the friendly reminder before the due day. Days are
calendar days counted from the due day; percentages are a year's. Amounts are given for each currency they hold in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Final

from app.domains.policies.core.reading import Between, Length
from app.kernel.errors import Fault
from app.kernel.money import DIGITS, ZERO

MAX_LEVELS: Final = 9
CUSTOMERS_COUNTRY: Final = "customer"
_MONTH_DAY: Final = re.compile(r"[0-9]{2}-[0-9]{2}")
_TEMPLATE: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")


class DunningChannel(StrEnum):
    """The way a notice takes to the customer."""

    EMAIL = "email"
    LETTER = "letter"
    CALL = "call"
    WEBHOOK = "webhook"


class InterestRule(StrEnum):
    """Which interest a level charges: none, the rate agreed with the customer, or what the law gives."""

    NONE = "none"
    AGREED = "agreed"
    STATUTORY = "statutory"


class AccountEffect(StrEnum):
    """What a level does to the account."""

    NONE = "none"
    SOFT_HOLD = "soft_hold"


class ClaimsOrder(StrEnum):
    """Whether fees and interest that are booked are paid before the items they arose from, or after them."""

    BEFORE_PRINCIPAL = "before_principal"
    AFTER_PRINCIPAL = "after_principal"


class Weekday(StrEnum):
    """A day of the week on which a scheduled run takes place."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


WEEK: Final = tuple(Weekday)
"""The weekdays by the number that `date.weekday()` gives them."""


@dataclass(frozen=True, slots=True)
class CurrencyAmount:
    """An amount that holds for items and customers in `currency`."""

    currency: Annotated[str, Length(3, 3)]
    amount: Annotated[Decimal, Between(0, 999_999_999_999_999)]


Amounts = Annotated[tuple[CurrencyAmount, ...], Length(0, 40)]


def amount_in(amounts: Iterable[CurrencyAmount], currency: str) -> Decimal:
    """The amount that is given for `currency`; zero where none is."""
    return next((given.amount for given in amounts if given.currency == currency), ZERO)


@dataclass(frozen=True, slots=True)
class DunningLevel:
    """One step. An item reaches it `days_overdue` after its due day, and at least `min_days_since_previous` after the
    notice before. `fallbacks` are the channels tried, in order, when the first fails or can't be used."""

    days_overdue: Annotated[int, Between(0, 3650)]
    min_days_since_previous: Annotated[int, Between(0, 3650)] = 7
    min_item_amounts: Amounts = ()
    min_customer_amounts: Amounts = ()
    channel: DunningChannel = DunningChannel.EMAIL
    fallbacks: Annotated[tuple[DunningChannel, ...], Length(0, 4)] = (DunningChannel.LETTER,)
    template: Annotated[str, Length(1, 40)] = "reminder"
    fees: Amounts = ()
    compensation: bool = False
    """Whether the fixed sum that the statutory rule grants for each overdue claim is charged, once an item."""
    interest: InterestRule = InterestRule.NONE
    interest_percent: Annotated[Decimal, Between(0, 100)] | None = None
    jurisdiction: Annotated[str, Length(2, 10)] | None = None
    effect: AccountEffect = AccountEffect.NONE
    deadline_days: Annotated[int, Between(0, 365)] = 7


@dataclass(frozen=True, slots=True)
class FriendlyReminder:
    """Level 0: says, `days_before_due`, that an item will be due. It costs nothing and has no effect on the account."""

    days_before_due: Annotated[int, Between(1, 90)] = 3
    min_item_amounts: Amounts = ()
    min_customer_amounts: Amounts = ()
    channel: DunningChannel = DunningChannel.EMAIL
    fallbacks: Annotated[tuple[DunningChannel, ...], Length(0, 4)] = ()
    template: Annotated[str, Length(1, 40)] = "friendly"


@dataclass(frozen=True, slots=True)
class QuietPeriod:
    """Days on which nobody is reminded, both included: `MM-DD` every year; it may reach over the end of the year."""

    first: Annotated[str, Length(5, 5)]
    last: Annotated[str, Length(5, 5)]

    def __contains__(self, day: date) -> bool:
        today = f"{day:%m-%d}"
        if self.first <= self.last:
            return self.first <= today <= self.last
        return today >= self.first or today <= self.last


@dataclass(frozen=True, slots=True)
class DunningSchedule:
    """Runs by itself on these weekdays, from `hour` on in the segment's time zone; without `release` a person looks at
    the proposal first."""

    weekdays: Annotated[tuple[Weekday, ...], Length(1, 7)] = WEEK
    hour: Annotated[int, Between(0, 23)] = 6
    release: bool = True


@dataclass(frozen=True, slots=True)
class DunningSender:
    """Who writes, and how to pay; an empty name is the segment's."""

    name: Annotated[str, Length(0, 200)] = ""
    address: Annotated[tuple[str, ...], Length(0, 6)] = ()
    contact: Annotated[tuple[str, ...], Length(0, 6)] = ()
    pay_to: Annotated[tuple[str, ...], Length(0, 8)] = ()
    """Bank, account and whatever else a payer needs, a line each."""


@dataclass(frozen=True, slots=True)
class Dunning:
    """How customers are reminded. Without levels nobody is."""

    levels: Annotated[tuple[DunningLevel, ...], Length(0, MAX_LEVELS)] = ()
    reminder: FriendlyReminder | None = None
    business_days: Annotated[str, Length(2, 8)] | None = None
    """The country whose business days count, `customer` for each customer's own; None: every day is one."""
    quiet_periods: Annotated[tuple[QuietPeriod, ...], Length(0, 20)] = ()
    schedule: DunningSchedule | None = None
    promise_grace_days: Annotated[int, Between(0, 90)] = 0
    claims_are_exposure: bool = False
    """Whether fees and interest are booked to the account as debit notes, and so count as exposure."""
    claims_order: ClaimsOrder = ClaimsOrder.AFTER_PRINCIPAL
    sender: DunningSender = DunningSender()

    @property
    def is_on(self) -> bool:
        """Whether anybody is ever reminded."""
        return bool(self.levels) or self.reminder is not None


def default_dunning() -> dict[str, Any]:
    """The section a new segment starts with: three levels, nothing charged, and no run that nobody has asked for."""
    return {
        "levels": [
            _level(days_overdue=5, since=0, channel="email", template="reminder", effect="none", deadline=7),
            _level(days_overdue=20, since=10, channel="email", template="second", effect="none", deadline=7),
            _level(days_overdue=35, since=10, channel="letter", template="final", effect="soft_hold", deadline=10),
        ],
        "reminder": None,
        "business_days": CUSTOMERS_COUNTRY,
        "quiet_periods": [],
        "schedule": None,
        "promise_grace_days": 0,
        "claims_are_exposure": False,
        "claims_order": "after_principal",
        "sender": {"name": "", "address": [], "contact": [], "pay_to": []},
    }


def dunning_faults(section: Dunning, pointer: str) -> list[Fault]:
    """What is wrong between the members of the section, besides what their types say."""
    found: list[Fault] = []
    before = -1
    for index, level in enumerate(section.levels):
        at = f"{pointer}/levels/{index}"
        found += [*_charge_faults(level, at), *_step_faults(level, at), *_currency_faults(level.fees, f"{at}/fees")]
        if level.days_overdue <= before:
            found.append(Fault(f"{at}/days_overdue", "not_later", "a level comes later than the one before"))
        before = level.days_overdue
    if section.reminder is not None:
        found += _step_faults(section.reminder, f"{pointer}/reminder")
    return [*found, *_quiet_faults(section, pointer)]


def _level(*, days_overdue: int, since: int, channel: str, template: str, effect: str, deadline: int) -> dict[str, Any]:
    return {
        "days_overdue": days_overdue,
        "min_days_since_previous": since,
        "min_item_amounts": [],
        "min_customer_amounts": [],
        "channel": channel,
        "fallbacks": ["letter"] if channel == "email" else [],
        "template": template,
        "fees": [],
        "compensation": False,
        "interest": "none",
        "interest_percent": None,
        "jurisdiction": None,
        "effect": effect,
        "deadline_days": deadline,
    }


def _charge_faults(level: DunningLevel, at: str) -> list[Fault]:
    found = []
    if level.interest is InterestRule.AGREED and level.interest_percent is None:
        found.append(Fault(f"{at}/interest_percent", "required", "an agreed interest has a rate"))
    if (level.interest is InterestRule.STATUTORY or level.compensation) and level.jurisdiction is None:
        found.append(Fault(f"{at}/jurisdiction", "required", "what the law gives depends on the jurisdiction"))
    return found


def _step_faults(step: DunningLevel | FriendlyReminder, at: str) -> list[Fault]:
    found = []
    if not _TEMPLATE.fullmatch(step.template):
        message = "a template is named by small letters, digits and _"
        found.append(Fault(f"{at}/template", "name_malformed", message))
    found += _currency_faults(step.min_item_amounts, f"{at}/min_item_amounts")
    return found + _currency_faults(step.min_customer_amounts, f"{at}/min_customer_amounts")


def _currency_faults(amounts: Sequence[CurrencyAmount], at: str) -> list[Fault]:
    found = []
    codes = [given.currency for given in amounts]
    for index, code in enumerate(codes):
        place = f"{at}/{index}/currency"
        if code not in DIGITS:
            found.append(Fault(place, "currency_unknown", f"{code!r} is not an ISO 4217 currency code"))
        elif code in codes[:index]:
            found.append(Fault(place, "duplicate", f"{code} is there twice"))
    return found


def _quiet_faults(section: Dunning, pointer: str) -> list[Fault]:
    return [
        Fault(f"{pointer}/quiet_periods/{index}/{member}", "date_malformed", "a day of the year is written MM-DD")
        for index, period in enumerate(section.quiet_periods)
        for member in ("first", "last")
        if not _is_month_day(getattr(period, member))
    ]


def _is_month_day(text: str) -> bool:
    if not _MONTH_DAY.fullmatch(text):
        return False
    try:
        date.fromisoformat(f"2024-{text}")
    except ValueError:
        return False
    return True
