from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import product
from uuid import UUID

import pytest

from app.domains.exposure.core import commitments
from app.domains.exposure.core.commitments import Commitment, OrderState, Release
from app.domains.exposure.core.holds import HoldKind
from app.domains.exposure.core.refusals import FxRateMissing
from app.domains.orders.core.decision import Outcome
from app.domains.orders.core.refusals import ForcedHold, ReleaseExceedsCheck, ReviewClosed
from app.domains.orders.core.reviews import (
    REVIEWS,
    Check,
    ReservationState,
    Review,
    ReviewMove,
    check_amount,
    check_four_eyes,
    check_hold,
    check_open,
    check_person,
    overruled,
    release_of,
    reservation_state,
)
from app.domains.policies.core.refusals import FourEyes, PersonRequired
from app.kernel.identity import ActorKind
from app.kernel.lifecycle import IllegalMove
from tests.domains.orders.core.making import NOW, a_policy, an_account, an_order, the_facts

CHECK = Check(
    id=UUID(int=5),
    customer_id="C-1",
    segment="main",
    order_ref="O-1",
    amount=Decimal(1500),
    currency="CNY",
    outcome=Outcome.REFERRED,
    codes=("limit_exceeded",),
    caller="key:5",
    caller_name="Shop",
    on_behalf_of="Sam",
    decided_at=NOW,
    review=Review.OPEN,
    review_until=NOW + timedelta(days=30),
)


class TestReviews:
    @pytest.mark.parametrize(("state", "move"), list(product(Review, ReviewMove)))
    def test_are_decided_once(self, state: Review, move: ReviewMove) -> None:
        assert REVIEWS.allows(state, move) is (state is Review.OPEN)

    def test_end_where_each_move_leads(self) -> None:
        ends = {move: REVIEWS.after(Review.OPEN, move) for move in ReviewMove}
        assert ends == {
            ReviewMove.RELEASE: Review.RELEASED,
            ReviewMove.REJECT: Review.REJECTED,
            ReviewMove.SUPERSEDE: Review.SUPERSEDED,
            ReviewMove.LAPSE: Review.LAPSED,
        }

    def test_refuse_a_second_decision(self) -> None:
        rejected = CHECK.moved(ReviewMove.REJECT, by="rita", at=NOW, reason="no")
        with pytest.raises(IllegalMove):
            rejected.moved(ReviewMove.RELEASE, by="rita", at=NOW)

    def test_are_signed_by_whoever_decides(self) -> None:
        rejected = CHECK.moved(ReviewMove.REJECT, by="rita", at=NOW, reason="no")
        assert (rejected.reviewed_by, rejected.reviewed_at, rejected.review_reason) == ("rita", NOW, "no")

    def test_that_end_by_themselves_are_not_signed(self) -> None:
        lapsed = CHECK.moved(ReviewMove.LAPSE, at=NOW)
        assert (lapsed.reviewed_by, lapsed.reviewed_at) == (None, None)


class TestCheckOpen:
    def test_accepts_until_the_review_lapses(self) -> None:
        check_open(CHECK, now=NOW + timedelta(days=30, microseconds=-1))
        with pytest.raises(ReviewClosed, match="lapsed"):
            check_open(CHECK, now=NOW + timedelta(days=30))

    @pytest.mark.parametrize("review", [review for review in Review if review is not Review.OPEN])
    def test_refuses_any_other_state(self, review: Review) -> None:
        with pytest.raises(ReviewClosed):
            check_open(replace(CHECK, review=review), now=NOW)


class TestFourEyes:
    @pytest.mark.parametrize(
        ("principal_id", "name"), [("key:5", "renamed"), ("key:9", "Shop"), ("key:9", "shop"), ("key:9", "sam")]
    )
    def test_refuse_whoever_asked_or_had_it_asked(self, principal_id: str, name: str) -> None:
        with pytest.raises(FourEyes):
            check_four_eyes(CHECK, principal_id=principal_id, name=name)

    def test_accept_anybody_else(self) -> None:
        check_four_eyes(CHECK, principal_id="key:9", name="rita")
        check_four_eyes(replace(CHECK, on_behalf_of=None), principal_id="key:9", name="sam")


class TestRelease:
    @pytest.mark.parametrize("kind", [ActorKind.SERVICE, ActorKind.SYSTEM])
    def test_needs_a_person(self, kind: ActorKind) -> None:
        check_person(ActorKind.PERSON)
        with pytest.raises(PersonRequired):
            check_person(kind)

    def test_is_for_at_most_the_amount_checked(self) -> None:
        check_amount(CHECK, Decimal(1500))
        with pytest.raises(ReleaseExceedsCheck):
            check_amount(CHECK, Decimal("1500.01"))

    def test_yields_to_a_forced_hold_only(self) -> None:
        check_hold(HoldKind.SOFT)
        with pytest.raises(ForcedHold):
            check_hold(HoldKind.FORCED)

    def test_approves_whatever_the_rules_say(self) -> None:
        decision = overruled(the_facts("1500", account=an_account(hold=HoldKind.SOFT)), a_policy())
        assert (decision.outcome, decision.remedies) == (Outcome.APPROVED, ())
        assert decision.reservation is not None
        assert decision.reservation.amount == Decimal(1500)
        assert [reason.code for reason in decision.reasons] == ["limit_exceeded", "account_on_hold"]

    def test_needs_a_rate(self) -> None:
        with pytest.raises(FxRateMissing):
            overruled(the_facts(currency="EUR"), a_policy())

    def test_is_honoured_for_the_policys_days_of_grace(self) -> None:
        noted = release_of(
            an_order(approved="1500"),
            the_facts(),
            a_policy(recheck_grace_days=7).order_checks,
            codes=("limit_exceeded",),
        )
        assert noted == Release(Decimal(1500), ("limit_exceeded",), 30, Decimal(0), NOW + timedelta(days=7))


class TestReservationState:
    UNTIL = NOW + timedelta(days=30)
    ORDER = replace(an_order(approved="300"), expires_at=UNTIL)

    def state(self, order: Commitment, now: datetime = NOW) -> ReservationState:
        return reservation_state(order, expires_at=self.UNTIL, now=now)

    def test_is_active_while_any_of_it_is_open(self) -> None:
        assert self.state(commitments.ship(self.ORDER, amount=Decimal(100))) is ReservationState.ACTIVE

    def test_is_used_once_all_of_it_has_left_or_is_invoiced(self) -> None:
        assert self.state(commitments.ship(self.ORDER, amount=Decimal(300))) is ReservationState.USED
        assert self.state(commitments.invoice(self.ORDER, amount=Decimal(300))) is ReservationState.USED

    def test_is_expired_from_its_last_moment(self) -> None:
        assert self.state(self.ORDER, self.UNTIL) is ReservationState.EXPIRED
        assert self.state(commitments.expire(self.ORDER), self.UNTIL) is ReservationState.EXPIRED

    @pytest.mark.parametrize("end", [commitments.cancel, commitments.close])
    def test_is_freed_by_ending_the_order(self, end: Callable[[Commitment], Commitment]) -> None:
        assert self.state(end(self.ORDER)) is ReservationState.FREED

    def test_is_freed_by_a_later_approval(self) -> None:
        later = commitments.approve(self.ORDER, amount=Decimal(400), ship_on=None, expires_at=self.UNTIL + timedelta(1))
        assert self.state(later) is ReservationState.FREED

    def test_is_freed_where_another_order_took_all_of_it(self) -> None:
        replaced = commitments.reduce(self.ORDER, amount=Decimal(300))
        assert replaced.state is OrderState.CANCELLED
        assert self.state(replaced) is ReservationState.FREED
