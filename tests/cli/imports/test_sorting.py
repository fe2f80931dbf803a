"""Entries in the order of their days, in memory or beyond it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.cli.imports.sorting import DayOrder, Entry

KEYS = st.lists(
    st.tuples(st.dates(), st.integers(0, 2), st.integers(1, 10**6)),
    max_size=200,
    unique=True,
)


def entry(day: str, rank: int, line: int) -> Entry:
    return Entry(day, rank, line, {"invoice_no": f"发票/{line}\n", "amount": "1.00"})


class TestOrder:
    @given(KEYS, st.integers(1, 50))
    def test_is_that_of_days_ranks_and_lines_however_little_fits_into_memory(self, keys: list, run: int) -> None:
        entries = [entry(day.isoformat(), rank, line) for day, rank, line in keys]
        with DayOrder(run_entries=run) as order:
            for each in entries:
                order.add(each)
            assert order.count == len(entries)
            assert list(order) == sorted(entries)

    def test_reads_many_blocks_of_many_runs(self) -> None:
        lines = [(7 * number) % 10_007 for number in range(1, 10_007)]
        with DayOrder(run_entries=1_000) as order:
            for line in lines:
                order.add(Entry("2026-01-01", 0, line, {"text": "x" * 100}))
            assert [found.line for found in order] == sorted(lines)

    def test_of_nothing_is_nothing(self) -> None:
        with DayOrder() as order:
            assert list(order) == []
