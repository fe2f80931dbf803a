"""Who is reminded of what, at which level, and why nobody is."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domains.dunning.core.facts import CustomerFacts, DunnableItem, PendingPromise, Stop
from app.domains.dunning.core.procedure import Reason, channels_of, decide, level_of, next_step, standing_level
from app.domains.policies.core.dunning import Dunning, DunningChannel, FriendlyReminder, QuietPeriod
from tests.domains.dunning.core.examples import RULES, TODAY, ago, amount, customer, item, level


def levels(facts: CustomerFacts, rules: Dunning = RULES, on: date = TODAY) -> dict[str, int | None]:
    """The levels that a notice takes items to."""
    return {line.item.invoice_no: line.level for line in decide(facts, rules, on).lines if line.is_raised}


class TestLevels:
    @pytest.mark.parametrize(
        ("overdue", "expected"),
        [(-1, None), (0, None), (4, None), (5, 1), (19, 1), (20, 2), (34, 2), (35, 3), (400, 3)],
    )
    def test_are_by_days_overdue_counted_from_the_due_date(self, overdue: int, expected: int | None) -> None:
        assert decide(customer(item(overdue=overdue)), RULES, TODAY).level == expected

    def test_follow_only_when_the_interval_since_the_notice_before_has_passed(self) -> None:
        just = item(overdue=21, level=1, noticed_on=ago(9))
        assert decide(customer(just), RULES, TODAY).reason is Reason.INTERVAL
        assert levels(customer(replace(just, noticed_on=ago(10)))) == {"INV-1": 2}

    def test_follow_only_on_one_that_was_sent(self) -> None:
        waiting = decide(customer(item(overdue=40), has_pending_notice=True), RULES, TODAY)
        assert (waiting.is_notice, waiting.reason) == (False, Reason.PENDING)

    def test_are_reached_once_each(self) -> None:
        again = decide(customer(item(overdue=12, level=1, noticed_on=ago(7))), RULES, TODAY)
        assert (again.is_notice, again.reason) == (False, Reason.LEVEL_REACHED)

    def test_end_with_the_highest(self) -> None:
        done = decide(customer(item(overdue=90, level=3, noticed_on=ago(50))), RULES, TODAY)
        assert done.reason is Reason.HIGHEST_LEVEL

    def test_go_straight_to_the_one_that_is_due_today_when_days_were_missed(self) -> None:
        assert levels(customer(item(overdue=50))) == {"INV-1": 3}
        assert levels(customer(item(overdue=50, level=1, noticed_on=ago(30)))) == {"INV-1": 3}

    def test_start_over_for_an_instalment_with_a_due_day_of_its_own(self) -> None:
        first = item(overdue=40, level=3, noticed_on=ago(3))
        second = replace(first, due_on=ago(6), level=None, noticed_on=None)
        assert levels(customer(first, second)) == {"INV-1": 1}

    def test_of_the_account_are_the_highest_of_what_is_still_open(self) -> None:
        assert standing_level([(1, Decimal(5)), (3, Decimal(0)), (None, Decimal(9)), (2, Decimal(1))]) == 2
        assert standing_level([]) == 0

    def test_that_the_policy_does_not_have_are_an_error(self) -> None:
        with pytest.raises(IndexError):
            level_of(RULES, 0)


class TestNotice:
    def test_has_all_overdue_items_at_the_highest_level_of_any(self) -> None:
        facts = customer(item("A", 36), item("B", 6), item("C", 2), item("D", -3))
        decision = decide(facts, RULES, TODAY)
        assert decision.level == 3
        assert {line.item.invoice_no: line.level for line in decision.lines} == {"A": 3, "B": 1, "C": None}

    def test_lists_what_it_does_not_raise_at_the_level_it_has(self) -> None:
        facts = customer(item("A", 20), item("B", 10, level=1, noticed_on=ago(4)))
        assert {line.item.invoice_no: (line.level, line.reason) for line in decide(facts, RULES, TODAY).lines} == {
            "A": (2, Reason.RAISED),
            "B": (1, Reason.LEVEL_REACHED),
        }

    def test_tries_each_channel_once(self) -> None:
        email, letter = DunningChannel.EMAIL, DunningChannel.LETTER
        assert channels_of(level(5, channel=email, fallbacks=(letter, email))) == (email, letter)


class TestMinimum:
    def test_of_an_item_keeps_it_out_below_and_lets_it_in_at_the_amount(self) -> None:
        rules = Dunning(levels=(level(5, min_item_amounts=amount("50.00")),))
        assert decide(customer(item(open="49.99")), rules, TODAY).reason is Reason.SMALL_ITEM
        assert levels(customer(item(open="50.00")), rules) == {"INV-1": 1}

    def test_of_a_customer_counts_all_its_items_less_its_credits(self) -> None:
        rules = Dunning(levels=(level(5, min_customer_amounts=amount("150.00")),))
        two = (item("A", open="80.00"), item("B", open="80.00"))
        assert levels(customer(*two), rules) == {"A": 1, "B": 1}
        little = decide(customer(*two, credits={"CNY": Decimal("10.01")}), rules, TODAY)
        assert little.reason is Reason.SMALL_CUSTOMER

    def test_is_one_for_each_currency(self) -> None:
        rules = Dunning(levels=(level(5, min_item_amounts=(*amount("50"), *amount("5", "EUR"))),))
        facts = customer(item("A", open="40.00"), item("B", open="40.00", currency="EUR"))
        assert levels(facts, rules) == {"B": 1}


class TestWhatIsTakenIntoAccount:
    def test_an_item_that_is_disputed_as_a_whole_is_left_out(self) -> None:
        assert decide(customer(item(disputed="100.00")), RULES, TODAY).reason is Reason.DISPUTED

    def test_the_undisputed_part_of_an_item_is_reminded_of(self) -> None:
        [line] = decide(customer(item(disputed="30.00")), RULES, TODAY).lines
        assert (line.asked, line.disputed, line.is_raised) == (Decimal("70.00"), Decimal("30.00"), True)

    def test_credits_that_cover_everything_keep_a_customer_out(self) -> None:
        covered = decide(customer(item(), credits={"CNY": Decimal("100.00")}), RULES, TODAY)
        assert covered.reason is Reason.COVERED
        assert levels(customer(item(), credits={"EUR": Decimal("100.00")})) == {"INV-1": 1}

    def test_a_promise_that_is_not_yet_due_puts_off_its_invoices(self) -> None:
        promise = PendingPromise(promised_on=TODAY, currency="CNY", amount=Decimal(100), invoice_nos=("A",))
        facts = customer(item("A"), item("B"), promises=(promise,))
        assert levels(facts) == {"B": 1}
        assert levels(facts, on=TODAY + timedelta(days=1)) == {"A": 1, "B": 1}

    def test_a_promise_without_invoices_puts_off_the_oldest_items(self) -> None:
        promise = PendingPromise(promised_on=TODAY, currency="CNY", amount=Decimal("130.00"))
        decision = decide(customer(item("A", 12), item("B", 8), promises=(promise,)), RULES, TODAY)
        assert [(line.item.invoice_no, line.asked, line.promised) for line in decision.lines] == [
            ("A", Decimal(0), Decimal("100.00")),
            ("B", Decimal("70.00"), Decimal("30.00")),
        ]

    def test_a_promise_has_the_grace_of_the_policy(self) -> None:
        promise = PendingPromise(promised_on=ago(2), currency="CNY", amount=Decimal(100))
        put_off = decide(customer(item(), promises=(promise,)), replace(RULES, promise_grace_days=2), TODAY)
        assert (put_off.reason, put_off.until) == (Reason.PROMISED, ago(2))

    def test_a_broken_promise_ends_the_interval(self) -> None:
        early = item(overdue=21, level=1, noticed_on=ago(3))
        assert decide(customer(early), RULES, TODAY).reason is Reason.INTERVAL
        assert levels(customer(early, promise_broken_on=ago(1))) == {"INV-1": 2}

    def test_a_stop_keeps_a_customer_out_until_its_day(self) -> None:
        facts = customer(item(), stops=(Stop(reason="a visit", until=TODAY),))
        stopped = decide(facts, RULES, TODAY)
        assert (stopped.reason, stopped.until) == (Reason.STOPPED, TODAY)
        assert levels(facts, on=TODAY + timedelta(days=1)) == {"INV-1": 1}

    def test_a_stop_of_one_invoice_leaves_the_others(self) -> None:
        facts = customer(item("A"), item("B"), stops=(Stop(reason="lost", until=TODAY, invoice_no="A"),))
        assert levels(facts) == {"B": 1}

    def test_a_legal_case_stands_until_it_is_over(self) -> None:
        facts = customer(item(), stops=(Stop(reason="in court", until=None, is_legal=True),))
        assert decide(facts, RULES, date(2100, 1, 1)).reason is Reason.LEGAL

    def test_nobody_is_reminded_on_a_day_that_is_no_business_day(self) -> None:
        assert decide(customer(item(), is_business_day=False), RULES, TODAY).reason is Reason.NO_BUSINESS_DAY

    @pytest.mark.parametrize(("day", "quiet"), [("12-23", False), ("12-24", True), ("01-02", True), ("01-03", False)])
    def test_nobody_is_reminded_in_a_quiet_period(self, day: str, quiet: bool) -> None:
        rules = replace(RULES, quiet_periods=(QuietPeriod("12-24", "01-02"),))
        decision = decide(customer(item(overdue=-600)), rules, date.fromisoformat(f"2026-{day}"))
        assert (decision.reason is Reason.QUIET) is quiet

    def test_nobody_is_reminded_of_nothing_but_fees_and_interest(self) -> None:
        assert decide(customer(owes_claims=True), RULES, TODAY).reason is Reason.CLAIMS_ONLY
        assert decide(customer(item(overdue=2), owes_claims=True), RULES, TODAY).reason is Reason.BEFORE_FIRST_LEVEL

    def test_nobody_is_reminded_without_levels(self) -> None:
        assert decide(customer(item()), Dunning(), TODAY).reason is Reason.OFF


class TestFriendlyReminder:
    RULES = Dunning(levels=(level(5),), reminder=FriendlyReminder(days_before_due=3))

    @pytest.mark.parametrize(("overdue", "expected"), [(-4, None), (-3, 0), (0, 0), (1, None), (5, 1)])
    def test_comes_before_the_due_day(self, overdue: int, expected: int | None) -> None:
        assert decide(customer(item(overdue=overdue)), self.RULES, TODAY).level == expected

    def test_lists_only_what_will_be_due(self) -> None:
        decision = decide(customer(item("A", -2), item("B", 2)), self.RULES, TODAY)
        assert [line.item.invoice_no for line in decision.lines] == ["A"]

    def test_comes_once_and_level_1_follows_it(self) -> None:
        reminded = item(overdue=-1, level=0, noticed_on=ago(2))
        assert decide(customer(reminded), self.RULES, TODAY).reason is Reason.LEVEL_REACHED
        assert levels(customer(replace(reminded, due_on=ago(5), noticed_on=ago(8))), self.RULES) == {"INV-1": 1}


class TestNextStep:
    def test_is_the_day_the_next_level_is_due(self) -> None:
        assert next_step(customer(item(overdue=2)), RULES, TODAY) == (TODAY + timedelta(days=3), 1)

    def test_waits_for_the_interval(self) -> None:
        late = customer(item(overdue=30, level=1, noticed_on=TODAY))
        assert next_step(late, RULES, TODAY) == (TODAY + timedelta(days=10), 3)

    def test_waits_for_stops_promises_and_quiet_periods(self) -> None:
        until = TODAY + timedelta(days=20)
        stopped = customer(item(), stops=(Stop(reason="r", until=until),))
        assert next_step(stopped, RULES, TODAY) == (until + timedelta(days=1), 2)
        promise = PendingPromise(promised_on=until, currency="CNY", amount=Decimal(100))
        assert next_step(customer(item(), promises=(promise,)), RULES, TODAY) == (until + timedelta(days=1), 2)
        quiet = replace(RULES, quiet_periods=(QuietPeriod("03-02", "03-04"),))
        assert next_step(customer(item()), quiet, TODAY) == (date(2026, 3, 5), 1)

    def test_is_none_after_the_highest_level(self) -> None:
        assert next_step(customer(item(overdue=60, level=3, noticed_on=ago(9))), RULES, TODAY) is None


@st.composite
def histories(draw: st.DrawFn) -> tuple[CustomerFacts, list[int]]:
    """A customer, and the days after today on which a run takes place."""
    items = [
        item(f"I{i}", draw(st.integers(-40, 60)), open=str(draw(st.integers(1, 500))))
        for i in range(draw(st.integers(1, 4)))
    ]
    return customer(*items), sorted(draw(st.sets(st.integers(0, 80), max_size=30)))


class TestLaws:
    @given(histories())
    def test_no_item_is_raised_twice_to_a_level_nor_before_it_is_overdue(
        self, history: tuple[CustomerFacts, list[int]]
    ) -> None:
        facts, days = history
        seen: set[tuple[str, int]] = set()
        for day in days:
            on = TODAY + timedelta(days=day)
            for line in decide(facts, RULES, on).lines:
                if line.is_raised:
                    assert line.level is not None
                    assert line.item.days_overdue(on) >= RULES.levels[line.level - 1].days_overdue
                    assert (line.item.invoice_no, line.level) not in seen
                    seen.add((line.item.invoice_no, line.level))
                    facts = replace(facts, items=tuple(_sent(i, line.item, line.level, on) for i in facts.items))

    @given(histories())
    def test_a_day_s_run_repeated_proposes_nothing(self, history: tuple[CustomerFacts, list[int]]) -> None:
        facts, _ = history
        raised = {line.item: line.level for line in decide(facts, RULES, TODAY).lines if line.is_raised}
        after = tuple(_sent(i, i, raised[i], TODAY) if i in raised else i for i in facts.items)
        assert not decide(replace(facts, items=after), RULES, TODAY).is_notice

    @given(histories(), st.lists(st.integers(0, 300), min_size=1, max_size=4))
    def test_what_is_asked_never_exceeds_what_is_open(
        self, history: tuple[CustomerFacts, list[int]], promised: list[int]
    ) -> None:
        promises = tuple(PendingPromise(promised_on=TODAY, currency="CNY", amount=Decimal(a)) for a in promised)
        facts = replace(history[0], promises=promises)
        for line in decide(facts, RULES, TODAY).lines:
            assert 0 <= line.asked <= line.item.open
            assert line.asked + line.promised + line.disputed <= line.item.open

    @given(histories(), st.data())
    def test_whoever_has_something_overdue_is_reminded_or_left_out_for_a_reason(
        self, history: tuple[CustomerFacts, list[int]], data: st.DataObject
    ) -> None:
        facts = replace(
            history[0],
            items=tuple(
                replace(each, disputed=min(each.open, Decimal(data.draw(st.integers(0, 500)))))
                for each in history[0].items
            ),
            credits={"CNY": Decimal(data.draw(st.integers(0, 900)))},
            has_pending_notice=data.draw(st.booleans()),
            is_business_day=data.draw(st.booleans()),
        )
        decision = decide(facts, data.draw(st.sampled_from([RULES, Dunning()])), TODAY)
        if any(each.days_overdue(TODAY) > 0 for each in facts.items):
            assert decision.is_notice == (decision.reason is Reason.RAISED)
            assert decision.reason is not Reason.NOT_DUE

    @given(histories())
    def test_the_next_step_is_what_happens_then(self, history: tuple[CustomerFacts, list[int]]) -> None:
        facts, _ = history
        step = next_step(facts, RULES, TODAY)
        if step is not None:
            assert decide(facts, RULES, step[0]).level == step[1]


def _sent(candidate: DunnableItem, raised: DunnableItem, to: int | None, on: date) -> DunnableItem:
    return replace(candidate, level=to, noticed_on=on) if candidate.key == raised.key else candidate
