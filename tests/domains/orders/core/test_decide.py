"""The decision as a whole: outcome, headroom, reservation, the trial behind them, and what a person has released."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from app.domains.customers.core.terms import PaymentTerms, TermsKind
from app.domains.exposure.core import commitments
from app.domains.exposure.core.account import Account
from app.domains.exposure.core.commitments import Commitment, OrderState, Release
from app.domains.exposure.core.holds import HoldKind
from app.domains.exposure.core.ledger import Exposure
from app.domains.orders.core.decide import decide, review_until
from app.domains.orders.core.decision import Decision, Judgement, Outcome
from app.domains.orders.core.facts import CheckFacts, Checkpoint, Rates, Replacement
from app.domains.policies.core import order_checks as policy
from app.domains.policies.core.order_checks import Effect
from app.kernel.money import AmountOutOfRange, Money
from tests.domains.orders.core.making import (
    NOW,
    ONE,
    UNLIMITED,
    a_group,
    a_policy,
    an_account,
    an_order,
    codes,
    granted,
    the_facts,
    with_orders,
)

PREPAID = PaymentTerms(kind=TermsKind.PREPAID)


def decided(facts: CheckFacts, **order_checks: object) -> Decision:
    return decide(facts, a_policy(**order_checks))


def outcome(facts: CheckFacts, **order_checks: object) -> Outcome:
    return decided(facts, **order_checks).outcome


def cny(amount: str) -> Money:
    return Money(Decimal(amount), "CNY")


class TestOutcome:
    def test_is_the_worst_effect(self) -> None:
        account = an_account(hold=HoldKind.SOFT)
        facts = the_facts("1001", account=account)
        assert outcome(facts, hold=policy.HoldRule(Effect.WARN)) is Outcome.REFERRED
        assert outcome(facts, hold=policy.HoldRule(Effect.DECLINE)) is Outcome.DECLINED

    def test_lists_every_rule_once_whatever_the_first_says(self) -> None:
        decision = decided(the_facts("1001", account=an_account(hold=HoldKind.FORCED)))
        assert len({verdict.rule for verdict in decision.verdicts}) == len(decision.verdicts) == 17
        assert [reason.code for reason in decision.reasons] == ["account_on_hold", "limit_exceeded"]

    def test_of_an_approval_has_no_remedies(self) -> None:
        assert decided(the_facts()).remedies == ()

    def test_refuses_an_order_that_the_ledger_can_not_hold(self) -> None:
        facts = the_facts("999999999999999", currency="EUR", rates=Rates(Decimal(1000), ONE))
        with pytest.raises(AmountOutOfRange):
            decided(facts)


class TestHeadroom:
    def test_is_told_before_and_after(self) -> None:
        decision = decided(the_facts("100", account=an_account(owes="400")))
        assert (decision.headroom_before, decision.headroom_after) == (cny("600"), cny("500"))

    def test_may_be_negative(self) -> None:
        assert decided(the_facts("1100")).headroom_after == cny("-100")

    def test_is_not_told_of_an_unlimited_account(self) -> None:
        decision = decided(the_facts(account=an_account(limit=UNLIMITED)))
        assert (decision.headroom_before, decision.headroom_after) == (None, None)

    def test_after_is_not_told_without_a_rate(self) -> None:
        decision = decided(the_facts(currency="EUR"))
        assert (decision.headroom_before, decision.headroom_after) == (cny("1000"), None)

    def test_is_in_the_accounts_currency_rounded_half_up(self) -> None:
        facts = the_facts("0.33", currency="EUR", rates=Rates(Decimal("7.5"), ONE))
        assert decided(facts).headroom_after == cny("997.52")


class TestReservation:
    def test_is_for_the_open_part_and_the_policys_days(self) -> None:
        reserved = decided(the_facts("100"), reservation_days=14).reservation
        assert reserved is not None
        assert (reserved.amount, reserved.expires_at) == (Decimal(100), NOW + timedelta(days=14))

    def test_begins_with_the_day_the_goods_ship(self) -> None:
        ship_from = datetime(2026, 4, 1, tzinfo=UTC)
        reserved = decided(the_facts(ship_from=ship_from)).reservation
        assert reserved is not None
        assert reserved.expires_at == ship_from + timedelta(days=30)

    @pytest.mark.parametrize(("asked", "days"), [(5, 5), (0, 0), (90, 30)])
    def test_may_only_be_shortened_by_the_request(self, asked: int, days: int) -> None:
        reserved = decided(the_facts(reservation_days=asked)).reservation
        assert reserved is not None
        assert reserved.expires_at == NOW + timedelta(days=days)

    @pytest.mark.parametrize("facts", [the_facts("1001"), the_facts(reserve=False), the_facts(terms=PREPAID)])
    def test_is_none_where_nothing_is_set_aside(self, facts: CheckFacts) -> None:
        assert decided(facts).reservation is None


class TestPrepaid:
    def test_is_judged_by_holds_only(self) -> None:
        account = an_account(owes="5000", limit=None)
        decision = decided(the_facts(account=account, terms=PREPAID))
        assert decision.outcome is Outcome.APPROVED
        assert {v.rule for v in decision.verdicts if v.judgement is not Judgement.OFF} == {"hold"}

    def test_changes_no_headroom(self) -> None:
        decision = decided(the_facts(terms=PREPAID))
        assert decision.headroom_before == decision.headroom_after

    def test_is_stopped_by_a_hold(self) -> None:
        assert codes(the_facts(account=an_account(hold=HoldKind.SOFT), terms=PREPAID)) == ["account_on_hold"]


def asked_again(amount: str, order: Commitment, account: Account, **request: Any) -> CheckFacts:
    """A check of an order that is in the account's exposure already."""
    return the_facts(amount, account=with_orders(account, order), order=order, **request)


class TestOrderCheckpoint:
    def test_does_not_count_the_order_against_itself(self) -> None:
        order = an_order(approved="900")
        assert outcome(asked_again("1000", order, an_account())) is Outcome.APPROVED
        assert outcome(asked_again("1000.01", order, an_account())) is Outcome.REFERRED

    def test_counts_the_shipped_part_as_part_of_the_order(self) -> None:
        order = an_order(approved="900", shipped="400")
        assert outcome(asked_again("1000", order, an_account())) is Outcome.APPROVED
        assert outcome(asked_again("1000.01", order, an_account())) is Outcome.REFERRED

    def test_reserves_what_has_neither_shipped_nor_been_invoiced(self) -> None:
        order = an_order(approved="900", shipped="400", invoiced="500")
        reserved = decided(asked_again("800", order, an_account(owes="500"))).reservation
        assert reserved is not None
        assert reserved.amount == Decimal(300)

    def test_keeps_the_rate_of_an_order_that_binds(self) -> None:
        order = an_order(approved="10", currency="EUR", rate=Decimal(7))
        facts = asked_again("100", order, an_account(), currency="EUR", rates=Rates(Decimal(8), ONE))
        assert decided(facts).headroom_after == cny("300")

    def test_takes_the_rate_of_the_day_for_an_order_that_binds_nothing(self) -> None:
        order = an_order(currency="EUR", rate=Decimal(7), state=OrderState.CANCELLED)
        facts = asked_again("100", order, an_account(), currency="EUR", rates=Rates(Decimal(8), ONE))
        assert decided(facts).headroom_after == cny("200")


class TestShipmentCheckpoint:
    ORDER = an_order(approved="900", shipped="400")

    def leaving(self, amount: str) -> CheckFacts:
        return asked_again(amount, self.ORDER, an_account(), checkpoint=Checkpoint.SHIPMENT)

    def test_judges_what_exceeds_the_approval(self) -> None:
        assert outcome(self.leaving("600")) is Outcome.APPROVED
        assert outcome(self.leaving("600.01")) is Outcome.REFERRED

    def test_within_the_approval_changes_no_headroom(self) -> None:
        decision = decided(self.leaving("500"))
        assert (decision.headroom_before, decision.headroom_after) == (cny("100"), cny("100"))

    def test_never_shrinks_what_is_reserved(self) -> None:
        reserved = decided(self.leaving("1")).reservation
        assert reserved is not None
        assert reserved.amount == Decimal(500)

    def test_of_an_order_that_nobody_asked_for_judges_it_all(self) -> None:
        facts = the_facts("1000.01", checkpoint=Checkpoint.SHIPMENT)
        assert outcome(facts) is Outcome.REFERRED


class TestHorizon:
    def later(self, amount: str, horizon_days: int | None) -> Outcome:
        account = replace(with_orders(an_account(), an_order("O-2", approved="900")), beyond_horizon=Decimal(900))
        return outcome(the_facts(amount, account=account), horizon_days=horizon_days)

    def test_leaves_out_orders_that_ship_later(self) -> None:
        assert self.later("1000", 30) is Outcome.APPROVED
        assert self.later("1000.01", 30) is Outcome.REFERRED

    def test_without_days_counts_every_order(self) -> None:
        assert self.later("100.01", None) is Outcome.REFERRED

    def test_always_counts_the_order_itself(self) -> None:
        order = an_order(approved="900", ship_on=NOW.date() + timedelta(days=60))
        account = replace(with_orders(an_account(), order), beyond_horizon=Decimal(900))
        facts = the_facts("1000.01", account=account, order=order)
        assert outcome(facts, horizon_days=30) is Outcome.REFERRED


class TestHeldOrders:
    ACCOUNT = replace(an_account(), held_orders=Decimal(900))

    @pytest.mark.parametrize(
        ("amount", "count", "expected"),
        [("1000", False, Outcome.APPROVED), ("100", True, Outcome.APPROVED), ("100.01", True, Outcome.REFERRED)],
    )
    def test_use_headroom_only_where_the_policy_says_so(self, amount: str, count: bool, expected: Outcome) -> None:
        assert outcome(the_facts(amount, account=self.ACCOUNT), held_orders_count=count) is expected

    def test_leave_out_what_the_order_itself_waits_for(self) -> None:
        order = an_order(held="900", state=OrderState.HELD)
        facts = the_facts("1000", account=self.ACCOUNT, order=order)
        assert outcome(facts, held_orders_count=True) is Outcome.APPROVED


class TestReplaces:
    def test_frees_a_part_of_another_order_in_the_same_decision(self) -> None:
        quote = an_order("Q-1", approved="900")
        account = with_orders(an_account(), quote)
        part = Replacement("Q-1", Decimal(600))
        facts = the_facts("700", account=account, replaced=(quote,), replaces=(part,))
        assert outcome(facts) is Outcome.APPROVED
        more = replace(facts, request=replace(facts.request, amount=Decimal("700.01")))
        assert outcome(more) is Outcome.REFERRED

    def test_frees_at_most_what_is_open(self) -> None:
        quote = an_order("Q-1", approved="900", shipped="800")
        account = with_orders(an_account(), quote)
        facts = the_facts("201", account=account, replaced=(quote,), replaces=(Replacement("Q-1", Decimal(900)),))
        assert outcome(facts) is Outcome.REFERRED

    def test_frees_it_in_the_group_too(self) -> None:
        quote = an_order("Q-1", approved="900")
        account = replace(with_orders(an_account(), quote), group_id=a_group({}, limit=None).id)
        group = a_group({"CNY": "900"}, limit=granted("900"))
        facts = the_facts(
            "900", account=account, group=group, replaced=(quote,), replaces=(Replacement("Q-1", Decimal(900)),)
        )
        assert outcome(facts, group_limit=policy.GroupLimitRule()) is Outcome.APPROVED


class TestRelease:
    UNTIL = NOW + timedelta(days=3)

    def again(self, amount: str, *, at: datetime = NOW, asked: PaymentTerms | None = None, **more: Any) -> Decision:
        release = Release(Decimal(1500), ("limit_exceeded",), 30, Decimal(2), self.UNTIL)
        order = replace(an_order(approved="1500"), release=release)
        facts = the_facts(amount, account=with_orders(an_account(**more), order), order=order, at=at, terms=asked)
        return decided(facts)

    def test_turns_the_referral_into_a_warning(self) -> None:
        decision = self.again("1500")
        assert decision.outcome is Outcome.APPROVED
        assert [(r.code, r.judgement) for r in decision.reasons] == [("limit_exceeded", Judgement.WARN)]

    def test_holds_until_its_last_moment(self) -> None:
        assert self.again("1500", at=self.UNTIL).outcome is Outcome.APPROVED
        assert self.again("1500", at=self.UNTIL + timedelta(microseconds=1)).outcome is Outcome.REFERRED

    def test_covers_no_more_than_was_released(self) -> None:
        assert self.again("1500.01").outcome is Outcome.REFERRED

    @pytest.mark.parametrize(
        ("asked", "expected"),
        [
            (PaymentTerms(net_days=30, discount_percent=Decimal(2)), Outcome.APPROVED),
            (PaymentTerms(net_days=31), Outcome.REFERRED),
            (PaymentTerms(net_days=10, discount_percent=Decimal("2.01")), Outcome.REFERRED),
        ],
    )
    def test_covers_no_better_terms(self, asked: PaymentTerms, expected: Outcome) -> None:
        assert self.again("1500", asked=asked).outcome is expected

    def test_covers_no_other_reason(self) -> None:
        assert self.again("1500", hold=HoldKind.SOFT).outcome is Outcome.REFERRED

    def test_never_covers_a_decline(self) -> None:
        assert self.again("1500", hold=HoldKind.FORCED).outcome is Outcome.DECLINED


class TestReviewUntil:
    def test_is_the_policys_reservation_days_away(self) -> None:
        facts, checks = the_facts("1001"), a_policy(reservation_days=14).order_checks
        assert review_until(facts, checks, decided(facts)) == NOW + timedelta(days=14)

    @pytest.mark.parametrize("facts", [the_facts(), the_facts("1001", reserve=False)])
    def test_is_none_where_there_is_nothing_to_review(self, facts: CheckFacts) -> None:
        assert review_until(facts, a_policy().order_checks, decided(facts)) is None


class TestParallelOrders:
    def test_approve_exactly_what_the_headroom_holds(self) -> None:
        account, approved = an_account(), 0
        for number in range(20):
            facts = the_facts("100", account=account)
            if outcome(facts) is Outcome.APPROVED:
                approved += 1
                order = commitments.approve(
                    an_order(f"O-{number}", approved="0"), amount=Decimal(100), ship_on=None, expires_at=None
                )
                account = with_orders(account, order)
        assert approved == 10
        assert account.exposure == Exposure("CNY", open_orders=Decimal(1000))
