"""The rules of the order check: each judges the trial by one section of the policy and leaves its verdict.

A rule is a pure function of the trial and its parameters. Adding one is a function in `limits.py` or `customer.py`, a
row in `RULES` here, and a parameter class in the policy document.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, Final

from app.domains.orders.core.decision import Judgement, Verdict
from app.domains.orders.core.rules import customer, limits
from app.domains.orders.core.rules.finding import Finding
from app.domains.orders.core.trial import Trial
from app.domains.policies.core import order_checks as policy


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
    parameters: Callable[[policy.OrderChecks], Any] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "off", Verdict(self.name, self.code, Judgement.OFF))
        object.__setattr__(self, "parameters", attrgetter(self.name))


def judge_all(rules: Sequence[Rule], trial: Trial) -> tuple[Verdict, ...]:
    """The verdict of each rule; those that are off, half of them as a rule, cost next to nothing."""
    checks = trial.checks
    return tuple(
        [
            rule.off if (parameters := rule.parameters(checks)) is None else _judged(rule, parameters, trial)
            for rule in rules
        ]
    )


def judge(rule: Rule, trial: Trial) -> Verdict:
    """The verdict of one rule. A rule that fails refers the order, by name: an error never lets goods leave."""
    parameters = rule.parameters(trial.checks)
    return rule.off if parameters is None else _judged(rule, parameters, trial)


def _judged(rule: Rule, parameters: Any, trial: Trial) -> Verdict:
    if rule.needs_rate and trial.after is None:
        return Verdict(rule.name, UNRATED, Judgement(trial.checks.fx_rate.effect.value))
    try:
        found = rule.judge(trial, parameters)
        if not found.objects:
            return Verdict(
                rule.name,
                found.code or rule.code,
                Judgement.PASS,
                found.value,
                found.threshold,
                "",
                None,
                None,
                found.room,
                found.most,
            )
        message = found.message()
    except Exception as error:
        failure = f"The rule {rule.name} could not be judged ({type(error).__name__}); the order waits for a person."
        return Verdict(rule.name, "rule_failed", Judgement.REFER, message=failure)
    return Verdict(
        rule=rule.name,
        code=found.code or rule.code,
        judgement=Judgement.DECLINE if found.declines else Judgement(parameters.effect.value),
        value=found.value,
        threshold=found.threshold,
        message=message,
        shortfall=found.shortfall,
        cure=found.cure,
        room=found.room,
        most=found.most,
    )


UNRATED: Final = "fx_rate_missing"
"""What a rule says that can't compare for want of an exchange rate."""


RULES: Final = (
    Rule("limit", "limit_exceeded", limits.limit, needs_rate=True),
    Rule("group_limit", "group_limit_exceeded", limits.group_limit, needs_rate=True),
    Rule("missing_limit", "no_limit", limits.missing_limit, needs_rate=True),
    Rule("limit_expiry", "limit_expired", limits.limit_expiry),
    Rule("hold", "account_on_hold", customer.hold),
    Rule("fx_rate", UNRATED, customer.fx_rate),
    Rule("order_value", "order_value_exceeded", limits.order_value, needs_rate=True),
    Rule("oldest_item", "oldest_item_overdue", customer.oldest_item),
    Rule("overdue_share", "overdue_share_exceeded", customer.overdue_share),
    Rule("overdue_with_utilisation", "overdue_and_utilised", customer.overdue_with_utilisation, needs_rate=True),
    Rule("dunning_level", "dunning_level_reached", customer.dunning_level),
    Rule("payment_index", "payment_index_low", customer.payment_index),
    Rule("grade", "grade_too_low", customer.grade),
    Rule("assessment_age", "assessment_stale", customer.assessment_age),
    Rule("terms", "terms_improved", customer.terms),
    Rule("cover", "cover_insufficient", limits.cover, needs_rate=True),
    Rule("utilisation_warning", "utilisation_high", limits.utilisation, needs_rate=True),
)
"""Every rule, in the order in which verdicts and reasons are listed."""


def excused(verdict: Verdict, codes: tuple[str, ...]) -> Verdict:
    """A referral that a person has released before, as a warning."""
    if verdict.judgement is Judgement.REFER and verdict.code in codes:
        return verdict._replace(judgement=Judgement.WARN, message=f"{verdict.message} Released before.")
    return verdict
