"""Orders of reports: an agency is asked for a report on a customer, which costs money, and answers or does not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from app.domains.credit_data.core.records import Filed
from app.domains.credit_data.core.refusals import ReportStillCurrent
from app.domains.credit_data.core.reports import CreditReport
from app.kernel.lifecycle import Lifecycle

ATTEMPTS: Final = 4
"""How often an agency that is away is asked again before an order fails; each time, the adapter tries a few times."""
PAUSES: Final = (timedelta(minutes=2), timedelta(minutes=15), timedelta(hours=2))
"""How long after each failed attempt the next one comes."""


class OrderState(StrEnum):
    """How far an order of a report is."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    UNKNOWN = "unknown"
    """The agency does not know the company."""
    FAILED = "failed"


class OrderMove(StrEnum):
    """What may happen to an order of a report."""

    DELIVER = "deliver"
    DISCLAIM = "disclaim"
    GIVE_UP = "give_up"


LIFECYCLE: Final = Lifecycle(
    {
        OrderState.WAITING: {
            OrderMove.DELIVER: OrderState.DELIVERED,
            OrderMove.DISCLAIM: OrderState.UNKNOWN,
            OrderMove.GIVE_UP: OrderState.FAILED,
        },
        OrderState.DELIVERED: {},
        OrderState.UNKNOWN: {},
        OrderState.FAILED: {},
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportOrder:
    """One order of a report; `next_at` is when the agency is asked (again), `failure` says what went wrong last."""

    id: UUID
    customer_id: str
    segment: str
    agency: str
    state: OrderState
    attempts: int
    ordered_by: str
    ordered_at: datetime
    next_at: datetime | None
    record_id: UUID | None = None
    failure: str | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Inquiry:
    """Of whom an agency is to report: what a register or a directory can find the company by."""

    customer_id: str
    name: str
    country: str
    registration_scheme: str | None = None
    registration_value: str | None = None


def check_age(last: Filed[CreditReport] | None, *, on: date, min_age_days: int) -> None:
    """Raises `ReportStillCurrent` when the agency's last report is younger than `min_age_days` on the day `on`."""
    if last is None or last.age_days(on) >= min_age_days:
        return
    again = last.valid_on + timedelta(days=min_age_days)
    raise ReportStillCurrent(
        f"the last report is of {last.valid_on}; the policy buys none before {again}",
        record_id=str(last.id),
        next_on=again.isoformat(),
    )


def begun(order: ReportOrder, *, now: datetime) -> ReportOrder:
    """The order when its next attempt begins: should the process die with it, the next one comes no sooner."""
    attempts = order.attempts + 1
    return replace(order, attempts=attempts, next_at=now + PAUSES[min(attempts, len(PAUSES)) - 1])


def failed(order: ReportOrder, failure: str, *, now: datetime, for_good: bool) -> ReportOrder:
    """The order after an attempt that failed; it waits for the next one, or has failed for good."""
    if for_good or order.attempts >= ATTEMPTS:
        return ended(replace(order, failure=failure), OrderMove.GIVE_UP, now=now)
    return replace(order, failure=failure)


def ended(order: ReportOrder, move: OrderMove, *, now: datetime, record_id: UUID | None = None) -> ReportOrder:
    """The order after its last attempt."""
    return replace(order, state=LIFECYCLE.after(order.state, move), next_at=None, ended_at=now, record_id=record_id)
