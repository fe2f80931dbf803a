"""Judging a limit request: what is given by itself, what is offered, who is asked."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domains.limits.core.judging import Current, JudgingFacts, Opinion, Outcome, judge
from app.domains.limits.core.requests import RequestKind
from app.domains.policies.core.document import default_document, parse
from app.kernel.records import load

POLICY = parse(default_document())
ON = date(2026, 3, 2)


def facts(amount: str = "1000", **more: Any) -> JudgingFacts:
    members: dict[str, Any] = {"opinion": opinion(), "current": Current(), **more}
    rate = members.pop("rate", Decimal(1))
    return JudgingFacts(
        on=ON,
        amount=Decimal(amount),
        currency="CNY",
        segment_currency="CNY",
        rate=rate,
        temporary=members.pop("temporary", False),
        **members,
    )


def opinion(grade: str = "A", recommended: str | None = "400000") -> Opinion:
    return Opinion(None, grade, None if recommended is None else Decimal(recommended), ON)


def granted(amount: str) -> Current:
    return Current(Decimal(amount))


class TestKind:
    @pytest.mark.parametrize(
        ("current", "kind"),
        [
            (Current(), RequestKind.NEW),
            (granted("999"), RequestKind.RAISE),
            (granted("1000"), RequestKind.EXTENSION),
            (granted("1001"), RequestKind.LOWER),
            (Current(unlimited=True), RequestKind.LOWER),
            (granted("0"), RequestKind.RAISE),
        ],
    )
    def test_is_told_from_the_limit_there_is(self, current: Current, kind: RequestKind) -> None:
        assert judge(facts(current=current), POLICY).kind is kind

    @pytest.mark.parametrize(
        ("until", "kind"),
        [
            (ON, RequestKind.LOWER),
            (ON + timedelta(days=1), RequestKind.EXTENSION),
            (None, RequestKind.EXTENSION),
        ],
    )
    def test_of_less_for_longer_is_an_extension(self, until: date | None, kind: RequestKind) -> None:
        for current in (Current(Decimal(5000), until=ON), Current(unlimited=True, until=ON)):
            assert judge(facts(current=current, until=until), POLICY).kind is kind

    def test_of_a_temporary_limit_is_temporary_whatever_there_is(self) -> None:
        assert judge(facts(temporary=True, current=granted("5000")), POLICY).kind is RequestKind.TEMPORARY


class TestGrant:
    def test_needs_the_recommendation_and_the_ceiling_of_the_grade(self) -> None:
        assert judge(facts("400000"), POLICY).outcome is Outcome.GRANT
        above = judge(facts("400000.01"), POLICY)
        assert (above.outcome, [reason.code for reason in above.reasons]) == (Outcome.ASK, ["above_recommendation"])
        ceiling = judge(facts("500001", opinion=opinion(recommended="9000000")), POLICY)
        assert (ceiling.outcome, [reason.code for reason in ceiling.reasons]) == (
            Outcome.ASK,
            ["above_automatic_ceiling"],
        )

    def test_judges_the_ceiling_in_the_segment_s_currency(self) -> None:
        assert judge(facts("60000", rate=Decimal(8)), POLICY).outcome is Outcome.GRANT
        assert judge(facts("63000", rate=Decimal(8)), POLICY).outcome is Outcome.ASK

    @pytest.mark.parametrize(
        ("known", "code"),
        [
            (None, "assessment_missing"),
            (opinion(recommended=None), "recommendation_missing"),
            (opinion(grade="D"), "no_automatic_ceiling"),
            (opinion(grade="unknown"), "no_automatic_ceiling"),
        ],
    )
    def test_is_never_made_from_what_is_not_known(self, known: Opinion | None, code: str) -> None:
        judged = judge(facts(opinion=known), POLICY)
        assert judged.outcome is Outcome.ASK
        assert code in [reason.code for reason in judged.reasons]

    def test_of_a_lower_limit_needs_nobody(self) -> None:
        assert judge(facts(current=granted("5000"), opinion=None), POLICY).outcome is Outcome.GRANT

    def test_of_less_for_longer_needs_what_more_credit_needs(self) -> None:
        longer = facts(current=Current(Decimal(5000), until=ON), opinion=None)
        assert judge(longer, POLICY).outcome is Outcome.ASK
        assert judge(replace(longer, opinion=opinion("H")), POLICY).outcome is Outcome.DECLINE

    def test_of_a_lower_limit_needs_somebody_where_the_policy_says_so(self) -> None:
        document = default_document()
        document["approvals"]["automatic"]["lower"] = False
        lower = facts(current=granted("5000"), opinion=opinion("D"))
        assert judge(lower, parse(document)).outcome is Outcome.ASK

    def test_is_not_made_where_headroom_itself_asks(self) -> None:
        judged = judge(facts(current=granted("5000"), cause="cover reduced"), POLICY)
        assert (judged.outcome, judged.reasons[0].code, judged.offered) == (Outcome.ASK, "cover_changed", None)


class TestDecline:
    def test_is_for_grades_below_the_worst_that_is_given_credit(self) -> None:
        assert judge(facts(opinion=opinion("H")), POLICY).outcome is Outcome.DECLINE
        assert judge(facts(opinion=opinion("G")), POLICY).outcome is Outcome.ASK

    def test_is_no_obstacle_to_a_lower_limit(self) -> None:
        assert judge(facts(opinion=opinion("H"), current=granted("5000")), POLICY).outcome is Outcome.GRANT


class TestOffer:
    def test_is_what_the_recommendation_and_the_ceiling_allow(self) -> None:
        assert judge(facts("700000"), POLICY).offered == Decimal(400000)
        assert judge(facts("700000", opinion=opinion("B")), POLICY).offered is None  # 250,000 is less than half
        assert judge(facts("450000", opinion=opinion("B")), POLICY).offered == Decimal(250000)

    def test_is_not_made_where_it_is_no_more_than_there_is(self) -> None:
        assert judge(facts("700000", current=granted("400000")), POLICY).offered is None

    def test_is_off_where_the_policy_has_none(self) -> None:
        document = default_document()
        document["approvals"]["counter_offer"] = None
        assert judge(facts("700000"), parse(document)).offered is None

    @given(
        amount=st.integers(1, 2_000_000),
        recommended=st.integers(0, 2_000_000),
        grade=st.sampled_from("ABCDEFGH"),
        current=st.integers(0, 2_000_000),
        rate=st.decimals("0.05", "20", places=3),
    )
    def test_never_exceeds_what_would_be_granted(
        self, amount: int, recommended: int, grade: str, current: int, rate: Decimal
    ) -> None:
        known = opinion(grade, str(recommended))
        asked = facts(str(amount), opinion=known, current=granted(str(current)), rate=rate)
        offered = judge(asked, POLICY).offered
        if offered is not None:
            assert current < offered < amount
            assert judge(replace(asked, amount=offered), POLICY).outcome is Outcome.GRANT


class TestFacts:
    def test_lead_to_the_same_judgement_when_they_are_read_again(self) -> None:
        asked = facts("700000", current=Current(Decimal(5), until=ON), cause=None)
        again = load(JudgingFacts, json.loads(orjson.dumps(asked, default=str)))
        assert again == asked
        assert judge(again, POLICY) == judge(asked, POLICY)
