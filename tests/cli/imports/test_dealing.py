"""How the documents of a file are dealt out to batches."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cli.imports.dealing import BATCH_DOCUMENTS, SHARES, dealt
from app.cli.imports.sorting import Entry


def _entries(customers: list[int]) -> list[Entry]:
    return [Entry("2026-01-01", 0, line, {"customer_id": f"C{number}"}) for line, number in enumerate(customers)]


class TestDealing:
    @given(customers=st.lists(st.integers(0, 40), max_size=200), hands=st.integers(1, SHARES))
    def test_posts_each_document_once_and_those_of_a_customer_one_after_another(
        self, customers: list[int], hands: int
    ) -> None:
        entries = _entries(customers)
        lanes = [[entry for batch in lane for entry in batch] for lane in dealt(entries, hands)]
        assert sorted(entry.line for lane in lanes for entry in lane) == list(range(len(entries)))
        for lane in lanes:
            for customer in {entry.fields["customer_id"] for entry in lane}:
                own = [entry for entry in entries if entry.fields["customer_id"] == customer]
                assert [entry for entry in lane if entry.fields["customer_id"] == customer] == own

    def test_puts_a_customer_into_one_batch_where_many_buy(self) -> None:
        batches = [batch for lane in dealt(_entries(list(range(400)) * 20), 2) for batch in lane]
        seen = Counter(customer for batch in batches for customer in {entry.fields["customer_id"] for entry in batch})
        assert len(batches) == SHARES
        assert set(seen.values()) == {1}

    def test_cuts_what_one_customer_alone_has_bought(self) -> None:
        sizes = [len(batch) for lane in dealt(_entries([1] * 2_500), 2) for batch in lane]
        assert sizes == [BATCH_DOCUMENTS, BATCH_DOCUMENTS, 500]

    @pytest.mark.parametrize("hands", [1, 2, 4])
    def test_keeps_every_hand_busy(self, hands: int) -> None:
        lanes = dealt(_entries(list(range(400))), hands)
        assert len(lanes) == hands
        assert all(sum(len(batch) for batch in lane) > 200 / hands for lane in lanes)
