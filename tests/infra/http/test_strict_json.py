"""Bodies that two parsers could read differently are refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.infra.http.strict_json import (
    MAX_DEPTH,
    JsonMalformed,
    JsonMemberRepeated,
    JsonTooDeep,
    TextUnstorable,
    parse,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=20,
)


class TestParse:
    @given(JSON)
    def test_reads_what_json_can_say(self, document: Any) -> None:
        text = json.dumps(document, ensure_ascii=False)
        try:
            assert parse(text.encode("utf-8")) == document
        except (UnicodeEncodeError, TextUnstorable):
            assert any(char == "\0" or "\ud800" <= char <= "\udfff" for char in text) or "\\u0000" in text

    @pytest.mark.parametrize(
        "body",
        [
            b"{",
            b"",
            b"\xff",
            b"\xef\xbb\xbf{}",
            b"{'a': 1}",
            b"[1,]",
            b"NaN",
            b"-Infinity",
            b"1e999",
            b"[" + b"9" * 5000 + b"]",
        ],
    )
    def test_refuses_what_is_not_json_in_utf_8(self, body: bytes) -> None:
        with pytest.raises(JsonMalformed):
            parse(body)

    def test_refuses_utf_16(self) -> None:
        with pytest.raises(JsonMalformed):
            parse('{"a": 1}'.encode("utf-16"))

    @pytest.mark.parametrize("body", [b'{"a": 1, "a": 1}', b'[{"x": {"amount": 1, "amount": 2}}]'])
    def test_refuses_repeated_members(self, body: bytes) -> None:
        with pytest.raises(JsonMemberRepeated):
            parse(body)

    def test_bounds_the_depth(self) -> None:
        assert parse(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)
        for depth in (MAX_DEPTH + 1, 500_000):
            with pytest.raises(JsonTooDeep):
                parse(b"[" * depth + b"]" * depth)

    def test_takes_many_objects_side_by_side(self) -> None:
        assert len(parse(b"[" + b",".join([b'{"a": [{}]}'] * 1000) + b"]")) == 1000

    @pytest.mark.parametrize("escape", [rb"\u0000", rb"\ud800", rb"\udfff"])
    def test_refuses_text_that_cannot_be_stored_where_it_stands(self, escape: bytes) -> None:
        with pytest.raises(TextUnstorable) as caught:
            parse(b'{"items": [{"a/b": "x' + escape + b'"}]}')
        assert caught.value.faults[0].pointer == "/items/0/a~1b"

    def test_refuses_it_in_names_too(self) -> None:
        with pytest.raises(TextUnstorable):
            parse(rb'{"\u0000": 1}')

    def test_takes_escapes_that_are_text(self) -> None:
        assert parse(rb'["\u5317\u4eac \ud83d\ude00"]') == ["北京 😀"]
