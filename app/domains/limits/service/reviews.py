"""Reviews of accounts, and notices of limits that end: schedule, announce, complete."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from app.domains.assessments.core.events import CustomerAssessed
from app.domains.customers import service as customers
from app.domains.exposure import service as exposure
from app.domains.exposure.core.account import Account
from app.domains.exposure.core.events import GroupLimitSet, LimitSet
from app.domains.exposure.core.limits import LimitKind, SetLimit
from app.domains.limits.core.events import (
    AccountReviewDue,
    AccountReviewed,
    AccountReviewScheduled,
    LimitExpired,
    LimitExpiring,
)
from app.domains.limits.core.refusals import AccountReviewNotFound, AssessmentUnfit
from app.domains.limits.core.reviews import AccountReview, ReviewOutcome, check_uncompleted
from app.domains.limits.repository import reviews as repository
from app.domains.limits.repository.reviews import ReviewFilter
from app.domains.limits.service.assessing import Assessed, assessment, review_day
from app.domains.policies import service as policies
from app.domains.policies.core.approvals import Approvals
from app.domains.policies.core.document import parse
from app.domains.policies.core.four_eyes import require_person
from app.infra.db.paging import PageRequest, Slice
from app.infra.transaction import Transaction
from app.kernel.errors import Fault
from app.kernel.events import Event
from app.kernel.money import ZERO, render
from app.kernel.periods import local_day
from app.support.auth.core.principals import Principal

BATCH: Final = 200
EXPIRED_FOR_DAYS: Final = 7
"""How long after its last day the end of a limit is still told, where no worker ran on that day."""


async def schedule_reviews(tx: Transaction, *, due: Mapping[tuple[str, str], date]) -> None:
    """Sets the day of the next review of accounts, by customer and segment; the same again changes nothing. Without an
    account there is none."""
    accounts = await exposure.known_accounts(tx, keys=due.keys())
    waiting = await repository.uncompleted(tx.session, [account.id for account in accounts.values()])
    new, moved = [], []
    for key, account in accounts.items():
        before = waiting.get(account.id)
        if before is None:
            new.append(_scheduled(tx, account, due[key]))
        elif before.due_on != due[key]:
            moved.append(replace(before, due_on=due[key], announced_at=None))
    added = await repository.add(tx.session, new)
    await repository.move(tx.session, moved)
    for review in new:
        if review.id in added:
            tx.emit(_told(AccountReviewScheduled, review, after=_due(review)))
    for review in moved:
        tx.emit(_told(AccountReviewScheduled, review, before=_due(waiting[review.account_id]), after=_due(review)))


async def schedule_reviews_of(tx: Transaction, events: Sequence[CustomerAssessed]) -> None:
    """Reaction to assessments: their grades say when the accounts are to be looked at again."""
    due = {}
    for event in events:
        assert event.customer_id is not None
        assert event.segment is not None
        due[event.customer_id, event.segment] = review_day(event)
    await schedule_reviews(tx, due=due)


async def ensure_review(tx: Transaction, event: LimitSet | GroupLimitSet) -> None:
    """Reaction to a limit, whoever decided on it: an account that has credit is reviewed, by its grade or as soon as
    the policy says for those without one. A review that is scheduled already stays.

    Raises `PolicyMissing`, `OverrideUnfit`.
    """
    assert event.customer_id is not None
    assert event.segment is not None
    key = event.customer_id, event.segment
    account = (await exposure.known_accounts(tx, keys=[key]))[key]
    if not _gives_credit(event) or await repository.uncompleted(tx.session, [account.id]):
        return
    days = await _review_days(tx, account)
    today = await policies.today(tx, segment=account.segment)
    await schedule_reviews(tx, due={key: today + timedelta(days=days)})


async def list_reviews(tx: Transaction, *, page: PageRequest, wanted: ReviewFilter) -> Slice[AccountReview]:
    """Reviews by the day they are due."""
    return await repository.list_page(tx.session, page, wanted)


async def complete_review(
    tx: Transaction, *, review_id: UUID, caller: Principal, assessment_id: UUID, outcome: ReviewOutcome, note: str
) -> AccountReview:
    """Records that a person has reviewed an account, by which assessment and with what outcome; schedules the next.

    Raises `AccountReviewNotFound`, `AccountReviewCompleted`, `PersonRequired`, `AssessmentUnfit`.
    """
    review = await repository.lock(tx.session, review_id)
    if review is None or not caller.sees(review.segment):
        raise AccountReviewNotFound(f"there is no review {review_id}")
    require_person(tx.actor)
    check_uncompleted(review)
    rested_on = await _fit(tx, review, assessment_id)
    done = replace(
        review,
        completed_at=tx.now,
        completed_by=tx.actor.name,
        assessment_id=assessment_id,
        outcome=outcome,
        note=note,
    )
    await repository.write(tx.session, done)
    said = {"outcome": outcome.value, "assessment_id": str(assessment_id), "grade": rested_on.grade, "note": note}
    tx.emit(_told(AccountReviewed, done, before=_due(review), after=said))
    await schedule_reviews(tx, due={(review.customer_id, review.segment): rested_on.review_on})
    return done


async def announce_reviews(tx: Transaction, *, segment: str) -> int:
    """Tells of at most `BATCH` reviews of a segment whose day is near; how many."""
    today, approvals = await _today_and_rules(tx, segment)
    until = today + timedelta(days=approvals.review_notice_days)
    due = await repository.unannounced(tx.session, segment=segment, until=until, limit=BATCH)
    for review_id in sorted(due):  # in the order in which assessments lock them
        review = await repository.lock(tx.session, review_id)
        if review is not None and review.announced_at is None and review.completed_at is None:
            await repository.write(tx.session, replace(review, announced_at=tx.now))
            tx.emit(_told(AccountReviewDue, review, after=_due(review)))
    return len(due)


async def announce_endings(tx: Transaction, *, segment: str, after: UUID) -> UUID | None:
    """Tells of limits of a segment that end soon or have just ended, among the next behind the id `after`.

    Each is told once. A limit that another follows does not leave anybody without one, and is not told. Returns the
    id to go on behind; null at the end.
    """
    today, approvals = await _today_and_rules(tx, segment)
    last = today + timedelta(days=approvals.expiry_notice_days)
    first = today - timedelta(days=EXPIRED_FOR_DAYS)
    found = await exposure.ending_limits(tx, segment=segment, first=first, last=last, after=after, batch=BATCH)
    await _tell(tx, [each for each in found if each.valid_until < today], "expired", LimitExpired)
    await _tell(tx, [each for each in found if each.valid_until >= today], "expiring", LimitExpiring)
    return found[-1].id if len(found) == BATCH else None


async def _tell(tx: Transaction, ending: Sequence[SetLimit], kind: str, event: type[Event]) -> None:
    known = await repository.told(tx.session, [each.id for each in ending], kind) if ending else frozenset()
    news = [each for each in ending if each.id not in known]
    if news:
        await repository.note_told(tx.session, [each.id for each in news], kind, tx.now)
    for each in news:
        amount = each.limit.amount
        tx.emit(
            event(
                subject_id=str(each.account_id),
                customer_id=each.customer_id,
                segment=each.segment,
                after={
                    "limit_id": str(each.id),
                    "scope": each.scope.value,
                    "kind": each.limit.kind.value,
                    "amount": None if amount is None else render(amount, each.currency),
                    "currency": each.currency,
                    "temporary": each.temporary,
                    "valid_until": each.valid_until.isoformat(),
                },
            )
        )


async def _fit(tx: Transaction, review: AccountReview, assessment_id: UUID) -> Assessed:
    """The assessment that a review rests on: of this account, and recent enough to be relied on."""
    today, approvals = await _today_and_rules(tx, review.segment)
    found = await assessment(tx, assessment_id=assessment_id)
    if found is None or (found.customer_id, found.segment) != (review.customer_id, review.segment):
        raise _unfit(f"{assessment_id} is no assessment of {review.customer_id} in {review.segment}")
    if (today - found.assessed_on).days > approvals.assessment_max_age_days:
        raise _unfit(f"it is of {found.assessed_on}, older than {approvals.assessment_max_age_days} days")
    return found


def _gives_credit(event: LimitSet | GroupLimitSet) -> bool:
    kind, amount = LimitKind(event.after["kind"]), event.after["amount"]
    return kind is LimitKind.UNLIMITED or (kind is LimitKind.GRANTED and Decimal(amount) > ZERO)


async def _review_days(tx: Transaction, account: Account) -> int:
    customer = await customers.get(tx, customer_id=account.customer_id)
    policy = (await policies.effective_policy(tx, segment=account.segment, customer=customer)).policy
    rank = policy.grade_rank(account.profile.grade) if account.profile.grade else None
    return policy.approvals.ungraded_review_days if rank is None else policy.grades[rank].review_days


async def _today_and_rules(tx: Transaction, segment: str) -> tuple[date, Approvals]:
    zone = (await policies.segment(tx, segment=segment)).zone
    document = (await policies.active(tx, segment=segment)).document
    return local_day(tx.now, zone), parse(document).approvals


def _unfit(message: str) -> AssessmentUnfit:
    return AssessmentUnfit(message, faults=[Fault("/assessment_id", AssessmentUnfit.code, message)])


def _scheduled(tx: Transaction, account: Account, due_on: date) -> AccountReview:
    return AccountReview(
        id=tx.new_id(),
        account_id=account.id,
        customer_id=account.customer_id,
        segment=account.segment,
        due_on=due_on,
    )


def _due(review: AccountReview) -> dict[str, str]:
    return {"due_on": review.due_on.isoformat()}


def _told(kind: type[Event], review: AccountReview, **said: Any) -> Event:
    return kind(subject_id=str(review.id), customer_id=review.customer_id, segment=review.segment, **said)
