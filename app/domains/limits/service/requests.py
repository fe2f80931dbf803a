"""Limit requests: ask, be judged at once, accept what is offered, cancel, look up, judge again from stored facts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import orjson

from app.domains.customers import service as customers
from app.domains.exposure import service as exposure
from app.domains.exposure.core.account import Account
from app.domains.exposure.core.limits import LimitKind, Standing
from app.domains.limits.core import approving
from app.domains.limits.core.events import LimitRequestCancelled, LimitRequested
from app.domains.limits.core.judging import Current, Judgement, JudgingFacts, Outcome, judge, kind_of
from app.domains.limits.core.refusals import LimitRequestNotFound, NoCounterOffer, NotTheRequester
from app.domains.limits.core.requests import (
    Ask,
    LimitRequest,
    RequestMove,
    RequestStatus,
    check_ask,
    check_open,
)
from app.domains.limits.repository import requests as repository
from app.domains.limits.repository.requests import RequestFilter
from app.domains.limits.service.assessing import opinion
from app.domains.limits.service.granting import declined, put_in_force, refused, told
from app.domains.policies import service as policies
from app.domains.policies.core.compiled import EffectivePolicy
from app.infra.db.paging import PageRequest, Slice
from app.infra.transaction import Transaction
from app.kernel.identity import SYSTEM
from app.kernel.periods import local_day
from app.kernel.records import RecordMalformed, load
from app.support.auth.core.principals import Principal


@dataclass(frozen=True, slots=True)
class Replay:
    """The judgement that was given, and the one that its stored facts lead to today; null where they can't be read."""

    stored: dict[str, Any]
    replayed: dict[str, Any] | None

    @property
    def identical(self) -> bool:
        """Whether the judgement can be had again."""
        return self.stored == self.replayed

    @property
    def differing(self) -> list[str]:
        """The members of the judgement that are not the same, by name; all of them where it can't be had again."""
        again = self.replayed or {}
        return sorted(name for name in self.stored.keys() | again.keys() if self.stored.get(name) != again.get(name))


async def request_limit(tx: Transaction, *, ask: Ask, requester: str) -> LimitRequest:
    """Judges a request at once: a limit in force, a decline, or people to decide, perhaps with an offer meanwhile.

    `requester` names the principal. Raises `CustomerNotFound`, `SegmentNotFound`, `AccountNotFound`, `AccountBusy`,
    `LimitCurrencyDiffers`, `LimitWindowPast`, `WindowReversed`, `TooManyDecimals`, `FxRateMissing`,
    `LimitBelowExposure`, `PolicyMissing`, `OverrideUnfit`.
    """
    customer = await customers.get(tx, customer_id=ask.customer_id)
    segment = await policies.segment(tx, segment=ask.segment)
    account = await exposure.account(tx, customer_id=ask.customer_id, segment=ask.segment)
    on = local_day(tx.now, segment.zone)
    check_ask(ask, account_currency=account.currency, on=on)
    policy = await policies.effective_policy(tx, segment=ask.segment, customer=customer)
    facts = await _gather(tx, ask, account, policy, segment_currency=segment.currency, on=on)
    judgement = judge(facts, policy.policy)
    request = _made(tx, ask, account, policy, facts, judgement, requester)
    if judgement.outcome is Outcome.GRANT:
        request = approving.granted(request, ask.amount, now=tx.now)
        await repository.add(tx.session, request)
        await put_in_force(tx, request=request, acknowledged=ask.acknowledge_overdrawn, before={})
    elif judgement.outcome is Outcome.DECLINE:
        request = approving.withdrawn(request, RequestMove.DECLINE, now=tx.now)
        await repository.add(tx.session, request)
        declined(tx, request, before={})
    else:
        await repository.add(tx.session, request)
        tx.emit(told(LimitRequested, request, before={}))
    return request


async def find(tx: Transaction, *, request_id: UUID, caller: Principal) -> LimitRequest:
    """The request. Raises `LimitRequestNotFound`, also for one that the caller may not see."""
    return _seen(await repository.find(tx.session, request_id), request_id, caller)


async def lock(tx: Transaction, *, request_id: UUID, caller: Principal) -> LimitRequest:
    """The request, for a decision. Raises `LimitRequestNotFound`, also for one that the caller may not see."""
    return _seen(await repository.lock(tx.session, request_id), request_id, caller)


async def list_requests(tx: Transaction, *, page: PageRequest, wanted: RequestFilter) -> Slice[LimitRequest]:
    """Requests in the order in which they were made."""
    return await repository.list_requests(tx.session, page, wanted)


async def accept(
    tx: Transaction, *, request_id: UUID, caller: Principal, acknowledge_overdrawn: bool = False
) -> LimitRequest:
    """Takes what is offered instead of waiting for people to decide on all of it.

    Raises `LimitRequestNotFound`, `LimitRequestClosed`, `NotTheRequester`, `NoCounterOffer`, `LimitBelowExposure`,
    `LimitWindowMissed`, `AccountBusy`.
    """
    request = await lock(tx, request_id=request_id, caller=caller)
    check_open(request, now=tx.now)
    _check_requester(request, caller, "accept")
    if request.offered_amount is None or request.offered_amount > request.amount:
        raise NoCounterOffer("nothing is offered, or an approver has decided on less")
    accepted = approving.granted(request, request.offered_amount, now=tx.now)
    await repository.write(tx.session, accepted, tx.now)
    await put_in_force(
        tx,
        request=accepted,
        acknowledged=acknowledge_overdrawn or request.ask.acknowledge_overdrawn,
        before=request,
        offer_accepted=True,
    )
    return accepted


async def cancel(tx: Transaction, *, request_id: UUID, caller: Principal) -> LimitRequest:
    """Ends a request that is asked no more. Raises `LimitRequestNotFound`, `LimitRequestClosed`, `NotTheRequester`."""
    request = await lock(tx, request_id=request_id, caller=caller)
    check_open(request, now=tx.now)
    _check_requester(request, caller, "cancel")
    cancelled = approving.withdrawn(request, RequestMove.CANCEL, now=tx.now)
    await repository.write(tx.session, cancelled, tx.now)
    tx.emit(told(LimitRequestCancelled, cancelled, before=request))
    return cancelled


async def replay(tx: Transaction, *, request: LimitRequest) -> Replay:
    """Judges a request again, from its stored facts under the policy that judged it."""
    stored = orjson.loads(request.facts)
    policy = await policy_of(tx, request=request)
    try:
        facts = load(JudgingFacts, stored["facts"])
    except RecordMalformed:
        return Replay(stored["judgement"], None)
    return Replay(stored["judgement"], _plain(judge(facts, policy.policy)))


async def policy_of(tx: Transaction, *, request: LimitRequest) -> EffectivePolicy:
    """The policy that judged a request, by which its steps go on."""
    return await policies.recall(
        tx,
        segment=request.ask.segment,
        version=request.policy_version,
        profile=request.policy_profile,
        override_id=request.policy_override_id,
    )


def facts_of(request: LimitRequest) -> JudgingFacts:
    """The facts that a request was judged from."""
    return load(JudgingFacts, orjson.loads(request.facts)["facts"])


async def _gather(
    tx: Transaction, ask: Ask, account: Account, policy: EffectivePolicy, *, segment_currency: str, on: date
) -> JudgingFacts:
    rate = await exposure.rate(tx, currency=account.currency, into=segment_currency, on=on)
    known = await opinion(
        tx, account=account, on=on, max_age_days=policy.policy.approvals.assessment_max_age_days, rate=rate
    )
    return JudgingFacts(
        on=on,
        amount=ask.amount,
        currency=ask.currency,
        segment_currency=segment_currency,
        rate=rate,
        temporary=ask.temporary,
        current=current_limit(account, on),
        until=ask.valid_until,
        opinion=known,
        cause=ask.cause,
    )


def current_limit(account: Account, on: date) -> Current:
    """The base limit of the account on a day; one that has ended is none."""
    standing = replace(account, temporary_limit=None).limit_on(on)
    if standing.standing is not Standing.IN_FORCE or standing.limit is None:
        return Current()
    unlimited = standing.kind is LimitKind.UNLIMITED
    return Current(standing.limit.amount, unlimited, standing.limit.valid_until)


def _made(
    tx: Transaction,
    ask: Ask,
    account: Account,
    policy: EffectivePolicy,
    facts: JudgingFacts,
    judgement: Judgement,
    requester: str,
) -> LimitRequest:
    approvals, asker = policy.policy.approvals, SYSTEM if ask.cause else tx.actor
    asks = judgement.outcome is Outcome.ASK
    return LimitRequest(
        id=tx.new_id(),
        account_id=account.id,
        ask=ask,
        kind=kind_of(facts),
        status=RequestStatus.PENDING,
        requester=requester,
        requester_name=asker.name,
        requested_at=tx.now,
        expires_at=tx.now + timedelta(days=approvals.expire_after_days) if asks else None,
        segment_currency=facts.segment_currency,
        policy_version=policy.version,
        policy_profile=policy.profile,
        policy_override_id=policy.override_id,
        assessment_id=facts.opinion.assessment_id if facts.opinion else None,
        grade=facts.opinion.grade if facts.opinion else None,
        facts=orjson.dumps({"facts": facts, "judgement": judgement}, default=str).decode(),
        reasons=judgement.reasons,
        offered_amount=judgement.offered,
        steps=approving.steps_for(judgement.roles, approvals, worth=facts.worth, now=tx.now) if asks else (),
    )


def _seen(request: LimitRequest | None, request_id: UUID, caller: Principal) -> LimitRequest:
    if request is None or not caller.sees(request.ask.segment):
        raise LimitRequestNotFound(f"there is no limit request {request_id}")
    return request


def _check_requester(request: LimitRequest, caller: Principal, action: str) -> None:
    try:
        approving.check_requester(request, principal_id=caller.id, name=caller.name)
    except NotTheRequester as refusal:
        raise refused(refusal, request, action) from None


def _plain(judgement: Judgement) -> dict[str, Any]:
    plain: dict[str, Any] = orjson.loads(orjson.dumps(judgement, default=str))
    return plain
