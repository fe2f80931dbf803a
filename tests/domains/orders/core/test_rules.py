"""Every rule of the table: what passes, what it objects to, the threshold itself, and what is missing."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from app.domains.customers.core.terms import DueFrom, PaymentTerms, TermsKind
from app.domains.exposure.core.account import Account, Overdue, Profile
from app.domains.exposure.core.holds import HoldKind
from app.domains.exposure.core.ledger import Exposure
from app.domains.exposure.core.limits import Limit
from app.domains.orders.core.decide import decide
from app.domains.orders.core.decision import Judgement, Outcome
from app.domains.orders.core.facts import Rates
from app.domains.orders.core.rules import RULES, Rule, judge
from app.domains.orders.core.rules.finding import Finding
from app.domains.orders.core.trial import Trial, attempt
from app.domains.policies.core import order_checks as policy
from app.domains.policies.core.order_checks import Effect
from app.kernel.money import Money
from tests.domains.orders.core.making import (
    LONG_AGO,
    ONE,
    TODAY,
    UNLIMITED,
    WITHDRAWN,
    a_group,
    a_policy,
    an_account,
    codes,
    granted,
    judgement,
    the_facts,
    verdict,
)

PASS, WARN, REFER, DECLINE, OFF = (
    Judgement.PASS,
    Judgement.WARN,
    Judgement.REFER,
    Judgement.DECLINE,
    Judgement.OFF,
)


def days(number: int) -> date:
    """So many days from today."""
    return TODAY + timedelta(days=number)


PLENTY = granted("10000")


class TestEveryRule:
    def test_has_a_section_in_the_policy_and_every_section_a_rule(self) -> None:
        names = {rule.name for rule in RULES}
        parameters = {"horizon_days", "reservation_days", "held_orders_count", "recheck_grace_days"}
        assert names | parameters == set(policy.OrderChecks.__dataclass_fields__)

    @pytest.mark.parametrize("rule", [r for r in RULES if getattr(policy.OrderChecks(), r.name) is None])
    def test_is_off_where_the_policy_leaves_it_out(self, rule: Rule) -> None:
        assert judgement(rule.name, the_facts()) is OFF

    @pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
    def test_that_fails_refers_by_name(self, rule: Rule) -> None:
        def boom(_trial: Trial, _parameters: Any) -> Finding:
            raise ZeroDivisionError

        section = getattr(policy.OrderChecks(), rule.name) or object()
        trial = replace(attempt(the_facts(), a_policy(**{rule.name: section})))
        found = judge(replace(rule, judge=boom), trial)
        assert (found.judgement, found.code, found.rule) == (REFER, "rule_failed", rule.name)
        assert "ZeroDivisionError" in found.message

    @pytest.mark.parametrize("rule", [rule for rule in RULES if rule.needs_rate], ids=lambda rule: rule.name)
    def test_that_compares_the_exposure_refers_without_a_rate(self, rule: Rule) -> None:
        sections = {
            "group_limit": policy.GroupLimitRule(),
            "order_value": policy.OrderValueRule(Effect.WARN, Decimal(10**6)),
            "overdue_with_utilisation": policy.OverdueWithUtilisationRule(Effect.WARN, Decimal(0), Decimal(0)),
            "cover": policy.CoverRule(Effect.WARN, Decimal(0)),
            "utilisation_warning": policy.UtilisationWarningRule(),
        }
        found = verdict(rule.name, the_facts(currency="EUR"), a_policy(**sections))
        assert (found.judgement, found.code) == (REFER, "fx_rate_missing")

    def test_of_a_missing_rate_together_give_one_reason(self) -> None:
        assert codes(the_facts(currency="EUR")) == ["fx_rate_missing"]

    @pytest.mark.parametrize(
        ("effect", "outcome"),
        [(Effect.WARN, Outcome.APPROVED), (Effect.REFER, Outcome.REFERRED), (Effect.DECLINE, Outcome.DECLINED)],
    )
    def test_has_the_effect_that_the_policy_gives_it(self, effect: Effect, outcome: Outcome) -> None:
        decision = decide(the_facts("1001"), a_policy(limit=policy.LimitRule(effect)))
        assert decision.outcome is outcome
        assert [(reason.code, reason.judgement.value) for reason in decision.reasons] == [
            ("limit_exceeded", effect.value)
        ]


class TestLimit:
    @pytest.mark.parametrize(
        ("amount", "tolerance", "expected"),
        [("600", "0", PASS), ("600.01", "0", REFER), ("700", "10", PASS), ("700.01", "10", REFER)],
    )
    def test_is_the_most_that_passes(self, amount: str, tolerance: str, expected: Judgement) -> None:
        facts = the_facts(amount, account=an_account(owes="400"))
        rule = policy.LimitRule(tolerance_percent=Decimal(tolerance))
        assert judgement("limit", facts, a_policy(limit=rule)) is expected

    def test_tells_by_how_much_it_is_exceeded(self) -> None:
        found = verdict("limit", the_facts("700", account=an_account(owes="400")))
        assert (found.value, found.threshold, found.shortfall) == (
            Money(Decimal(1100), "CNY"),
            Money(Decimal(1000), "CNY"),
            Money(Decimal(100), "CNY"),
        )

    def test_of_zero_is_no_credit(self) -> None:
        account = an_account(limit=granted("0"))
        assert judgement("limit", the_facts("0.01", account=account)) is REFER

    def test_that_is_unlimited_passes_any_amount(self) -> None:
        account = an_account(limit=UNLIMITED)
        assert judgement("limit", the_facts("999999999", account=account)) is PASS

    @pytest.mark.parametrize(
        ("first", "last", "expected"),
        [(0, 0, REFER), (-1, -1, PASS), (1, 1, PASS), (-1, 1, REFER), (0, 5, REFER), (-5, 0, REFER)],
    )
    def test_that_is_temporary_replaces_the_base_on_its_days(self, first: int, last: int, expected: Judgement) -> None:
        temporary = granted("50", since=days(first), until=days(last))
        assert judgement("limit", the_facts(account=an_account(temporary_limit=temporary))) is expected

    def test_that_is_temporary_may_be_higher(self) -> None:
        temporary = granted("5000", since=TODAY, until=TODAY)
        assert judgement("limit", the_facts("5000", account=an_account(temporary_limit=temporary))) is PASS

    def test_is_relieved_by_unallocated_credits(self) -> None:
        exposure = Exposure("CNY", receivables=Decimal(1000), unallocated_credits=Decimal(100))
        assert judgement("limit", the_facts("100", account=an_account(exposure=exposure))) is PASS


class TestGroupLimit:
    RULE = policy.GroupLimitRule()

    def judged(self, amount: str, *, shared: Limit | None, own: Limit | None = PLENTY, **more: Any) -> list[str]:
        account = an_account(owes="300", limit=own, group_id=a_group({}, limit=None).id)
        group = a_group({"CNY": "700"}, limit=shared)
        return codes(the_facts(amount, account=account, group=group, **more), a_policy(group_limit=self.RULE))

    @pytest.mark.parametrize(("amount", "expected"), [("300", []), ("300.01", ["group_limit_exceeded"])])
    def test_is_the_most_that_the_members_may_owe_together(self, amount: str, expected: list[str]) -> None:
        assert self.judged(amount, shared=granted("1000")) == expected

    @pytest.mark.parametrize(
        ("own", "shared", "expected"),
        [
            (UNLIMITED, granted("1000"), []),
            (UNLIMITED, granted("799"), ["group_limit_exceeded"]),
            (None, granted("1000"), []),
            (None, granted("799"), ["group_limit_exceeded"]),
            (WITHDRAWN, granted("1000"), []),
            (None, None, ["no_limit"]),
            (None, WITHDRAWN, ["no_limit"]),
            (granted("0"), granted("1000"), ["limit_exceeded"]),
            (granted("10000"), UNLIMITED, []),
            (granted("399"), UNLIMITED, ["limit_exceeded"]),
            (granted("399"), granted("799"), ["limit_exceeded", "group_limit_exceeded"]),
            (granted("10000"), granted("0"), ["group_limit_exceeded"]),
            (granted("10000"), granted("1000", until=days(-1)), ["group_limit_exceeded"]),
            (granted("10000"), granted("1000", since=days(1)), []),
            (None, granted("1000", until=days(-1)), ["group_limit_exceeded", "no_limit"]),
        ],
    )
    def test_is_judged_beside_the_own_one(self, own: Limit | None, shared: Limit | None, expected: list[str]) -> None:
        assert self.judged("100", shared=shared, own=own) == expected

    def test_counts_members_of_other_currencies_at_todays_rates(self) -> None:
        account = an_account(group_id=a_group({}, limit=None).id)
        group = a_group({"CNY": "100", "EUR": "100"}, limit=granted("1000"))
        rates = Rates(ONE, ONE, {"CNY": ONE, "EUR": Decimal(8)})
        checks = a_policy(group_limit=self.RULE)
        assert judgement("group_limit", the_facts("100", account=account, group=group, rates=rates), checks) is PASS
        assert judgement("group_limit", the_facts("100.01", account=account, group=group, rates=rates), checks) is REFER

    def test_refers_by_name_where_a_members_rate_is_missing(self) -> None:
        account = an_account(group_id=a_group({}, limit=None).id)
        group = a_group({"CNY": "100", "EUR": "100"}, limit=granted("1000"))
        facts = the_facts(account=account, group=group, rates=Rates(ONE, ONE, {"CNY": ONE}))
        assert codes(facts, a_policy(group_limit=self.RULE)) == ["fx_rate_missing"]


class TestMissingLimit:
    @pytest.mark.parametrize("limit", [None, WITHDRAWN, granted("1000", since=days(1))])
    def test_refers_any_exposure(self, limit: Limit | None) -> None:
        assert codes(the_facts("0.01", account=an_account(limit=limit))) == ["no_limit"]

    def test_passes_an_order_that_leaves_no_exposure(self) -> None:
        exposure = Exposure("CNY", unallocated_credits=Decimal(100))
        facts = the_facts("100", account=an_account(limit=None, exposure=exposure))
        assert codes(facts) == []


class TestLimitExpiry:
    @pytest.mark.parametrize(
        ("ended", "grace", "expected"), [(0, 0, PASS), (-1, 0, REFER), (-5, 5, PASS), (-6, 5, REFER)]
    )
    def test_refers_beyond_the_days_of_grace(self, ended: int, grace: int, expected: Judgement) -> None:
        account = an_account(limit=granted("1000", until=days(ended)))
        rule = policy.LimitExpiryRule(grace_days=grace)
        assert judgement("limit_expiry", the_facts(account=account), a_policy(limit_expiry=rule)) is expected

    def test_in_grace_still_holds_exposure_against_the_limit(self) -> None:
        account = an_account(limit=granted("1000", until=days(-5)))
        checks = a_policy(limit_expiry=policy.LimitExpiryRule(grace_days=5))
        assert codes(the_facts("1001", account=account), checks) == ["limit_exceeded"]


class TestHold:
    @pytest.mark.parametrize(
        ("hold", "effect", "expected"),
        [
            (HoldKind.NONE, Effect.DECLINE, PASS),
            (HoldKind.SOFT, Effect.WARN, WARN),
            (HoldKind.SOFT, Effect.REFER, REFER),
            (HoldKind.SOFT, Effect.DECLINE, DECLINE),
            (HoldKind.FORCED, Effect.WARN, DECLINE),
        ],
    )
    def test_refers_when_soft_and_declines_when_forced(
        self, hold: HoldKind, effect: Effect, expected: Judgement
    ) -> None:
        facts = the_facts(account=an_account(hold=hold))
        assert judgement("hold", facts, a_policy(hold=policy.HoldRule(effect))) is expected


class TestOrderValue:
    RULE = a_policy(order_value=policy.OrderValueRule(Effect.REFER, Decimal(500)))

    @pytest.mark.parametrize(("amount", "expected"), [("500", PASS), ("500.01", REFER)])
    def test_is_the_most_that_one_order_may_be(self, amount: str, expected: Judgement) -> None:
        assert judgement("order_value", the_facts(amount), self.RULE) is expected

    def test_is_in_the_segments_currency(self) -> None:
        rates = Rates(ONE, Decimal(2))
        assert judgement("order_value", the_facts("1000", rates=rates), self.RULE) is PASS
        assert judgement("order_value", the_facts("1000.01", rates=rates), self.RULE) is REFER

    def test_fails_closed_without_the_rate_of_the_policy(self) -> None:
        assert codes(the_facts("1", rates=Rates(ONE, None)), self.RULE) == ["rule_failed"]


def overdue(**members: Any) -> Account:
    """An account that owes 400, of which `members` are late."""
    return an_account(owes="400", overdue=Overdue(**members))


class TestOldestItem:
    @pytest.mark.parametrize(("late", "expected"), [(30, PASS), (31, REFER)])
    def test_may_be_late_by_the_policys_days(self, late: int, expected: Judgement) -> None:
        account = overdue(breaching_due_on=days(-late), breaching=Decimal(50))
        found = verdict("oldest_item", the_facts(account=account), a_policy(oldest_item=policy.OldestItemRule()))
        assert (found.judgement, found.value) == (expected, late)
        assert found.cure == (Money(Decimal(50), "CNY") if expected is REFER else None)

    def test_passes_without_anything_late(self) -> None:
        assert judgement("oldest_item", the_facts(), a_policy(oldest_item=policy.OldestItemRule())) is PASS


class TestOverdueShare:
    RULE = a_policy(overdue_share=policy.OverdueShareRule(Effect.REFER, Decimal(25)))

    @pytest.mark.parametrize(("aged", "expected"), [("100", PASS), ("100.01", REFER)])
    def test_may_be_the_policys_part_of_the_open_items(self, aged: str, expected: Judgement) -> None:
        assert judgement("overdue_share", the_facts(account=overdue(aged=Decimal(aged))), self.RULE) is expected

    def test_passes_without_open_items(self) -> None:
        assert judgement("overdue_share", the_facts(), self.RULE) is PASS


class TestOverdueWithUtilisation:
    RULE = a_policy(overdue_with_utilisation=policy.OverdueWithUtilisationRule(Effect.REFER, Decimal(50), Decimal(80)))

    @pytest.mark.parametrize(
        ("late", "amount", "expected"),
        [("50", "400", REFER), ("49.99", "400", PASS), ("50", "399.99", PASS)],
    )
    def test_objects_where_both_thresholds_are_reached(self, late: str, amount: str, expected: Judgement) -> None:
        account = overdue(amount=Decimal(late))
        assert judgement("overdue_with_utilisation", the_facts(amount, account=account), self.RULE) is expected

    def test_takes_a_limit_of_zero_as_used_up(self) -> None:
        account = replace(overdue(amount=Decimal(60)), base_limit=granted("0"))
        assert judgement("overdue_with_utilisation", the_facts("1", account=account), self.RULE) is REFER

    def test_passes_without_anything_late(self) -> None:
        rule = policy.OverdueWithUtilisationRule(Effect.REFER, Decimal(0), Decimal(0))
        assert judgement("overdue_with_utilisation", the_facts(), a_policy(overdue_with_utilisation=rule)) is PASS


def profiled(**members: Any) -> Account:
    """An account of a customer of whom `members` are known."""
    return an_account(profile=Profile(**members))


class TestProfile:
    @pytest.mark.parametrize(("level", "expected"), [(0, PASS), (2, PASS), (3, REFER)])
    def test_dunning_level_may_be_the_policys(self, level: int, expected: Judgement) -> None:
        checks = a_policy(dunning_level=policy.DunningLevelRule())
        assert judgement("dunning_level", the_facts(account=profiled(dunning_level=level)), checks) is expected

    @pytest.mark.parametrize(("index", "expected"), [("60", PASS), ("59.99", REFER), (None, REFER)])
    def test_payment_index_must_be_known_and_not_below_the_policys(
        self, index: str | None, expected: Judgement
    ) -> None:
        account = profiled(payment_index=None if index is None else Decimal(index))
        checks = a_policy(payment_index=policy.PaymentIndexRule(Effect.REFER, Decimal(60)))
        assert judgement("payment_index", the_facts(account=account), checks) is expected

    @pytest.mark.parametrize(
        ("grade", "expected"), [("A", PASS), ("C", PASS), ("D", REFER), ("Z", REFER), (None, REFER)]
    )
    def test_grade_must_be_known_and_not_worse_than_the_policys(self, grade: str | None, expected: Judgement) -> None:
        checks = a_policy(grade=policy.GradeRule(Effect.REFER, "C"))
        assert judgement("grade", the_facts(account=profiled(grade=grade)), checks) is expected

    @pytest.mark.parametrize(
        ("age", "expected"), [(365, []), (366, ["assessment_stale"]), (None, ["assessment_missing"])]
    )
    def test_assessment_must_be_there_and_no_older_than_the_policys_days(
        self, age: int | None, expected: list[str]
    ) -> None:
        account = profiled(assessed_on=None if age is None else days(-age))
        checks = a_policy(assessment_age=policy.AssessmentAgeRule(Effect.REFER, 365))
        assert codes(the_facts(account=account), checks) == expected

    @pytest.mark.parametrize(
        ("amount", "until", "expected"),
        [("50", None, PASS), ("49.99", None, REFER), ("50", 0, PASS), ("50", -1, REFER), (None, None, REFER)],
    )
    def test_cover_must_be_valid_and_enough(self, amount: str | None, until: int | None, expected: Judgement) -> None:
        account = profiled(
            cover_amount=None if amount is None else Decimal(amount),
            cover_until=None if until is None else days(until),
        )
        checks = a_policy(cover=policy.CoverRule(Effect.REFER, Decimal(50)))
        assert judgement("cover", the_facts("100", account=account), checks) is expected


class TestTerms:
    USUAL = PaymentTerms(net_days=30, discount_percent=Decimal(2), discount_days=10)

    @pytest.mark.parametrize(
        ("asked", "expected"),
        [
            (None, []),
            (PaymentTerms(net_days=30, discount_percent=Decimal(2)), []),
            (PaymentTerms(net_days=10), []),
            (PaymentTerms(net_days=31), ["terms_improved"]),
            (PaymentTerms(net_days=10, due_from=DueFrom.MONTH_END), ["terms_improved"]),
            (PaymentTerms(net_days=30, discount_percent=Decimal("2.01")), ["discount_improved"]),
            (PaymentTerms(net_days=31, discount_percent=Decimal(5)), ["terms_improved"]),
            (PaymentTerms(kind=TermsKind.PREPAID), []),
        ],
    )
    def test_may_not_be_better_than_the_customers(self, asked: PaymentTerms | None, expected: list[str]) -> None:
        checks = a_policy(terms=policy.TermsRule(Effect.REFER))
        assert codes(_asking(asked, self.USUAL), checks) == expected

    def test_on_account_are_better_than_prepaid(self) -> None:
        checks = a_policy(terms=policy.TermsRule(Effect.REFER))
        assert codes(_asking(PaymentTerms(), PaymentTerms(kind=TermsKind.PREPAID)), checks) == ["terms_improved"]


def _asking(asked: PaymentTerms | None, usual: PaymentTerms) -> Any:
    facts = the_facts(terms=usual)
    return replace(facts, request=replace(facts.request, terms=asked))


class TestUtilisationWarning:
    RULE = a_policy(utilisation_warning=policy.UtilisationWarningRule())

    @pytest.mark.parametrize(("amount", "expected"), [("900", PASS), ("900.01", WARN)])
    def test_warns_strictly_above_the_policys_part(self, amount: str, expected: Judgement) -> None:
        decision = decide(the_facts(amount), self.RULE)
        assert judgement("utilisation_warning", the_facts(amount), self.RULE) is expected
        assert decision.outcome is Outcome.APPROVED

    @pytest.mark.parametrize("limit", [UNLIMITED, None, granted("1000", since=LONG_AGO, until=days(-1))])
    def test_says_nothing_where_there_is_no_limit_to_use(self, limit: Limit | None) -> None:
        assert judgement("utilisation_warning", the_facts(account=an_account(limit=limit)), self.RULE) is PASS
