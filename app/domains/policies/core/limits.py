"""The section `limits` of a policy: how a recommended limit is found.

    recommended = min(capacity, requirement, concentration cap, cap of the grade), rounded down to a step

Capacity is what the customer can bear. Each method gives an amount where its facts are known; `capacity` says which of
the amounts counts. Requirement is what the customer needs. All amounts are in the segment's currency.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

from app.domains.policies.core.order_checks import Days, Percent, Threshold, WidePercent
from app.domains.policies.core.reading import Between, Length, member
from app.domains.policies.core.scorecard import Bound
from app.kernel.errors import Fault


class CapacityChoice(StrEnum):
    """Which of the capacities counts; the median of an even number is the lower of the two in the middle."""

    LOWEST = "lowest"
    MEDIAN = "median"
    HIGHEST = "highest"


@dataclass(frozen=True, slots=True)
class ShareMethod:
    """A percentage of a figure of the latest statement."""

    percent: WidePercent


@dataclass(frozen=True, slots=True)
class WorkingCapitalMethod:
    """The grade's percentage of the working capital: current assets less current liabilities."""


@dataclass(frozen=True, slots=True)
class WorkingAssetsStep:
    """The percentage of the working assets for evaluations up to and including `up_to`; the last step has none."""

    percent: Percent
    up_to: Bound | None = None


@dataclass(frozen=True, slots=True)
class WorkingAssetsMethod:
    """营运资产分析: a percentage of the working assets by their evaluation; nothing where equity is not positive."""

    steps: Annotated[tuple[WorkingAssetsStep, ...], Length(1, 20)]


@dataclass(frozen=True, slots=True)
class AgencyMethod:
    """A percentage of the limit that an agency recommends, from a report no older than `max_age_days`."""

    percent: WidePercent = Decimal(100)
    max_age_days: Days = 365


@dataclass(frozen=True, slots=True)
class CoverMethod:
    """A percentage of the cover in force divided by the insured share."""

    percent: WidePercent = Decimal(100)


@dataclass(frozen=True, slots=True)
class ReferencesMethod:
    """The median of the credit that at least `min_references` others give, none older than `max_age_days`."""

    min_references: Annotated[int, Between(1, 100)] = 3
    max_age_days: Days = 365


@dataclass(frozen=True, slots=True)
class RequirementRule:
    """Expected monthly purchases × (terms + expected days late) / 30, and so many percent more for growth."""

    headroom_percent: WidePercent = Decimal(20)


@dataclass(frozen=True, slots=True)
class Limits:
    """How limits are recommended. A method that is None is not used."""

    step: Annotated[Decimal, Between(1, 999_999_999_999_999)] = Decimal(1000)
    capacity: CapacityChoice = CapacityChoice.MEDIAN
    max_statement_age_days: Days = 730
    tangible_net_worth: ShareMethod | None = None
    working_capital: WorkingCapitalMethod | None = None
    working_assets: WorkingAssetsMethod | None = None
    annual_sales: ShareMethod | None = None
    agency_recommendation: AgencyMethod | None = None
    cover: CoverMethod | None = None
    trade_references: ReferencesMethod | None = None
    requirement: RequirementRule | None = None
    concentration_cap: Threshold | None = None
    """The highest limit of any customer."""
    cap_without_capacity: Threshold = Decimal(0)
    """The highest limit of a customer whose capacity no method can tell."""


def limits_faults(limits: Limits, at: str) -> list[Fault]:
    """What is wrong between the members of a section that can be read."""
    if limits.working_assets is None:
        return []
    return list(_step_faults(limits.working_assets.steps, member(member(at, "working_assets"), "steps")))


def _step_faults(steps: Sequence[WorkingAssetsStep], at: str) -> Iterator[Fault]:
    """Each step begins where the one before ends: from low evaluations to high, and never to a smaller percentage."""
    for index, step in enumerate(steps):
        place = member(at, index)
        if (step.up_to is None) != (index == len(steps) - 1):
            yield Fault(member(place, "up_to"), "step_end", "every step but the last has an end")
        if not index:
            continue
        before = steps[index - 1]
        if step.up_to is not None and before.up_to is not None and step.up_to <= before.up_to:
            yield Fault(member(place, "up_to"), "not_rising", f"above {before.up_to} is expected here")
        if step.percent < before.percent:
            yield Fault(member(place, "percent"), "not_monotone", "a better evaluation is not given less")


def default_limits() -> dict[str, Any]:
    """The section a new segment starts with, everything spelled out."""
    return {
        "step": "1000",
        "capacity": "median",
        "max_statement_age_days": 730,
        "tangible_net_worth": {"percent": "10"},
        "working_capital": {},
        "working_assets": {"steps": _working_assets_steps()},
        "annual_sales": {"percent": "5"},
        "agency_recommendation": {"percent": "100", "max_age_days": 365},
        "cover": {"percent": "100"},
        "trade_references": {"min_references": 3, "max_age_days": 365},
        "requirement": {"headroom_percent": "20"},
        "concentration_cap": "50000000",
        "cap_without_capacity": "100000",
    }


def _working_assets_steps() -> list[dict[str, Any]]:
    """The table of the method: nothing up to −4.6, then another 2.5 percent for every 0.7, and 25 percent above 1.0."""
    ends = [str(Decimal(-46 + 7 * step) / 10) for step in range(9)]
    steps = [{"percent": str(Decimal(25 * index) / 10), "up_to": end} for index, end in enumerate(ends)]
    return [*steps, {"percent": "25", "up_to": None}]
