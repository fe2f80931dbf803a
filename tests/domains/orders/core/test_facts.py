"""Facts are stored as JSON and read back years later: nothing may be lost on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints
from uuid import UUID

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domains.customers.core.terms import DueFrom, PaymentTerms, TermsKind
from app.domains.orders.core.decide import decide
from app.domains.orders.core.facts import CheckFacts
from app.kernel.records import load
from tests.domains.orders.core.making import a_policy, the_facts

PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    str: st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    int: st.integers(min_value=0, max_value=2**53),
    bool: st.booleans(),
    Decimal: st.decimals(allow_nan=False, allow_infinity=False),
    date: st.dates(),
    datetime: st.datetimes(timezones=st.just(UTC)),
    UUID: st.uuids(),
    PaymentTerms: st.builds(
        PaymentTerms,
        st.sampled_from(TermsKind),
        st.integers(30, 90),
        st.sampled_from(DueFrom),
        discount_days=st.just(14),
    ),
}


def anything(kind: Any) -> st.SearchStrategy[Any]:
    """Values of a type as records may have it."""
    origin, arguments = get_origin(kind), get_args(kind)
    if kind in PLAIN:
        return PLAIN[kind]
    if isinstance(kind, type) and is_dataclass(kind):
        hints = get_type_hints(kind)
        return st.builds(kind, **{member.name: anything(hints[member.name]) for member in fields(kind)})
    if origin is tuple:
        return st.lists(anything(arguments[0]), max_size=2).map(tuple)
    if origin is not None and issubclass(origin, Mapping):
        return st.dictionaries(anything(arguments[0]), anything(arguments[1]), max_size=2)
    if NoneType in arguments:
        return st.none() | anything(next(argument for argument in arguments if argument is not NoneType))
    assert issubclass(kind, StrEnum)
    return st.sampled_from(kind)


def stored(facts: CheckFacts) -> Any:
    return orjson.loads(orjson.dumps(facts, default=str))


class TestFacts:
    @settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], max_examples=50)
    @given(anything(CheckFacts))
    def test_come_back_as_they_were_stored(self, facts: CheckFacts) -> None:
        assert load(CheckFacts, stored(facts)) == facts

    def test_come_back_with_the_decimals_they_had(self) -> None:
        facts = the_facts("100.50")
        assert str(load(CheckFacts, stored(facts)).request.amount) == "100.50"

    def test_lead_to_the_same_decision(self) -> None:
        facts = the_facts("1234.56")
        assert decide(load(CheckFacts, stored(facts)), a_policy()) == decide(facts, a_policy())
