"""One import, from the file to its last batch: read all, put in order, post.

Nothing is posted before the whole file has been read: what cannot be decoded is found first. Batches commit one by one,
so an interrupted import has posted whole batches, and repeating it finds them posted and goes on behind them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from app.cli.imports.dealing import Hand, post_all
from app.cli.imports.documents import entries_of, name_of
from app.cli.imports.fields import REFERENCE
from app.cli.imports.outcomes import Result
from app.cli.imports.profile import Kind, Profile
from app.cli.imports.reading import Line, LineReader, LineRefused, LineSkipped, Skipped, open_lines
from app.cli.imports.refusals import LineRepeated
from app.cli.imports.report import Report
from app.cli.imports.sorting import DayOrder, Entry
from app.domains.customers.core.refusals import ParentUnknown

TOLD_EVERY: Final = 1_000


class Progress(Protocol):
    """Who is told how far the import is."""

    def reading(self, done: int, total: int) -> None:
        """`done` of `total` bytes are read."""

    def posting(self, done: int, total: int) -> None:
        """`done` of `total` documents are posted or refused."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file of one kind, and how to read it."""

    path: Path
    kind: Kind
    profile: Profile


async def run(source: Source, hands: Sequence[Hand], report: Report, progress: Progress) -> list[str]:
    """Imports the file by these hands; returns the fields whose columns it does not have.

    Raises `FileUnreadable` before anything is posted, `OthersInTheWay` between two batches.
    """
    with DayOrder() as order:
        with open_lines(source.path, source.kind, source.profile) as (lines, raw):
            size = source.path.stat().st_size
            for line in _read(lines, source.kind, order, report):
                if line % TOLD_EVERY == 0:
                    progress.reading(raw.tell(), size)
        progress.reading(size, size)
        await _post(order, source.kind, hands, report, progress)
    return lines.unmapped


def _read(lines: LineReader, kind: Kind, order: DayOrder, report: Report) -> Iterator[int]:
    """Puts the lines into `order`, and says how many it has seen after each."""
    named: dict[tuple[str, ...], int] = {}
    for line in lines:
        report.tally.lines += 1
        if isinstance(line, LineRefused):
            report.refuse(line.number, line.reference, line.refusal)
        elif isinstance(line, LineSkipped):
            report.tally.skipped += 1
        elif (name := name_of(kind, line)) is not None and named.setdefault(name, line.number) != line.number:
            repeated = LineRepeated(f"line {named[name]} speaks of it already")
            report.refuse(line.number, line.fields[REFERENCE[kind]], repeated)
        else:
            _order(line, kind, order, report)
        yield report.tally.lines


def _order(line: Line, kind: Kind, order: DayOrder, report: Report) -> None:
    try:
        entries = entries_of(kind, line)
    except Skipped:
        report.tally.skipped += 1
        return
    for entry in entries:
        order.add(entry)


async def _post(order: DayOrder, kind: Kind, hands: Sequence[Hand], report: Report, progress: Progress) -> None:
    """Posts all entries. A customer whose parent comes later in the file is tried again once the others are there."""
    done, total = 0, order.count
    last_round = kind is not Kind.CUSTOMERS

    def note(entry: Entry, result: Result) -> None:
        nonlocal done
        if isinstance(result, ParentUnknown) and not last_round:
            later.add(entry)
            return
        report.note(entry.line, entry.fields[REFERENCE[kind]], result)
        done += 1
        if done % TOLD_EVERY == 0 or done == total:
            progress.posting(done, total)

    with ExitStack() as stack:
        while order.count:
            later = stack.enter_context(DayOrder())
            await post_all(order, hands, note, kind=kind)
            last_round = later.count == order.count
            order = later
