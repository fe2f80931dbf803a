"""Rules that look at the customer: holds, what is overdue, how it pays, how it was assessed, on what terms it buys."""

from __future__ import annotations

from decimal import Decimal

from app.domains.exposure.core.holds import HoldKind
from app.domains.orders.core.facts import credit_days
from app.domains.orders.core.rules.finding import HUNDRED, Finding, policy_amount
from app.domains.orders.core.trial import Trial
from app.domains.policies.core import order_checks as policy
from app.kernel.money import ZERO, Money


def hold(trial: Trial, _rule: policy.HoldRule) -> Finding:
    """The account is not on hold; a forced hold declines whatever the policy says."""
    hold = trial.facts.account.hold
    return Finding(
        objects=hold is not HoldKind.NONE,
        value=hold.value,
        message=lambda: f"The account is on a {hold.value} hold.",
        declines=hold is HoldKind.FORCED,
    )


def fx_rate(trial: Trial, _rule: policy.FxRateRule) -> Finding:
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


def oldest_item(trial: Trial, rule: policy.OldestItemRule) -> Finding:
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


def overdue_share(trial: Trial, rule: policy.OverdueShareRule) -> Finding:
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


def overdue_with_utilisation(trial: Trial, rule: policy.OverdueWithUtilisationRule) -> Finding:
    """Not both: much overdue, and the limit largely used."""
    overdue = Money(trial.facts.account.overdue.amount, trial.currency)
    least = policy_amount(trial, rule.min_overdue_amount)
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


def dunning_level(trial: Trial, rule: policy.DunningLevelRule) -> Finding:
    """The customer has not been reminded beyond the highest level still allowed."""
    level = trial.facts.account.profile.dunning_level
    return Finding(
        objects=level > rule.max_level,
        value=level,
        threshold=rule.max_level,
        message=lambda: f"The customer is at dunning level {level}; up to {rule.max_level} is allowed.",
        cure=Money(trial.facts.account.overdue.amount, trial.currency),
    )


def payment_index(trial: Trial, rule: policy.PaymentIndexRule) -> Finding:
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


def grade(trial: Trial, rule: policy.GradeRule) -> Finding:
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


def assessment_age(trial: Trial, rule: policy.AssessmentAgeRule) -> Finding:
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


def terms(trial: Trial, _rule: policy.TermsRule) -> Finding:
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
