"""What differs between two documents, and in words."""

from __future__ import annotations

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
