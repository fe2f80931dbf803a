"""Payment behaviour: how a customer has paid, from nothing but its own items, as it was known on a day.

The *payment index* has the shape of the indices that agencies make from trade experience (80 prompt, 100 thirty days
early, 50 thirty days late, 20 four months late); PAYDEX is a trademark of one of them. Each item is scored by its days
beyond terms; scores are weighted by the square root of the amount, so that one big invoice does not drown the rest, and
by age with a half-life of 180 days. Items open and already late count with their lateness so far.

Point in time: what was issued or settled after the day counts as if nobody knew of it yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import lru_cache
from itertools import pairwise
from typing import Final, NamedTuple

from app.kernel.money import ZERO

HALF_LIFE_DAYS: Final = 180
TREND_DAYS: Final = 90
"""The trend is the index less the index of so many days before."""
YEAR_DAYS: Final = 365

_CURVE: Final = (
    (-30, 100),
    (-20, 90),
    (0, 80),
    (15, 70),
    (22, 60),
    (30, 50),
    (60, 40),
    (90, 30),
    (120, 20),
    (177, 1),
)
"""Days beyond terms and the score there, straight lines between them; after 120 days as steep as before, down to 1."""

_MATH: Final = Context(prec=18, rounding=ROUND_HALF_UP)
_HUNDREDTH: Final = Decimal("0.01")
_HUNDRED: Final = Decimal(100)


class Dealing(NamedTuple):
    """One invoice or debit note, amounts in account currency. A plain tuple of its members does as well.

    `settled_on` is the day its last part was paid, null while anything is open; `open_amount` is what is open then and
    not disputed, null for all of it: of an invoice paid but for the bank's charges only those are late.
    """

    issued_on: date
    due_on: date
    amount: Decimal
    settled_on: date | None = None
    disputed: bool = False
    open_amount: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentBehaviour:
    """How a customer has paid up to the day `on`; null is what nothing was learned about.

    `payment_index` is from 1, worst, to 100, best. `share_on_time` is the percentage paid by the due day and
    `average_days_late` the mean of the days beyond terms (below zero: early), both weighted as the index is.
    `longest_lateness` is in days, of items paid or open. `trend` is the change of the index within 90 days.
    `disputed_share` is a percentage of the amount of all items; `broken_promises` are those of the last year.
    `relation_months` are whole months since the first item; the volumes are in account currency, `monthly_volume` the
    mean of the last twelve months, or of those there are.
    """

    on: date
    settled_items: int = 0
    late_items: int = 0
    payment_index: Decimal | None = None
    share_on_time: Decimal | None = None
    average_days_late: Decimal | None = None
    longest_lateness: int | None = None
    trend: Decimal | None = None
    disputed_items: int = 0
    disputed_share: Decimal | None = None
    broken_promises: int = 0
    known_since: date | None = None
    relation_months: int | None = None
    year_volume: Decimal = ZERO
    monthly_volume: Decimal | None = None


@dataclass(frozen=True, slots=True)
class _Lesson:
    """What an item tells on a day: its days beyond terms and its weight; open when it is not yet paid."""

    days: int
    weight: Decimal
    is_open: bool


def payment_behaviour(dealings: Iterable[Dealing], *, on: date) -> PaymentBehaviour:
    """How the customer had paid up to the day `on`, by what was known then."""
    known = [Dealing(*dealing) for dealing in dealings if dealing[0] <= on]
    if not known:
        return PaymentBehaviour(on=on)
    lessons = _lessons(known, on)
    since = min(dealing.issued_on for dealing in known)
    volume = sum((each.amount for each in known if (on - each.issued_on).days < YEAR_DAYS), ZERO)
    months = months_between(since, on)
    disputed = [dealing.amount for dealing in known if dealing.disputed]
    return PaymentBehaviour(
        on=on,
        settled_items=sum(not lesson.is_open for lesson in lessons),
        late_items=sum(lesson.is_open for lesson in lessons),
        payment_index=_index(lessons),
        share_on_time=_share_on_time(lessons),
        average_days_late=_mean([(Decimal(lesson.days), lesson.weight) for lesson in lessons]),
        longest_lateness=max((max(lesson.days, 0) for lesson in lessons), default=None),
        trend=_trend(known, lessons, on),
        disputed_items=len(disputed),
        disputed_share=_rounded(_HUNDRED * sum(disputed, ZERO) / sum((each.amount for each in known), ZERO)),
        known_since=since,
        relation_months=months,
        year_volume=volume,
        monthly_volume=per_month(volume, months),
    )


def payment_index(dealings: Iterable[Dealing], *, on: date) -> Decimal | None:
    """The payment index alone, from 1 to 100 with two decimals; null when nothing was settled and nothing is late."""
    return _index(_lessons([Dealing(*dealing) for dealing in dealings], on))


def score_of_days(days: int) -> Decimal:
    """The score of one item paid so many days beyond terms, below zero early: 80 is prompt, 100 the most, 1 the
    least."""
    (first, best), (last, worst) = _CURVE[0], _CURVE[-1]
    if days <= first:
        return Decimal(best)
    if days >= last:
        return Decimal(worst)
    (low, above), (high, below) = next(line for line in pairwise(_CURVE) if line[0][0] <= days <= line[1][0])
    return above + _MATH.divide(Decimal((below - above) * (days - low)), Decimal(high - low))


def months_between(since: date, on: date) -> int:
    """Whole months from one day to another."""
    return (on.year - since.year) * 12 + on.month - since.month - (on.day < since.day)


def per_month(year_volume: Decimal, months: int) -> Decimal:
    """The mean of the last twelve months, or of the `months` there are."""
    return _rounded(year_volume / max(min(months, 12), 1))


def next_change(dealings: Iterable[Dealing], *, on: date) -> date | None:
    """The first day after `on` on which the index changes though nothing is posted: an open item is late, or later.

    Null when nothing is open.
    """
    due = [dealing.due_on for dealing in dealings if dealing.settled_on is None and dealing.open_amount != 0]
    return max(min(due), on) + timedelta(days=1) if due else None


def _lessons(dealings: Sequence[Dealing], on: date) -> list[_Lesson]:
    lessons = []
    for dealing in dealings:
        if dealing.issued_on > on:
            continue
        if dealing.settled_on is not None and dealing.settled_on <= on:
            days, age = (dealing.settled_on - dealing.due_on).days, (on - dealing.settled_on).days
            lessons.append(_Lesson(days, _weight(dealing.amount, age), is_open=False))
        elif dealing.due_on < on:
            late = dealing.amount if dealing.open_amount is None else dealing.open_amount
            if late:
                lessons.append(_Lesson((on - dealing.due_on).days, _weight(late, 0), is_open=True))
    return lessons


def _weight(amount: Decimal, age_days: int) -> Decimal:
    return _MATH.multiply(_MATH.sqrt(amount), _faded(age_days))


@lru_cache(maxsize=8192)
def _faded(age_days: int) -> Decimal:
    """What is left of the weight of an experience of so many days ago."""
    return _MATH.power(Decimal(2), _MATH.divide(Decimal(-age_days), Decimal(HALF_LIFE_DAYS)))


def _index(lessons: Sequence[_Lesson]) -> Decimal | None:
    return _mean([(score_of_days(lesson.days), lesson.weight) for lesson in lessons])


def _share_on_time(lessons: Sequence[_Lesson]) -> Decimal | None:
    return _mean([(_HUNDRED if lesson.days <= 0 else ZERO, lesson.weight) for lesson in lessons])


def _trend(known: Sequence[Dealing], lessons: Sequence[_Lesson], on: date) -> Decimal | None:
    now, before = _index(lessons), _index(_lessons(known, on - timedelta(days=TREND_DAYS)))
    return None if now is None or before is None else now - before


def _mean(weighted: Sequence[tuple[Decimal, Decimal]]) -> Decimal | None:
    total = sum((weight for _, weight in weighted), ZERO)
    if not total:
        return None
    return _rounded(_MATH.divide(sum((value * weight for value, weight in weighted), ZERO), total))


def _rounded(number: Decimal) -> Decimal:
    return number.quantize(_HUNDREDTH, ROUND_HALF_UP)
