"""What would get an order through, proved by doing it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import assume, example, given
from hypothesis import strategies as st

from app.domains.exposure.core.account import Overdue, Profile
from app.domains.exposure.core.commitments import Commitment
from app.domains.exposure.core.holds import HoldKind
from app.domains.orders.core.decide import decide
from app.domains.orders.core.decision import Action, Decision, Outcome, Remedy
from app.domains.orders.core.facts import CheckFacts, Checkpoint, Rates
from app.domains.policies.core import order_checks as policy
from app.domains.policies.core.document import Policy
from app.domains.policies.core.order_checks import Effect
from app.kernel.money import Money, quantum
from tests.domains.orders.core.making import (
    NOW,
    ONE,
    TODAY,
    a_group,
    a_policy,
    an_account,
    an_order,
    granted,
    the_facts,
    with_orders,
)

CENTS = st.integers(min_value=0, max_value=10**9).map(lambda cents: Decimal(cents) / 100)
RATES = st.one_of(
    st.just(ONE),
    st.decimals(min_value="0.0001", max_value="5000", places=6),
    st.decimals(min_value="0.000001", max_value="0.1", places=12),
)
TOLERANCES = st.sampled_from([Decimal(0), Decimal("0.5"), Decimal(10), Decimal("33.33")])
CURRENCIES = st.sampled_from(["EUR", "JPY", "KWD", "CNY"])


@st.composite
def orders(draw: st.DrawFn, currency: str, rate: Decimal) -> Commitment | None:
    """The order as it stands before it is asked for again, if anybody has asked before."""
    if draw(st.booleans()):
        return None
    step = quantum(currency)
    a, s, i = (Decimal(draw(st.integers(0, 10**6))) * step for _ in range(3))
    return an_order(currency=currency, rate=rate, approved=a, shipped=s, invoiced=i)


@st.composite
def situations(draw: st.DrawFn) -> tuple[CheckFacts, Policy]:
    """Checks that limits, own and shared, and the value of one order may refuse."""
    currency = draw(CURRENCIES)
    rate = ONE if currency == "CNY" else draw(RATES)
    order = draw(orders(currency, rate))
    limit = draw(CENTS)
    account = an_account(owes=str(draw(CENTS)), limit=granted(str(limit)))
    group, into_group = None, {}
    if draw(st.booleans()):
        group_rate = draw(RATES)
        into_group = {"CNY": group_rate}
        group = a_group({}, limit=granted(str(draw(CENTS))), currency="USD")
        account = replace(account, group_id=group.id)
    if order is not None:
        account = with_orders(account, order)
    if group is not None:
        group = replace(group, totals={"CNY": account.exposure.total.amount})
    checkpoint = draw(st.sampled_from(Checkpoint))
    amount = Decimal(draw(st.integers(1, 10**7))) * quantum(currency)
    facts = the_facts(
        str(amount),
        account=account,
        order=order,
        group=group,
        currency=currency,
        rates=Rates(rate, ONE, into_group),
        checkpoint=checkpoint,
    )
    checks = a_policy(
        limit=policy.LimitRule(tolerance_percent=draw(TOLERANCES)),
        group_limit=policy.GroupLimitRule(tolerance_percent=draw(TOLERANCES)),
        order_value=draw(st.one_of(st.none(), CENTS.map(lambda most: policy.OrderValueRule(Effect.REFER, most)))),
    )
    return facts, checks


def remedy(decision: Decision, action: Action) -> Remedy | None:
    """The first remedy of a kind."""
    return next((found for found in decision.remedies if found.action is action), None)


def asking(facts: CheckFacts, amount: Decimal) -> CheckFacts:
    """The same check over another amount."""
    return replace(facts, request=replace(facts.request, amount=amount))


def paid(facts: CheckFacts, amount: Money) -> CheckFacts:
    """The facts after the customer has paid `amount`."""
    account = facts.account
    exposure = replace(account.exposure, receivables=account.exposure.receivables - amount.amount)
    group = facts.group.shifted(-amount) if facts.group else None
    return replace(facts, account=replace(account, exposure=exposure), group=group)


def objections(facts: CheckFacts, checks: Policy) -> set[str]:
    """The codes that keep the order from being approved."""
    return {verdict.code for verdict in decide(facts, checks).verdicts if verdict.judgement.objects}


class TestReduceOrder:
    @given(situations())
    def test_is_the_largest_amount_that_passes(self, situation: tuple[CheckFacts, Policy]) -> None:
        facts, checks = situation
        decision = decide(facts, checks)
        assume(decision.outcome is not Outcome.APPROVED)
        step = quantum(facts.request.currency)

        reduced = remedy(decision, Action.REDUCE_ORDER)

        if reduced is None:
            assert decide(asking(facts, step), checks).outcome is not Outcome.APPROVED or _adds_nothing(facts, step)
            return
        amount = reduced.amount.amount
        assert 0 < amount < facts.request.amount
        assert decide(asking(facts, amount), checks).outcome is Outcome.APPROVED
        assert decide(asking(facts, amount + step), checks).outcome is not Outcome.APPROVED

    def test_is_not_offered_where_something_else_stands_in_the_way(self) -> None:
        decision = decide(the_facts("1001", account=an_account(hold=HoldKind.SOFT)), a_policy())
        assert remedy(decision, Action.REDUCE_ORDER) is None

    def test_is_not_offered_without_any_room(self) -> None:
        assert remedy(decide(the_facts(account=an_account(owes="1000")), a_policy()), Action.REDUCE_ORDER) is None

    def test_cures_every_objection(self) -> None:
        checks = a_policy(order_value=policy.OrderValueRule(Effect.REFER, Decimal(500)))
        reduced = remedy(decide(the_facts("1100", account=an_account(owes="600")), checks), Action.REDUCE_ORDER)
        assert reduced == Remedy(
            Action.REDUCE_ORDER, Money(Decimal(400), "CNY"), ("limit_exceeded", "order_value_exceeded")
        )


def _adds_nothing(facts: CheckFacts, amount: Decimal) -> bool:
    """Whether an order of `amount` would leave nothing open beyond what has shipped, or is approved already."""
    order = facts.order
    if order is None:
        return False
    if facts.request.checkpoint is Checkpoint.SHIPMENT:
        return order.shipped + amount <= max(order.approved, order.invoiced)
    return amount <= max(order.shipped, order.invoiced)


class TestPay:
    @given(situations())
    def test_cures_what_it_says_to_the_cent(self, situation: tuple[CheckFacts, Policy]) -> None:
        facts, checks = situation
        pay = remedy(decide(facts, checks), Action.PAY)
        if pay is None:
            assert not objections(facts, checks) & {"limit_exceeded", "group_limit_exceeded"}
            return
        assert pay.amount.amount > 0
        assert not set(pay.cures) & objections(paid(facts, pay.amount), checks)
        # Where the group's currency is coarser than the account's, a little less may round to the same.
        if facts.group is None:
            less = Money(pay.amount.amount - Decimal("0.01"), "CNY")
            assert set(pay.cures) & objections(paid(facts, less), checks)


class TestRaiseLimit:
    @given(situations())
    def test_names_limits_that_are_enough(self, situation: tuple[CheckFacts, Policy]) -> None:
        facts, checks = situation
        raised = facts
        decision = decide(facts, checks)
        for found in decision.remedies:
            if found.action is not Action.RAISE_LIMIT:
                continue
            enough = granted(str(found.amount.amount))
            if found.cures == ("group_limit_exceeded",):
                assert raised.group is not None
                raised = replace(raised, group=replace(raised.group, base_limit=enough))
            else:
                raised = replace(raised, account=replace(raised.account, base_limit=enough))
            assert not set(found.cures) & objections(raised, checks)

    def test_gives_one_to_a_customer_without(self) -> None:
        raised = remedy(decide(the_facts("150", account=an_account(limit=None)), a_policy()), Action.RAISE_LIMIT)
        assert raised == Remedy(Action.RAISE_LIMIT, Money(Decimal(150), "CNY"), ("no_limit",))

    def test_is_less_where_the_policy_tolerates_more(self) -> None:
        checks = a_policy(limit=policy.LimitRule(tolerance_percent=Decimal(10)))
        raised = remedy(decide(the_facts("2200"), checks), Action.RAISE_LIMIT)
        assert raised == Remedy(Action.RAISE_LIMIT, Money(Decimal(2000), "CNY"), ("limit_exceeded",))


@st.composite
def late(draw: st.DrawFn) -> Overdue:
    """What is overdue of an account that owes 400."""
    amount = Decimal(draw(st.integers(0, 40_000))) / 100
    breaching = min(amount, Decimal(draw(st.integers(0, 40_000))) / 100)
    aged = min(amount, Decimal(draw(st.integers(0, 40_000))) / 100)
    days = draw(st.integers(0, 60))
    since = TODAY.fromordinal(TODAY.toordinal() - days)
    return Overdue(amount, since if amount else None, since if breaching else None, breaching, aged)


class TestPayOverdue:
    CHECKS = a_policy(
        oldest_item=policy.OldestItemRule(),
        overdue_share=policy.OverdueShareRule(Effect.REFER, Decimal(20)),
        overdue_with_utilisation=policy.OverdueWithUtilisationRule(Effect.REFER, Decimal(100), Decimal(40)),
    )

    @given(late())
    @example(Overdue(Decimal(400), TODAY, TODAY, Decimal(0), Decimal(400)))
    def test_cures_what_it_says(self, overdue: Overdue) -> None:
        facts = the_facts(account=an_account(owes="400", overdue=overdue))
        pay = remedy(decide(facts, self.CHECKS), Action.PAY_OVERDUE)
        if pay is None:
            return
        left = paid(facts, pay.amount)
        settled = _settled(overdue, pay.amount.amount)
        assert not set(pay.cures) & objections(
            replace(left, account=replace(left.account, overdue=settled)), self.CHECKS
        )

    def test_names_everything_that_is_late_for_a_dunned_customer(self) -> None:
        account = an_account(owes="400", overdue=Overdue(amount=Decimal(70)), profile=Profile(dunning_level=3))
        pay = remedy(
            decide(the_facts(account=account), a_policy(dunning_level=policy.DunningLevelRule())), Action.PAY_OVERDUE
        )
        assert pay == Remedy(Action.PAY_OVERDUE, Money(Decimal(70), "CNY"), ("dunning_level_reached",))


def _settled(overdue: Overdue, amount: Decimal) -> Overdue:
    """What is late after `amount` of it was paid, the items that breach a rule first."""
    left = max(overdue.amount - amount, Decimal(0))
    breaching, aged = max(overdue.breaching - amount, Decimal(0)), max(overdue.aged - amount, Decimal(0))
    return Overdue(
        left, overdue.oldest_due_on if left else None, overdue.breaching_due_on if breaching else None, breaching, aged
    )


class TestPrepay:
    def test_gets_an_order_through_unless_the_account_is_on_hold(self) -> None:
        decision = decide(the_facts("1001"), a_policy())
        assert remedy(decision, Action.PREPAY) == Remedy(
            Action.PREPAY, Money(Decimal(1001), "CNY"), ("limit_exceeded",)
        )

    def test_is_not_offered_while_a_hold_stands(self) -> None:
        decision = decide(the_facts("1001", account=an_account(hold=HoldKind.SOFT)), a_policy())
        assert remedy(decision, Action.PREPAY) is None


class TestExtremes:
    @given(st.sampled_from(["0.000000000001", "999999999999"]), st.sampled_from(["0.01", "999999999999999"]))
    def test_of_rates_and_amounts_never_make_it_fail(self, rate: str, amount: str) -> None:
        group = a_group({"CNY": "999999999999999"}, limit=granted("1"), currency="USD")
        account = an_account(owes="999999999999999", limit=granted("999999999999999"), group_id=group.id)
        rates = Rates(Decimal("0.000000000001"), ONE, {"CNY": Decimal(rate)})
        facts = the_facts(amount, account=account, group=group, currency="EUR", rates=rates, at=NOW)
        assert decide(facts, a_policy(group_limit=policy.GroupLimitRule())).outcome is not None
