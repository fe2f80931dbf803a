"""What differs between two documents, and in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domains.policies.core.difference import Difference, differences
from app.domains.policies.core.document import default_document
from app.domains.policies.core.merge_patch import merge_patch
from tests.domains.policies.test_merge_patch import JSON

OBJECTS = st.dictionaries(st.sampled_from("abc"), JSON, max_size=3)


def changed(patch: dict[str, Any]) -> list[Difference]:
    """What a patch of the default document changes."""
    return differences(default_document(), merge_patch(default_document(), patch))


class TestDifferences:
    def test_of_the_same_are_none(self) -> None:
        assert differences(default_document(), default_document()) == []

    def test_point_at_the_member(self) -> None:
        (found,) = changed({"order_checks": {"limit": {"tolerance_percent": "5"}}})
        assert found == Difference("/order_checks/limit/tolerance_percent", "0", "5")

    def test_take_absent_and_null_as_the_same(self) -> None:
        assert differences({"terms": None}, {}) == []
        assert differences({}, {"terms": None}) == []

    def test_tell_true_from_one(self) -> None:
        assert differences({"a": 1}, {"a": True}) == [Difference("/a", 1, True)]

    def test_take_arrays_as_wholes(self) -> None:
        (found,) = changed({"grades": [{"name": "A"}]})
        assert found.pointer == "/grades"

    @given(before=OBJECTS, after=OBJECTS)
    def test_are_the_same_both_ways(self, before: dict[str, Any], after: dict[str, Any]) -> None:
        there = {(each.pointer, repr(each.before), repr(each.after)) for each in differences(before, after)}
        back = {(each.pointer, repr(each.after), repr(each.before)) for each in differences(after, before)}
        assert there == back


class TestWords:
    @pytest.mark.parametrize(
        ("patch", "words"),
        [
            ({"limit": {"tolerance_percent": "5"}}, "order checks › limit › tolerance percent: 0 → 5"),
            ({"terms": {"effect": "warn"}}, "order checks › terms: on, effect warn"),
            (
                {"dunning_level": None},
                "order checks › dunning level: off, was effect refer, max level 2",
            ),
            ({"held_orders_count": True}, "order checks › held orders count: no → yes"),
        ],
    )
    def test_say_it_as_one_would(self, patch: dict[str, Any], words: str) -> None:
        assert [each.words for each in changed({"order_checks": patch})] == [words]

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            (lambda card: card["groups"][0].update(weight="35"), "scorecard › groups › financial › weight: 40 → 35"),
            (
                lambda card: card["groups"][0]["factors"][0].update(missing="0"),
                "scorecard › groups › financial › factors › equity ratio › missing: 30 → 0",
            ),
            (
                lambda card: card["groups"][-1]["factors"].pop(),
                "scorecard › groups › judgement › factors: questionnaire (conditions) removed",
            ),
            (
                lambda card: card["knock_outs"].append({"code": "sued", "factor": "adverse_count", "grade": "D"}),
                "scorecard › knock outs: sued added, code sued, factor adverse_count, grade D",
            ),
            (
                lambda card: card["groups"][2]["factors"][0].update(bands=[{"points": "1"}]),
                "scorecard › groups › payment › factors › payment index › bands: ",
            ),
            (
                lambda card: card["groups"].reverse(),
                "scorecard › groups: now in the order judgement, references, agency, payment, market, financial",
            ),
        ],
    )
    def test_say_of_lists_only_what_differs(self, change: Callable[[dict[str, Any]], Any], words: str) -> None:
        after = default_document()
        change(after["scorecard"])
        (found,) = differences(default_document(), after)
        assert found.words.startswith(words)

    def test_say_lists_without_names_as_wholes(self) -> None:
        assert Difference("/a", ["x"], ["x", "y"]).words == "a: x → x, y"
