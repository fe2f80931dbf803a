"""The policy document: its sections, and the profiles that vary them.

A section is a module of its own beside this one: its dataclasses, what it is by default, and what is wrong between its
members. `Rules` lists the sections; `_CROSS_CHECKS` says what has to hold between them. The dataclasses are the
document's format. A member that a given document leaves out, or sets to null, is off; for the rules that can't be off
it means the default. A default, once released, never changes: stored versions rely on it, and a decision must replay
identically years later. The document a new segment starts with spells everything out.

Percentages are 0–100, amounts are in the segment's currency, days are calendar days.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Annotated, Any, Final, TypeVar

from app.domains.policies.core.approvals import PLAIN_APPROVALS, Approvals, approvals_faults, default_approvals
from app.domains.policies.core.credit_data import BUYS_SELDOM, CreditData, default_credit_data
from app.domains.policies.core.default_scorecard import default_scorecard
from app.domains.policies.core.dunning import Dunning, default_dunning, dunning_faults
from app.domains.policies.core.grades import DEFAULT_GRADES, Grade, default_grades, grades_faults
from app.domains.policies.core.limits import Limits, default_limits, limits_faults
from app.domains.policies.core.merge_patch import merge_patch
from app.domains.policies.core.order_checks import OrderChecks, default_order_checks
from app.domains.policies.core.reading import Length, hints, member, read
from app.domains.policies.core.receivables import CLOSES_NOTHING, Receivables, default_receivables
from app.domains.policies.core.refusals import PolicyInvalid
from app.domains.policies.core.scorecard import Scorecard, scorecard_faults
from app.kernel.errors import Fault

Container = TypeVar("Container", list[Any], dict[str, Any])

MAX_PROFILES: Final = 50
MAX_PROFILE_NAME: Final = 64


@dataclass(frozen=True, slots=True)
class Rules:
    """The sections of the document, one line each: what an effective policy consists of."""

    order_checks: OrderChecks
    grades: Annotated[tuple[Grade, ...], Length(1, 26)] = DEFAULT_GRADES
    scorecard: Scorecard | None = None
    limits: Limits | None = None
    approvals: Approvals = PLAIN_APPROVALS
    dunning: Dunning | None = None
    receivables: Receivables = CLOSES_NOTHING
    credit_data: CreditData = BUYS_SELDOM

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
        "grades": default_grades(),
        "scorecard": default_scorecard(),
        "limits": default_limits(),
        "approvals": default_approvals(),
        "dunning": default_dunning(),
        "receivables": default_receivables(),
        "credit_data": default_credit_data(),
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


def _section_faults(document: Mapping[str, Any], root: str) -> list[Fault]:
    """What is wrong inside the sections that can be read, whatever else can't."""
    found: list[Fault] = []
    for name, faults_within in _WITHIN.items():
        section = _readable(name, document)
        if section is not None:
            found += faults_within(section, member(root, name))
    return found


def _readable(name: str, document: Mapping[str, Any]) -> Any:
    """The section by itself; None where it is absent or can't be read."""
    return read(hints(Rules)[name], document.get(name), "", [])


def _grade_faults(document: Mapping[str, Any], root: str) -> list[Fault]:
    """What is wrong between grades. Looks at the document itself, so that it is said beside all other faults."""
    names = _grade_names(document.get("grades", [{"name": grade.name} for grade in DEFAULT_GRADES]))
    found = [
        Fault(f"{root}/grades/{index}/name", "duplicate", f"the grade {name!r} is there twice")
        for index, name in enumerate(names)
        if name is not None and name in names[:index]
    ]
    known = ", ".join(name for name in names if name is not None)
    return found + [
        Fault(root + place, "unknown_grade", f"the grades are {known}")
        for place, grade in _named_grades(document)
        if grade not in names
    ]


def _named_grades(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Every place where a section names a grade, and the grade."""
    worst = _if(dict, _if(dict, document.get("order_checks")).get("grade")).get("worst_allowed")
    if isinstance(worst, str):
        yield "/order_checks/grade/worst_allowed", worst
    scorecard = _if(dict, document.get("scorecard"))
    for name in ("knock_outs", "confidence_caps"):
        for index, rule in enumerate(_if(list, scorecard.get(name))):
            grade = _if(dict, rule).get("grade")
            if isinstance(grade, str):
                yield f"/scorecard/{name}/{index}/grade", grade


def _approvals_faults(document: Mapping[str, Any], root: str) -> list[Fault]:
    """What is wrong inside approvals that can be read, beside grades that can be read."""
    approvals = read(Approvals, document.get("approvals", {}), "", [])
    grades = read(hints(Rules)["grades"], document["grades"], "", []) if "grades" in document else DEFAULT_GRADES
    if approvals is None or grades is None:
        return []
    return approvals_faults(approvals, member(root, "approvals"), [grade.name for grade in grades])


def _grade_names(grades: Any) -> list[str | None]:
    """The names of the grades, None in the place of each that has none."""
    named = [grade.get("name") if isinstance(grade, Mapping) else None for grade in _if(list, grades)]
    return [name if isinstance(name, str) else None for name in named]


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


_WITHIN: Final[Mapping[str, Callable[[Any, str], list[Fault]]]] = {
    "grades": grades_faults,
    "scorecard": scorecard_faults,
    "limits": limits_faults,
    "dunning": dunning_faults,
}
"""What must hold between the members of a section, besides what their types say."""

_CROSS_CHECKS: Final[tuple[Callable[[Mapping[str, Any], str], list[Fault]], ...]] = (
    _section_faults,
    _grade_faults,
    _approvals_faults,
)
"""What must hold between sections. Each looks at the document itself, so that all faults are said at once."""
