"""JSON Merge Patch: the table of RFC 7396, appendix A, and what holds for all documents."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domains.policies.core.merge_patch import merge_patch

APPENDIX_A: list[tuple[Any, Any, Any]] = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    (["a", "b"], ["c", "d"], ["c", "d"]),
    ({"a": "b"}, ["c"], ["c"]),
    ({"a": "foo"}, None, None),
    ({"a": "foo"}, "bar", "bar"),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
]

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=12,
)


def without_nulls(document: Any) -> Any:
    """The document as a patch could have made it."""
    if isinstance(document, dict):
        return {name: without_nulls(member) for name, member in document.items() if member is not None}
    return document


class TestMergePatch:
    @pytest.mark.parametrize(("target", "patch", "result"), APPENDIX_A)
    def test_does_what_the_rfc_says(self, target: Any, patch: Any, result: Any) -> None:
        assert merge_patch(target, patch) == result

    @given(target=JSON, patch=JSON)
    def test_changes_neither_of_its_arguments(self, target: Any, patch: Any) -> None:
        before = copy.deepcopy((target, patch))
        merge_patch(target, patch)
        assert (target, patch) == before

    @given(target=JSON, patch=JSON)
    def test_twice_is_the_same_as_once(self, target: Any, patch: Any) -> None:
        once = merge_patch(target, patch)
        assert merge_patch(once, patch) == once

    @given(target=JSON)
    def test_with_nothing_leaves_an_object_as_it_is(self, target: Any) -> None:
        assert merge_patch(target, {}) == (target if isinstance(target, dict) else {})

    @given(document=JSON)
    def test_makes_any_document_without_nulls(self, document: Any) -> None:
        wanted = without_nulls(document)
        assert merge_patch({}, wanted) == wanted
