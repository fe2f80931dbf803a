"""The credit check: facts and policy in, decision out. No clock, no database, no randomness."""

from __future__ import annotations

from datetime import datetime, timedelta

from app.domains.orders.core.decision import Decision, Judgement, Outcome, Reservation, Verdict, reasons_of
from app.domains.orders.core.facts import CheckFacts, credit_days
from app.domains.orders.core.remedies import remedies
from app.domains.orders.core.rules import RULES, excused, judge, judge_all
from app.domains.orders.core.trial import Trial, attempt
from app.domains.policies.core.document import Policy
from app.domains.policies.core.order_checks import OrderChecks

_OUTCOMES = {Judgement.DECLINE: Outcome.DECLINED, Judgement.REFER: Outcome.REFERRED}
_WITHOUT_CREDIT = ("hold",)
"""The rules that judge an order paid before or at delivery."""


def decide(facts: CheckFacts, policy: Policy) -> Decision:
    """Judges every rule of `policy`; the outcome is the worst effect, and a warning is no objection."""
    trial = attempt(facts, policy)
    verdicts = _verdicts(trial)
    spoken = [verdict for verdict in verdicts if verdict.judgement in _SPOKEN]
    worst = max((verdict.judgement for verdict in spoken), key=_SEVERITY.__getitem__, default=Judgement.PASS)
    outcome = _OUTCOMES.get(worst, Outcome.APPROVED)
    approved = outcome is Outcome.APPROVED
    on_credit = facts.asked_terms.on_credit
    return Decision(
        outcome=outcome,
        verdicts=verdicts,
        reasons=reasons_of(spoken) if spoken else (),
        limit=trial.limit,
        order=trial.order,
        headroom_before=trial.headroom(trial.before),
        headroom_after=trial.headroom(trial.after if on_credit else trial.before),
        remedies=() if approved else remedies(trial, verdicts),
        reservation=reservation(trial) if approved else None,
    )


_SEVERITY = {judgement: rank for rank, judgement in enumerate(Judgement)}
_SPOKEN = frozenset(Judgement) - {Judgement.OFF, Judgement.PASS}


def _verdicts(trial: Trial) -> tuple[Verdict, ...]:
    if not trial.facts.asked_terms.on_credit:
        return tuple(judge(rule, trial) if rule.name in _WITHOUT_CREDIT else rule.off for rule in RULES)
    verdicts = judge_all(RULES, trial)
    codes = _released_codes(trial)
    return tuple(excused(verdict, codes) for verdict in verdicts) if codes else verdicts


def _released_codes(trial: Trial) -> tuple[str, ...]:
    """What a person has released for this order and still stands: not above the amount, on no better terms."""
    facts, order = trial.facts, trial.order
    release = facts.order.release if facts.order else None
    if release is None or order is None or facts.at > release.until or order.approved > release.amount:
        return ()
    asked = facts.asked_terms
    better = credit_days(asked) > release.credit_days or asked.discount_percent > release.discount_percent
    return () if better else release.codes


def reservation(trial: Trial) -> Reservation | None:
    """What approving the order would set aside, and until when; null where nothing ever is.

    An order that was shipped or invoiced before it was asked for has nothing open now, but what is taken back or
    cancelled later is open again, and must not be so for ever.
    """
    facts, order = trial.facts, trial.order
    if order is None or not facts.request.reserve or not facts.asked_terms.on_credit:
        return None
    days = reservation_days(facts, trial.checks)
    return Reservation(order.open, facts.ship_from + timedelta(days=days))


def reservation_days(facts: CheckFacts, checks: OrderChecks) -> int:
    """How long credit is set aside: the policy's days; a request may only shorten them."""
    asked = facts.request.reservation_days
    return checks.reservation_days if asked is None else min(asked, checks.reservation_days)


def review_until(facts: CheckFacts, checks: OrderChecks, decision: Decision) -> datetime | None:
    """When the review of a referred order lapses; null where there is nothing to review."""
    if decision.outcome is not Outcome.REFERRED or not facts.request.reserve:
        return None
    return facts.at + timedelta(days=checks.reservation_days)
