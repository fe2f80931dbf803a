"""How exports write days, numbers and yes or no. Each reader turns a text into the one spelling that the API takes.

A text that does not fit its format is refused, never guessed at: `1.234` is no thousand where points are decimal.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from functools import lru_cache
from typing import Final

Read = Callable[[str], str]
"""Turns a text of the file into the canonical one. Raises `Unreadable`."""

DAYS_REMEMBERED: Final = 16_384
"""A file of years repeats the same few thousand days: each is read once."""

_DAY_TOKENS: Final = re.compile("YYYY|YY|MM?|DD?")
_DAY_GROUPS: Final[Mapping[str, str]] = {
    "YYYY": r"(?P<year>[0-9]{4})",
    "YY": r"(?P<year>[0-9]{2})",
    "MM": r"(?P<month>[0-9]{2})",
    "M": r"(?P<month>[0-9]{1,2})",
    "DD": r"(?P<day>[0-9]{2})",
    "D": r"(?P<day>[0-9]{1,2})",
}
_TIME_OF_DAY: Final = re.compile(r"[ T][0-9]{1,2}:[0-9]{2}.*$")
_CENTURY_TURNS: Final = 70
"""Two digits below this are years of 2000, the others of 1900, as POSIX has it (almost: there it is 69)."""
_NUMBER_EXAMPLE: Final = re.compile(r"1(?P<thousands>[^0-9]?)234(?P<decimal>[^0-9])56")
_PLAIN: Final = re.compile(r"[0-9]+(\.[0-9]+)?")
_SPACES: Final = {"\u00a0": " ", "\u202f": " ", "\u2009": " "}
_YES: Final = frozenset({"1", "true", "yes", "y", "x", "是"})
_NO: Final = frozenset({"0", "false", "no", "n", "否"})


class Unreadable(Exception):
    """A text is not what its format says; the message is for people."""


class FormatUnknown(ValueError):
    """A format is not one; the message says what one looks like."""


def day_reader(pattern: str) -> Read:
    """Reads days written like `pattern`, such as `DD.MM.YYYY`, `M/D/YYYY` or `YYYYMMDD`; a time of day is dropped.

    Raises `FormatUnknown`.
    """
    tokens = sorted(token[0] for token in _DAY_TOKENS.findall(pattern))
    if tokens != ["D", "M", "Y"]:
        raise FormatUnknown(f"{pattern!r} is no form of a day: write it like DD.MM.YYYY, M/D/YYYY or YYYYMMDD")
    parts, end = [], 0
    for token in _DAY_TOKENS.finditer(pattern):
        parts += [re.escape(pattern[end : token.start()]), _DAY_GROUPS[token[0]]]
        end = token.end()
    form = re.compile("".join(parts) + re.escape(pattern[end:]))

    @lru_cache(DAYS_REMEMBERED)
    def read(text: str) -> str:
        found = form.fullmatch(text) or form.fullmatch(_TIME_OF_DAY.sub("", text))
        if found is None:
            raise Unreadable(f"{text!r} is not a day like {pattern}")
        try:
            return date(_whole_year(found["year"]), int(found["month"]), int(found["day"])).isoformat()
        except ValueError:
            raise Unreadable(f"there is no day {text!r}") from None

    return read


def number_reader(example: str) -> Read:
    """Reads numbers written like `example`: 1234.56 in the export's own way, such as `1,234.56` or `1 234,56`.

    A sign stands in front or behind, or the number in brackets is negative. Raises `FormatUnknown`.
    """
    found = _NUMBER_EXAMPLE.fullmatch(_narrowed(example))
    if found is None or found["thousands"] == found["decimal"]:
        raise FormatUnknown(f"{example!r} is not 1234.56 in some way of writing, such as 1.234,56")
    thousands, decimal = re.escape(found["thousands"]), re.escape(found["decimal"])
    grouped = f"[0-9]{{1,3}}(?:{thousands}[0-9]{{3}})+|" if thousands else ""
    form = re.compile(f"(?P<whole>{grouped}[0-9]+)(?:{decimal}(?P<fraction>[0-9]+))?")
    separator = found["thousands"]
    plain_at_once = found["decimal"] == "."

    def read(text: str) -> str:
        if plain_at_once and _PLAIN.fullmatch(text):
            return text
        sign, digits = _signed(_narrowed(text))
        number = form.fullmatch(digits)
        if number is None:
            raise Unreadable(f"{text!r} is not a number like {example}")
        whole = number["whole"].replace(separator, "") if separator else number["whole"]
        return f"{sign}{whole}" + (f".{number['fraction']}" if number["fraction"] else "")

    return read


def read_flag(text: str) -> str:
    """Yes or no in the usual spellings, as `true` or `false`."""
    folded = text.casefold()
    if folded in _YES:
        return "true"
    if folded in _NO:
        return "false"
    raise Unreadable(f"{text!r} is neither yes nor no")


def read_whole(text: str) -> str:
    """A whole number; what comes from a spreadsheet may carry decimals that are zero."""
    found = re.fullmatch(r"([0-9]+)(?:[.,]0+)?", text)
    if found is None:
        raise Unreadable(f"{text!r} is not a whole number")
    return found[1]


def read_text(text: str) -> str:
    """The text itself."""
    return text


def _whole_year(digits: str) -> int:
    year = int(digits)
    if len(digits) == 4:
        return year
    return year + (2000 if year < _CENTURY_TURNS else 1900)


def _signed(text: str) -> tuple[str, str]:
    """The sign (`-` or nothing) and the digits of a number."""
    if text.startswith("(") and text.endswith(")"):
        return "-", text[1:-1].strip()
    for place in (text[:1], text[-1:]):
        if place in ("-", "\u2212", "+"):
            rest = text[1:] if text.startswith(place) else text[:-1]
            return ("" if place == "+" else "-"), rest.strip()
    return "", text


def _narrowed(text: str) -> str:
    """Every kind of space as the plain one."""
    for space, plain in _SPACES.items():
        text = text.replace(space, plain)
    return text
