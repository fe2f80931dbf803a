"""Taking a person out of what was written."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.domains.customers.core.redaction import ERASED, redacted

NAMES = st.text(st.characters(categories=["Lu"]), min_size=1, max_size=6)


class TestRedacted:
    def test_takes_every_mark_out_of_texts_lists_and_documents(self) -> None:
        said = {
            "to": "Jane Doe <jane@example.com>",
            "lines": ["Jane Doe", "1 Road", "London"],
            "level": 2,
            "no": None,
        }
        kept = redacted(said, ("Jane Doe", "jane@example.com", "1 Road\nLondon"))
        assert kept == {"to": f"{ERASED} <{ERASED}>", "lines": [ERASED] * 3, "level": 2, "no": None}

    def test_takes_the_longer_mark_first(self) -> None:
        assert redacted("Jane Doe-Smith", ("Jane", "Jane Doe-Smith")) == ERASED

    def test_leaves_what_names_nobody(self) -> None:
        assert redacted({"a": ["b", 1, True]}, ("Jane",)) == {"a": ["b", 1, True]}

    @given(st.lists(NAMES, min_size=1, max_size=4), st.text(max_size=30))
    def test_leaves_no_mark(self, names: list[str], around: str) -> None:
        written = around.lower().join(names)
        assert all(name not in redacted(written, names).replace(ERASED, "") for name in names)
