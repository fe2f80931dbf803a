"""The section `grades` of a policy: the risk classes, best first, and what each of them means for the customer.

A grade reaches from its `min_score`, included, up to the grade before it. What a worse grade is given is never better
than what the grades before it are given: a list that is not monotone is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Final

from app.domains.policies.core.order_checks import Days, Percent, Threshold
from app.domains.policies.core.reading import Between, Length, member
from app.kernel.errors import Fault


class GradeTermsKind(StrEnum):
    """On account, or money first; best for the customer first."""

    ACCOUNT = "account"
    CASH = "cash"
    PREPAID = "prepaid"


@dataclass(frozen=True, slots=True)
class GradeTerms:
    """The payment terms recommended for a grade; `net_days` is 0 for anything but an account."""

    kind: GradeTermsKind = GradeTermsKind.ACCOUNT
    net_days: Days = 30


@dataclass(frozen=True, slots=True)
class Grade:
    """A risk class; its place in the list is its rank, best first.

    `limit_cap` is the highest limit recommended, in the segment's currency; None: no cap. `working_capital_percent` is
    the share of the customer's working capital that the capacity method of that name allows.
    """

    name: Annotated[str, Length(1, 10)]
    min_score: Annotated[Decimal, Between(0, 100)] = Decimal(0)
    terms: GradeTerms = GradeTerms()
    review_days: Annotated[int, Between(1, 3650)] = 365
    limit_cap: Threshold | None = None
    working_capital_percent: Percent = Decimal(10)


def _default(name: str, score: int, days: int, review: int, cap: int | None, percent: int) -> Grade:
    kind = GradeTermsKind.ACCOUNT if days else GradeTermsKind.PREPAID
    limit_cap = None if cap is None else Decimal(cap)
    return Grade(name, Decimal(score), GradeTerms(kind, days), review, limit_cap, Decimal(percent))


DEFAULT_GRADES: Final = (
    _default("A", 80, 60, 365, None, 30),
    _default("B", 65, 60, 365, 20_000_000, 25),
    _default("C", 55, 45, 365, 10_000_000, 20),
    _default("D", 45, 30, 180, 5_000_000, 15),
    _default("E", 35, 30, 180, 2_000_000, 10),
    _default("F", 25, 14, 90, 500_000, 5),
    _default("G", 12, 0, 90, 0, 0),
    _default("H", 0, 0, 90, 0, 0),
)


def default_grades() -> list[dict[str, Any]]:
    """The section a new segment starts with, everything spelled out."""
    return [
        {
            "name": grade.name,
            "min_score": str(grade.min_score),
            "terms": {"kind": grade.terms.kind.value, "net_days": grade.terms.net_days},
            "review_days": grade.review_days,
            "limit_cap": None if grade.limit_cap is None else str(grade.limit_cap),
            "working_capital_percent": str(grade.working_capital_percent),
        }
        for grade in DEFAULT_GRADES
    ]


def grades_faults(grades: Sequence[Grade], at: str) -> list[Fault]:
    """What is wrong between grades that can be read."""
    return [*_reach_faults(grades, at), *_terms_faults(grades, at), *_order_faults(grades, at)]


def grade_of(grades: Sequence[Grade], score: Decimal) -> Grade:
    """The best grade that `score` reaches; the last reaches down to 0."""
    return next(grade for grade in grades if score >= grade.min_score)


def _reach_faults(grades: Sequence[Grade], at: str) -> Iterator[Fault]:
    for index in range(1, len(grades)):
        if grades[index].min_score >= grades[index - 1].min_score:
            message = f"below the {grades[index - 1].min_score} of the grade before is expected here"
            yield Fault(member(member(at, index), "min_score"), "not_falling", message)
    if grades[-1].min_score != 0:
        place = member(member(at, len(grades) - 1), "min_score")
        yield Fault(place, "grade_gap", "the last grade reaches down to 0")


def _terms_faults(grades: Sequence[Grade], at: str) -> Iterator[Fault]:
    for index, grade in enumerate(grades):
        if grade.terms.kind is not GradeTermsKind.ACCOUNT and grade.terms.net_days != 0:
            place = member(member(member(at, index), "terms"), "net_days")
            yield Fault(place, "net_days_unexpected", f"terms of kind {grade.terms.kind.value!r} have 0 days")


def _order_faults(grades: Sequence[Grade], at: str) -> Iterator[Fault]:
    for name, rank in _ORDERED.items():
        for index in range(1, len(grades)):
            if rank(grades[index]) > rank(grades[index - 1]):
                message = f"more than the better grade {grades[index - 1].name!r} is given"
                yield Fault(member(member(at, index), name), "not_monotone", message)


_KINDS: Final = tuple(GradeTermsKind)
_ORDERED: Final[dict[str, Callable[[Grade], tuple[Decimal, ...]]]] = {
    "terms": lambda grade: (Decimal(-_KINDS.index(grade.terms.kind)), Decimal(grade.terms.net_days)),
    "review_days": lambda grade: (Decimal(grade.review_days),),
    "limit_cap": lambda grade: (Decimal("Infinity") if grade.limit_cap is None else grade.limit_cap,),
    "working_capital_percent": lambda grade: (grade.working_capital_percent,),
}
"""What a worse grade must not have more of."""
