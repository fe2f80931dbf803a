"""The section `approvals` of a policy: which limits need nobody, who decides on the others, who may release orders.

A request is judged in the segment's currency. Within the recommendation of the assessment and the automatic ceiling of
its grade nobody is asked; otherwise the first row of the matrix that it fits names the roles that approve, one after
the other. The matrix varies by amount and grade; by profile, the document's `profiles` vary it.

More credit, or a worse grade, never needs fewer or lesser approvals: a document that says otherwise is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Any, Final

from app.domains.policies.core.order_checks import Days, Percent, Threshold
from app.domains.policies.core.reading import Between, Length, member
from app.kernel.errors import Fault

RoleName = Annotated[str, Length(1, 64)]
GradeName = Annotated[str, Length(1, 10)]
ReasonText = Annotated[str, Length(1, 200)]

_ANY: Final = Decimal("Infinity")


@dataclass(frozen=True, slots=True)
class Ceiling:
    """The highest limit that customers of a grade are given without asking anybody."""

    grade: GradeName
    max_amount: Threshold


@dataclass(frozen=True, slots=True)
class Automatic:
    """What needs no approval. A grade without a ceiling is given nothing by itself."""

    ceilings: Annotated[tuple[Ceiling, ...], Length(0, 26)] = ()
    lower: bool = True
    """Whether a lower limit needs nobody."""


@dataclass(frozen=True, slots=True)
class CounterOffer:
    """Less than was asked for is offered at once where it is at least `min_percent` of it."""

    min_percent: Percent = Decimal(50)


@dataclass(frozen=True, slots=True)
class Authority:
    """A role that approves, and limits up to which amount; None: any."""

    role: RoleName
    max_amount: Threshold | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """A row of the matrix: the roles that approve, in their order, limits up to `up_to` (None: any amount) for grades
    no worse than `worst_grade` (None: any, and none at all)."""

    roles: Annotated[tuple[RoleName, ...], Length(1, 5)]
    up_to: Threshold | None = None
    worst_grade: GradeName | None = None


@dataclass(frozen=True, slots=True)
class ReleaseRules:
    """How referred orders are released."""

    authority_above: Threshold | None = None
    """A release that leaves more than this above the limit needs a personal authority of what it leaves; None: none
    does."""
    reasons: Annotated[tuple[ReasonText, ...], Length(0, 50)] = ()
    """What a release may give as its reason; empty: anything."""
    loss_given_default_percent: Percent = Decimal(45)
    """The share of what is not covered that a default costs: 45 in Basel II, paragraph 287 (senior, unsecured)."""


DEFAULT_AUTHORITIES: Final = (Authority("finance_director"),)
DEFAULT_MATRIX: Final = (Route(("finance_director",)),)


@dataclass(frozen=True, slots=True)
class Approvals:
    """Who decides on credit limits and on referred orders."""

    assessment_max_age_days: Days = 90
    """An older assessment is made anew before it is relied on."""
    automatic: Automatic = Automatic()
    counter_offer: CounterOffer | None = None
    decline_worse_than: GradeName | None = None
    """Customers of a worse grade are declined more credit at once."""
    authorities: Annotated[tuple[Authority, ...], Length(1, 10)] = DEFAULT_AUTHORITIES
    """The roles that approve, the junior first."""
    matrix: Annotated[tuple[Route, ...], Length(1, 30)] = DEFAULT_MATRIX
    escalate_after_hours: Annotated[int, Between(1, 8760)] | None = None
    """A step that nobody decides for so long goes to the next; None: it waits."""
    expire_after_days: Annotated[int, Between(1, 365)] = 30
    """A request that nobody decides for so long expires."""
    expiry_notice_days: Annotated[int, Between(0, 365)] = 14
    """How long before its last day a limit is announced to end."""
    review_notice_days: Annotated[int, Between(0, 365)] = 14
    """How long before its day the review of an account is announced."""
    ungraded_review_days: Annotated[int, Between(1, 3650)] = 180
    """How soon an account that has a limit and no grade is reviewed; one with a grade by its grade."""
    deputy_max_days: Annotated[int, Between(1, 365)] = 60
    lower_on_cover_change: bool = False
    """Whether cover that is reduced, withdrawn or runs out opens a request to lower the limit by as much."""
    release: ReleaseRules = ReleaseRules()

    def authority_of(self, role: str) -> Authority:
        """The authority of a role that the matrix names."""
        return next(authority for authority in self.authorities if authority.role == role)

    def seniority(self, role: str) -> int | None:
        """The place of a role among those that approve, 0 for the most junior; None for one that does not."""
        return next((place for place, each in enumerate(self.authorities) if each.role == role), None)

    def ceiling_of(self, grade: str) -> Decimal | None:
        """The automatic ceiling of a grade; None: it has none."""
        return next((each.max_amount for each in self.automatic.ceilings if each.grade == grade), None)

    def route(self, amount: Decimal, rank: int | None, grades: Sequence[str]) -> Route:
        """The first row that fits an amount (segment currency) and a grade's rank among `grades`; None: no grade."""
        return next(row for row in self.matrix if _fits(row, amount, rank, grades))


PLAIN_APPROVALS: Final = Approvals()
"""What holds where a document says nothing of approvals: one role decides on everything."""


def approvals_faults(approvals: Approvals, at: str, grades: Sequence[str]) -> list[Fault]:
    """What is wrong between the members of a section that can be read; `grades` are the document's, best first."""
    unknown = [*_grade_faults(approvals, at, grades), *_role_faults(approvals, at)]
    if unknown:
        return unknown
    found = [*_ceiling_faults(approvals, at, grades), *_authority_faults(approvals, at), *_route_faults(approvals, at)]
    return found or list(_matrix_faults(approvals, at, grades))


def default_approvals() -> dict[str, Any]:
    """The section a new segment starts with, everything spelled out."""
    return {
        "assessment_max_age_days": 90,
        "automatic": {
            "ceilings": [
                {"grade": "A", "max_amount": "500000.00"},
                {"grade": "B", "max_amount": "250000.00"},
                {"grade": "C", "max_amount": "100000.00"},
            ],
            "lower": True,
        },
        "counter_offer": {"min_percent": "50"},
        "decline_worse_than": "G",
        "authorities": [
            {"role": "credit_manager", "max_amount": "1000000.00"},
            {"role": "finance_director", "max_amount": None},
        ],
        "matrix": [
            {"roles": ["credit_manager"], "up_to": "500000.00", "worst_grade": "D"},
            {"roles": ["credit_manager"], "up_to": "100000.00", "worst_grade": None},
            {"roles": ["credit_manager", "finance_director"], "up_to": None, "worst_grade": None},
        ],
        "escalate_after_hours": 48,
        "expire_after_days": 30,
        "expiry_notice_days": 14,
        "review_notice_days": 14,
        "ungraded_review_days": 180,
        "deputy_max_days": 60,
        "lower_on_cover_change": True,
        "release": {
            "authority_above": "100000.00",
            "reasons": [],
            "loss_given_default_percent": "45",
        },
    }


def _fits(row: Route, amount: Decimal, rank: int | None, grades: Sequence[str]) -> bool:
    if row.up_to is not None and amount > row.up_to:
        return False
    return row.worst_grade is None or (rank is not None and rank <= grades.index(row.worst_grade))


def _grade_faults(approvals: Approvals, at: str, grades: Sequence[str]) -> Iterator[Fault]:
    for place, grade in _named_grades(approvals, at):
        if grade not in grades:
            yield Fault(place, "unknown_grade", f"the grades are {', '.join(grades)}")


def _named_grades(approvals: Approvals, at: str) -> Iterator[tuple[str, str]]:
    for index, ceiling in enumerate(approvals.automatic.ceilings):
        yield f"{at}/automatic/ceilings/{index}/grade", ceiling.grade
    if approvals.decline_worse_than is not None:
        yield member(at, "decline_worse_than"), approvals.decline_worse_than
    for index, row in enumerate(approvals.matrix):
        if row.worst_grade is not None:
            yield f"{at}/matrix/{index}/worst_grade", row.worst_grade


def _role_faults(approvals: Approvals, at: str) -> Iterator[Fault]:
    roles = [authority.role for authority in approvals.authorities]
    for index, role in enumerate(roles):
        if role in roles[:index]:
            yield Fault(f"{at}/authorities/{index}/role", "duplicate", f"{role!r} is there twice")
    for number, row in enumerate(approvals.matrix):
        for index, role in enumerate(row.roles):
            place = f"{at}/matrix/{number}/roles/{index}"
            if role not in roles:
                yield Fault(place, "unknown_role", f"the roles that approve are {', '.join(roles)}")
            elif role in row.roles[:index]:
                yield Fault(place, "duplicate", f"{role!r} is there twice")


def _ceiling_faults(approvals: Approvals, at: str, grades: Sequence[str]) -> Iterator[Fault]:
    seen: dict[str, int] = {}
    for index, ceiling in enumerate(approvals.automatic.ceilings):
        if ceiling.grade in seen:
            place = f"{at}/automatic/ceilings/{index}/grade"
            yield Fault(place, "duplicate", f"the grade {ceiling.grade!r} is there twice")
        seen.setdefault(ceiling.grade, index)
    ceilings = approvals.automatic.ceilings
    for better, worse in pairwise(sorted(seen, key=grades.index)):
        allowed, given = ceilings[seen[better]].max_amount, ceilings[seen[worse]].max_amount
        if given > allowed:
            place = f"{at}/automatic/ceilings/{seen[worse]}/max_amount"
            yield Fault(place, "not_monotone", f"more than the better grade {better!r} is given")


def _authority_faults(approvals: Approvals, at: str) -> Iterator[Fault]:
    for index, (junior, senior) in enumerate(pairwise(approvals.authorities), start=1):
        if _reach(senior.max_amount) <= _reach(junior.max_amount):
            place = f"{at}/authorities/{index}/max_amount"
            yield Fault(place, "not_rising", f"more than the {junior.max_amount or 'any amount'} before is expected")


def _route_faults(approvals: Approvals, at: str) -> Iterator[Fault]:
    for index, row in enumerate(approvals.matrix):
        place = f"{at}/matrix/{index}/roles"
        reaches = [_reach(approvals.authority_of(role).max_amount) for role in row.roles]
        if sorted(reaches) != reaches:
            yield Fault(place, "not_rising", "the junior role approves first")
        elif reaches[-1] < _reach(row.up_to):
            yield Fault(place, "authority_too_small", f"{row.roles[-1]!r} can't approve all that the row is for")
    last = approvals.matrix[-1]
    if last.up_to is not None or last.worst_grade is not None:
        yield Fault(f"{at}/matrix/{len(approvals.matrix) - 1}", "matrix_gap", "the last row is for everything else")


def _matrix_faults(approvals: Approvals, at: str, grades: Sequence[str]) -> Iterator[Fault]:
    """More credit or a worse grade never needs less. Enough to try the amounts at which rows end, and one above."""
    ends = sorted({row.up_to for row in approvals.matrix if row.up_to is not None})
    amounts = [*ends, (ends[-1] if ends else Decimal(0)) + 1]
    ranks: list[int | None] = [*range(len(grades)), None]
    chosen = {
        (rank, amount): approvals.matrix.index(approvals.route(amount, rank, grades))
        for rank in ranks
        for amount in amounts
    }
    steps = [
        *(((rank, less), (rank, more)) for rank in ranks for less, more in pairwise(amounts)),
        *(((better, amount), (worse, amount)) for better, worse in pairwise(ranks) for amount in amounts),
    ]
    lesser = {chosen[after] for before, after in steps if _lesser(approvals, chosen[after], chosen[before])}
    for index in sorted(lesser):
        message = "less than what less credit, or a better grade, needs"
        yield Fault(f"{at}/matrix/{index}/roles", "not_monotone", message)


def _lesser(approvals: Approvals, one: int, other: int) -> bool:
    mine, others = approvals.matrix[one].roles, approvals.matrix[other].roles
    reach, needed = (_reach(approvals.authority_of(roles[-1]).max_amount) for roles in (mine, others))
    return reach < needed or len(mine) < len(others)


def _reach(amount: Decimal | None) -> Decimal:
    return _ANY if amount is None else amount
