"""The review of a referred order: who may decide it, until when, and what a release comes to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final
from uuid import UUID

from app.domains.exposure.core.commitments import Commitment, OrderState, Release
from app.domains.exposure.core.holds import HoldKind
from app.domains.exposure.core.refusals import FxRateMissing
from app.domains.orders.core.decide import decide, reservation
from app.domains.orders.core.decision import Decision, Outcome
from app.domains.orders.core.facts import CheckFacts, credit_days
from app.domains.orders.core.refusals import ForcedHold, ReleaseExceedsCheck, ReviewClosed
from app.domains.orders.core.trial import attempt
from app.domains.policies.core.document import Policy
from app.domains.policies.core.order_checks import OrderChecks
from app.domains.policies.core.refusals import FourEyes, PersonRequired
from app.kernel.errors import Fault
from app.kernel.identity import ActorKind
from app.kernel.lifecycle import Lifecycle
from app.kernel.money import Money


class Review(StrEnum):
    """Where the review of a credit check stands; none where there is nothing to review."""

    NONE = "none"
    OPEN = "open"
    RELEASED = "released"
    REJECTED = "rejected"
    SUPERSEDED = "superseded"
    LAPSED = "lapsed"


class ReviewMove(StrEnum):
    """What can end a review."""

    RELEASE = "release"
    REJECT = "reject"
    SUPERSEDE = "supersede"
    LAPSE = "lapse"


REVIEWS: Final = Lifecycle[Review, ReviewMove](
    {
        Review.NONE: {},
        Review.OPEN: {
            ReviewMove.RELEASE: Review.RELEASED,
            ReviewMove.REJECT: Review.REJECTED,
            ReviewMove.SUPERSEDE: Review.SUPERSEDED,
            ReviewMove.LAPSE: Review.LAPSED,
        },
        Review.RELEASED: {},
        Review.REJECTED: {},
        Review.SUPERSEDED: {},
        Review.LAPSED: {},
    }
)
"""A review is decided once; whoever wants another decision checks the order again."""


@dataclass(frozen=True, slots=True)
class Check:
    """A stored credit check, as far as a review is about it. `amount` is in `currency`; `codes` are its reasons.

    `caller` names the principal that asked and stays the same when they are renamed.
    """

    id: UUID
    customer_id: str
    segment: str
    order_ref: str
    amount: Decimal
    currency: str
    outcome: Outcome
    codes: tuple[str, ...]
    caller: str
    caller_name: str
    on_behalf_of: str | None
    decided_at: datetime
    review: Review
    review_until: datetime | None = None
    reviewed_by: str | None = None
    reviewed_at: datetime | None = None
    review_reason: str | None = None
    released_amount: Decimal | None = None

    @property
    def key(self) -> tuple[str, str]:
        """The segment and the reference of the order."""
        return self.segment, self.order_ref

    @property
    def account_key(self) -> tuple[str, str]:
        """The customer and the segment whose account was judged."""
        return self.customer_id, self.segment

    def review_at(self, now: datetime) -> Review:
        """Where the review stands at `now`: one that nobody decided in time has lapsed, recorded or not."""
        overdue = self.review_until is not None and self.review_until <= now
        return REVIEWS.after(self.review, ReviewMove.LAPSE) if self.review is Review.OPEN and overdue else self.review

    def moved(self, move: ReviewMove, *, by: str | None = None, at: datetime, reason: str | None = None) -> Check:
        """The check after `move`; raises `IllegalMove` when it was not refused before."""
        signed = by is not None
        return replace(
            self,
            review=REVIEWS.after(self.review, move),
            reviewed_by=by,
            reviewed_at=at if signed else None,
            review_reason=reason,
        )


def check_open(check: Check, *, now: datetime) -> None:
    """Refuses to decide what nobody waits for. Raises `ReviewClosed`."""
    review = check.review_at(now)
    if review is not Review.OPEN:
        why = f"its review is {review.value}" if check.review is not Review.NONE else f"it was {check.outcome.value}"
        raise ReviewClosed(f"the check waits for no decision: {why}", review=review.value)


def check_person(kind: ActorKind) -> None:
    """Refuses a service: answering for an order needs a person. Raises `PersonRequired`."""
    if kind is not ActorKind.PERSON:
        raise PersonRequired("a review is decided by a person")


def check_four_eyes(check: Check, *, principal_id: str, name: str) -> None:
    """Refuses a release by whoever asked, or by whom they asked for. Raises `FourEyes`."""
    asked = {check.caller.casefold(), check.caller_name.casefold()}
    if check.on_behalf_of is not None:
        asked.add(check.on_behalf_of.strip().casefold())
    if {principal_id.casefold(), name.casefold()} & asked:
        raise FourEyes("whoever asked for the check, or had it asked for, can't release it")


def check_amount(check: Check, amount: Decimal) -> None:
    """Refuses to release more than was checked. Raises `ReleaseExceedsCheck`."""
    if amount > check.amount:
        asked = Money(check.amount, check.currency)
        message = f"{Money(amount, check.currency)} is more than the {asked} that was checked"
        raise ReleaseExceedsCheck(message, faults=[Fault("/amount", ReleaseExceedsCheck.code, message)])


def check_hold(hold: HoldKind) -> None:
    """Refuses every release while the account is on a forced hold. Raises `ForcedHold`."""
    if hold is HoldKind.FORCED:
        raise ForcedHold("lift the forced hold first: it beats every release")


def overruled(facts: CheckFacts, policy: Policy, *, ends: datetime | None = None) -> Decision:
    """The decision on `facts` with every objection overruled by a person: approved, whatever the rules say.

    Credit is set aside as long as the policy says, and not beyond `ends`.
    Raises `FxRateMissing` where nobody can say what the order would bind.
    """
    trial = attempt(facts, policy)
    if trial.order is None and facts.asked_terms.on_credit:
        raise FxRateMissing(f"no rate leads from {facts.request.currency} to {facts.account.currency}; enter one first")
    reserved = reservation(trial)
    if reserved is not None and ends is not None:
        reserved = replace(reserved, expires_at=min(reserved.expires_at, ends))
    return replace(decide(facts, policy), outcome=Outcome.APPROVED, remedies=(), reservation=reserved)


def release_of(
    order: Commitment,
    facts: CheckFacts,
    checks: OrderChecks,
    *,
    codes: tuple[str, ...],
    ends: datetime | None = None,
) -> Release:
    """What a re-check or shipment of the order is not referred again for: `codes`, up to what is now approved, on no
    better terms, within the policy's days of grace and not beyond `ends`."""
    terms = facts.asked_terms
    until = facts.at + timedelta(days=checks.recheck_grace_days)
    return Release(
        amount=order.approved,
        codes=codes,
        credit_days=credit_days(terms),
        discount_percent=terms.discount_percent,
        until=until if ends is None else min(until, ends),
    )


class ReservationState(StrEnum):
    """What has become of the credit that a check set aside."""

    ACTIVE = "active"
    USED = "used"
    FREED = "freed"
    EXPIRED = "expired"


_UNUSED: Final = frozenset({OrderState.CANCELLED, OrderState.CLOSED, OrderState.HELD, OrderState.DECLINED})


def reservation_state(order: Commitment, *, expires_at: datetime, now: datetime) -> ReservationState:
    """What has become of a reservation that was to hold until `expires_at`, told from the order as it stands.

    A later approval replaces it (freed). Of an order that shipped in parts the reservation counts as used.
    """
    if order.expires_at not in (None, expires_at):
        return ReservationState.FREED
    if order.open and order.expires_at is not None:
        return ReservationState.ACTIVE if now < order.expires_at else ReservationState.EXPIRED
    if order.state is OrderState.EXPIRED:
        return ReservationState.EXPIRED
    return ReservationState.FREED if order.state in _UNUSED else ReservationState.USED
