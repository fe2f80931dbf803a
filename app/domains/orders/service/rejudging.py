"""Orders under review, judged anew: at somebody's wish, or because their account has more room."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

import orjson

from app.domains.exposure import service as exposure
from app.domains.exposure.core.positions import Positions
from app.domains.orders import repository
from app.domains.orders.answers import render_answer
from app.domains.orders.core import reviews
from app.domains.orders.core.decide import decide
from app.domains.orders.core.decision import Decision, Outcome
from app.domains.orders.core.events import decided
from app.domains.orders.core.facts import CheckFacts
from app.domains.orders.core.outcome import carry_out
from app.domains.orders.core.refusals import ReviewClosed
from app.domains.orders.core.reviews import Check, Review, ReviewMove
from app.domains.orders.repository import StoredCheck
from app.domains.orders.service.checks import facts_of, find
from app.domains.orders.service.gathering import gather, locked_check, policy_of
from app.domains.orders.service.waiting import wake_if_freed
from app.domains.policies.core.compiled import EffectivePolicy
from app.infra.transaction import Transaction
from app.kernel.identity import SYSTEM
from app.support.auth.core.principals import Principal


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
    positions, stored = await locked_check(tx, stored)
    facts = await gather(tx, positions=positions, request=facts_of(stored).request)
    policy = await policy_of(tx, customer_id=stored.check.customer_id, segment=stored.check.segment)
    return Anew(stored, positions, facts, decide(facts, policy.policy), policy)


async def _approve_anew(tx: Transaction, trial: Anew, *, by: Asker) -> StoredCheck:
    new_id, before = tx.new_id(), trial.positions.accounts[trial.facts.account.id]
    carry_out(trial.positions, trial.facts, trial.decision, check_id=new_id, counts_until=None)
    await exposure.save(tx, positions=trial.positions)
    ended = trial.stored.check.moved(ReviewMove.SUPERSEDE, at=tx.now)
    await repository.write_review(tx.session, ended, tx.now)
    await wake_if_freed(tx, before=before, after=trial.positions.accounts[before.id])
    return await _file(tx, trial, by=by, check_id=new_id)


async def _file(tx: Transaction, trial: Anew, *, by: Asker, check_id: UUID | None = None) -> StoredCheck:
    """Records what was judged anew as a check of its own."""
    check_id = check_id or tx.new_id()
    version = trial.positions.accounts[trial.facts.account.id].version
    fresh = _stored(trial.facts, trial.decision, trial.policy, check_id=check_id, by=by, account_version=version)
    await repository.add_check(tx.session, fresh)
    tx.emit(decided(trial.facts.request, trial.decision, check_id))
    return fresh


def _stored(
    facts: CheckFacts,
    decision: Decision,
    policy: EffectivePolicy,
    *,
    check_id: UUID,
    by: Asker,
    account_version: int,
) -> StoredCheck:
    request = facts.request
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
