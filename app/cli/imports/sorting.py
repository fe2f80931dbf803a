"""Entries in the order of their days, however many: an external merge sort.

What fits into one run is sorted in memory. More is written to a temporary file as sorted runs and merged while it is
read back: memory holds one run, and one block of each run written. The file has no name any more once it is open, so
whatever ends the process also removes it.
"""

from __future__ import annotations

import heapq
import tempfile
from collections.abc import Iterator
from types import TracebackType
from typing import BinaryIO, Final, NamedTuple, cast

import orjson

RUN_ENTRIES: Final = 50_000
BLOCK_BYTES: Final = 64 * 1024


class Entry(NamedTuple):
    """What one line of a file asks to be entered; sorts by day, then rank, then line.

    `rank` tells what has to come first on the same day, and what the entry is; `fields` are texts by our names.
    """

    day: str
    rank: int
    line: int
    fields: dict[str, str]


class DayOrder:
    """Takes entries in any order and gives them back in theirs. A context manager: leaving it frees the disk."""

    def __init__(self, *, run_entries: int = RUN_ENTRIES) -> None:
        self.count = 0
        self._run_entries = run_entries
        self._held: list[Entry] = []
        self._runs: list[tuple[int, int]] = []
        self._file: BinaryIO | None = None

    def __enter__(self) -> DayOrder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, entry: Entry) -> None:
        """Takes one entry. No two have the same day, rank and line."""
        self._held.append(entry)
        self.count += 1
        if len(self._held) >= self._run_entries:
            self._spill()

    def __iter__(self) -> Iterator[Entry]:
        """All entries, in order."""
        self._held.sort()
        if self._file is None:
            return iter(self._held)
        return heapq.merge(*(self._read_run(self._file, start, end) for start, end in self._runs), self._held)

    def _spill(self) -> None:
        if self._file is None:
            self._file = cast(BinaryIO, tempfile.TemporaryFile(prefix="headroom-import-"))  # noqa: SIM115
        self._held.sort()
        start = self._file.seek(0, 2)
        self._file.writelines(orjson.dumps(tuple(entry)) + b"\n" for entry in self._held)
        self._runs.append((start, self._file.tell()))
        self._held = []

    @staticmethod
    def _read_run(file: BinaryIO, start: int, end: int) -> Iterator[Entry]:
        """The entries between two places of the file; others read it in between, so each block is sought anew."""
        rest = b""
        while start < end:
            file.seek(start)
            block = file.read(min(BLOCK_BYTES, end - start))
            start += len(block)
            *lines, rest = (rest + block).split(b"\n")
            for line in lines:
                yield Entry(*orjson.loads(line))
