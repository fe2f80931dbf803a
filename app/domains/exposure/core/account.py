"""The account: one customer in one segment, as a decision sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from app.domains.exposure.core.holds import HoldKind
from app.domains.exposure.core.ledger import Exposure
from app.domains.exposure.core.limits import EffectiveLimit, Limit, effective
from app.domains.policies.core.order_checks import OrderChecks
from app.kernel.money import ZERO, Money


@dataclass(frozen=True, slots=True)
class AccountKey:
    """What names an account."""

    id: UUID
    customer_id: str
    segment: str


@dataclass(frozen=True, slots=True)
class Basis:
    """The policy parameters that the standing facts of an account were computed with.

    Amounts in account currency, spans in days; without `horizon_days` every open order counts.
    """

    min_amount: Decimal = ZERO
    max_days_overdue: int = 0
    older_than_days: int = 0
    horizon_days: int | None = None
    text: str = field(init=False, compare=False)
    """A short name for it: accounts keep it to notice that the policy has moved on."""

    def __post_init__(self) -> None:
        horizon = "" if self.horizon_days is None else self.horizon_days
        text = f"{self.min_amount.normalize():f}/{self.max_days_overdue}/{self.older_than_days}/{horizon}"
        object.__setattr__(self, "text", text)

    @classmethod
    def of(cls, checks: OrderChecks, rate: Decimal | None) -> Basis:
        """The basis that a policy asks for; `rate` is account currency per unit of the segment's.

        Without a rate the smallest overdue amount counts: a missing fact never helps a customer.
        """
        item, share = checks.oldest_item, checks.overdue_share
        return cls(
            min_amount=item.min_amount * rate if item and rate else ZERO,
            max_days_overdue=item.max_days_overdue if item else 0,
            older_than_days=share.older_than_days if share else 0,
            horizon_days=checks.horizon_days,
        )

    @classmethod
    def parse(cls, text: str) -> Basis:
        """The basis that `text` names; an account that was never rolled forward has none, which is the plain one."""
        if not text:
            return cls()
        min_amount, max_days_overdue, older_than_days, horizon = text.split("/")
        horizon_days = int(horizon) if horizon else None
        return cls(Decimal(min_amount), int(max_days_overdue), int(older_than_days), horizon_days)

    def counts_until(self, on: date) -> date | None:
        """The last ship day whose open orders count on the day `on`; null: all count."""
        return None if self.horizon_days is None else on + timedelta(days=self.horizon_days)


@dataclass(frozen=True, slots=True)
class Overdue:
    """What is late, in account currency, on the day the account was last rolled forward to.

    `oldest_due_on` is the earliest day with anything open, `breaching_due_on` the earliest with at least the basis's
    `min_amount`; `breaching` is what is late by more than its `max_days_overdue`, `aged` by more than its
    `older_than_days`.
    """

    amount: Decimal = ZERO
    oldest_due_on: date | None = None
    breaching_due_on: date | None = None
    breaching: Decimal = ZERO
    aged: Decimal = ZERO

    def days(self, on: date) -> int:
        """Days since the oldest due day; 0 when nothing is late."""
        return 0 if self.oldest_due_on is None else max((on - self.oldest_due_on).days, 0)


@dataclass(frozen=True, slots=True)
class Profile:
    """What higher slices have said about the customer's risk; null where nobody has yet."""

    dunning_level: int = 0
    payment_index: Decimal | None = None
    grade: str | None = None
    assessed_on: date | None = None
    cover_amount: Decimal | None = None
    cover_until: date | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """One customer in one segment. Amounts are in the account's currency.

    `version` grows with every change; `held_orders` is what referred orders ask for, `beyond_horizon` the open orders
    that ship after the policy's horizon; standing facts hold until `fresh_until` and for `basis` only.
    """

    id: UUID
    customer_id: str
    segment: str
    version: int
    exposure: Exposure
    fresh_until: datetime
    basis: str
    group_id: UUID | None = None
    base_limit: Limit | None = None
    temporary_limit: Limit | None = None
    hold: HoldKind = HoldKind.NONE
    held_orders: Decimal = ZERO
    beyond_horizon: Decimal = ZERO
    overdue: Overdue = Overdue()
    profile: Profile = Profile()

    @property
    def currency(self) -> str:
        """The currency of the account."""
        return self.exposure.currency

    def has_more_room_than(self, before: Account) -> bool:
        """Whether less takes up headroom than `before`, by itself or with what is referred: the policy says which of
        the two counts."""
        counted, then = (each.exposure.amount - each.beyond_horizon for each in (self, before))
        return counted < then or counted + self.held_orders < then + before.held_orders

    def is_fresh(self, now: datetime, basis: Basis) -> bool:
        """Whether the standing facts hold at `now` under `basis`."""
        return now < self.fresh_until and self.basis == basis.text

    def limit_on(self, on: date, *, grace_days: int = 0) -> EffectiveLimit:
        """The limit that binds on the day `on`."""
        return effective(self.base_limit, self.temporary_limit, on=on, currency=self.currency, grace_days=grace_days)


@dataclass(frozen=True, slots=True)
class Group:
    """A customer and all its descendants in one segment, sharing a limit in `currency`.

    `id` is the account of the customer that carries the limit; `totals` are the members' exposures by currency.
    """

    id: UUID
    customer_id: str
    segment: str
    currency: str
    version: int
    fresh_until: datetime
    base_limit: Limit | None = None
    temporary_limit: Limit | None = None
    totals: Mapping[str, Decimal] = field(default_factory=dict)

    def limit_on(self, on: date, *, grace_days: int = 0) -> EffectiveLimit:
        """The shared limit that binds on the day `on`."""
        return effective(self.base_limit, self.temporary_limit, on=on, currency=self.currency, grace_days=grace_days)

    def shifted(self, delta: Money) -> Group:
        """This group after a member's exposure has changed by `delta`."""
        totals = {**self.totals, delta.currency: self.totals.get(delta.currency, ZERO) + delta.amount}
        return replace(self, version=self.version + 1, totals={c: a for c, a in totals.items() if a})
