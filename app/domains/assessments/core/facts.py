"""The facts that an assessment is made from: its only input beside the policy, stored with it.

Amounts are in the segment's currency, except the figures of a statement, which come with their rate. What could not be
converted for want of an exchange rate is absent.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from app.domains.credit_data.core.references import AdverseKind
from app.domains.credit_data.core.statements import Figures
from app.domains.policies.core.factors import Independence


@dataclass(frozen=True, slots=True)
class Company:
    """What the customer's master data say. `net_days` are its payment terms, null without an account on credit."""

    country: str
    industry: str | None = None
    size: str | None = None
    founded_on: date | None = None
    net_days: int | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """One financial statement; `rate` is units of the segment's currency per unit of its own, null if unknown."""

    period_end: date
    months: int
    source: str
    independence: Independence
    figures: Figures
    rate: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """A credit report; `score` is from 0, worst, to 100, best, the probability from 0 to 1."""

    agency: str
    reported_on: date
    score: Decimal | None = None
    rating: str | None = None
    probability_of_default: Decimal | None = None
    recommended_limit: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Reference:
    """What another supplier grants, and how many days late it is paid."""

    reported_on: date
    credit_limit: Decimal | None = None
    days_late: int | None = None


@dataclass(frozen=True, slots=True)
class Adverse:
    """Something bad that happened, from 1, slight, to 5, grave."""

    kind: AdverseKind
    occurred_on: date
    severity: int
    resolved_on: date | None = None


@dataclass(frozen=True, slots=True)
class Security:
    """A cover in force: what the provider would pay, and the share of the loss that is, in percent."""

    covered: Decimal
    insured_percent: Decimal


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer to a question of the policy."""

    item: str
    answer: int
    answered_on: date


@dataclass(frozen=True, slots=True)
class Experience:
    """How the customer has paid us up to the day `as_of`; null is what nothing was learned about.

    Shares are percentages by amount, lateness is in days, `monthly_purchases` the mean of the last twelve months or of
    the months that there are.
    """

    as_of: date
    settled_items: int
    payment_index: Decimal | None = None
    share_on_time: Decimal | None = None
    average_days_late: Decimal | None = None
    longest_lateness: int | None = None
    disputed_share: Decimal | None = None
    broken_promises: int | None = None
    relation_months: int | None = None
    monthly_purchases: Decimal | None = None


@dataclass(frozen=True, slots=True)
class AssessmentFacts:
    """Everything known of a customer in a segment on the day `on`; lists are newest first."""

    customer_id: str
    segment: str
    currency: str
    on: date
    company: Company
    statements: tuple[Statement, ...] = ()
    reports: tuple[Report, ...] = ()
    references: tuple[Reference, ...] = ()
    adverse: tuple[Adverse, ...] = ()
    securities: tuple[Security, ...] = ()
    replies: tuple[Reply, ...] = ()
    experience: Experience | None = None


def as_document(facts: AssessmentFacts) -> dict[str, Any]:
    """The facts as JSON members: decimals and days as text. The same facts give the same document."""
    document: dict[str, Any] = _json(facts)
    return document


def _json(value: Any) -> Any:
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, tuple):
        return [_json(member) for member in value]
    if is_dataclass(value):
        return {member.name: _json(getattr(value, member.name)) for member in fields(value)}
    return value.isoformat() if isinstance(value, date) else value
