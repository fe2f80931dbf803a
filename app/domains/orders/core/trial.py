"""The trial: what the account would look like if the order were approved.

Computed once, judged by every rule. All amounts are in account currency unless they say otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from app.domains.exposure.core import commitments
from app.domains.exposure.core.commitments import Commitment, OrderState
from app.domains.exposure.core.limits import EffectiveLimit, LimitKind, Standing
from app.domains.orders.core.facts import CheckFacts, Checkpoint
from app.domains.policies.core.document import Policy
from app.domains.policies.core.order_checks import OrderChecks
from app.kernel.errors import Fault
from app.kernel.money import MAX_AMOUNT, ZERO, AmountOutOfRange, Money, total
from app.kernel.records import changed


@dataclass(frozen=True, slots=True)
class Trial:
    """The account before and after the order.

    `order` is the order as it would stand, null without a rate; `before` and `after` are the exposures judged,
    `group_totals` those of the group's members by currency, null without a group or an order.
    """

    facts: CheckFacts
    policy: Policy
    limit: EffectiveLimit
    group_limit: EffectiveLimit | None
    order: Commitment | None
    before: Money
    after: Money | None
    group_totals: Mapping[str, Decimal] | None

    @property
    def checks(self) -> OrderChecks:
        """The rules' parameters."""
        return self.policy.order_checks

    @property
    def currency(self) -> str:
        """The account's currency."""
        return self.facts.account.currency

    @property
    def shared_only(self) -> bool:
        """Whether only the group's limit is judged: nobody has decided on an own one."""
        return (
            self.limit.standing is Standing.MISSING
            and self.group_limit is not None
            and self.group_limit.standing in (Standing.IN_FORCE, Standing.IN_GRACE)
        )

    @property
    def unrated(self) -> bool:
        """Whether the group's exposure can't be told for want of a rate."""
        return self.group_totals is not None and not self.group_totals.keys() <= self.facts.rates.into_group.keys()

    @property
    def group_after(self) -> Money | None:
        """The group's exposure after the order in its own currency, each member currency rounded half up."""
        group, totals, rates = self.facts.group, self.group_totals, self.facts.rates.into_group
        if group is None or totals is None or self.unrated:
            return None
        return total(
            (Money(amount, currency).convert(rates[currency], group.currency) for currency, amount in totals.items()),
            group.currency,
        )

    @property
    def utilisation_after(self) -> Decimal | None:
        """The share of the limit in use after the order, in percent; null where there is no share to tell."""
        if self.after is None or self.limit.amount is None or not self.limit.amount.amount:
            return None
        return (self.after.amount * 100 / self.limit.amount.amount).quantize(Decimal("0.01"), ROUND_HALF_UP)

    def headroom(self, exposure: Money | None) -> Money | None:
        """Effective limit − `exposure`; null when unlimited or when the exposure can't be told."""
        if exposure is None or self.limit.amount is None:
            return None
        return self.limit.amount - exposure


def attempt(facts: CheckFacts, policy: Policy) -> Trial:
    """The account as it would be with the order approved for the amount asked."""
    checks = policy.order_checks
    order = asked_for(facts)
    before, after = _exposures(facts, checks, order)
    group = facts.group
    return Trial(
        facts=facts,
        policy=policy,
        limit=facts.account.limit_on(facts.on, grace_days=checks.limit_expiry.grace_days),
        group_limit=group.limit_on(facts.on, grace_days=checks.limit_expiry.grace_days) if group else None,
        order=order,
        before=before,
        after=after,
        group_totals=_group_totals(facts, order),
    )


def asked_for(facts: CheckFacts) -> Commitment | None:
    """The order approved for what is asked; null when no rate leads to the account's currency.

    At checkpoint `order` the amount is the order's whole value; at `shipment` what leaves now, and the approval only
    grows by what exceeds it. The order keeps its rate while it binds anything. Raises `AmountOutOfRange` for an order
    that the ledger can't hold.
    """
    known, approved = facts.order, facts.request.amount
    rate = known.rate if known is not None and known.binds else facts.rates.order
    if rate is None:
        return None
    if known is not None and facts.request.checkpoint is Checkpoint.SHIPMENT:
        approved = max(known.approved, known.shipped + approved)
    if approved * rate > MAX_AMOUNT:
        message = f"in {facts.account.currency} the order would be worth more than {MAX_AMOUNT}"
        raise AmountOutOfRange(message, faults=[Fault("/amount", AmountOutOfRange.code, message)])
    if known is None:
        return _unknown(facts, rate, approved)
    return changed(known, approved=approved, rate=rate, currency=facts.request.currency)


def reduced(facts: CheckFacts) -> tuple[Commitment, ...]:
    """The orders that this one replaces, as they would stand after giving up their part."""
    if not facts.replaced:
        return ()
    amounts = {part.order_ref: part.amount for part in facts.request.replaces}
    return tuple(commitments.reduce(order, amount=amounts[order.order_ref]) for order in facts.replaced)


def current(facts: CheckFacts) -> Commitment:
    """The order as it stands; one that nobody has asked for before binds nothing."""
    return facts.order or _unknown(facts, facts.rates.order or ZERO, ZERO)


def _unknown(facts: CheckFacts, rate: Decimal, approved: Decimal) -> Commitment:
    request, account = facts.request, facts.account
    return Commitment(
        request.segment,
        request.order_ref,
        account.id,
        account.customer_id,
        request.currency,
        account.currency,
        rate,
        OrderState.HELD,
        approved,
    )


def _exposures(facts: CheckFacts, checks: OrderChecks, order: Commitment | None) -> tuple[Money, Money | None]:
    account, known = facts.account, facts.order
    own = known.open_amount if known else ZERO
    others = account.exposure.amount - own - _freed(facts, checks) - _later(facts, checks)
    if checks.held_orders_count:
        others += account.held_orders - (known.held_amount if known else ZERO)
    before = others + own if facts.request.checkpoint is Checkpoint.SHIPMENT else others
    after = None if order is None else Money(others + order.open_amount, account.currency)
    return Money(before, account.currency), after


def _freed(facts: CheckFacts, checks: OrderChecks | None = None) -> Decimal:
    """What the replaced orders would stop binding; with `checks`, of those that count inside the horizon only."""
    if not facts.replaced:
        return ZERO
    pairs = zip(facts.replaced, reduced(facts), strict=True)
    return sum(
        (before.open_amount - after.open_amount for before, after in pairs if not _is_later(before, facts, checks)),
        ZERO,
    )


def _later(facts: CheckFacts, checks: OrderChecks) -> Decimal:
    """Open orders beyond the horizon, the order itself apart."""
    own = facts.order
    if checks.horizon_days is None:
        return ZERO
    return facts.account.beyond_horizon - (own.open_amount if own and _is_later(own, facts, checks) else ZERO)


def _is_later(order: Commitment, facts: CheckFacts, checks: OrderChecks | None) -> bool:
    if checks is None or checks.horizon_days is None or order.ship_on is None:
        return False
    return (order.ship_on - facts.on).days > checks.horizon_days


def _group_totals(facts: CheckFacts, order: Commitment | None) -> Mapping[str, Decimal] | None:
    group, account = facts.group, facts.account
    if group is None or order is None:
        return None
    known = facts.order.open_amount if facts.order else ZERO
    totals = dict(group.totals)
    totals[account.currency] = totals.get(account.currency, ZERO) + order.open_amount - known - _freed(facts)
    return totals


def judged_limit(limit: EffectiveLimit) -> bool:
    """Whether the limit is an amount that exposure is held against today."""
    return limit.kind is LimitKind.GRANTED and limit.standing in (Standing.IN_FORCE, Standing.IN_GRACE)
