"""The review of referred orders: release, reject, lapse."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import orjson

from app.domains.exposure import service as exposure
from app.domains.exposure.core import commitments
from app.domains.exposure.core.commitments import Commitment
from app.domains.exposure.core.fx import rate_between
from app.domains.exposure.core.ledger import Source
from app.domains.exposure.core.positions import Positions
from app.domains.orders import repository
from app.domains.orders.core import cases, reviews
from app.domains.orders.core.decision import Decision, Judgement
from app.domains.orders.core.facts import CheckFacts
from app.domains.orders.core.order_events import (
    CreditCheckLapsed,
    CreditCheckRejected,
    CreditCheckReleased,
    CreditCheckReleaseRefused,
)
from app.domains.orders.core.orders import in_currency
from app.domains.orders.core.outcome import carry_out
from app.domains.orders.core.reviews import Check, Review, ReviewMove
from app.domains.orders.core.trial import attempt
from app.domains.orders.repository import StoredCheck
from app.domains.orders.repository import cases as case_rows
from app.domains.orders.service.checks import facts_of, find
from app.domains.orders.service.gathering import gather, locked_check, policy_of
from app.domains.orders.service.waiting import wake_if_freed
from app.domains.policies import service as policies
from app.domains.policies.core.compiled import EffectivePolicy
from app.infra.transaction import Transaction
from app.kernel.errors import Forbidden
from app.kernel.events import Event
from app.kernel.money import Money, render
from app.kernel.periods import end_of
from app.support.auth.core.principals import Principal

LAPSE_BATCH: Final = 200


async def release(
    tx: Transaction,
    *,
    check_id: UUID,
    caller: Principal,
    reason: str,
    amount: Decimal | None = None,
    expires_on: date | None = None,
) -> StoredCheck:
    """Approves a referred order on a person's authority, for `amount` (order currency; null: all that was checked).

    Credit is set aside even beyond the limit, at most until the end of `expires_on`. Raises `CreditCheckNotFound`,
    `ReviewClosed`, `ReviewClaimed`, `PersonRequired`, `FourEyes`, `AuthorityExceeded`, `ReleaseExceedsCheck`,
    `ReleaseReasonUnknown`, `ReleaseExpiryPast`, `ForcedHold`, `FxRateMissing`.
    """
    stored = await find(tx, check_id=check_id, caller=caller)
    check = stored.check
    reviews.check_open(check, now=tx.now)
    await _check_may_decide(tx, check, caller, four_eyes=True)
    released = check.amount if amount is None else in_currency(amount, check.currency)
    reviews.check_amount(check, released)
    positions, stored = await _locked(tx, stored, caller)
    request = replace(facts_of(stored).request, amount=released)
    facts = await gather(tx, positions=positions, request=request)
    reviews.check_hold(facts.account.hold)
    policy = await policy_of(tx, customer_id=check.customer_id, segment=check.segment)
    cases.check_reason(reason, policy.policy.approvals.release)
    cases.check_expiry(expires_on, on=facts.on)
    ends = None if expires_on is None else end_of(expires_on, (await policies.segment(tx, segment=check.segment)).zone)
    decision = reviews.overruled(facts, policy.policy, ends=ends)
    excess = cases.excess_of(attempt(facts, policy.policy))
    await _check_authority(tx, check, caller, facts, excess, policy)
    before = positions.accounts[facts.account.id]
    order = _approve(positions, facts, decision, policy, stored, ends=ends)
    await exposure.save(tx, positions=positions)
    await wake_if_freed(tx, before=before, after=positions.accounts[before.id])
    ended = replace(
        stored.check.moved(ReviewMove.RELEASE, by=tx.actor.name, at=tx.now, reason=reason), released_amount=released
    )
    await repository.write_review(tx.session, ended, tx.now)
    tx.emit(replace(_told(CreditCheckReleased, ended, **_override(facts, excess, order)), exceptional=True))
    return replace(stored, check=ended)


async def reject(tx: Transaction, *, check_id: UUID, caller: Principal, reason: str) -> StoredCheck:
    """Refuses a referred order; what was approved before stays. Raises `CreditCheckNotFound`, `ReviewClosed`,
    `ReviewClaimed`, `PersonRequired`."""
    stored = await find(tx, check_id=check_id, caller=caller)
    reviews.check_open(stored.check, now=tx.now)
    await _check_may_decide(tx, stored.check, caller, four_eyes=False)
    positions, stored = await _locked(tx, stored, caller)
    _withdraw(positions, stored.check, commitments.decline(positions.orders[stored.check.key]), "rejection")
    await exposure.save(tx, positions=positions)
    ended = stored.check.moved(ReviewMove.REJECT, by=tx.actor.name, at=tx.now, reason=reason)
    await repository.write_review(tx.session, ended, tx.now)
    tx.emit(_told(CreditCheckRejected, ended))
    return replace(stored, check=ended)


async def accounts_with_lapsing_reviews(tx: Transaction) -> list[tuple[str, str]]:
    """At most `LAPSE_BATCH` accounts (customer, segment) with reviews that nobody decided in time."""
    return list(await repository.lapsing_accounts(tx.session, tx.now, LAPSE_BATCH))


async def lapse_reviews(tx: Transaction, *, customer_id: str, segment: str) -> int:
    """Ends the reviews of an account that nobody decided in time, at most `LAPSE_BATCH`; says how many.

    Raises `AccountBusy`.
    """
    positions = await exposure.lock(tx, keys=[(customer_id, segment)])
    due = await repository.lapsing_checks(
        tx.session, customer_id=customer_id, segment=segment, now=tx.now, limit=LAPSE_BATCH
    )
    await exposure.load_orders(tx, positions=positions, keys=[check.key for check in due])
    for check in due:
        _withdraw(positions, check, commitments.lapse(positions.orders[check.key]), "lapse")
        ended = check.moved(ReviewMove.LAPSE, at=tx.now)
        await repository.write_review(tx.session, ended, tx.now)
        tx.emit(_told(CreditCheckLapsed, ended))
    await exposure.save(tx, positions=positions)
    return len(due)


async def _check_may_decide(tx: Transaction, check: Check, caller: Principal, *, four_eyes: bool) -> None:
    """Refuses whoever may not decide on the review at all; the attempt is journalled."""
    try:
        reviews.check_person(caller.kind)
        if four_eyes:
            reviews.check_four_eyes(check, principal_id=caller.id, name=caller.name)
    except Forbidden as refusal:
        raise _remembered(refusal, check) from None


async def _locked(tx: Transaction, stored: StoredCheck, caller: Principal) -> tuple[Positions, StoredCheck]:
    """The account and the check, locked, unless somebody else works on it or has just decided."""
    found = await locked_check(tx, stored)
    cases.check_claim(await case_rows.find_case(tx.session, stored.check.id), principal_id=caller.id)
    return found


async def _check_authority(
    tx: Transaction, check: Check, caller: Principal, facts: CheckFacts, excess: Money, policy: EffectivePolicy
) -> None:
    """Refuses to leave more above the limit than the caller answers for; the attempt is journalled."""
    authority = caller.authority
    quotes = await exposure.quotes(tx, on=facts.on)
    rate = None if authority is None else rate_between(quotes, authority.currency, excess.currency)
    rules = policy.policy.approvals.release
    try:
        cases.check_authority(excess, rules, free_rate=facts.rates.policy, authority=authority, rate=rate)
    except Forbidden as refusal:
        raise _remembered(refusal, check, excess=str(excess)) from None


def _remembered(refusal: Forbidden, check: Check, **more: Any) -> Forbidden:
    """`refusal`, which the journal will be told of although nothing else has happened."""
    refusal.attempt = CreditCheckReleaseRefused(
        subject_id=str(check.id),
        segment=check.segment,
        customer_id=check.customer_id,
        after={"order_ref": check.order_ref, "code": refusal.code, **more},
    )
    return refusal


def _approve(
    positions: Positions,
    facts: CheckFacts,
    decision: Decision,
    policy: EffectivePolicy,
    stored: StoredCheck,
    *,
    ends: datetime | None,
) -> Commitment:
    """Carries out a release, and notes what a re-check of the order is not referred again for."""
    check = stored.check
    carry_out(positions, facts, decision, check_id=check.id, counts_until=None)
    order = positions.orders[check.key]
    noted = reviews.release_of(order, facts, policy.policy.order_checks, codes=_overruled(stored, decision), ends=ends)
    positions.change_order(replace(order, release=noted), Source("credit_check", str(check.id)))
    return positions.orders[check.key]


def _overruled(stored: StoredCheck, decision: Decision) -> tuple[str, ...]:
    """The codes that the person released: those that the order was referred for, and those that object today."""
    seen = [reason["code"] for reason in orjson.loads(stored.answer)["reasons"] if reason["effect"] == Judgement.REFER]
    today = [reason.code for reason in decision.reasons if reason.judgement is Judgement.REFER]
    return tuple(dict.fromkeys([*seen, *today]))


def _withdraw(positions: Positions, check: Check, after: Commitment, why: str) -> None:
    """What a referred order asked for is asked for no more."""
    positions.change_order(after, Source(why, str(check.id)))


def _override(facts: CheckFacts, excess: Money, order: Commitment) -> dict[str, Any]:
    return {
        "override": True,
        "approved": render(order.approved, order.currency),
        "codes": list(order.release.codes) if order.release else [],
        "account_currency": facts.account.currency,
        "excess": render(excess.amount, excess.currency),
    }


def _told(kind: type[Event], check: Check, **more: Any) -> Event:
    amount = check.amount if check.released_amount is None else check.released_amount
    return kind(
        subject_id=str(check.id),
        segment=check.segment,
        customer_id=check.customer_id,
        before={"review": Review.OPEN.value},
        after={
            "review": check.review.value,
            "order_ref": check.order_ref,
            "amount": render(amount, check.currency),
            "currency": check.currency,
            "reason": check.review_reason,
            **more,
        },
    )
