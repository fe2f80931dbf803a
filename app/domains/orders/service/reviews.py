"""The review of referred orders: release, reject, judge anew, lapse."""

from __future__ import annotations

from dataclasses import dataclass, replace
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
from app.domains.orders.answers import render_answer
from app.domains.orders.core import cases, reviews
from app.domains.orders.core.decide import decide
from app.domains.orders.core.decision import Decision, Judgement, Outcome
from app.domains.orders.core.events import DECIDED
from app.domains.orders.core.facts import CheckFacts, CheckRequest
from app.domains.orders.core.order_events import (
    CreditCheckLapsed,
    CreditCheckRejected,
    CreditCheckReleased,
    CreditCheckReleaseRefused,
)
from app.domains.orders.core.orders import in_currency
from app.domains.orders.core.outcome import carry_out
from app.domains.orders.core.refusals import ReviewClosed
from app.domains.orders.core.reviews import Check, Review, ReviewMove
from app.domains.orders.core.trial import attempt
from app.domains.orders.repository import StoredCheck
from app.domains.orders.repository import cases as case_rows
from app.domains.orders.service.checks import facts_of, find
from app.domains.orders.service.gathering import gather, policy_of
from app.domains.policies import service as policies
from app.domains.policies.core.compiled import EffectivePolicy
from app.infra.transaction import Transaction
from app.kernel.errors import Forbidden
from app.kernel.events import Event
from app.kernel.identity import SYSTEM
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
    positions, stored = await _locked(tx, stored)
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
    order = _approve(positions, facts, decision, policy, stored, ends=ends)
    await exposure.save(tx, positions=positions)
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
    positions, stored = await _locked(tx, stored)
    _withdraw(positions, stored.check, commitments.decline(positions.orders[stored.check.key]), "rejection")
    await exposure.save(tx, positions=positions)
    ended = stored.check.moved(ReviewMove.REJECT, by=tx.actor.name, at=tx.now, reason=reason)
    await repository.write_review(tx.session, ended, tx.now)
    tx.emit(_told(CreditCheckRejected, ended))
    return replace(stored, check=ended)


async def reevaluate(tx: Transaction, *, check_id: UUID, caller: Principal) -> StoredCheck:
    """Judges a referred order anew, as a check of its own; approves it if nothing objects, and ends the review then.

    Otherwise the review goes on, and the new check has no consequences. Raises `CreditCheckNotFound`, `ReviewClosed`.
    """
    stored = await find(tx, check_id=check_id, caller=caller)
    reviews.check_open(stored.check, now=tx.now)
    trial = await _judge_anew(tx, stored)
    if trial.decision.outcome is Outcome.APPROVED:
        return await _approve_anew(tx, trial, by=Asker(caller.id, caller.name))
    unreserved = replace(trial.facts, request=replace(trial.facts.request, reserve=False))
    objecting = replace(trial, facts=unreserved, decision=decide(unreserved, trial.policy.policy))
    return await _file(tx, objecting, by=Asker(caller.id, caller.name))


async def reevaluate_waiting(tx: Transaction, *, check_id: UUID) -> bool:
    """Judges an order that waits anew, because its account has more room; says whether nothing objects any more.

    Then the order is approved as if it were asked for now; otherwise nothing has changed and nothing is recorded.
    Raises `AccountBusy`.
    """
    stored = await repository.find_check(tx.session, check_id)
    if stored is None or stored.check.review_at(tx.now) is not Review.OPEN:
        return False
    try:
        trial = await _judge_anew(tx, stored)
    except ReviewClosed:  # by somebody who was faster
        return False
    if trial.decision.outcome is not Outcome.APPROVED:
        return False
    await _approve_anew(tx, trial, by=Asker(SYSTEM.name, SYSTEM.name))
    return True


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


@dataclass(frozen=True, slots=True)
class Asker:
    """Who a check is recorded for: the principal and its name."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Anew:
    """An order under review, judged by the facts of now, with its account locked."""

    stored: StoredCheck
    positions: Positions
    facts: CheckFacts
    decision: Decision
    policy: EffectivePolicy


async def _judge_anew(tx: Transaction, stored: StoredCheck) -> Anew:
    await exposure.refresh(tx, keys=[stored.check.account_key])
    positions, stored = await _locked(tx, stored)
    facts = await gather(tx, positions=positions, request=facts_of(stored).request)
    policy = await policy_of(tx, customer_id=stored.check.customer_id, segment=stored.check.segment)
    return Anew(stored, positions, facts, decide(facts, policy.policy), policy)


async def _approve_anew(tx: Transaction, trial: Anew, *, by: Asker) -> StoredCheck:
    new_id = tx.new_id()
    carry_out(trial.positions, trial.facts, trial.decision, check_id=new_id, counts_until=None)
    await exposure.save(tx, positions=trial.positions)
    ended = trial.stored.check.moved(ReviewMove.SUPERSEDE, at=tx.now)
    await repository.write_review(tx.session, ended, tx.now)
    return await _file(tx, trial, by=by, check_id=new_id)


async def _file(tx: Transaction, trial: Anew, *, by: Asker, check_id: UUID | None = None) -> StoredCheck:
    """Records what was judged anew as a check of its own."""
    check_id = check_id or tx.new_id()
    version = trial.positions.accounts[trial.facts.account.id].version
    fresh = _stored(trial.facts, trial.decision, trial.policy, check_id=check_id, by=by, account_version=version)
    await repository.add_check(tx.session, fresh)
    tx.emit(_decided(trial.facts, trial.decision, check_id))
    return fresh


async def _check_may_decide(tx: Transaction, check: Check, caller: Principal, *, four_eyes: bool) -> None:
    """Refuses whoever may not decide on the review at all; the attempt is journalled."""
    try:
        reviews.check_person(caller.kind)
        if four_eyes:
            reviews.check_four_eyes(check, principal_id=caller.id, name=caller.name)
    except Forbidden as refusal:
        raise _remembered(refusal, check) from None
    cases.check_claim(await case_rows.find_case(tx.session, check.id), principal_id=caller.id)


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


async def _locked(tx: Transaction, stored: StoredCheck) -> tuple[Positions, StoredCheck]:
    """Locks the account and reads the check again: somebody may have decided, or asked anew, in between."""
    check = stored.check
    positions = await exposure.lock(tx, keys=[check.account_key])
    found = await repository.find_check(tx.session, check.id)
    assert found is not None, "checks are never deleted"
    reviews.check_open(found.check, now=tx.now)
    await exposure.load_orders(tx, positions=positions, keys=[check.key])
    assert positions.orders[check.key].review_id == check.id, "an order knows its open review"
    return positions, found


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
    noted = reviews.release_of(order, facts, policy.policy.order_checks, codes=_referrals(stored), ends=ends)
    positions.change_order(replace(order, release=noted), Source("credit_check", str(check.id)))
    return positions.orders[check.key]


def _referrals(stored: StoredCheck) -> tuple[str, ...]:
    """The codes that the person saw and released."""
    reasons = orjson.loads(stored.answer)["reasons"]
    return tuple(dict.fromkeys(reason["code"] for reason in reasons if reason["effect"] == Judgement.REFER))


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


def _decided(facts: CheckFacts, decision: Decision, check_id: UUID) -> Event:
    request = facts.request
    return DECIDED[decision.outcome](
        subject_id=str(check_id),
        segment=request.segment,
        customer_id=request.customer_id,
        after={
            "order_ref": request.order_ref,
            "amount": render(request.amount, request.currency),
            "currency": request.currency,
            "checkpoint": request.checkpoint.value,
            "reserve": request.reserve,
            "reasons": [reason.code for reason in decision.reasons],
        },
    )


def _stored(
    facts: CheckFacts,
    decision: Decision,
    policy: EffectivePolicy,
    *,
    check_id: UUID,
    by: Asker,
    account_version: int,
) -> StoredCheck:
    request: CheckRequest = facts.request
    answer = render_answer(facts, decision, check_id=check_id, policy=policy, account_version=account_version)
    check = Check(
        id=check_id,
        customer_id=request.customer_id,
        segment=request.segment,
        order_ref=request.order_ref,
        amount=request.amount,
        currency=request.currency,
        outcome=decision.outcome,
        codes=tuple(reason.code for reason in decision.reasons),
        caller=by.id,
        caller_name=by.name,
        on_behalf_of=request.on_behalf_of,
        decided_at=facts.at,
        review=Review.NONE,
    )
    return StoredCheck(
        check=check,
        account_id=facts.account.id,
        checkpoint=request.checkpoint.value,
        policy_version=policy.version,
        policy_profile=policy.profile,
        policy_override_id=policy.override_id,
        facts=orjson.dumps(facts, default=str).decode(),
        answer=answer.decode(),
    )
