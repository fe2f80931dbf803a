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
        """The difference as one would say it; of lists only what differs in them."""
        where = self.pointer.strip("/").replace("/", " › ").replace("~1", "/").replace("~0", "~").replace("_", " ")
        if isinstance(self.before, list) and isinstance(self.after, list):
            return "; ".join(_list_words(where, self.before, self.after))
        if self.before is None:
            return f"{where}: on, {_say(self.after)}"
        if self.after is None:
            return f"{where}: off, was {_say(self.before)}"
        return f"{where}: {_say(self.before)} → {_say(self.after)}"


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """Every difference between the documents, in the order of the members of `before`, then of `after`."""
    return list(_walk(before, after, ""))


def _list_words(where: str, before: list[Any], after: list[Any]) -> Iterator[str]:
    """What differs between two lists whose members have names; else both as wholes."""
    old, new = _named(before), _named(after)
    if old is None or new is None:
        yield f"{where}: {_say(before)} → {_say(after)}"
        return
    common = [name for name in new if name in old]
    for name in [name for name in old if name not in new]:
        yield f"{where}: {name} removed"
    for name in [name for name in new if name not in old]:
        yield f"{where}: {name} added, {_say(new[name])}"
    if common != [name for name in old if name in new]:
        yield f"{where}: now in the order {', '.join(new)}"
    for name in common:
        for each in differences(old[name], new[name]):
            yield f"{where} › {name} › {each.words}"


def _named(items: list[Any]) -> dict[str, Mapping[str, Any]] | None:
    """The members of a list by what names them; null where they are not all objects with names of their own."""
    found: dict[str, Mapping[str, Any]] = {}
    for item in items:
        name = _name(item)
        if name is None or name in found:
            return None
        found[name] = item
    return found


_NAMES: Final = ("code", "name", "factor", "item", "score")
"""The members that name an object of a list, the best name first."""


def _name(item: Any) -> str | None:
    if not isinstance(item, Mapping):
        return None
    name = next((item[name] for name in _NAMES if item.get(name) is not None), None)
    if name is None:
        return None
    more = f" ({item['item']})" if "factor" in item and item.get("item") is not None and name == item["factor"] else ""
    return f"{name}{more}".replace("_", " ")


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
