"""Frozen dataclasses: changed copies of them, and back from the JSON they were stored as.

    orjson.dumps(facts, default=str)  →  stored  →  load(CheckFacts, orjson.loads(stored)) == facts

The type hints are the format: decimals are strings, days and instants ISO 8601, enumerations their values, tuples
arrays. A member that is missing takes its default, so that records written before a field existed still load; one that
nobody knows is refused, since a fact that is read and dropped would make the record say something else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import cache
from operator import attrgetter
from types import NoneType, UnionType
from typing import Any, Final, TypeVar, Union, cast, get_args, get_origin, get_type_hints
from uuid import UUID

Record = TypeVar("Record")
Reader = Callable[[Any, str], Any]
"""Reads a JSON value; the text is its JSON pointer, for the message when it can't."""


class RecordMalformed(ValueError):
    """A stored document is not the record it is read as."""


def load(cls: type[Record], document: Any) -> Record:
    """The record of the frozen dataclass `cls` that `document` (parsed JSON) holds. Raises `RecordMalformed`."""
    return cast(Record, _record(cls, document, ""))


def _record(cls: Any, value: Any, pointer: str) -> Any:
    members = _object(value, pointer)
    known = _members(cls)
    for name in members:
        if name not in known:
            raise RecordMalformed(f"{cls.__name__} has no member {name!r} at {pointer or '/'}")
    for name, (_, needed) in known.items():
        if needed and name not in members:
            raise RecordMalformed(f"{cls.__name__} lacks {name!r} at {pointer or '/'}")
    return cls(**{name: known[name][0](member, f"{pointer}/{name}") for name, member in members.items()})


@cache
def _members(cls: Any) -> Mapping[str, tuple[Reader, bool]]:
    """How each member of a dataclass is read, and whether it must be there."""
    hints = get_type_hints(cls)
    return {member.name: (_reader(hints[member.name]), _is_needed(member)) for member in fields(cls)}


def _is_needed(member: Field[Any]) -> bool:
    return member.default is MISSING and member.default_factory is MISSING


def _reader(kind: Any) -> Reader:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return _optional(arguments)
    if origin is tuple:
        return _tuple(arguments)
    if origin is not None and issubclass(origin, Mapping):
        return _mapping(arguments)
    if is_dataclass(kind):
        return lambda value, pointer: _record(kind, value, pointer)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return _text(kind)
    if kind in _READERS:
        return _READERS[kind]
    raise TypeError(f"{kind} has no form in a record")


def _optional(arguments: tuple[Any, ...]) -> Reader:
    kinds = [kind for kind in arguments if kind is not NoneType]
    if len(kinds) != 1 or len(arguments) != 2:
        raise TypeError(f"a record can't tell which of {arguments} a value is")
    read = _reader(kinds[0])
    return lambda value, pointer: None if value is None else read(value, pointer)


def _tuple(arguments: tuple[Any, ...]) -> Reader:
    kind, *rest = arguments
    if rest != [...]:
        raise TypeError("tuples in records are of one kind and any length")
    read = _reader(kind)

    def items(value: Any, pointer: str) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise RecordMalformed(f"an array is expected at {pointer}")
        return tuple(read(item, f"{pointer}/{index}") for index, item in enumerate(value))

    return items


def _mapping(arguments: tuple[Any, ...]) -> Reader:
    key, kind = arguments
    if key is not str:
        raise TypeError("the members of a JSON object have text names")
    read = _reader(kind)
    return lambda value, pointer: {
        name: read(member, f"{pointer}/{name}") for name, member in _object(value, pointer).items()
    }


def _object(value: Any, pointer: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise RecordMalformed(f"an object is expected at {pointer or '/'}")
    return value


def _exactly(kind: type[Any]) -> Reader:
    def read(value: Any, pointer: str) -> Any:
        if type(value) is not kind:
            raise RecordMalformed(f"{kind.__name__} is expected at {pointer}")
        return value

    return read


def _text(parse: Callable[[str], Any]) -> Reader:
    def read(value: Any, pointer: str) -> Any:
        if type(value) is not str:
            raise RecordMalformed(f"text is expected at {pointer}")
        try:
            return parse(value)
        except (ValueError, InvalidOperation):
            raise RecordMalformed(f"{value!r} at {pointer} can't be read") from None

    return read


def _decimal(text: str) -> Decimal:
    number = Decimal(text)
    if not number.is_finite():
        raise ValueError(text)
    return number


_READERS: Final[Mapping[Any, Reader]] = {
    str: _exactly(str),
    int: _exactly(int),
    bool: _exactly(bool),
    Decimal: _text(_decimal),
    date: _text(date.fromisoformat),
    datetime: _text(datetime.fromisoformat),
    UUID: _text(UUID),
}


def changed(record: Record, **members: Any) -> Record:
    """A copy of a frozen record with other `members`: `dataclasses.replace` at a third of its cost, for records that
    change many times in one decision. Members must be positional, as they are unless said otherwise."""
    cls: Any = type(record)
    values_of, places = _layout(cls)
    values = list(values_of(record))
    for name, value in members.items():
        values[places[name]] = value
    return cast(Record, cls(*values))


@cache
def _layout(cls: type[Any]) -> tuple[Callable[[Any], tuple[Any, ...]], Mapping[str, int]]:
    names = [field.name for field in fields(cls)]
    return attrgetter(*names), {name: place for place, name in enumerate(names)}
