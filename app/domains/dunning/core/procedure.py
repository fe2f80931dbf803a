"""The procedure: of one customer's open items, which are reminded of today, at which level, and why the others aren't.

A level is due once its days have passed since the due day. An item goes to the highest level that is due today, so a
day that was missed is caught up at today's level; it follows only on a notice that was sent, after the level's
interval. Each item reaches each level once. A customer gets one notice with all items, at the highest level of any.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from app.domains.dunning.core.facts import CustomerFacts, DunnableItem
from app.domains.policies.core.dunning import (
    AccountEffect,
    Dunning,
    DunningChannel,
    DunningLevel,
    InterestRule,
    amount_in,
)
from app.kernel.money import ZERO


class Reason(StrEnum):
    """Why an item, or a customer, is in a run or not."""

    RAISED = "raised"
    OFF = "procedure_off"
    NOT_DUE = "not_due"
    BEFORE_FIRST_LEVEL = "before_first_level"
    HIGHEST_LEVEL = "highest_level_reached"
    LEVEL_REACHED = "level_reached"
    INTERVAL = "interval_not_passed"
    DISPUTED = "disputed"
    PROMISED = "promised"
    STOPPED = "stopped"
    LEGAL = "legal_case"
    COVERED = "covered_by_credits"
    SMALL_ITEM = "below_minimum_item"
    SMALL_CUSTOMER = "below_minimum_customer"
    CLAIMS_ONLY = "only_fees_and_interest"
    PENDING = "notice_pending"
    NO_BUSINESS_DAY = "not_a_business_day"
    QUIET = "quiet_period"


_TELLING: tuple[Reason, ...] = (
    Reason.LEGAL,
    Reason.STOPPED,
    Reason.PROMISED,
    Reason.DISPUTED,
    Reason.COVERED,
    Reason.INTERVAL,
    Reason.SMALL_ITEM,
    Reason.HIGHEST_LEVEL,
    Reason.LEVEL_REACHED,
    Reason.BEFORE_FIRST_LEVEL,
    Reason.NOT_DUE,
)
"""Of the reasons of a customer's items, the one that says most about the customer."""


@dataclass(frozen=True, slots=True)
class Line:
    """An item in a decision: `asked` is what it is reminded of (open less disputed, promised and, for a customer of
    whom less than everything is asked, what credits cover); `level` is where it stands, raised or not."""

    item: DunnableItem
    asked: Decimal
    disputed: Decimal
    promised: Decimal
    level: int | None
    reason: Reason

    @property
    def is_raised(self) -> bool:
        """Whether this notice takes it to a level it has not had."""
        return self.reason is Reason.RAISED


@dataclass(frozen=True, slots=True)
class Decision:
    """What a customer gets today: a notice at `level` with `lines`, or nothing, and why."""

    reason: Reason
    lines: tuple[Line, ...] = ()
    level: int | None = None
    until: date | None = None
    """Until when the reason holds, where that is known."""

    @property
    def is_notice(self) -> bool:
        """Whether the customer gets a notice."""
        return self.level is not None


def decide(facts: CustomerFacts, rules: Dunning, on: date) -> Decision:
    """What the customer gets on the day `on`."""
    hindered = _hindrance(facts, rules, on)
    lines = _lines(facts, rules, on)
    if hindered is not None:
        return Decision(hindered[0], lines, until=hindered[1])
    raised = _above_minimum(facts, rules, lines)
    if any(line.is_raised for line in raised):
        level = max(line.level or 0 for line in raised if line.is_raised)
        return Decision(Reason.RAISED, _listed(raised, level, on), level)
    reason = _most_telling(raised)
    if reason is Reason.NOT_DUE and facts.owes_claims:
        reason = Reason.CLAIMS_ONLY
    return Decision(reason, raised, until=_until(facts, raised))


def next_step(facts: CustomerFacts, rules: Dunning, on: date, *, days: int = 400) -> tuple[date, int] | None:
    """The first day after `on`, and the level, on which the customer will get a notice if nothing is paid; null when
    none will come within `days`. Business days are the caller's to see to."""
    for after in _candidates(facts, rules, on, days):
        decision = decide(_later(facts), rules, after)
        if decision.level is not None:
            return after, decision.level
    return None


def level_of(rules: Dunning, level: int) -> DunningLevel:
    """What the policy says of `level`; level 0 as a level that charges nothing. Raises `IndexError` for none."""
    if level > 0:
        return rules.levels[level - 1]
    reminder = rules.reminder
    if reminder is None:
        raise IndexError("the policy has no reminder before the due day")
    return DunningLevel(
        days_overdue=0,
        min_days_since_previous=0,
        min_item_amounts=reminder.min_item_amounts,
        min_customer_amounts=reminder.min_customer_amounts,
        channel=reminder.channel,
        fallbacks=reminder.fallbacks,
        template=reminder.template,
        interest=InterestRule.NONE,
        effect=AccountEffect.NONE,
        deadline_days=0,
    )


def standing_level(lines: Sequence[tuple[int | None, Decimal]]) -> int:
    """The account's dunning level: the highest that any item still open has reached."""
    return max((level or 0 for level, still_open in lines if still_open > 0), default=0)


def channels_of(level: DunningLevel) -> tuple[DunningChannel, ...]:
    """The channels of a level in the order they are tried, each once."""
    return tuple(dict.fromkeys((level.channel, *level.fallbacks)))


# ---- the customer ----------------------------------------------------------------------------------------------------


def _hindrance(facts: CustomerFacts, rules: Dunning, on: date) -> tuple[Reason, date | None] | None:
    """Why the customer gets nothing today, whatever is overdue."""
    if not rules.is_on:
        return Reason.OFF, None
    for stop in facts.stops:
        if stop.invoice_no is None and stop.holds(on):
            return (Reason.LEGAL if stop.is_legal else Reason.STOPPED), stop.until
    if facts.has_pending_notice:
        return Reason.PENDING, None
    if not facts.is_business_day:
        return Reason.NO_BUSINESS_DAY, on
    if any(on in period for period in rules.quiet_periods):
        return Reason.QUIET, None
    return None


def _above_minimum(facts: CustomerFacts, rules: Dunning, lines: tuple[Line, ...]) -> tuple[Line, ...]:
    """`lines`, where nothing is raised in a currency of which too little is left to ask for."""
    settled = lines
    for currency in sorted({line.item.currency for line in lines}):
        in_currency = [line for line in settled if line.item.currency == currency]
        raised = [line for line in in_currency if line.is_raised]
        if not raised:
            continue
        level = max(line.level or 0 for line in raised)
        asked = sum((line.asked for line in in_currency if (line.item.level or line.is_raised)), ZERO)
        left = asked - facts.credits.get(currency, ZERO)
        least = amount_in(level_of(rules, level).min_customer_amounts, currency)
        reason = Reason.COVERED if left <= 0 else Reason.SMALL_CUSTOMER if left < least else None
        if reason is not None:
            settled = tuple(_lowered(line, reason) if line in raised else line for line in settled)
    return settled


def _lowered(line: Line, reason: Reason) -> Line:
    return Line(line.item, line.asked, line.disputed, line.promised, line.item.level, reason)


def _listed(lines: tuple[Line, ...], level: int, on: date) -> tuple[Line, ...]:
    """What the notice lists: all that is overdue and still asked for; before the due day what will be due."""
    if level == 0:
        return tuple(line for line in lines if line.is_raised)
    return tuple(line for line in lines if line.item.days_overdue(on) > 0 and line.item.open > 0)


def _most_telling(lines: Sequence[Line]) -> Reason:
    reasons = {line.reason for line in lines}
    if Reason.SMALL_CUSTOMER in reasons:
        return Reason.SMALL_CUSTOMER
    return next((reason for reason in _TELLING if reason in reasons), Reason.NOT_DUE)


def _until(facts: CustomerFacts, lines: Sequence[Line]) -> date | None:
    reason = _most_telling(lines)
    if reason is Reason.PROMISED:
        return max((promise.promised_on for promise in facts.promises), default=None)
    return None


# ---- the items -------------------------------------------------------------------------------------------------------


def _lines(facts: CustomerFacts, rules: Dunning, on: date) -> tuple[Line, ...]:
    items = sorted(facts.items, key=lambda item: (item.due_on, item.invoice_no))
    promised = _promised(facts, items, rules, on)
    return tuple(_line(facts, rules, on, item, promised.get(item.key, ZERO)) for item in items)


def _line(facts: CustomerFacts, rules: Dunning, on: date, item: DunnableItem, promised: Decimal) -> Line:
    disputed = min(item.disputed, item.open)
    asked = max(item.open - disputed - promised, ZERO)

    def line(reason: Reason, level: int | None = item.level) -> Line:
        return Line(item, asked, disputed, promised, level, reason)

    stopped = next((s for s in facts.stops if s.invoice_no == item.invoice_no and s.holds(on)), None)
    if stopped is not None:
        return Line(item, ZERO, disputed, promised, item.level, Reason.LEGAL if stopped.is_legal else Reason.STOPPED)
    if item.open <= 0:
        return line(Reason.NOT_DUE)
    if asked == 0:
        return line(Reason.DISPUTED if disputed >= item.open else Reason.PROMISED)
    due = _level_due(rules, item.days_overdue(on))
    reason = _not_raised(facts, rules, on, item, due, asked)
    return line(reason) if reason is not None else line(Reason.RAISED, due)


def _level_due(rules: Dunning, days_overdue: int) -> int | None:
    """The highest level that is due `days_overdue` days after the due day; null for none."""
    if days_overdue > 0:
        reached = [number for number, level in enumerate(rules.levels, start=1) if days_overdue >= level.days_overdue]
        return max(reached, default=None)
    if rules.reminder is not None and -days_overdue <= rules.reminder.days_before_due:
        return 0
    return None


def _not_raised(
    facts: CustomerFacts, rules: Dunning, on: date, item: DunnableItem, due: int | None, asked: Decimal
) -> Reason | None:
    """Why the item stays where it is; null when it goes to the level that is due."""
    if due is None:
        return Reason.NOT_DUE if item.days_overdue(on) <= 0 else Reason.BEFORE_FIRST_LEVEL
    if item.level is not None and item.level >= due:
        return Reason.HIGHEST_LEVEL if due and due == len(rules.levels) else Reason.LEVEL_REACHED
    level = level_of(rules, due)
    if item.noticed_on is not None and not _interval_passed(facts, level, item.noticed_on, on):
        return Reason.INTERVAL
    if asked < amount_in(level.min_item_amounts, item.currency):
        return Reason.SMALL_ITEM
    return None


def _interval_passed(facts: CustomerFacts, level: DunningLevel, noticed_on: date, on: date) -> bool:
    broken = facts.promise_broken_on
    if broken is not None and broken >= noticed_on:
        return True
    return (on - noticed_on).days >= level.min_days_since_previous


def _promised(
    facts: CustomerFacts, items: Sequence[DunnableItem], rules: Dunning, on: date
) -> Mapping[tuple[object, date], Decimal]:
    """What promises that are not yet due put off, by item: those that name invoices first, then the oldest items."""
    covered: dict[tuple[object, date], Decimal] = {}
    grace = timedelta(days=rules.promise_grace_days)
    pending = [promise for promise in facts.promises if on <= promise.promised_on + grace]
    for promise in sorted(pending, key=lambda p: (not p.invoice_nos, p.promised_on)):
        left = promise.amount
        for item in items:
            if item.currency != promise.currency or (
                promise.invoice_nos and item.invoice_no not in promise.invoice_nos
            ):
                continue
            free = item.open - min(item.disputed, item.open) - covered.get(item.key, ZERO)
            taken = min(left, max(free, ZERO))
            if taken > 0:
                covered[item.key] = covered.get(item.key, ZERO) + taken
                left -= taken
    return covered


# ---- what comes next -------------------------------------------------------------------------------------------------


def _candidates(facts: CustomerFacts, rules: Dunning, on: date, days: int) -> list[date]:
    """The days after `on`, and within `days`, on which something can change."""
    last = on + timedelta(days=days)
    found = {on + timedelta(days=1)}
    for item in facts.items:
        found |= {item.due_on + timedelta(days=max(level.days_overdue, 1)) for level in rules.levels}
        if rules.reminder is not None:
            found.add(item.due_on - timedelta(days=rules.reminder.days_before_due))
        if item.noticed_on is not None:
            found |= {item.noticed_on + timedelta(days=level.min_days_since_previous) for level in rules.levels}
    found |= {stop.until + timedelta(days=1) for stop in facts.stops if stop.until is not None}
    found |= {promise.promised_on + timedelta(days=1 + rules.promise_grace_days) for promise in facts.promises}
    found |= {day + timedelta(days=1) for day in _quiet_ends(rules, on, last)}
    return sorted(day for day in found if on < day <= last)


def _quiet_ends(rules: Dunning, on: date, last: date) -> list[date]:
    """The last days of quiet periods between `on` and `last`."""
    days = [on + timedelta(days=offset) for offset in range((last - on).days)] if rules.quiet_periods else []
    return [day for day in days if any(f"{day:%m-%d}" == period.last for period in rules.quiet_periods)]


def _later(facts: CustomerFacts) -> CustomerFacts:
    """The facts as they will be on a business day, with the notice that is pending out of the way."""
    return replace(facts, has_pending_notice=False, is_business_day=True)
