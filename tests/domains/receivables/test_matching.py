"""Allocation by rule, without a database: what each rule settles, and the laws that hold whatever it settles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Final
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domains.exposure.core.refusals import FxRateMissing
from app.domains.receivables.core import items, matching
from app.domains.receivables.core.allocations import listed
from app.domains.receivables.core.instalments import Instalment
from app.domains.receivables.core.items import Discount, Item
from app.domains.receivables.core.matching import NO_RULES, Settlement, SettlementRules, nothing_earned
from app.domains.receivables.core.refusals import SettlesContradictory
from app.domains.receivables.core.requests import AllocationLine
from app.kernel.money import DIGITS, TooManyDecimals, exact
from tests.domains.receivables.world import MONDAY, TODAY, an_item, day

EARLY: Final = SettlementRules(discount_grace_days=0)
SMALL: Final = SettlementRules(small_amount=Decimal("0.50"), small_percent=Decimal(1))
CURRENCIES: Final = sorted(DIGITS)


def item(number: str, amount: str, **changes: object) -> Item:
    return an_item(amount, id=uuid4(), invoice_no=number, **changes)


def two_percent(number: str, amount: str, days: int = 5, **changes: object) -> Item:
    """An invoice with 2 % off until so many days from today."""
    return item(number, amount, discount=Discount(Decimal(2), day(days)), **changes)


def amounts(settlements: Sequence[Settlement]) -> list[tuple[str, str, str, str]]:
    return [(s.item.invoice_no, str(s.amount), str(s.discount), str(s.difference)) for s in settlements]


class TestDiscounts:
    def test_are_earned_within_terms_only(self) -> None:
        offer = two_percent("I1", "100.00", days=0)
        assert EARLY.earned(offer, TODAY) == 2
        assert EARLY.earned(offer, day(1)) == 0
        assert SettlementRules(discount_grace_days=3).earned(offer, day(3)) == 2
        assert NO_RULES.earned(offer, TODAY) == 0, "the policy says nothing of discounts"
        assert EARLY.earned(item("I2", "100.00"), TODAY) == 0

    def test_are_not_earned_on_what_is_disputed_or_paid_in_parts(self) -> None:
        assert EARLY.earned(two_percent("I1", "100.00", disputed=Decimal(1)), TODAY) == 0
        assert EARLY.earned(two_percent("I1", "100.00", instalments=(Instalment(TODAY, Decimal(100)),)), TODAY) == 0

    def test_are_taken_when_the_cash_is_exactly_the_rest(self) -> None:
        found = [two_percent("I1", "100.00"), two_percent("I2", "50.00"), two_percent("I3", "30.00")]
        earned = lambda each: EARLY.earned(each, TODAY)  # noqa: E731 - as short as can be
        assert amounts(matching.discounted(found, Decimal("147.00"), earned=earned)) == [
            ("I1", "98.00", "2.00", "0"),
            ("I2", "49.00", "1.00", "0"),
        ]
        assert matching.discounted(found, Decimal("146.99"), earned=earned) == ()
        assert matching.discounted([item("I4", "98.00")], Decimal("98.00"), earned=earned) == ()

    def test_are_taken_by_a_line_that_pays_all_but_them(self) -> None:
        offer = two_percent("I1", "100.00")

        def paid(amount: str) -> list[tuple[str, str, str, str]]:
            return amounts(
                listed(
                    [AllocationLine("I1", Decimal(amount))],
                    {"I1": offer}.get,
                    cash=Decimal(100),
                    currency="CNY",
                    group=["C1"],
                    earned=lambda each: EARLY.earned(each, TODAY),
                )
            )

        assert paid("98.00") == [("I1", "98.00", "2.00", "0")]
        assert paid("97.99") == [("I1", "97.99", "0", "0")]
        assert paid("100.00") == [("I1", "100.00", "0", "0")]

    def test_never_leave_nothing_to_pay(self) -> None:
        free = item("I1", "0.01", discount=Discount(Decimal(99), day(5)))
        assert EARLY.earned(free, TODAY) == 0


class TestExact:
    def test_takes_the_oldest_that_fits(self) -> None:
        found = [item("I1", "90.00"), item("I2", "50.00"), item("I3", "50.00")]
        assert amounts(matching.exact(found, Decimal("50.00"), earned=nothing_earned)) == [("I2", "50.00", "0", "0")]
        assert matching.exact(found, Decimal("50.01"), earned=nothing_earned) == ()

    def test_knows_the_discount(self) -> None:
        found = [item("I1", "90.00"), two_percent("I2", "50.00")]
        taken = matching.exact(found, Decimal("49.00"), earned=lambda each: EARLY.earned(each, TODAY))
        assert amounts(taken) == [("I2", "49.00", "1.00", "0")]


class TestNames:
    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("payment of INV-1, INV-2; thank you", {"INV-1", "INV-2"}),
            ("RE: (INV/2026/00001)", {"INV/2026/00001"}),
            ("货款 发票 2026-17。", {"2026-17。"}),
            ("A" * 65, set()),
            ("", set()),
            (None, set()),
        ],
    )
    def test_are_words_with_and_without_marks(self, text: str | None, found: set[str]) -> None:
        assert found <= set(matching.names(text))

    @given(st.text())
    def test_are_few_and_short(self, text: str) -> None:
        names = matching.names(text)
        assert len(names) <= matching.MAX_NAMES
        assert all(0 < len(name) <= 64 for name in names)


class TestSmallDifferences:
    def test_are_closed_with_the_last_item_when_all_cash_is_used(self) -> None:
        owed = item("I1", "100.00")
        assert amounts(matching.closing([Settlement(owed, Decimal("99.50"))], left=Decimal(0), rules=SMALL)) == [
            ("I1", "99.50", "0", "0.50")
        ]

    @pytest.mark.parametrize(
        ("paid", "left", "rules"),
        [
            ("99.49", "0", SMALL),
            ("99.50", "0.01", SMALL),
            ("99.50", "0", NO_RULES),
            ("99.50", "0", replace(SMALL, small_percent=Decimal("0.4"))),
            ("100.00", "0", SMALL),
        ],
    )
    def test_are_left_open_otherwise(self, paid: str, left: str, rules: SettlementRules) -> None:
        found = matching.closing([Settlement(item("I1", "100.00"), Decimal(paid))], left=Decimal(left), rules=rules)
        assert [settlement.difference for settlement in found] == [0]

    def test_are_never_closed_where_something_is_disputed(self) -> None:
        owed = item("I1", "100.00", disputed=Decimal("0.10"))
        [kept] = matching.closing([Settlement(owed, Decimal("99.90"))], left=Decimal(0), rules=SMALL)
        assert kept.difference == 0

    def test_are_judged_in_account_currency(self) -> None:
        owed = item("I1", "100.00", currency="EUR", rate=Decimal("7.8"))
        [kept] = matching.closing([Settlement(owed, Decimal("99.90"))], left=Decimal(0), rules=SMALL)
        assert kept.difference == 0, "0.10 EUR are 0.78 CNY"


class TestOtherCurrencies:
    def settle(self, line: AllocationLine, currency: str = "CNY") -> Settlement:
        euros = item("I1", "100.00", currency="EUR", rate=Decimal("7.8"))
        [found] = listed([line], {"I1": euros}.get, cash=Decimal(1000), currency=currency, group=["C1"])
        return found

    def test_need_a_rate_or_to_be_told_what_the_cash_settles(self) -> None:
        with pytest.raises(FxRateMissing):
            self.settle(AllocationLine("I1", Decimal(780)))
        found = self.settle(AllocationLine("I1", Decimal(790), settles=Decimal(100)))
        assert (found.amount, found.uses, found.settles) == (Decimal(100), Decimal(790), Decimal(100))

    def test_settle_in_the_decimals_of_the_item(self) -> None:
        with pytest.raises(TooManyDecimals):
            self.settle(AllocationLine("I1", Decimal(780), settles=Decimal("99.999")))

    def test_within_one_currency_settle_their_own_amount(self) -> None:
        with pytest.raises(SettlesContradictory):
            self.settle(AllocationLine("I1", Decimal(100), settles=Decimal(99)), currency="EUR")


# ---- laws --------------------------------------------------------------------------------------------------


def company(random: Random, currency: str) -> list[Item]:
    """Open items of one account in due order, with discounts, disputes and instalments among them."""
    step = Decimal(1).scaleb(-DIGITS[currency])
    made = []
    for number in range(random.randrange(0, 7)):
        units = random.randrange(1, 50_000)
        amount = units * step
        each = item(f"I{number}", str(amount), currency=currency, account_currency=currency, due_on=day(number * 3))
        shape = random.randrange(5)
        if shape == 0:
            each = replace(each, discount=Discount(Decimal(random.randrange(1, 30)) / 10, day(random.randrange(-2, 3))))
        elif shape == 1:
            each = items.dispute(each, random.randrange(1, units + 1) * step, now=MONDAY)
        elif shape == 2 and units > 2:
            first = random.randrange(1, units - 1)
            parts = ((first, 0), (units - first, random.randrange(1, 30)))
            plan = tuple(Instalment(each.due_on + timedelta(days=gap), count * step) for count, gap in parts)
            each = replace(each, instalments=plan)
        elif shape == 3:
            each = replace(each, open=random.randrange(0, units + 1) * step)
        made.append(each)
    return made


def settle_by_rules(random: Random, found: Sequence[Item], cash: Decimal, rules: SettlementRules) -> list[Settlement]:
    """What a payment settles that asks for every rule, one after another, as the service does."""
    earned = lambda each: rules.earned(each, TODAY)  # noqa: E731 - as short as can be
    settled: list[Settlement] = []

    def left() -> Decimal:
        return cash - sum((settlement.uses for settlement in settled), Decimal(0))

    def already() -> Mapping[UUID, Decimal]:
        return matching.taken(settled)

    named = random.sample(found, random.randrange(0, len(found) + 1))
    named.sort(key=lambda each: (each.due_on, each.invoice_no))
    settled += matching.discounted(named, left(), earned=earned) or matching.oldest_first(named, left())
    if left():
        settled += matching.exact(found, left(), earned=earned, already=already())
    if left():
        settled += matching.discounted(found, left(), earned=earned, already=already()) or matching.oldest_first(
            found, left(), already=already()
        )
    return list(matching.closing(settled, left=left(), rules=rules))


def check_laws(found: Sequence[Item], cash: Decimal, settled: Sequence[Settlement], currency: str) -> None:
    """No more than the cash, no more than each item, all amounts whole minor units, and all of it adds up."""
    used = sum((settlement.uses for settlement in settled), Decimal(0))
    assert 0 <= used <= cash
    relieved = matching.taken(settled)
    by_id = {each.id: each for each in found}
    for item_id, amount in relieved.items():
        assert 0 < amount <= by_id[item_id].undisputed
    for settlement in settled:
        assert settlement.amount > 0
        assert min(settlement.discount, settlement.difference) >= 0
        for amount in (settlement.amount, settlement.discount, settlement.difference):
            assert exact(amount, currency).amount == amount
    open_before = sum((each.undisputed for each in found), Decimal(0))
    open_after = sum((each.undisputed - relieved.get(each.id, Decimal(0)) for each in found), Decimal(0))
    granted = sum((settlement.discount + settlement.difference for settlement in settled), Decimal(0))
    assert open_before - open_after == used + granted
    if used < cash:
        assert open_after == 0, "cash is left only when nothing is open"


RULES: Final = (
    NO_RULES,
    EARLY,
    SettlementRules(discount_grace_days=1, small_amount=Decimal(2), small_percent=Decimal(50)),
)


class TestLaws:
    @given(st.randoms(use_true_random=False), st.sampled_from(CURRENCIES), st.sampled_from(RULES))
    def test_hold_for_every_rule_in_every_currency(self, random: Random, currency: str, rules: SettlementRules) -> None:
        found = company(random, currency)
        cash = random.randrange(1, 200_000) * Decimal(1).scaleb(-DIGITS[currency])
        check_laws(found, cash, settle_by_rules(random, found, cash, rules), currency)

    def test_hold_for_cash_that_is_exactly_something(self) -> None:
        """Sums of whole and discounted items, where rules compete."""
        random = Random(4)
        for _ in range(400):
            currency = random.choice(CURRENCIES)
            found = company(random, currency)
            wanted = [each for each in found if each.undisputed and random.randrange(2)]
            cash = sum((each.undisputed - EARLY.earned(each, TODAY) for each in wanted), Decimal(0))
            if cash > 0:
                check_laws(found, cash, settle_by_rules(random, found, cash, EARLY), currency)

    def test_hold_while_payments_follow_each_other(self) -> None:
        random = Random(2012)
        assert sum(post_until_paid(random, currency) for currency in CURRENCIES) > len(CURRENCIES)


def post_until_paid(random: Random, currency: str) -> int:
    """Pays the items of one account by one payment after another; how many postings that took."""
    found, rules = company(random, currency), random.choice(RULES)
    received = granted = Decimal(0)
    owed = sum((each.undisputed for each in found), Decimal(0))
    postings = len(found)
    for _ in range(20):
        open_items = [each for each in found if each.undisputed]
        if not open_items:
            break
        open_items.sort(key=lambda each: (each.due_on, each.invoice_no))
        cash = random.randrange(1, 40_000) * Decimal(1).scaleb(-DIGITS[currency])
        settled = settle_by_rules(random, open_items, cash, rules)
        check_laws(open_items, cash, settled, currency)
        received += sum((settlement.uses for settlement in settled), Decimal(0))
        granted += sum((settlement.discount + settlement.difference for settlement in settled), Decimal(0))
        for settlement in settled:
            place = next(index for index, each in enumerate(found) if each.id == settlement.item.id)
            found[place] = items.settle(found[place], settlement.settles, now=MONDAY)
        postings += 1 + len(settled)
    left = sum((each.undisputed for each in found), Decimal(0))
    assert owed - left == received + granted
    return postings
