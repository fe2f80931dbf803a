"""The policy document: its sections, and the profiles that vary them.

A section is a module of its own beside this one: its dataclasses, what it is by default, and what is wrong between its
members. `Rules` lists the sections; `_CROSS_CHECKS` says what has to hold between them. The dataclasses are the
document's format. A member that a given document leaves out, or sets to null, is off; for the rules that can't be off
it means the default. A default, once released, never changes: stored versions rely on it, and a decision must replay
identically years later. The document a new segment starts with spells everything out.

Percentages are 0–100, amounts are in the segment's currency, days are calendar days.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Annotated, Any, Final, TypeVar

from app.domains.policies.core.merge_patch import merge_patch
from app.domains.policies.core.order_checks import OrderChecks, default_order_checks
from app.domains.policies.core.reading import Length, member, read
from app.domains.policies.core.refusals import PolicyInvalid
from app.kernel.errors import Fault

Container = TypeVar("Container", list[Any], dict[str, Any])

MAX_PROFILES: Final = 50
MAX_PROFILE_NAME: Final = 64


@dataclass(frozen=True, slots=True)
class Grade:
    """A risk class; its place in the list is its rank, best first."""

    name: Annotated[str, Length(1, 10)]


DEFAULT_GRADES: Final = tuple(Grade(letter) for letter in "ABCDEFGH")


@dataclass(frozen=True, slots=True)
class Rules:
    """The sections of the document, one line each: what an effective policy consists of."""

    order_checks: OrderChecks
    grades: Annotated[tuple[Grade, ...], Length(1, 26)] = DEFAULT_GRADES

    def grade_rank(self, name: str) -> int | None:
        """The place of a grade, 0 for the best; None for one the policy does not know."""
        return next((rank for rank, grade in enumerate(self.grades) if grade.name == name), None)


@dataclass(frozen=True, slots=True)
class Policy(Rules):
    """A valid policy document: the sections, and the patches that vary them for some customers."""

    profiles: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def parse(document: Mapping[str, Any], *, root: str = "") -> Policy:
    """`document` as a policy; refused with `PolicyInvalid` naming every fault, pointers beginning with `root`."""
    found, rules = _examine(document, root)
    if found or rules is None:
        raise PolicyInvalid(faults=found)
    return Policy(**_sections(rules), profiles=document.get("profiles") or {})


def parse_rules(rules: Mapping[str, Any], *, root: str = "") -> Policy:
    """What `effective` gives for one customer, as a policy without profiles. Refuses as `parse` does."""
    found, read_rules = _examine_rules(rules, root)
    if found or read_rules is None:
        raise PolicyInvalid(faults=found)
    return Policy(**_sections(read_rules))


def faults(document: Mapping[str, Any], *, root: str = "") -> list[Fault]:
    """Everything that is wrong with `document`; nothing if it is a policy."""
    return _examine(document, root)[0]


def effective(
    document: Mapping[str, Any], *, profile: str, override_patch: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The rules that hold for one customer: document, then profile, then override. An unknown profile is none."""
    rules = {name: section for name, section in document.items() if name != "profiles"}
    patched = merge_patch(rules, (document.get("profiles") or {}).get(profile, {}))
    result: dict[str, Any] = merge_patch(patched, override_patch or {})
    return result


def default_document() -> dict[str, Any]:
    """The document every segment starts with, everything spelled out."""
    return {
        "order_checks": default_order_checks(),
        "grades": [{"name": grade.name} for grade in DEFAULT_GRADES],
        "profiles": {},
    }


def _examine(document: Mapping[str, Any], root: str) -> tuple[list[Fault], Rules | None]:
    bare = {name: section for name, section in document.items() if name != "profiles"}
    found, rules = _examine_rules(bare, root)
    known = {(fault.pointer, fault.code) for fault in found}
    found += _profile_faults(document.get("profiles"), bare, root, known)
    return found, rules


def _examine_rules(document: Mapping[str, Any], root: str) -> tuple[list[Fault], Rules | None]:
    found: list[Fault] = []
    rules = read(Rules, document, root, found)
    for faults_between in _CROSS_CHECKS:
        found += faults_between(document, root)
    return found, rules


def _sections(rules: Rules) -> dict[str, Any]:
    return {section.name: getattr(rules, section.name) for section in fields(Rules)}


def _grade_faults(document: Mapping[str, Any], root: str) -> list[Fault]:
    """What is wrong between grades. Looks at the document itself, so that it is said beside all other faults."""
    names = _grade_names(document.get("grades", [{"name": grade.name} for grade in DEFAULT_GRADES]))
    found = [
        Fault(f"{root}/grades/{index}/name", "duplicate", f"the grade {name!r} is there twice")
        for index, name in enumerate(names)
        if name is not None and name in names[:index]
    ]
    worst = _worst_allowed(document.get("order_checks"))
    if worst is not None and worst not in names:
        known = ", ".join(name for name in names if name is not None)
        found.append(Fault(f"{root}/order_checks/grade/worst_allowed", "unknown_grade", f"the grades are {known}"))
    return found


def _grade_names(grades: Any) -> list[str | None]:
    """The names of the grades, None in the place of each that has none."""
    named = [grade.get("name") if isinstance(grade, Mapping) else None for grade in _if(list, grades)]
    return [name if isinstance(name, str) else None for name in named]


def _worst_allowed(order_checks: Any) -> str | None:
    rule = _if(dict, _if(dict, order_checks).get("grade"))
    worst = rule.get("worst_allowed")
    return worst if isinstance(worst, str) else None


def _if(kind: type[Container], value: Any) -> Container:
    """`value`, or an empty one of its kind where it is of another."""
    return value if isinstance(value, kind) else kind()


def _profile_faults(profiles: Any, bare: Mapping[str, Any], root: str, known: set[tuple[str, str]]) -> list[Fault]:
    """Each profile must make a valid document. What is wrong without it, too, is not said again."""
    place = f"{root}/profiles"
    if profiles is None:
        return []
    if not isinstance(profiles, Mapping):
        return [Fault(place, "object_expected", "an object is expected here")]
    if len(profiles) > MAX_PROFILES:
        return [Fault(place, "wrong_length", f"at most {MAX_PROFILES} profiles are expected here")]
    found: list[Fault] = []
    for name, patch in profiles.items():
        at = member(place, name)
        if not 0 < len(name) <= MAX_PROFILE_NAME or not name.isprintable():
            found.append(Fault(at, "name_malformed", f"a name has 1 to {MAX_PROFILE_NAME} printable characters"))
        if not isinstance(patch, Mapping):
            found.append(Fault(at, "object_expected", "a profile is a JSON Merge Patch over the document"))
            continue
        patched, _ = _examine_rules(merge_patch(bare, patch), "")
        found += [
            Fault(at + fault.pointer, fault.code, fault.message)
            for fault in patched
            if (root + fault.pointer, fault.code) not in known
        ]
    return found


_CROSS_CHECKS: Final[tuple[Callable[[Mapping[str, Any], str], list[Fault]], ...]] = (_grade_faults,)
"""What must hold between sections. Each looks at the document itself, so that all faults are said at once."""
