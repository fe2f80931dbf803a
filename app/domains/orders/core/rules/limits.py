"""Rules that hold the exposure after the order, or the order itself, against an amount that somebody decided on."""

from __future__ import annotations

from decimal import Decimal

from app.domains.exposure.core.limits import Standing
from app.domains.orders.core.rules.finding import HUNDRED, Finding, policy_amount
from app.domains.orders.core.trial import Trial, judged_limit
from app.domains.policies.core import order_checks as policy
from app.kernel.money import ZERO, Money, largest_worth, rounded


def limit(trial: Trial, rule: policy.LimitRule) -> Finding:
    """Exposure after the order ≤ effective limit × (1 + tolerance); exactly at the limit passes."""
    after, limit = trial.after, trial.limit
    if limit.amount is None or after is None or not judged_limit(limit):
        return Finding(objects=False, value=after)
    allowed = _with_tolerance(limit.amount, rule.tolerance_percent)
    shortfall = after - allowed
    return Finding(
        objects=shortfall.amount > 0,
        value=after,
        threshold=allowed,
        message=lambda: f"Exposure with this order would be {after}, {shortfall} above the limit of {allowed}.",
        shortfall=shortfall,
        room=allowed.amount,
    )


def group_limit(trial: Trial, rule: policy.GroupLimitRule) -> Finding:
    """The group's exposure after the order ≤ the shared limit × (1 + tolerance); an expired shared limit is zero."""
    limit, after = trial.group_limit, trial.group_after
    if limit is None or limit.amount is None or limit.standing is Standing.MISSING or after is None:
        return Finding(objects=False, value=after)
    allowed = _with_tolerance(limit.amount, rule.tolerance_percent)
    shortfall = after - allowed
    return Finding(
        objects=shortfall.amount > 0,
        value=after,
        threshold=allowed,
        message=lambda: (
            f"The group's exposure with this order would be {after}, {shortfall} above its limit of {allowed}."
        ),
        shortfall=shortfall,
        room=_own_room(trial, allowed) if shortfall.amount > 0 else None,
    )


def _own_room(trial: Trial, allowed: Money) -> Decimal:
    """The largest exposure of the account that leaves its group within `allowed`, in account currency."""
    totals, rate = trial.group_totals, trial.facts.rates.into_group[trial.currency]
    assert totals is not None
    assert trial.group_after is not None
    assert trial.after is not None
    own = totals[trial.currency]
    others = trial.group_after.amount - rounded(own * rate, allowed.currency)
    most = largest_worth(allowed.amount - others, rate=rate, currency=trial.currency, into=allowed.currency)
    return trial.after.amount + most - own


def missing_limit(trial: Trial, _rule: policy.MissingLimitRule) -> Finding:
    """Somebody has decided on a limit, own or shared, unless the order leaves no exposure."""
    missing = trial.limit.standing is Standing.MISSING and not trial.shared_only
    return Finding(
        objects=missing and trial.after is not None and trial.after.amount > 0,
        value=trial.after,
        message=lambda: "Nobody has decided on a credit limit for this customer.",
        room=ZERO,
    )


def limit_expiry(trial: Trial, rule: policy.LimitExpiryRule) -> Finding:
    """The last limit has not ended more than the grace days ago."""
    limit = trial.limit.limit
    ended_on = limit.valid_until if limit else None
    expired = trial.limit.standing is Standing.EXPIRED and ended_on is not None
    days = (trial.facts.on - ended_on).days if expired and ended_on else 0
    return Finding(
        objects=expired,
        value=days,
        threshold=rule.grace_days,
        message=lambda: f"The credit limit ended on {ended_on}, {days} days ago.",
    )


def order_value(trial: Trial, rule: policy.OrderValueRule) -> Finding:
    """The order by itself is worth at most the policy's amount."""
    order = trial.order
    assert order is not None
    most = policy_amount(trial, rule.max_amount)
    value = Money(rounded(order.approved * order.rate, trial.currency), trial.currency)
    return Finding(
        objects=value > most,
        value=value,
        threshold=most,
        message=lambda: f"The order is worth {value}, more than the {most} that one order may be.",
        most=most.amount,
    )


def cover(trial: Trial, rule: policy.CoverRule) -> Finding:
    """At least a share of the exposure after the order is insured or secured."""
    profile, after = trial.facts.account.profile, trial.after
    assert after is not None
    valid = profile.cover_until is None or trial.facts.on <= profile.cover_until
    covered = profile.cover_amount if profile.cover_amount is not None and valid else ZERO
    share = min(covered * HUNDRED / after.amount, HUNDRED).quantize(Decimal("0.01")) if after.amount > 0 else HUNDRED
    return Finding(
        objects=after.amount > 0 and covered * HUNDRED < rule.min_covered_percent * after.amount,
        value=share,
        threshold=rule.min_covered_percent,
        message=lambda: (
            f"{share} % of the exposure with this order is covered; {rule.min_covered_percent} % is asked for."
        ),
        room=covered * HUNDRED / rule.min_covered_percent if rule.min_covered_percent else None,
    )


def utilisation(trial: Trial, rule: policy.UtilisationWarningRule) -> Finding:
    """After the order no more than a share of the limit is in use."""
    used, limit = trial.utilisation_after, trial.limit
    after = trial.after
    assert after is not None
    if used is None or limit.amount is None or not judged_limit(limit):
        return Finding(objects=False, value=used, threshold=rule.percent)
    return Finding(
        objects=after.amount * HUNDRED > rule.percent * limit.amount.amount,
        value=used,
        threshold=rule.percent,
        message=lambda: f"{used} % of the limit would be in use.",
        room=limit.amount.amount * rule.percent / HUNDRED,
    )


def _with_tolerance(limit: Money, percent: Decimal) -> Money:
    if not percent:
        return limit
    return Money(rounded(limit.amount * (HUNDRED + percent) / HUNDRED, limit.currency), limit.currency)
