"""Reads lines of a file and turns their columns into our fields, one line at a time.

Nothing of the file is kept. A line that cannot be read is an outcome like any other and stops nothing; a file that
cannot be read at all (its encoding, its header) raises before anything is posted.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import BinaryIO, Final

from app.cli.imports.fields import FIELDS, REFERENCE, Field, Form
from app.cli.imports.formats import (
    Read,
    Unreadable,
    day_reader,
    number_reader,
    read_flag,
    read_text,
    read_whole,
)
from app.cli.imports.profile import AUTO, SKIP, Kind, Profile, Rule, delimiter_of
from app.cli.imports.refusals import FieldMissing, LineMalformed, ValueUnreadable
from app.kernel.errors import Fault, Refusal

MAX_FIELD_CHARACTERS: Final = 64 * 1024
_PLACE: Final = re.compile(r"\{([^{}]+)\}")
_ANY: Final = "*"

Row = Sequence[str]
Extract = Callable[[Row], str]


class FileUnreadable(Exception):
    """The file as a whole cannot be read; the message says why, for people."""


class Skipped(Exception):
    """The line is none of ours, as the profile says."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line by our fields, in canonical texts; what the line does not say is absent."""

    number: int
    fields: dict[str, str]


@dataclass(frozen=True, slots=True)
class LineRefused:
    """A line that cannot be read, and why."""

    number: int
    reference: str
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class LineSkipped:
    """A line that was passed over on purpose."""

    number: int


class LineReader:
    """The lines of one open file.

    `unmapped` are the fields whose columns the file does not have; the position in the file is that of `raw`.
    """

    def __init__(self, raw: BinaryIO, kind: Kind, profile: Profile) -> None:
        """Reads the header. Raises `FileUnreadable`."""
        self._text = io.TextIOWrapper(raw, encoding=profile.encoding, newline="")
        self._encoding = profile.encoding
        self._kind = kind
        with self._decoding():
            first = self._text.readline()
        if not first.strip():
            raise FileUnreadable("the file has no first line with the names of its columns")
        mark = delimiter_of(first.rstrip("\r\n")) if profile.delimiter == AUTO else profile.delimiter
        self._header = [name.strip() for name in next(csv.reader([first], delimiter=mark))]
        self._rows = csv.reader(self._text, delimiter=mark)
        self._mapping = _Mapping(kind, profile, self._header)
        self.unmapped = self._mapping.unmapped

    def __iter__(self) -> Iterator[Line | LineRefused | LineSkipped]:
        """What became of each line, in the order of the file. Raises `FileUnreadable`."""
        rows = iter(self._rows)
        while True:
            number = self._rows.line_num + 2  # the header is line 1, and a line may go on over several
            with self._decoding():
                row = next(rows, None)
            if row is None:
                return
            if any(cell.strip() for cell in row):
                yield self._line(number, row)

    def _line(self, number: int, row: Row) -> Line | LineRefused | LineSkipped:
        fields: dict[str, str] = {}
        try:
            if len(row) != len(self._header):
                raise LineMalformed(f"{len(row)} columns where the first line has {len(self._header)}")
            self._mapping.read_into(fields, row)
        except Skipped:
            return LineSkipped(number)
        except Refusal as refusal:
            return LineRefused(number, fields.get(REFERENCE[self._kind], ""), refusal)
        return Line(number, fields)

    @contextmanager
    def _decoding(self) -> Iterator[None]:
        try:
            yield
        except UnicodeDecodeError as error:
            raise FileUnreadable(
                f"the bytes {error.object[error.start : error.start + 4]!r} are not {self._encoding}: "
                "say the encoding of the export, such as gb18030 or cp1252"
            ) from None
        except csv.Error as error:
            raise FileUnreadable(f"not CSV: {error}") from None


@contextmanager
def open_lines(path: Path, kind: Kind, profile: Profile) -> Iterator[tuple[LineReader, BinaryIO]]:
    """A reader of the file, and the file itself for its position. Raises `FileUnreadable`."""
    csv.field_size_limit(MAX_FIELD_CHARACTERS)
    try:
        with path.open("rb") as raw:
            yield LineReader(raw, kind, profile), raw
    except OSError as error:
        raise FileUnreadable(f"{path}: {error.strerror}") from None


class _Mapping:
    """The rules of a profile, bound to the columns of a header."""

    def __init__(self, kind: Kind, profile: Profile, header: Sequence[str]) -> None:
        fields = FIELDS[kind]
        rules = profile.rules_of(kind) or {name: Rule(column=name) for name in fields}
        unknown = sorted(set(rules) - set(fields))
        if unknown:
            raise FileUnreadable(f"{kind} have no field {unknown[0]}; they have {', '.join(fields)}")
        readers = {
            Form.TEXT: read_text,
            Form.DAY: day_reader(profile.dates),
            Form.NUMBER: number_reader(profile.decimals),
            Form.WHOLE: read_whole,
            Form.FLAG: read_flag,
        }
        places = _Places(header)
        self.unmapped: list[str] = []
        self._steps: list[tuple[str, bool, Extract]] = []
        for name, field in fields.items():
            rule = rules.get(name)
            missing = _missing(rule, places)
            if rule is None or missing:
                _check_dispensable(name, field, missing, header)
                if rule is not None and profile.rules_of(kind):
                    self.unmapped.append(name)
                continue
            self._steps.append((name, field.required, _extract(rule, readers[field.form], readers, places)))

    def read_into(self, fields: dict[str, str], row: Row) -> None:
        """Reads the fields of a row. Raises `Skipped`, `ValueUnreadable`, `FieldMissing`."""
        for name, required, extract in self._steps:
            try:
                text = extract(row)
            except Unreadable as error:
                raise _at(ValueUnreadable, name, str(error)) from None
            if text:
                fields[name] = text
            elif required:
                raise _at(FieldMissing, name, f"there is no {name}")


class _Places:
    """Where the columns are. Exports of one system differ in case and in spaces: `Document type`, `%  Delivered`."""

    def __init__(self, header: Sequence[str]) -> None:
        self._places = {self._folded(name): place for place, name in reversed(list(enumerate(header)))}

    def __contains__(self, name: str) -> bool:
        return self._folded(name) in self._places

    def __getitem__(self, name: str) -> int:
        return self._places[self._folded(name)]

    @staticmethod
    def _folded(name: str) -> str:
        return " ".join(name.split()).casefold()


def _missing(rule: Rule | None, places: _Places) -> list[str]:
    """The columns that a rule needs and the header does not have."""
    if rule is None:
        return []
    named = _PLACE.findall(rule.template) if rule.template is not None else [rule.column, rule.percent_of]
    return [name for name in named if name is not None and name not in places]


def _check_dispensable(name: str, field: Field, missing: Sequence[str], header: Sequence[str]) -> None:
    if field.required:
        what = f"its column {missing[0]!r} is not" if missing else "no column for it is"
        raise FileUnreadable(f"{name} is needed, and {what} among the columns: {', '.join(header)}")


def _extract(rule: Rule, read: Read, readers: Mapping[Form, Read], places: _Places) -> Extract:
    """The steps from a row to the canonical text of one field; nothing is an empty text."""
    source = _source(rule, places)
    if not rule.values and rule.default is None and rule.sign == "keep" and rule.percent_of is None:
        return lambda row: read(text) if (text := source(row)) else ""
    number = readers[Form.NUMBER]

    def extract(row: Row) -> str:
        text = _translated(rule, source(row)) or rule.default or ""
        if not text:
            return ""
        text = _resigned(rule, read(text))
        if rule.percent_of is not None:
            whole = _resigned(rule, number(row[places[rule.percent_of]].strip()))
            text = format(round(Decimal(text) * Decimal(whole) / 100, 2), "f")
        return text

    return extract


def _source(rule: Rule, places: _Places) -> Extract:
    if rule.constant is not None:
        constant = rule.constant
        return lambda row: constant
    if rule.column is not None:
        place = places[rule.column]
        return lambda row: row[place].strip()
    template = rule.template or ""
    named = [places[name] for name in _PLACE.findall(template)]
    pattern = _PLACE.sub("\0", template).split("\0")

    def fill(row: Row) -> str:
        values = [row[place].strip() for place in named]
        if not all(values):
            return ""
        return "".join(part + value for part, value in zip(pattern, [*values, ""], strict=True))

    return fill


def _translated(rule: Rule, text: str) -> str:
    said = rule.values.get(text, rule.values.get(_ANY, text)) if rule.values else text
    if said == SKIP:
        raise Skipped
    return said


def _resigned(rule: Rule, number: str) -> str:
    if rule.sign == "drop":
        return number.removeprefix("-")
    if rule.sign == "turn":
        return number[1:] if number.startswith("-") else f"-{number}"
    return number


def _at(refusal: type[FieldMissing | ValueUnreadable], field: str, message: str) -> Refusal:
    return refusal(message, faults=[Fault(f"/{field}", refusal.code, message)])
