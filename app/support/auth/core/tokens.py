"""JWTs: which claims stand for whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from app.kernel.errors import Refusal
from app.kernel.identity import ActorKind
from app.kernel.money import Money, exact
from app.support.auth.core.principals import CredentialsInvalid, Principal
from app.support.auth.core.scopes import SCOPES_OF_ROLE, Bundles, Role, Scope


@dataclass(frozen=True, slots=True)
class TokenRules:
    """Which tokens are accepted, and the names of the claims that matter."""

    issuer: str
    audience: str
    jwks_url: str
    algorithms: tuple[str, ...] = ("RS256", "ES256")
    leeway_seconds: int = 30
    name_claim: str = "sub"
    kind_claim: str = "headroom_kind"
    role_claim: str = "headroom_role"
    scope_claim: str = "scope"
    segments_claim: str = "headroom_segments"
    authority_claim: str = "headroom_authority"
    bundles: Bundles = field(default_factory=lambda: SCOPES_OF_ROLE)


def principal_of(claims: Mapping[str, Any], rules: TokenRules) -> Principal:
    """The principal that verified `claims` stand for. Raises `CredentialsInvalid`.

    Without a kind the token is a service's: approvals need a person, and a missing claim must not make one. Scopes of
    other services are ignored; a claim of ours that cannot be read is refused, never taken for "unlimited".
    """
    subject, name = claims.get("sub"), claims.get(rules.name_claim)
    if not isinstance(subject, str) or not isinstance(name, str) or not 0 < len(name) <= 200 or not name.isprintable():
        raise CredentialsInvalid(f"the token names nobody in {rules.name_claim!r}")
    return Principal(
        id=f"jwt:{rules.issuer}:{subject}",
        name=name,
        kind=_kind(claims.get(rules.kind_claim, ActorKind.SERVICE)),
        scopes=_scopes(claims, rules),
        segments=_segments(claims.get(rules.segments_claim)),
        authority=_authority(claims.get(rules.authority_claim)),
        roles=frozenset(_words(claims.get(rules.role_claim))) & frozenset(Role),
    )


def _kind(claim: Any) -> ActorKind:
    if claim not in (ActorKind.PERSON, ActorKind.SERVICE):
        raise CredentialsInvalid("the token's kind is neither person nor service")
    return ActorKind(claim)


def _scopes(claims: Mapping[str, Any], rules: TokenRules) -> frozenset[Scope]:
    granted = {Scope(word) for word in _words(claims.get(rules.scope_claim)) if word in set(Scope)}
    for role in _words(claims.get(rules.role_claim)):
        granted |= rules.bundles[Role(role)] if role in set(Role) else frozenset()
    return frozenset(granted)


def _segments(claim: Any) -> frozenset[str] | None:
    return None if claim is None else frozenset(_words(claim))


def _authority(claim: Any) -> Money | None:
    if claim is None:
        return None
    try:
        return exact(Decimal(str(claim["amount"])), claim["currency"])
    except (Refusal, InvalidOperation, KeyError, TypeError):
        raise CredentialsInvalid("the token's authority is not {amount, currency}") from None


def _words(claim: Any) -> list[str]:
    """A claim of several words, written as a list or separated by spaces (RFC 8693 §4.2)."""
    if claim is None:
        return []
    words = claim.split() if isinstance(claim, str) else claim
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise CredentialsInvalid("a claim of the token is neither a list of words nor words separated by spaces")
    return words
