"""The policy document: the rules an order is judged by, the grades, and the profiles that vary both.

The dataclasses are the document's format. A member that a given document leaves out, or sets to null, is off; for the
rules that can't be off it means the default. A default, once released, never changes: stored versions rely on it, and
a decision must replay identically years later. The document a new segment starts with spells everything out.

Percentages are 0–100, amounts are in the segment's currency, days are calendar days.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Final, TypeVar

from app.domains.policies.core.merge_patch import merge_patch
from app.domains.policies.core.reading import Between, Excluding, Length, member, read
from app.domains.policies.core.refusals import PolicyInvalid
from app.kernel.errors import Fault

Container = TypeVar("Container", list[Any], dict[str, Any])

MAX_PROFILES: Final = 50
MAX_PROFILE_NAME: Final = 64


class Effect(StrEnum):
    """What a rule does to an order it objects to. Compare by `severity`, never as text."""

    WARN = "warn"
    REFER = "refer"
    DECLINE = "decline"

    @property
    def severity(self) -> int:
        """1 for a warning, 2 for a referral, 3 for a decline."""
        return _SEVERITY[self]


_SEVERITY: Final = {Effect.WARN: 1, Effect.REFER: 2, Effect.DECLINE: 3}

BlockingEffect = Annotated[Effect, Excluding("warn", "cannot_be_warn")]
Percent = Annotated[Decimal, Between(0, 100)]
WidePercent = Annotated[Decimal, Between(0, 1000)]
Threshold = Annotated[Decimal, Between(0, 999_999_999_999_999)]
Days = Annotated[int, Between(0, 3650)]


@dataclass(frozen=True, slots=True)
class LimitRule:
    """Exposure with the order must stay within the limit plus a tolerance."""

    effect: Effect = Effect.REFER
    tolerance_percent: Percent = Decimal(0)


@dataclass(frozen=True, slots=True)
class GroupLimitRule:
    """The group's exposure with the order must stay within the group limit plus a tolerance."""

    effect: Effect = Effect.REFER
    tolerance_percent: Percent = Decimal(0)


@dataclass(frozen=True, slots=True)
class MissingLimitRule:
    """Somebody must have decided on a limit, if the order leaves any exposure."""

    effect: BlockingEffect = Effect.REFER


@dataclass(frozen=True, slots=True)
class LimitExpiryRule:
    """The limit must not have ended more than `grace_days` ago."""

    effect: BlockingEffect = Effect.REFER
    grace_days: Days = 0


@dataclass(frozen=True, slots=True)
class HoldRule:
    """What a soft hold does; a forced one always declines."""

    effect: Effect = Effect.REFER


@dataclass(frozen=True, slots=True)
class FxRateRule:
    """There must be an exchange rate from the order's currency to the account's."""

    effect: BlockingEffect = Effect.REFER


@dataclass(frozen=True, slots=True)
class OrderValueRule:
    """The order by itself must not be worth more than `max_amount`."""

    effect: Effect
    max_amount: Threshold


@dataclass(frozen=True, slots=True)
class OldestItemRule:
    """No open item of at least `min_amount` may be overdue for more than `max_days_overdue`."""

    effect: Effect = Effect.REFER
    max_days_overdue: Days = 30
    min_amount: Threshold = Decimal("1.00")


@dataclass(frozen=True, slots=True)
class OverdueShareRule:
    """Items overdue for more than `older_than_days` may be at most `max_percent` of the open items."""

    effect: Effect
    max_percent: Percent
    older_than_days: Days = 0


@dataclass(frozen=True, slots=True)
class OverdueWithUtilisationRule:
    """Much overdue and a limit largely used: objects only where both thresholds are reached."""

    effect: Effect
    min_overdue_amount: Threshold
    min_utilisation_percent: WidePercent


@dataclass(frozen=True, slots=True)
class DunningLevelRule:
    """`max_level` is the highest dunning level still allowed."""

    effect: Effect = Effect.REFER
    max_level: Annotated[int, Between(0, 9)] = 2


@dataclass(frozen=True, slots=True)
class PaymentIndexRule:
    """How promptly the customer pays, 0–100, must not be below `min_index`."""

    effect: Effect
    min_index: Percent


@dataclass(frozen=True, slots=True)
class GradeRule:
    """The customer's grade must not be worse than `worst_allowed`, one of the document's grades."""

    effect: Effect
    worst_allowed: str


@dataclass(frozen=True, slots=True)
class AssessmentAgeRule:
    """There must be an assessment no older than `max_days`."""

    effect: Effect
    max_days: Days


@dataclass(frozen=True, slots=True)
class TermsRule:
    """The order's payment terms must not be better than the customer's."""

    effect: Effect


@dataclass(frozen=True, slots=True)
class CoverRule:
    """At least `min_covered_percent` of the exposure with the order must be insured or secured."""

    effect: Effect
    min_covered_percent: Percent


@dataclass(frozen=True, slots=True)
class UtilisationWarningRule:
    """After the order no more than `percent` of the limit should be in use."""

    effect: Effect = Effect.WARN
    percent: WidePercent = Decimal(90)


@dataclass(frozen=True, slots=True)
class OrderChecks:
    """What an order is judged by. A rule that is None is off."""

    limit: LimitRule = LimitRule()
    group_limit: GroupLimitRule | None = None
    missing_limit: MissingLimitRule = MissingLimitRule()
    limit_expiry: LimitExpiryRule = LimitExpiryRule()
    hold: HoldRule = HoldRule()
    fx_rate: FxRateRule = FxRateRule()
    order_value: OrderValueRule | None = None
    oldest_item: OldestItemRule | None = None
    overdue_share: OverdueShareRule | None = None
    overdue_with_utilisation: OverdueWithUtilisationRule | None = None
    dunning_level: DunningLevelRule | None = None
    payment_index: PaymentIndexRule | None = None
    grade: GradeRule | None = None
    assessment_age: AssessmentAgeRule | None = None
    terms: TermsRule | None = None
    cover: CoverRule | None = None
    utilisation_warning: UtilisationWarningRule | None = None
    horizon_days: Days | None = None
    """Open orders that ship later than this many days from today don't count; None: all count."""
    reservation_days: Days = 30
    held_orders_count: bool = False
    """Whether referred orders use up headroom while they wait."""
    recheck_grace_days: Annotated[int, Between(0, 365)] = 3


@dataclass(frozen=True, slots=True)
class Grade:
    """A risk class; its place in the list is its rank, best first."""

    name: Annotated[str, Length(1, 10)]


DEFAULT_GRADES: Final = tuple(Grade(letter) for letter in "ABCDEFGH")


@dataclass(frozen=True, slots=True)
class Policy:
    """A valid policy document."""

    order_checks: OrderChecks
    grades: Annotated[tuple[Grade, ...], Length(1, 26)] = DEFAULT_GRADES
    profiles: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def grade_rank(self, name: str) -> int | None:
        """The place of a grade, 0 for the best; None for one the policy does not know."""
        return next((rank for rank, grade in enumerate(self.grades) if grade.name == name), None)


@dataclass(frozen=True, slots=True)
class _Rules:
    """The document without its profiles, which are patches and not rules."""

    order_checks: OrderChecks
    grades: Annotated[tuple[Grade, ...], Length(1, 26)] = DEFAULT_GRADES


def parse(document: Mapping[str, Any], *, root: str = "") -> Policy:
    """`document` as a policy; refused with `PolicyInvalid` naming every fault, pointers beginning with `root`."""
    found, rules = _examine(document, root)
    if found or rules is None:
        raise PolicyInvalid(faults=found)
    return Policy(rules.order_checks, rules.grades, document.get("profiles") or {})


def parse_rules(rules: Mapping[str, Any], *, root: str = "") -> Policy:
    """What `effective` gives for one customer, as a policy without profiles. Refuses as `parse` does."""
    found, read_rules = _examine_rules(rules, root)
    if found or read_rules is None:
        raise PolicyInvalid(faults=found)
    return Policy(read_rules.order_checks, read_rules.grades)


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
        "order_checks": {
            "limit": {"effect": "refer", "tolerance_percent": "0"},
            "group_limit": {"effect": "refer", "tolerance_percent": "0"},
            "missing_limit": {"effect": "refer"},
            "limit_expiry": {"effect": "refer", "grace_days": 0},
            "hold": {"effect": "refer"},
            "fx_rate": {"effect": "refer"},
            "order_value": None,
            "oldest_item": {"effect": "refer", "max_days_overdue": 30, "min_amount": "1.00"},
            "overdue_share": None,
            "overdue_with_utilisation": None,
            "dunning_level": {"effect": "refer", "max_level": 2},
            "payment_index": None,
            "grade": None,
            "assessment_age": None,
            "terms": None,
            "cover": None,
            "utilisation_warning": {"effect": "warn", "percent": "90"},
            "horizon_days": None,
            "reservation_days": 30,
            "held_orders_count": False,
            "recheck_grace_days": 3,
        },
        "grades": [{"name": grade.name} for grade in DEFAULT_GRADES],
        "profiles": {},
    }


def _examine(document: Mapping[str, Any], root: str) -> tuple[list[Fault], _Rules | None]:
    bare = {name: section for name, section in document.items() if name != "profiles"}
    found, rules = _examine_rules(bare, root)
    known = {(fault.pointer, fault.code) for fault in found}
    found += _profile_faults(document.get("profiles"), bare, root, known)
    return found, rules


def _examine_rules(document: Mapping[str, Any], root: str) -> tuple[list[Fault], _Rules | None]:
    found: list[Fault] = []
    rules = read(_Rules, document, root, found)
    return found + _grade_faults(document, root), rules


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
