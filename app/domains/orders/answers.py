"""The answer to a credit check, rendered once: what is sent, stored and given again is the same bytes.

Plain dictionaries and one call of orjson: rendering by models would cost more than deciding.
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson

from app.domains.exposure.core.account import Account
from app.domains.exposure.core.limits import EffectiveLimit, Limit
from app.domains.orders.core.decision import Decision, Judgement, Measure, Outcome, Remedy, Verdict
from app.domains.orders.core.facts import CheckFacts
from app.domains.policies.core.compiled import EffectivePolicy
from app.kernel.money import Money, render

Document = dict[str, Any]


def render_answer(
    facts: CheckFacts, decision: Decision, *, check_id: UUID, policy: EffectivePolicy, account_version: int
) -> bytes:
    """The body of the answer to one credit check."""
    return orjson.dumps(
        answer(facts, decision, check_id=check_id, policy=policy, account_version=account_version),
        default=str,  # the driver's own kind of UUID
        option=orjson.OPT_UTC_Z,
    )


def answer(
    facts: CheckFacts, decision: Decision, *, check_id: UUID, policy: EffectivePolicy, account_version: int
) -> Document:
    """The answer as a document: amounts as decimal strings, in account currency unless beside another one."""
    request, account = facts.request, facts.account
    referred = decision.outcome is Outcome.REFERRED and request.reserve
    document: Document = {
        "id": check_id,
        "customer_id": account.customer_id,
        "segment": account.segment,
        "order_ref": request.order_ref,
        "amount": render(request.amount, request.currency),
        "currency": request.currency,
        "checkpoint": request.checkpoint.value,
        "outcome": decision.outcome.value,
        "review": "open" if referred else "none",
        "reasons": [_reason(verdict) for verdict in decision.reasons],
        "rules": [_rule(verdict) for verdict in decision.verdicts],
        "limit": limit_document(account, decision.limit),
        "exposure": exposure_document(account),
        "headroom_before": _amount(decision.headroom_before),
        "headroom_after": _amount(decision.headroom_after),
        "remedies": [_remedy(remedy) for remedy in decision.remedies],
        "reservation": _reservation(decision, request.currency),
        "policy": {
            "segment": policy.segment,
            "version": policy.version,
            "profile": policy.profile,
            "override_id": policy.override_id,
        },
        "account_currency": account.currency,
        "account_version": account_version,
        "decided_at": facts.at,
    }
    if request.currency != account.currency and facts.rates.order is not None:
        document["fx_rate"] = plain(facts.rates.order)
    return document


def limit_document(account: Account, effective: EffectiveLimit) -> Document:
    """A limit as the API shows it: the base limit, the temporary one, and what they come to."""
    base, temporary = account.base_limit, account.temporary_limit
    return {
        **_limit(base, account.currency),
        "currency": account.currency,
        "temporary": _limit(temporary, account.currency) if temporary else None,
        "standing": effective.standing.value,
        "effective_amount": _amount(effective.amount),
    }


def exposure_document(account: Account) -> Document:
    """The exposure and its four components."""
    exposure, currency = account.exposure, account.currency
    return {
        "currency": currency,
        "receivables": render(exposure.receivables, currency),
        "open_orders": render(exposure.open_orders, currency),
        "delivered": render(exposure.delivered, currency),
        "unallocated_credits": render(exposure.unallocated_credits, currency),
        "total": render(exposure.amount, currency),
    }


def plain(number: Decimal) -> str:
    """A rate, index or percentage in plain notation, without trailing zeros."""
    return format(number.normalize(), "f")


def _limit(limit: Limit | None, currency: str) -> Document:
    if limit is None:
        return {"kind": "none", "amount": None, "valid_from": None, "valid_until": None}
    return {
        "kind": limit.kind.value,
        "amount": render(limit.amount, currency) if limit.amount is not None else None,
        "valid_from": limit.valid_from,
        "valid_until": limit.valid_until,
    }


def _reason(verdict: Verdict) -> Document:
    document = {
        "code": verdict.code,
        "effect": verdict.judgement.value,
        "message": verdict.message,
        "value": _measure(verdict.value),
        "threshold": _measure(verdict.threshold),
    }
    if verdict.shortfall is not None:
        document["shortfall"] = _amount(verdict.shortfall)
    if isinstance(verdict.value, Money):
        document["currency"] = verdict.value.currency
    return document


def _rule(verdict: Verdict) -> Document | orjson.Fragment:
    rule, code, judgement, value, threshold = verdict[:5]
    if not isinstance(value, Money):
        return _rule_without_amount(rule, code, judgement, value, threshold)
    return {
        "rule": rule,
        "code": code,
        "verdict": judgement.value,
        "value": render(value.amount, value.currency),
        "threshold": _measure(threshold),
        "currency": value.currency,
    }


@lru_cache(maxsize=4096)
def _rule_without_amount(
    rule: str, code: str, judgement: Judgement, value: Measure, threshold: Measure
) -> orjson.Fragment:
    """Most rules are off or measure days and levels, and say the same of most orders: it is rendered once."""
    return orjson.Fragment(
        orjson.dumps(
            {
                "rule": rule,
                "code": code,
                "verdict": judgement.value,
                "value": _measure(value),
                "threshold": _measure(threshold),
            }
        )
    )


def _remedy(remedy: Remedy) -> Document:
    return {
        "action": remedy.action.value,
        "amount": _amount(remedy.amount),
        "currency": remedy.amount.currency,
        "cures": remedy.cures,
    }


def _reservation(decision: Decision, currency: str) -> Document | None:
    reservation = decision.reservation
    if reservation is None or not reservation.amount:
        return None
    return {
        "amount": render(reservation.amount, currency),
        "currency": currency,
        "state": "active",
        "expires_at": reservation.expires_at,
    }


def _measure(measure: Measure) -> str | int | None:
    if isinstance(measure, Money):
        return render(measure.amount, measure.currency)
    return plain(measure) if isinstance(measure, Decimal) else measure


def _amount(money: Money | None) -> str | None:
    return None if money is None else render(money.amount, money.currency)
