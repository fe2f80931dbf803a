"""The section `order_checks` of a policy: the rules an order is judged by before it may leave on credit."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Final

from app.domains.policies.core.reading import Between, Excluding


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


def default_order_checks() -> dict[str, Any]:
    """The section a new segment starts with, everything spelled out."""
    return {
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
    }
