"""How the customer has paid us: own experience, the most independent source there is.

The figures themselves are receivables' work; here each becomes a factor as it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

from app.domains.assessments.core.factors.asked import Asked, Reading, reading
from app.domains.assessments.core.facts import Experience
from app.domains.policies.core.factors import Factor, Independence

SOURCE: Final = "receivables"


def payment_index(experience: Experience) -> Decimal | None:
    """The payment index, 0–100: 80 is on the day, less is late; weighted by amount and age of the items."""
    return experience.payment_index


def share_on_time(experience: Experience) -> Decimal | None:
    """Settled on or before the due day, in percent of what was due."""
    return experience.share_on_time


def average_days_late(experience: Experience) -> Decimal | None:
    """Mean days between due day and settlement; negative is early."""
    return experience.average_days_late


def longest_lateness(experience: Experience) -> int | None:
    """Days late of the latest item, open ones included."""
    return experience.longest_lateness


def disputed_share(experience: Experience) -> Decimal | None:
    """What was disputed, in percent of the amount of all items."""
    return experience.disputed_share


def broken_promises(experience: Experience) -> int | None:
    """How many promises to pay were not kept within the last year."""
    return experience.broken_promises


def relation_months(experience: Experience) -> int | None:
    """Months since the first invoice."""
    return experience.relation_months


def settled_items(experience: Experience) -> int | None:
    """How many items have been settled: how much there is to learn from."""
    return experience.settled_items


def of_experience(figure: Callable[[Experience], Decimal | int | None]) -> Callable[[Asked], Reading | None]:
    """The factor that reads `figure` off our experience."""

    def read(asked: Asked) -> Reading | None:
        known = asked.facts.experience
        return None if known is None else reading(figure(known), SOURCE, Independence.OWN_EXPERIENCE, known.as_of)

    return read


FACTORS: Final[Mapping[Factor, Callable[[Asked], Reading | None]]] = {
    Factor.PAYMENT_INDEX: of_experience(payment_index),
    Factor.SHARE_ON_TIME: of_experience(share_on_time),
    Factor.AVERAGE_DAYS_LATE: of_experience(average_days_late),
    Factor.LONGEST_LATENESS: of_experience(longest_lateness),
    Factor.DISPUTED_SHARE: of_experience(disputed_share),
    Factor.BROKEN_PROMISES: of_experience(broken_promises),
    Factor.RELATION_MONTHS: of_experience(relation_months),
    Factor.SETTLED_ITEMS: of_experience(settled_items),
}
