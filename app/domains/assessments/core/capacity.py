"""The recommended limit: every method and bound with its amount and inputs, and the one that binds.

recommended = min(capacity, requirement with headroom, concentration cap, cap of the grade), rounded down to a step. All
amounts are in the segment's currency.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import ROUND_FLOOR, Decimal
from statistics import median_low
from typing import Final

from app.domains.assessments.core import figures as derived
from app.domains.assessments.core.factors.working_assets import evaluation, working_assets
from app.domains.assessments.core.facts import AssessmentFacts, Statement
from app.domains.policies.core.grades import Grade, GradeTermsKind
from app.domains.policies.core.limits import CapacityChoice, Limits, WorkingAssetsMethod
from app.kernel.money import MAX_AMOUNT, rounded

HUNDRED: Final = Decimal(100)
ZERO: Final = Decimal(0)
MONTH_DAYS: Final = 30
UNKNOWN: Final = "unknown"


@dataclass(frozen=True, slots=True)
class MethodAmount:
    """What a method or a bound says. Without an amount it says nothing: its facts are missing, or it has no bound."""

    method: str
    amount: Decimal | None
    inputs: Mapping[str, str] = field(default_factory=dict)
    capacity: bool = False
    """Whether it is a method of the capacity; the others are bounds by themselves."""


@dataclass(frozen=True, slots=True)
class RecommendedLimit:
    """The limit recommended, and the method or bound that it comes from."""

    amount: Decimal
    currency: str
    binding: str
    methods: tuple[MethodAmount, ...]


def recommended_limit(facts: AssessmentFacts, limits: Limits, grade: Grade) -> RecommendedLimit:
    """What the policy recommends for a customer of `grade`.

    Where no method can tell the capacity, the policy's cap for that case stands for it.
    """
    methods = [_settled(method, facts.currency) for method in _capacities(facts, limits, grade)]
    bounds = [_settled(bound, facts.currency) for bound in _bounds(facts, limits, grade)]
    capacities = [method for method in methods if method.amount is not None]
    if capacities:
        capacity = _chosen(capacities, limits.capacity)
    else:
        capacity = MethodAmount("cap_without_capacity", rounded(limits.cap_without_capacity, facts.currency))
        bounds.append(capacity)
    binding = min([capacity, *(bound for bound in bounds if bound.amount is not None)], key=_amount)
    amount = (_amount(binding) / limits.step).to_integral_value(ROUND_FLOOR) * limits.step
    return RecommendedLimit(rounded(amount, facts.currency), facts.currency, binding.method, (*methods, *bounds))


def _settled(method: MethodAmount, currency: str) -> MethodAmount:
    """The method with an amount that an account can hold, never below zero."""
    if method.amount is None:
        return method
    amount = rounded(min(max(method.amount, ZERO), MAX_AMOUNT.to_integral_value(ROUND_FLOOR)), currency)
    return MethodAmount(method.method, amount, method.inputs, method.capacity)


def _amount(method: MethodAmount) -> Decimal:
    assert method.amount is not None, "only methods with an amount are compared"
    return method.amount


def _chosen(capacities: Sequence[MethodAmount], choice: CapacityChoice) -> MethodAmount:
    """One of the methods, so that the one that binds has a name."""
    ordered = sorted(capacities, key=_amount)
    if choice is CapacityChoice.LOWEST:
        return ordered[0]
    return ordered[-1] if choice is CapacityChoice.HIGHEST else ordered[(len(ordered) - 1) // 2]


# ---- capacity ------------------------------------------------------------------------------------------------------


def _capacities(facts: AssessmentFacts, limits: Limits, grade: Grade) -> Iterator[MethodAmount]:
    statement = _current_statement(facts, limits)
    if limits.tangible_net_worth is not None:
        percent = limits.tangible_net_worth.percent
        yield _share("tangible_net_worth", statement, lambda s: derived.tangible_net_worth(s.figures), percent)
    if limits.working_capital is not None:
        percent = grade.working_capital_percent
        yield _share("working_capital", statement, lambda s: derived.working_capital(s.figures), percent)
    if limits.working_assets is not None:
        yield _by_working_assets(statement, limits.working_assets)
    if limits.annual_sales is not None:
        percent = limits.annual_sales.percent
        yield _share("annual_sales", statement, lambda s: derived.annual(s.figures.revenue, s), percent)
    yield from _of_others(facts, limits)


def _current_statement(facts: AssessmentFacts, limits: Limits) -> Statement | None:
    last = derived.latest(facts)
    oldest = facts.on - timedelta(days=limits.max_statement_age_days)
    return last if last is not None and last.period_end >= oldest else None


def _share(
    method: str, statement: Statement | None, figure: Callable[[Statement], Decimal | None], percent: Decimal
) -> MethodAmount:
    """A percentage of a figure of the statement, at the statement's rate; without a rate it says that."""
    base = None if statement is None else figure(statement)
    if statement is None or base is None:
        return MethodAmount(method, None, capacity=True)
    rate = statement.rate
    inputs = {"base": text(base), "rate": UNKNOWN if rate is None else text(rate), "percent": text(percent)}
    amount = None if rate is None else base * rate * percent / HUNDRED
    return MethodAmount(method, amount, inputs, capacity=True)


def _by_working_assets(statement: Statement | None, method: WorkingAssetsMethod) -> MethodAmount:
    value = None if statement is None else evaluation(statement)
    if statement is None or value is None:
        return MethodAmount("working_assets", None, capacity=True)
    percent = next(step.percent for step in method.steps if step.up_to is None or value <= step.up_to)
    equity = derived.equity(statement.figures)
    if equity is None or equity <= 0:
        percent = ZERO
    share = _share("working_assets", statement, working_assets, percent)
    return MethodAmount(
        share.method, share.amount, {"evaluation": text(round(value, 4)), **share.inputs}, capacity=True
    )


def _of_others(facts: AssessmentFacts, limits: Limits) -> Iterator[MethodAmount]:
    agency, cover, references = limits.agency_recommendation, limits.cover, limits.trade_references
    if agency is not None:
        oldest = facts.on - timedelta(days=agency.max_age_days)
        given = [
            r.recommended_limit for r in facts.reports if r.recommended_limit is not None and r.reported_on >= oldest
        ]
        yield _percent_of("agency_recommendation", given[0] if given else None, agency.percent)
    if cover is not None:
        insured = [s.covered * HUNDRED / s.insured_percent for s in facts.securities if s.insured_percent > 0]
        yield _percent_of("cover", sum(insured, ZERO) if insured else None, cover.percent)
    if references is not None:
        oldest = facts.on - timedelta(days=references.max_age_days)
        granted = [r.credit_limit for r in facts.references if r.credit_limit is not None and r.reported_on >= oldest]
        enough = len(granted) >= references.min_references
        inputs = {"references": str(len(granted)), "needed": str(references.min_references)}
        yield MethodAmount("trade_references", median_low(granted) if enough else None, inputs, capacity=True)


def _percent_of(method: str, base: Decimal | None, percent: Decimal) -> MethodAmount:
    if base is None:
        return MethodAmount(method, None, capacity=True)
    return MethodAmount(method, base * percent / HUNDRED, {"base": text(base), "percent": text(percent)}, capacity=True)


# ---- what bounds it ------------------------------------------------------------------------------------------------


def _bounds(facts: AssessmentFacts, limits: Limits, grade: Grade) -> Iterator[MethodAmount]:
    if limits.requirement is not None:
        yield _requirement(facts, limits.requirement.headroom_percent, grade)
    if limits.concentration_cap is not None:
        yield MethodAmount("concentration_cap", limits.concentration_cap)
    yield MethodAmount("grade_cap", grade.limit_cap, {"grade": grade.name})


def _requirement(facts: AssessmentFacts, headroom_percent: Decimal, grade: Grade) -> MethodAmount:
    """Expected monthly purchases × (terms + expected days late) / 30, and the headroom on top."""
    known = facts.experience
    if known is None or not known.monthly_purchases:
        return MethodAmount("requirement", None)
    on_account = grade.terms.net_days if grade.terms.kind is GradeTermsKind.ACCOUNT else 0
    net_days = facts.company.net_days if facts.company.net_days is not None else on_account
    late = max(known.average_days_late or ZERO, ZERO)
    amount = known.monthly_purchases * (net_days + late) / MONTH_DAYS * (HUNDRED + headroom_percent) / HUNDRED
    inputs = {
        "monthly_purchases": text(known.monthly_purchases),
        "terms_days": str(net_days),
        "days_late": text(late),
        "headroom_percent": text(headroom_percent),
    }
    return MethodAmount("requirement", amount, inputs)


def text(number: Decimal) -> str:
    """Plain decimal notation without trailing zeros."""
    return format(number.normalize(), "f")
