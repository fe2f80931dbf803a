"""What would get a refused order through: computed from the verdicts, so that each names the reasons it cures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import ROUND_CEILING, Decimal
from typing import Final

from app.domains.exposure.core.commitments import Commitment
from app.domains.orders.core.decision import Action, Remedy, Verdict
from app.domains.orders.core.facts import Checkpoint
from app.domains.orders.core.trial import Trial
from app.kernel.money import MAX_AMOUNT, ZERO, Money, largest_worth, quantum

_LIMIT_CODES: Final = frozenset({"limit_exceeded", "group_limit_exceeded"})
_OWN_LIMIT_CODES: Final = frozenset({"limit_exceeded", "no_limit", "limit_expired"})


def remedies(trial: Trial, verdicts: Sequence[Verdict]) -> tuple[Remedy, ...]:
    """Every way out, in the order in which a seller would try them."""
    objections = [verdict for verdict in verdicts if verdict.judgement.objects]
    return tuple(
        remedy
        for propose in (_pay_overdue, _pay, _reduce_order, _prepay, _raise_limit)
        for remedy in propose(trial, objections)
    )


def _pay_overdue(trial: Trial, objections: Sequence[Verdict]) -> Iterator[Remedy]:
    """Paying the items that breach a rule."""
    curable = [(verdict.code, verdict.cure) for verdict in objections if verdict.cure]
    if curable:
        amount = max((cure for _, cure in curable), key=lambda cure: cure.amount)
        yield Remedy(Action.PAY_OVERDUE, amount, tuple(code for code, _ in curable))


def _pay(trial: Trial, objections: Sequence[Verdict]) -> Iterator[Remedy]:
    """Paying anything until the exposure with the order is within the limits."""
    after = trial.after
    excesses = {
        verdict.code: after.amount - verdict.room
        for verdict in objections
        if verdict.code in _LIMIT_CODES and verdict.room is not None and after is not None
    }
    if excesses:
        yield from _possible(Action.PAY, max(excesses.values()), trial.currency, tuple(excesses))


def _reduce_order(trial: Trial, objections: Sequence[Verdict]) -> Iterator[Remedy]:
    """The largest amount that would pass, in order currency; none where something else stands in the way."""
    order, known = trial.order, trial.facts.order
    if order is None or any(verdict.room is None and verdict.most is None for verdict in objections):
        return
    whole = min(_largest_whole(trial, order, verdict) for verdict in objections)
    amount = whole
    if trial.facts.request.checkpoint is Checkpoint.SHIPMENT:
        # What leaves within the approval asks for nothing: less of it would not help.
        amount = whole - order.shipped if known is None or whole >= known.approved else ZERO
    if amount > 0 and whole > max(order.shipped, order.invoiced):
        codes = tuple(verdict.code for verdict in objections)
        yield Remedy(Action.REDUCE_ORDER, Money(amount, order.currency), codes)


def _largest_whole(trial: Trial, order: Commitment, verdict: Verdict) -> Decimal:
    """The largest whole value of the order, in its currency, that the objecting rule would let pass."""
    if verdict.room is None:
        assert verdict.most is not None
        return largest_worth(verdict.most, rate=order.rate, currency=order.currency, into=order.account_currency)
    assert trial.after is not None
    bound = verdict.room - trial.after.amount + order.open_amount + order.delivered_amount
    binding = largest_worth(bound, rate=order.rate, currency=order.currency, into=order.account_currency)
    return max(order.shipped, order.invoiced) + binding - order.delivered


def _prepay(trial: Trial, objections: Sequence[Verdict]) -> Iterator[Remedy]:
    """Paying the order in advance: then only a hold can stop it."""
    request = trial.facts.request
    if objections and all(verdict.rule != "hold" for verdict in objections):
        codes = tuple(dict.fromkeys(verdict.code for verdict in objections))
        yield Remedy(Action.PREPAY, Money(request.amount, request.currency), codes)


def _raise_limit(trial: Trial, objections: Sequence[Verdict]) -> Iterator[Remedy]:
    """The limits, own and shared, that the order needs."""
    own = tuple(verdict.code for verdict in objections if verdict.code in _OWN_LIMIT_CODES)
    if own and trial.after is not None:
        needed = _needed(trial.after, trial.checks.limit.tolerance_percent)
        yield from _possible(Action.RAISE_LIMIT, needed, trial.currency, own)
    shared = tuple(verdict.code for verdict in objections if verdict.code == "group_limit_exceeded")
    rule, group_after = trial.checks.group_limit, trial.group_after
    if shared and group_after is not None and rule is not None:
        needed = _needed(group_after, rule.tolerance_percent)
        yield from _possible(Action.RAISE_LIMIT, needed, group_after.currency, shared)


def _needed(exposure: Money, tolerance_percent: Decimal) -> Decimal:
    return exposure.amount * 100 / (100 + tolerance_percent)


def _possible(action: Action, amount: Decimal, currency: str, cures: tuple[str, ...]) -> Iterator[Remedy]:
    """The remedy over `amount`, rounded up; none beyond what any payment or limit can be."""
    if amount <= MAX_AMOUNT:
        yield Remedy(action, Money(amount.quantize(quantum(currency), ROUND_CEILING), currency), cures)
