"""Between a decision and its rows: what is asked at the desk, and the values that record what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.domains.orders.core.decide import review_until
from app.domains.orders.core.decision import Decision
from app.domains.orders.core.events import DECIDED, decided_members
from app.domains.orders.core.facts import CheckFacts, CheckRequest
from app.domains.policies.core.compiled import EffectivePolicy
from app.kernel.identity import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One check as it came to the desk: what is asked, who asks, and under which key (null: none)."""

    request: CheckRequest
    caller: str
    actor: Actor
    request_id: str
    key: str | None = None
    fingerprint: bytes = b""

    @property
    def account_key(self) -> tuple[str, str]:
        """The customer and the segment whose account decides."""
        return self.request.customer_id, self.request.segment


@dataclass(frozen=True, slots=True)
class Decided:
    """One check as decided: its rows, and the body of its answer. `supersedes` is a review that it ends."""

    question: Question
    check: dict[str, Any]
    facts: str
    body: bytes
    event: dict[str, Any]
    supersedes: UUID | None


def check_values(
    question: Question, facts: CheckFacts, decision: Decision, *, check_id: UUID, policy: EffectivePolicy
) -> dict[str, Any]:
    """The row of `credit_checks` for a decision, without its facts and answer."""
    request = facts.request
    until = review_until(facts, policy.policy.order_checks, decision)
    return {
        "id": check_id,
        "account_id": facts.account.id,
        "customer_id": request.customer_id,
        "segment": request.segment,
        "order_ref": request.order_ref,
        "checkpoint": request.checkpoint.value,
        "amount": request.amount,
        "currency": request.currency,
        "outcome": decision.outcome.value,
        "codes": [reason.code for reason in decision.reasons],
        "policy_version": policy.version,
        "policy_profile": policy.profile,
        "policy_override_id": policy.override_id,
        "caller": question.caller,
        "caller_name": question.actor.name,
        "on_behalf_of": request.on_behalf_of,
        "decided_at": facts.at,
        "review": "open" if until else "none",
        "review_until": until,
        "changed_at": facts.at,
    }


def event_values(question: Question, facts: CheckFacts, decision: Decision, check_id: UUID) -> dict[str, Any]:
    """The row of `events` for a decision."""
    request, kind = facts.request, DECIDED[decision.outcome]
    return {
        "at": facts.at,
        "type": kind.type,
        "actor": question.actor.name,
        "actor_kind": question.actor.kind.value,
        "request_id": question.request_id,
        "segment": request.segment,
        "customer_id": request.customer_id,
        "subject_type": kind.subject_type,
        "subject_id": check_id,
        "before": {},
        "after": decided_members(request, decision),
    }


def key_values(number: int, decided: Decided) -> dict[str, Any]:
    """The row of `idempotency_keys` for the answer that stands at place `number` (from 1) of the write."""
    question = decided.question
    return {
        "n": number,
        "principal_id": question.caller,
        "key": question.key,
        "fingerprint": question.fingerprint.hex(),
    }
