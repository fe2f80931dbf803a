"""What an import says: the lines it refused, where and why, written while it goes; and how many there were of what."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final, TextIO

from app.cli.imports.outcomes import Outcome, Result
from app.kernel.errors import Refusal

COLUMNS: Final = ("line", "reference", "code", "field", "reason")
SHOWN: Final = 20
"""How many refused lines are shown when no report is asked for."""


@dataclass(slots=True)
class Tally:
    """How many lines were read, and what became of the documents in them: an invoice and its payment are two."""

    lines: int = 0
    skipped: int = 0
    posted: int = 0
    unchanged: int = 0
    refused: int = 0
    shown: list[str] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """The numbers, by name."""
        return {name: value for name, value in asdict(self).items() if isinstance(value, int)}


class Report:
    """Counts outcomes and writes refused lines: to a CSV or JSON file, or a few of them to be shown."""

    def __init__(self, file: TextIO | None, *, as_json: bool) -> None:
        self.tally = Tally()
        self._file = file
        self._as_json = as_json
        self._writer = csv.writer(file) if file is not None and not as_json else None
        if self._writer is not None:
            self._writer.writerow(COLUMNS)
        elif file is not None:
            file.write('{"refused": [')

    def note(self, line: int, reference: str, result: Result) -> None:
        """What became of one document."""
        if isinstance(result, Refusal):
            self.refuse(line, reference, result)
        elif result is Outcome.POSTED:
            self.tally.posted += 1
        else:
            self.tally.unchanged += 1

    def refuse(self, line: int, reference: str, refusal: Refusal) -> None:
        """One line that is not posted, with each of its faults."""
        self.tally.refused += 1
        faults = [(fault.code, fault.pointer.lstrip("/"), fault.message) for fault in refusal.faults]
        for code, place, reason in faults or [(refusal.code, "", refusal.detail)]:
            self._write((line, reference, code, place, reason))
        if len(self.tally.shown) < SHOWN:
            said = "; ".join(f"{place + ': ' if place else ''}{reason}" for _, place, reason in faults)
            self.tally.shown.append(f"line {line} ({reference or '?'}): {said or refusal.detail}")

    def close(self) -> None:
        """Completes the file; a JSON report ends with the numbers."""
        if self._file is not None and self._as_json:
            self._file.write(f'\n], "summary": {json.dumps(self.tally.counts())}}}\n')

    def _write(self, values: tuple[int, str, str, str, str]) -> None:
        if self._writer is not None:
            self._writer.writerow(values)
        elif self._file is not None:
            first = self.tally.refused == 1
            document = json.dumps(dict(zip(COLUMNS, values, strict=True)), ensure_ascii=False)
            self._file.write(("\n  " if first else ",\n  ") + document)


@contextmanager
def reporting(path: Path | None) -> Iterator[Report]:
    """A report to the file at `path`, JSON if it is called so, else CSV; complete whatever ends the import."""
    if path is None:
        yield Report(None, as_json=False)
        return
    with path.open("w", encoding="utf-8", newline="") as file:
        report = Report(file, as_json=path.suffix.lower() == ".json")
        try:
            yield report
        finally:
            report.close()
