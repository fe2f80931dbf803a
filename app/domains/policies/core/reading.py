"""Reads a JSON document into frozen dataclasses and says everything that is wrong with it, never the first fault only.

The dataclasses are the format: a field's type says what may stand there, its default what an absent member means, and
the annotations of this module what is allowed. Amounts and percentages are decimal strings or integers, never floats.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import cache
from types import UnionType
from typing import Annotated, Any, Final, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from app.kernel.errors import Fault

T = TypeVar("T")

DECIMAL_PATTERN: Final = r"[0-9]{1,15}(\.[0-9]{1,4})?"
SIGNED_PATTERN: Final = f"-?{DECIMAL_PATTERN}"
_DECIMAL: Final = re.compile(DECIMAL_PATTERN)
_SIGNED: Final = re.compile(SIGNED_PATTERN)
_UNREADABLE: Final[Any] = object()
MAX_NAME: Final = 64
"""Characters of a name that the document itself chooses, such as an industry's."""


@dataclass(frozen=True, slots=True)
class Between:
    """A number from `low` to `high`, both included. Only where `low` is negative a decimal string may have a sign."""

    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Length:
    """A text, list or object of `low` to `high` characters, items or members, both included."""

    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Excluding:
    """An enumeration without the member `value`, refused with the code `code`."""

    value: str
    code: str


def read(kind: type[T], value: Any, pointer: str, faults: list[Fault]) -> T | None:
    """`value` as the dataclass `kind`; None, and a fault in `faults` for each place that is wrong, if it is not one."""
    result = _read(kind, (), value, pointer, faults)
    return None if result is _UNREADABLE else cast(T, result)


def member(pointer: str, name: str | int) -> str:
    """The JSON pointer (RFC 6901) of the member `name` of what `pointer` points at."""
    return f"{pointer}/{str(name).replace('~', '~0').replace('/', '~1')}"


@cache
def hints(kind: type) -> Mapping[str, Any]:
    """The resolved types of the fields of a dataclass, annotations included."""
    return get_type_hints(kind, include_extras=True)


def _read(kind: Any, notes: tuple[Any, ...], value: Any, at: str, faults: list[Fault]) -> Any:
    origin = get_origin(kind)
    if origin is Annotated:
        inner, *more = get_args(kind)
        return _read(inner, (*notes, *more), value, at, faults)
    if origin in (Union, UnionType):
        if value is None:
            return None
        return _read(next(arm for arm in get_args(kind) if arm is not type(None)), notes, value, at, faults)
    if origin is tuple:
        return _read_list(get_args(kind)[0], notes, value, at, faults)
    if origin is Mapping:
        return _read_table(get_args(kind)[1], notes, value, at, faults)
    if dataclasses.is_dataclass(kind):
        return _read_object(cast(type, kind), value, at, faults)
    if issubclass(kind, StrEnum):
        return _read_choice(kind, notes, value, at, faults)
    return _read_scalar(kind, notes, value, at, faults)


def _read_object(kind: type, value: Any, at: str, faults: list[Fault]) -> Any:
    if not isinstance(value, Mapping):
        return _fault(faults, at, "object_expected", "an object is expected here")
    found_before = len(faults)
    fields = {field.name: field for field in dataclasses.fields(kind)}
    for name in value:
        if name not in fields:
            _fault(faults, member(at, name), "unknown_field", f"there is no {name!r} here")
    read_fields = {}
    for name, field in fields.items():
        if name in value:
            read_fields[name] = _read_member(hints(kind)[name], value[name], member(at, name), faults)
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            _fault(faults, member(at, name), "required", f"{name!r} is required")
    return kind(**read_fields) if len(faults) == found_before else _UNREADABLE


def _read_member(kind: Any, value: Any, at: str, faults: list[Fault]) -> Any:
    """A null where null is no value: for a rule it would turn off what can't be off, so it is named as that."""
    if value is None and dataclasses.is_dataclass(kind):
        return _fault(faults, at, "cannot_be_off", "this can't be turned off")
    return _read(kind, (), value, at, faults)


def _read_list(kind: Any, notes: tuple[Any, ...], value: Any, at: str, faults: list[Fault]) -> Any:
    if not isinstance(value, list):
        return _fault(faults, at, "array_expected", "an array is expected here")
    if _wrong_length(value, notes, at, faults):
        return _UNREADABLE
    items = tuple(_read(kind, (), item, member(at, index), faults) for index, item in enumerate(value))
    return _UNREADABLE if any(item is _UNREADABLE for item in items) else items


def _read_table(kind: Any, notes: tuple[Any, ...], value: Any, at: str, faults: list[Fault]) -> Any:
    if not isinstance(value, Mapping):
        return _fault(faults, at, "object_expected", "an object is expected here")
    if _wrong_length(value, notes, at, faults):
        return _UNREADABLE
    for name in value:
        if not 0 < len(name) <= MAX_NAME or not name.isprintable():
            _fault(faults, member(at, name), "name_malformed", f"a name has 1 to {MAX_NAME} printable characters")
            return _UNREADABLE
    entries = {name: _read(kind, (), entry, member(at, name), faults) for name, entry in value.items()}
    return _UNREADABLE if any(entry is _UNREADABLE for entry in entries.values()) else entries


def _read_choice(kind: type[StrEnum], notes: tuple[Any, ...], value: Any, at: str, faults: list[Fault]) -> Any:
    excluded = {note.value: note for note in notes if isinstance(note, Excluding)}
    choices = [choice.value for choice in kind if choice.value not in excluded]
    if not isinstance(value, str) or value not in [choice.value for choice in kind]:
        return _fault(faults, at, "unknown_choice", f"one of {', '.join(choices)} is expected here")
    if value in excluded:
        return _fault(faults, at, excluded[value].code, f"{value!r} is not allowed here: {' or '.join(choices)}")
    return kind(value)


def _read_scalar(kind: type, notes: tuple[Any, ...], value: Any, at: str, faults: list[Fault]) -> Any:
    if kind is Decimal:
        number = _decimal(value, _SIGNED if any(_may_be_negative(note) for note in notes) else _DECIMAL)
        if number is None:
            return _fault(faults, at, "decimal_expected", "a decimal string or an integer is expected here")
        return _in_range(number, notes, at, faults)
    if kind is int:
        if not isinstance(value, int) or isinstance(value, bool):
            return _fault(faults, at, "integer_expected", "an integer is expected here")
        return _in_range(value, notes, at, faults)
    if kind is bool:
        return value if isinstance(value, bool) else _fault(faults, at, "boolean_expected", "true or false, please")
    if not isinstance(value, str):
        return _fault(faults, at, "string_expected", "a string is expected here")
    if not value.isprintable():
        return _fault(faults, at, "string_not_printable", "only printable characters are allowed here")
    return _UNREADABLE if _wrong_length(value, notes, at, faults) else value


def _may_be_negative(note: Any) -> bool:
    return isinstance(note, Between) and note.low < 0


def _decimal(value: Any, pattern: re.Pattern[str]) -> Decimal | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    if isinstance(value, str) and pattern.fullmatch(value):
        return Decimal(value)
    return None


def _in_range(number: Any, notes: tuple[Any, ...], at: str, faults: list[Fault]) -> Any:
    for note in notes:
        if isinstance(note, Between) and not note.low <= number <= note.high:
            return _fault(faults, at, "out_of_range", f"a number from {note.low} to {note.high} is expected here")
    return number


def _wrong_length(
    value: str | list[Any] | Mapping[str, Any], notes: tuple[Any, ...], at: str, faults: list[Fault]
) -> bool:
    for note in notes:
        if isinstance(note, Length) and not note.low <= len(value) <= note.high:
            _fault(faults, at, "wrong_length", f"{note.low} to {note.high} members or characters are expected here")
            return True
    return False


def _fault(faults: list[Fault], pointer: str, code: str, message: str) -> Any:
    faults.append(Fault(pointer, code, message))
    return _UNREADABLE
