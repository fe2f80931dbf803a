"""The report on activity."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from app.domains.control.core import activity
from app.domains.control.core.activity import Activity, Fate, Pace
from app.domains.control.repository import activity as rows
from app.domains.control.repository.activity import Paced, Period
from app.domains.policies import service as policies
from app.infra.transaction import Transaction
from app.kernel.periods import end_of, local_day, start_of


@dataclass(frozen=True, slots=True)
class Report:
    """What the persons of a segment did on its days from `since` to `until`, both inclusive, by name."""

    segment: str
    since: date
    until: date
    items: Sequence[Activity]


async def report(tx: Transaction, *, segment: str, since: date | None = None, until: date | None = None) -> Report:
    """Sums up what each person did, by default from the first of the month to today; at most 500 persons.

    Raises `ActivityPeriodInvalid`, `SegmentNotFound`.
    """
    zone = (await policies.segment(tx, segment=segment)).zone
    today = local_day(tx.now, zone)
    last = until or today
    first = since or last.replace(day=1)
    activity.check_period(first, last)
    period = Period(segment, start_of(first, zone), end_of(last, zone))
    told = await _gathered(tx, period, today)
    roles = await rows.roles(tx.session)
    items = [Activity(actor=actor, role=roles.get(actor), **told[actor]) for actor in sorted(told)]
    return Report(segment, first, last, items[: activity.PERSONS_MAX])


async def _gathered(tx: Transaction, period: Period, today: date) -> dict[str, dict[str, Any]]:
    told: dict[str, dict[str, Any]] = defaultdict(dict)
    for paced in await rows.limit_requests(tx.session, period):
        told[paced.actor]["limit_requests"] = _pace(paced)
    for paced in await rows.referred_orders(tx.session, period):
        told[paced.actor] |= {"referred_orders": _pace(paced), "active_hours": paced.active_hours}
    for actor, fate, times in await rows.releases(tx.session, period, today=today):
        told[actor].setdefault("releases", {})[Fate(fate)] = times
    for actor, kept, broken in await rows.promises(tx.session, period):
        told[actor] |= {"promises_kept": kept, "promises_broken": broken}
    for actor, times in await rows.notices(tx.session, period):
        told[actor]["notices"] = times
    for counted in await rows.counts(tx.session, period):
        of = told[counted.actor]
        match counted.type:
            case "limit_set" | "group_limit_set":
                of["limits_set_outright"] = of.get("limits_set_outright", 0) + counted.times
            case "policy_override_approved":
                of["policy_overrides"] = counted.times
            case "collection_task_completed":
                of["calls"] = counted.times
            case "promise_made":
                of["promises"] = counted.times
    return told


def _pace(paced: Paced) -> Pace:
    return Pace(paced.decided, paced.mean_seconds, paced.median_seconds)
