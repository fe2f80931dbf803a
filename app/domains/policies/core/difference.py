"""What differs between two policy documents: where, from what, to what, and in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from app.domains.policies.core.reading import member

_ABSENT: Final = None
"""An absent member and a null one are the same to a policy: off."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One member that differs. An absent member counts as null; arrays differ as wholes."""

    pointer: str
    before: Any
    after: Any

    @property
    def words(self) -> str:
        """The difference as one would say it."""
        where = self.pointer.strip("/").replace("~1", "/").replace("~0", "~").replace("_", " ").replace("/", " › ")
        if self.before is None:
            return f"{where}: on, {_say(self.after)}"
        if self.after is None:
            return f"{where}: off, was {_say(self.before)}"
        return f"{where}: {_say(self.before)} → {_say(self.after)}"


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """Every difference between the documents, in the order of the members of `before`, then of `after`."""
    return list(_walk(before, after, ""))


def _walk(before: Any, after: Any, at: str) -> Iterator[Difference]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in dict.fromkeys([*before, *after]):
            yield from _walk(before.get(name, _ABSENT), after.get(name, _ABSENT), member(at, name))
    elif not _same(before, after):
        yield Difference(at, before, after)


def _same(before: Any, after: Any) -> bool:
    """1 and true are equal in Python and different in JSON."""
    return bool(before == after) and isinstance(before, bool) == isinstance(after, bool)


def _say(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name.replace('_', ' ')} {_say(inner)}" for name, inner in value.items()) or "nothing"
    if isinstance(value, list):
        return ", ".join(_say(inner) for inner in value) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
