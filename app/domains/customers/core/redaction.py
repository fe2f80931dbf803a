"""Taking a person out of what was written: wherever they are named, in texts and in JSON."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

ERASED: Final = "[erased]"
"""What stands in the place of a name, an address or a number that was erased."""


def redacted(value: Any, marks: Collection[str]) -> Any:
    """`value` without any of `marks`; of a mark of several lines, each line by itself."""
    if isinstance(value, str):
        for mark in sorted(_lines(marks), key=len, reverse=True):
            value = value.replace(mark, ERASED)
        return value
    if isinstance(value, dict):
        return {name: redacted(member, marks) for name, member in value.items()}
    if isinstance(value, list):
        return [redacted(member, marks) for member in value]
    return value


def _lines(marks: Collection[str]) -> set[str]:
    return {line.strip() for mark in marks for line in mark.splitlines() if line.strip()}
