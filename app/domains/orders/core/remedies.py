"""What would get a refused order through: computed from the verdicts, so that each names the reasons it cures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Final

from app.domains.exposure.core.commitments import Commitment
from app.domains.orders.core.decision import Action, Remedy, Verdict
from app.domains.orders.core.facts import Checkpoint
from app.domains.orders.core.trial import Trial
from app.kernel.money import MAX_AMOUNT, Money, quantum, rounded

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
    if excesses and max(excesses.values()) <= MAX_AMOUNT:
        yield Remedy(Action.PAY, _up(max(excesses.values()), trial.currency), tuple(excesses))


def _reduce_order(trial: Trial, objections: Sequence[Verdict]) -> Iterator[Remedy]:
    """The largest amount that would pass, in order currency; none where something else stands in the way."""
    rooms = [verdict.room for verdict in objections]
    order, after = trial.order, trial.after
    if order is None or after is None or not order.rate:
        return
    known = [room for room in rooms if room is not None]
    if len(known) < len(rooms):
        return
    open_room = min(known) - (after.amount - order.open_amount)
    part = _largest_part(open_room, order)
    amount = max(order.shipped, order.invoiced) + part
    if trial.facts.request.checkpoint is Checkpoint.SHIPMENT:
        amount -= order.shipped
    if part > 0 and amount > 0:
        codes = tuple(verdict.code for verdict in objections)
        yield Remedy(Action.REDUCE_ORDER, Money(amount, order.currency), codes)


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
        yield Remedy(Action.RAISE_LIMIT, _needed(trial.after, trial.checks.limit.tolerance_percent), own)
    shared = tuple(verdict.code for verdict in objections if verdict.code == "group_limit_exceeded")
    rule = trial.checks.group_limit
    if shared and trial.group_after is not None and rule is not None:
        yield Remedy(Action.RAISE_LIMIT, _needed(trial.group_after, rule.tolerance_percent), shared)


def _largest_part(room: Decimal, order: Commitment) -> Decimal:
    """The largest open part, in order currency, that binds at most `room` in account currency beside what is delivered.

    Amounts are rounded half up into account currency, so a part may be worth up to half a unit more than the room.
    """
    step, account_step = quantum(order.currency), quantum(order.account_currency)
    whole_room = room.quantize(account_step, ROUND_FLOOR) + order.delivered_amount
    asked = order.open + order.delivered
    whole = min((whole_room + account_step / 2) / order.rate, asked).quantize(step, ROUND_FLOOR)
    while whole > 0 and rounded(whole * order.rate, order.account_currency) > whole_room:
        whole -= step
    return whole - order.delivered


def _needed(exposure: Money, tolerance_percent: Decimal) -> Money:
    return _up(exposure.amount * 100 / (100 + tolerance_percent), exposure.currency)


def _up(amount: Decimal, currency: str) -> Money:
    return Money(amount.quantize(quantum(currency), ROUND_CEILING), currency)
