"""What an order desk asks about a customer: which level, since when, what comes next, and why nothing does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from app.domains.customers import service as customers
from app.domains.dunning.adapters import calendar
from app.domains.dunning.core.notices import DELIVERED
from app.domains.dunning.core.procedure import Reason, decide, level_of, next_step
from app.domains.dunning.core.promises import PromiseState
from app.domains.dunning.repository import cases as repository
from app.domains.dunning.repository import notices as notice_repository
from app.domains.dunning.service import gathering
from app.domains.dunning.service.gathering import Case
from app.domains.dunning.tables import DunningNoticeRow, DunningStopRow, PromiseRow
from app.domains.exposure import service as exposure
from app.domains.policies import service as policies
from app.domains.policies.core.dunning import DunningChannel
from app.domains.receivables import service as receivables
from app.infra.db.paging import PageRequest
from app.infra.transaction import Transaction
from app.kernel.money import ZERO

SHOWN_MAX: Final = 50
BUSINESS_DAYS_SOUGHT: Final = 30


@dataclass(frozen=True, slots=True)
class NextStep:
    """What happens next if nothing is paid."""

    on: date
    level: int
    channel: DunningChannel


@dataclass(frozen=True, slots=True)
class Outlook:
    """How a customer stands. `overdue_amount` is in `currency`; `reason` says why nothing happens today, or that
    something does; without `next_step` nothing will."""

    customer_id: str
    segment: str
    currency: str
    level: int
    overdue_amount: Decimal
    oldest_due_on: date | None
    reason: Reason
    last_notice: DunningNoticeRow | None
    next_step: NextStep | None
    promises: Sequence[PromiseRow]
    stops: Sequence[DunningStopRow]


async def outlook(tx: Transaction, *, customer_id: str, segment: str) -> Outlook:
    """How the customer stands today. Raises `CustomerNotFound`, `SegmentNotFound`, `AccountNotFound`."""
    await customers.get(tx, customer_id=customer_id)
    on = await policies.today(tx, segment=segment)
    account = await exposure.account(tx, customer_id=customer_id, segment=segment)
    dues = await receivables.dunnable_of(tx, segment=segment, customer_ids=[customer_id])
    [case] = await gathering.cases(tx, segment=segment, dues=dues, on=on)
    overdue = [
        (part.due_on, part.amount * item.rate) for item in dues[0].items for part in item.parts if part.due_on < on
    ]
    sent = await notice_repository.last_sent(tx.session, customer_id, segment, states=DELIVERED)
    page = PageRequest(limit=SHOWN_MAX)
    promised = await repository.promises_page(tx.session, page, segment=segment, customer_id=customer_id)
    stops = await repository.stops_page(tx.session, page, segment=segment, customer_id=customer_id)
    return Outlook(
        customer_id=customer_id,
        segment=segment,
        currency=account.currency,
        level=case.highest,
        overdue_amount=sum((amount for _, amount in overdue), ZERO),
        oldest_due_on=min((due_on for due_on, _ in overdue), default=None),
        reason=decide(case.facts, case.rules, on).reason,
        last_notice=sent,
        next_step=_next(case, on),
        promises=[row for row in promised.rows if row.state == PromiseState.OPEN],
        stops=[row for row in stops.rows if row.lifted_at is None and (row.until is None or row.until >= on)],
    )


def _next(case: Case, on: date) -> NextStep | None:
    """The next notice: today's if one is due, else the first to come, put off to a business day."""
    today = decide(replace(case.facts, has_pending_notice=False), case.rules, on)
    step = (on, today.level) if today.level is not None else next_step(case.facts, case.rules, on)
    if step is None:
        return None
    day, level = step
    for _ in range(BUSINESS_DAYS_SOUGHT):
        if calendar.is_business_day(case.rules.business_days, case.customer.country, day):
            break
        day += timedelta(days=1)
    # A day later may be a level higher: the business day decides.
    then = decide(replace(case.facts, has_pending_notice=False, is_business_day=True), case.rules, day)
    level = level if then.level is None else then.level
    return NextStep(day, level, level_of(case.rules, level).channel)
