"""What a notice charges: the one fee and its currency."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from app.domains.dunning.adapters import statutes
from app.domains.dunning.core.drafting import Draft, draft
from app.domains.dunning.core.facts import CustomerFacts
from app.domains.dunning.core.procedure import decide
from app.domains.policies.core.dunning import Dunning
from tests.domains.dunning.core.examples import TODAY, amount, customer, item, level

FEES = (*amount("10"), *amount("2", "EUR"), *amount("3", "GBP"))
RULES = Dunning(levels=(level(5, fees=FEES), level(20, fees=FEES)))


def drafted(facts: CustomerFacts, rules: Dunning = RULES) -> Draft:
    decision = decide(facts, rules, TODAY)
    return draft(facts, decision, rules, on=TODAY, statutes=statutes.packaged(), earlier={})


class TestFee:
    @pytest.mark.parametrize(
        ("items", "expected"),
        [
            ([("CNY", 10)], {"CNY": Decimal(10)}),
            ([("EUR", 10)], {"EUR": Decimal(2)}),
            ([("EUR", 30), ("CNY", 10)], {"CNY": Decimal(10)}),
            ([("GBP", 10), ("EUR", 12)], {"EUR": Decimal(2)}),
            ([("GBP", 12), ("EUR", 10)], {"GBP": Decimal(3)}),
            ([("USD", 12), ("EUR", 10)], {"EUR": Decimal(2)}),
            ([("USD", 12)], {}),
            ([("EUR", 10), ("CNY", 2)], {"EUR": Decimal(2)}),
        ],
    )
    def test_is_one_a_notice_in_the_account_s_currency_or_that_of_the_oldest_item_raised(
        self, items: list[tuple[str, int]], expected: dict[str, Decimal]
    ) -> None:
        facts = customer(*(item(f"I{n}", overdue, currency=code) for n, (code, overdue) in enumerate(items)))
        made = drafted(facts)
        assert made.fees == expected
        assert {total.currency: total.fee for total in made.totals if total.fee} == expected

    def test_is_that_of_the_level_of_the_notice(self) -> None:
        rules = Dunning(levels=(level(5, fees=amount("2", "EUR")), level(20, fees=amount("7", "EUR"))))
        facts = customer(item("A", 25, currency="EUR"), item("B", 6, currency="EUR"))
        assert drafted(facts, rules).fees == {"EUR": Decimal(7)}

    def test_is_none_for_items_that_are_only_listed(self) -> None:
        listed = replace(item("A", 10), level=1, noticed_on=TODAY)
        assert drafted(customer(listed, item("B", 10, currency="EUR"))).fees == {"EUR": Decimal(2)}


class TestTotals:
    def test_take_off_credits_in_their_own_currency_only(self) -> None:
        facts = customer(item("A"), item("B", currency="EUR"), credits={"CNY": Decimal(30), "USD": Decimal(99)})
        made = drafted(facts, Dunning(levels=(level(5),)))
        assert {total.currency: total.net_due for total in made.totals} == {"CNY": Decimal(70), "EUR": Decimal(100)}
