"""The rules of the order check: each judges the trial by one section of the policy and leaves its verdict.

A rule is a pure function of the trial and its parameters. Adding one is a function here, a row in `RULES`, and a
parameter class in the policy document.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Final, NamedTuple

from app.domains.exposure.core.holds import HoldKind
from app.domains.exposure.core.limits import Standing
from app.domains.orders.core.decision import Judgement, Measure, Verdict
from app.domains.orders.core.facts import credit_days
from app.domains.orders.core.trial import Trial, judged_limit
from app.domains.policies.core import document as policy
from app.kernel.money import ZERO, Money, rounded

HUNDRED: Final = Decimal(100)


class Finding(NamedTuple):
    """What a rule found: nothing to object to, or an objection with its measures; `message` is asked for only then."""

    objects: bool
    value: Measure = None
    threshold: Measure = None
    message: Callable[[], str] = str
    code: str | None = None
    shortfall: Money | None = None
    cure: Money | None = None
    room: Decimal | None = None
    declines: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the table: its section in the policy, its code in reasons, and how it judges.

    `needs_rate` marks rules that compare the exposure after the order, which can't be told without an exchange rate.
    """

    name: str
    code: str
    judge: Callable[[Trial, Any], Finding]
    needs_rate: bool = False
    off: Verdict = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "off", Verdict(self.name, self.code, Judgement.OFF))


def judge(rule: Rule, trial: Trial) -> Verdict:
    """The verdict of one rule. A rule that fails refers the order, by name: an error never lets goods leave."""
    parameters = getattr(trial.checks, rule.name)
    if parameters is None:
        return rule.off
    if rule.needs_rate and trial.after is None:
        return Verdict(rule.name, UNRATED, Judgement(trial.checks.fx_rate.effect.value))
    try:
        found = rule.judge(trial, parameters)
        message = found.message() if found.objects else ""
    except Exception as error:
        failure = f"The rule {rule.name} could not be judged ({type(error).__name__}); the order waits for a person."
        return Verdict(rule.name, "rule_failed", Judgement.REFER, message=failure)
    return Verdict(
        rule=rule.name,
        code=found.code or rule.code,
        judgement=_judgement(found, parameters.effect),
        value=found.value,
        threshold=found.threshold,
        message=message,
        shortfall=found.shortfall if found.objects else None,
        cure=found.cure if found.objects else None,
        room=found.room,
    )


UNRATED: Final = "fx_rate_missing"
"""What a rule says that can't compare for want of an exchange rate."""


def _judgement(found: Finding, effect: policy.Effect) -> Judgement:
    if not found.objects:
        return Judgement.PASS
    return Judgement.DECLINE if found.declines else Judgement(effect.value)


def _limit(trial: Trial, rule: policy.LimitRule) -> Finding:
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


def _group_limit(trial: Trial, rule: policy.GroupLimitRule) -> Finding:
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
        room=_own_room(trial, shortfall),
    )


def _own_room(trial: Trial, shortfall: Money) -> Decimal | None:
    """The largest exposure of the account that leaves the group within its limit, in account currency."""
    rate = trial.facts.rates.into_group.get(trial.currency)
    if not rate or trial.after is None:
        return None
    return trial.after.amount - shortfall.amount / rate


def _missing_limit(trial: Trial, _rule: policy.MissingLimitRule) -> Finding:
    """Somebody has decided on a limit, own or shared, unless the order leaves no exposure."""
    missing = trial.limit.standing is Standing.MISSING and not trial.shared_only
    return Finding(
        objects=missing and trial.after is not None and trial.after.amount > 0,
        value=trial.after,
        message=lambda: "Nobody has decided on a credit limit for this customer.",
        room=ZERO,
    )


def _limit_expiry(trial: Trial, rule: policy.LimitExpiryRule) -> Finding:
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


def _hold(trial: Trial, _rule: policy.HoldRule) -> Finding:
    """The account is not on hold; a forced hold declines whatever the policy says."""
    hold = trial.facts.account.hold
    return Finding(
        objects=hold is not HoldKind.NONE,
        value=hold.value,
        message=lambda: f"The account is on a {hold.value} hold.",
        declines=hold is HoldKind.FORCED,
    )


def _fx_rate(trial: Trial, _rule: policy.FxRateRule) -> Finding:
    """Exchange rates lead from the order's currency to the account's, and from the members' to the group's."""
    facts = trial.facts
    missing = trial.after is None or trial.unrated
    into = facts.group.currency if facts.group and trial.unrated else trial.currency
    return Finding(
        objects=missing,
        value=facts.request.currency,
        threshold=into,
        message=lambda: f"No exchange rate leads to {into}.",
    )


def _order_value(trial: Trial, rule: policy.OrderValueRule) -> Finding:
    """The order by itself is worth at most the policy's amount."""
    order = trial.order
    assert order is not None
    most = _policy_amount(trial, rule.max_amount)
    value = Money(rounded(order.approved * order.rate, trial.currency), trial.currency)
    excess = value - most
    after = trial.after.amount if trial.after else ZERO
    return Finding(
        objects=excess.amount > 0,
        value=value,
        threshold=most,
        message=lambda: f"The order is worth {value}, more than the {most} that one order may be.",
        room=after - excess.amount,
    )


def _oldest_item(trial: Trial, rule: policy.OldestItemRule) -> Finding:
    """No open item worth mentioning is overdue for longer than the policy allows."""
    overdue = trial.facts.account.overdue
    days = (trial.facts.on - overdue.breaching_due_on).days if overdue.breaching_due_on else 0
    cure = Money(overdue.breaching, trial.currency)
    return Finding(
        objects=days > rule.max_days_overdue,
        value=max(days, 0),
        threshold=rule.max_days_overdue,
        message=lambda: (
            f"Items are up to {days} days overdue; {rule.max_days_overdue} are allowed. {cure} is concerned."
        ),
        cure=cure,
    )


def _overdue_share(trial: Trial, rule: policy.OverdueShareRule) -> Finding:
    """Of the open items at most a share is overdue for longer than so many days."""
    account = trial.facts.account
    receivables, aged = account.exposure.receivables, account.overdue.aged
    share = (aged * HUNDRED / receivables).quantize(Decimal("0.01")) if receivables > 0 else ZERO
    return Finding(
        objects=receivables > 0 and aged * HUNDRED > rule.max_percent * receivables,
        value=share,
        threshold=rule.max_percent,
        message=lambda: f"{share} % of the open items is overdue by more than {rule.older_than_days} days.",
        cure=Money(aged, trial.currency),
    )


def _overdue_with_utilisation(trial: Trial, rule: policy.OverdueWithUtilisationRule) -> Finding:
    """Not both: much overdue, and the limit largely used."""
    overdue = Money(trial.facts.account.overdue.amount, trial.currency)
    least = _policy_amount(trial, rule.min_overdue_amount)
    limit, used = trial.limit.amount, trial.utilisation_after
    assert trial.after is not None
    # Exactly, not by the rounded percentage that is shown; a limit of zero is used up by any exposure.
    utilised = limit is not None and (
        trial.after.amount * HUNDRED >= rule.min_utilisation_percent * limit.amount
        if limit.amount
        else trial.after.amount > 0
    )
    return Finding(
        objects=overdue.amount > 0 and overdue >= least and utilised,
        value=overdue,
        threshold=least,
        message=lambda: (
            f"{overdue} is overdue while {used if used is not None else 'all'} % of the limit would be used."
        ),
        cure=overdue,
    )


def _dunning_level(trial: Trial, rule: policy.DunningLevelRule) -> Finding:
    """The customer has not been reminded beyond the highest level still allowed."""
    level = trial.facts.account.profile.dunning_level
    return Finding(
        objects=level > rule.max_level,
        value=level,
        threshold=rule.max_level,
        message=lambda: f"The customer is at dunning level {level}; up to {rule.max_level} is allowed.",
        cure=Money(trial.facts.account.overdue.amount, trial.currency),
    )


def _payment_index(trial: Trial, rule: policy.PaymentIndexRule) -> Finding:
    """The customer's payment index is known and not below the policy's."""
    index = trial.facts.account.profile.payment_index
    return Finding(
        objects=index is None or index < rule.min_index,
        value=index,
        threshold=rule.min_index,
        message=lambda: (
            f"The payment index is {'not known' if index is None else index}; {rule.min_index} is asked for."
        ),
    )


def _grade(trial: Trial, rule: policy.GradeRule) -> Finding:
    """The customer has a grade, known to the policy and not worse than the worst allowed."""
    grade = trial.facts.account.profile.grade
    rank = trial.policy.grade_rank(grade) if grade is not None else None
    worst = trial.policy.grade_rank(rule.worst_allowed)
    return Finding(
        objects=rank is None or worst is None or rank > worst,
        value=grade,
        threshold=rule.worst_allowed,
        message=lambda: f"The grade is {grade or 'not known'}; {rule.worst_allowed} is the worst allowed.",
    )


def _assessment_age(trial: Trial, rule: policy.AssessmentAgeRule) -> Finding:
    """There is an assessment, no older than the policy allows."""
    assessed_on = trial.facts.account.profile.assessed_on
    if assessed_on is None:
        return Finding(
            objects=True,
            threshold=rule.max_days,
            message=lambda: "The customer has never been assessed.",
            code="assessment_missing",
        )
    days = (trial.facts.on - assessed_on).days
    return Finding(
        objects=days > rule.max_days,
        value=days,
        threshold=rule.max_days,
        message=lambda: f"The last assessment is {days} days old; {rule.max_days} are allowed.",
    )


def _terms(trial: Trial, _rule: policy.TermsRule) -> Finding:
    """The order's payment terms give neither more days nor more discount than the customer's."""
    asked, usual = trial.facts.asked_terms, trial.facts.terms
    days, usual_days = credit_days(asked), credit_days(usual)
    if days <= usual_days and asked.discount_percent > usual.discount_percent:
        return Finding(
            objects=True,
            value=asked.discount_percent,
            threshold=usual.discount_percent,
            message=lambda: (
                f"A discount of {asked.discount_percent} % is better than the usual {usual.discount_percent} %."
            ),
            code="discount_improved",
        )
    return Finding(
        objects=days > usual_days,
        value=days,
        threshold=usual_days,
        message=lambda: f"The order gives {days} days to pay, the customer has {usual_days}.",
    )


def _cover(trial: Trial, rule: policy.CoverRule) -> Finding:
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


def _utilisation(trial: Trial, rule: policy.UtilisationWarningRule) -> Finding:
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


def _policy_amount(trial: Trial, amount: Decimal) -> Money:
    """An amount of the policy, which speaks the segment's currency, in account currency."""
    rate = trial.facts.rates.policy
    if rate is None:
        raise LookupError("no exchange rate leads from the segment's currency to the account's")
    return Money(rounded(amount * rate, trial.currency), trial.currency)


RULES: Final = (
    Rule("limit", "limit_exceeded", _limit, needs_rate=True),
    Rule("group_limit", "group_limit_exceeded", _group_limit, needs_rate=True),
    Rule("missing_limit", "no_limit", _missing_limit, needs_rate=True),
    Rule("limit_expiry", "limit_expired", _limit_expiry),
    Rule("hold", "account_on_hold", _hold),
    Rule("fx_rate", UNRATED, _fx_rate),
    Rule("order_value", "order_value_exceeded", _order_value, needs_rate=True),
    Rule("oldest_item", "oldest_item_overdue", _oldest_item),
    Rule("overdue_share", "overdue_share_exceeded", _overdue_share),
    Rule("overdue_with_utilisation", "overdue_and_utilised", _overdue_with_utilisation, needs_rate=True),
    Rule("dunning_level", "dunning_level_reached", _dunning_level),
    Rule("payment_index", "payment_index_low", _payment_index),
    Rule("grade", "grade_too_low", _grade),
    Rule("assessment_age", "assessment_stale", _assessment_age),
    Rule("terms", "terms_improved", _terms),
    Rule("cover", "cover_insufficient", _cover, needs_rate=True),
    Rule("utilisation_warning", "utilisation_high", _utilisation, needs_rate=True),
)
"""Every rule, in the order in which verdicts and reasons are listed."""


def excused(verdict: Verdict, codes: tuple[str, ...]) -> Verdict:
    """A referral that a person has released before, as a warning."""
    if verdict.judgement is Judgement.REFER and verdict.code in codes:
        return replace(verdict, judgement=Judgement.WARN, message=f"{verdict.message} Released before.")
    return verdict
