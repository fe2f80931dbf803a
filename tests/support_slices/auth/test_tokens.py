"""JWTs: only those of our provider, for us, in time, signed by a published key."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from jwt.algorithms import ECAlgorithm

from app.infra.clock import SystemClock
from app.kernel.identity import ActorKind
from app.kernel.money import Money
from app.support.auth import adapters
from app.support.auth.adapters import IdentityProviderUnavailable, PublishedKeys
from app.support.auth.core.principals import CredentialsInvalid
from app.support.auth.core.scopes import SCOPES_OF_ROLE, Role, Scope
from app.support.auth.core.tokens import TokenRules, principal_of
from app.support.auth.service import TokenVerifier

RULES = TokenRules(issuer="https://id.example", audience="headroom", jwks_url="https://id.example/jwks")


class Provider:
    """An identity provider that publishes the keys it has, and counts who asks."""

    def __init__(self) -> None:
        self.keys: dict[str, EllipticCurvePrivateKey] = {}
        self.asked = 0
        self.away = False
        self.add("one")

    def add(self, key_id: str) -> None:
        self.keys[key_id] = ec.generate_private_key(ec.SECP256R1())

    def answer(self, _request: httpx.Request) -> httpx.Response:
        self.asked += 1
        if self.away:
            return httpx.Response(503)
        keys = []
        for key_id, key in self.keys.items():
            document = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
            keys.append({**document, "kid": key_id, "use": "sig", "alg": "ES256"})
        return httpx.Response(200, json={"keys": keys})

    def sign(self, key_id: str = "one", algorithm: str = "ES256", **claims: Any) -> str:
        now = SystemClock().now()
        whole = {
            "iss": RULES.issuer,
            "aud": RULES.audience,
            "sub": "ada",
            "exp": now + timedelta(minutes=5),
            "scope": "orders:check",
            **claims,
        }
        present = {name: value for name, value in whole.items() if value is not None}
        return jwt.encode(present, self.keys[key_id], algorithm=algorithm, headers={"kid": key_id})


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def published(provider: Provider) -> PublishedKeys:
    return PublishedKeys(RULES.jwks_url, transport=httpx.MockTransport(provider.answer))


@pytest.fixture
def verifier(published: PublishedKeys) -> TokenVerifier:
    return TokenVerifier(RULES, published)


class TestTokenVerifier:
    async def test_knows_whom_a_token_stands_for(self, provider: Provider, verifier: TokenVerifier) -> None:
        principal = await verifier.principal(provider.sign())
        assert (principal.id, principal.name) == ("jwt:https://id.example:ada", "ada")
        assert principal.scopes == {Scope.ORDERS_CHECK}

    @pytest.mark.parametrize(
        "claims",
        [
            {"iss": "https://other.example"},
            {"aud": "billing"},
            {"exp": datetime(2020, 1, 1, tzinfo=UTC)},
            {"nbf": datetime(2200, 1, 1, tzinfo=UTC)},
            {"exp": None},
            {"sub": None},
            {"aud": None},
        ],
    )
    async def test_refuses_other_claims(
        self, provider: Provider, verifier: TokenVerifier, claims: dict[str, Any]
    ) -> None:
        with pytest.raises(CredentialsInvalid):
            await verifier.principal(provider.sign(**claims))

    async def test_forgives_a_small_difference_of_clocks(self, provider: Provider, verifier: TokenVerifier) -> None:
        just_over = SystemClock().now() - timedelta(seconds=RULES.leeway_seconds // 2)
        assert (await verifier.principal(provider.sign(exp=just_over))).name == "ada"

    async def test_refuses_other_signatures(self, provider: Provider, verifier: TokenVerifier) -> None:
        token = provider.sign()
        provider.add("one")  # the same id, another key
        with pytest.raises(CredentialsInvalid):
            await verifier.principal(token)

    async def test_refuses_tokens_without_signature(self, verifier: TokenVerifier) -> None:
        token = jwt.encode({"iss": RULES.issuer, "sub": "ada"}, "", algorithm="none")
        with pytest.raises(CredentialsInvalid):
            await verifier.principal(token)

    async def test_refuses_a_secret_shared_with_nobody(self, verifier: TokenVerifier) -> None:
        token = jwt.encode({"iss": RULES.issuer, "sub": "ada"}, "x" * 32, algorithm="HS256", headers={"kid": "one"})
        with pytest.raises(CredentialsInvalid):
            await verifier.principal(token)

    @pytest.mark.parametrize("token", ["a.b.c", "..", "e30.e30.", "\ud800.a.b"])
    async def test_refuses_garbage(self, verifier: TokenVerifier, token: str) -> None:
        with pytest.raises((CredentialsInvalid, UnicodeEncodeError)):
            await verifier.principal(token)


class TestPublishedKeys:
    async def test_are_fetched_once(self, provider: Provider, verifier: TokenVerifier) -> None:
        for _ in range(3):
            await verifier.principal(provider.sign())
        assert provider.asked == 1

    async def test_are_fetched_once_by_many_at_a_time(self, provider: Provider, verifier: TokenVerifier) -> None:
        await asyncio.gather(*(verifier.principal(provider.sign()) for _ in range(10)))
        assert provider.asked == 1

    async def test_are_fetched_again_when_they_rotate(
        self, provider: Provider, verifier: TokenVerifier, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await verifier.principal(provider.sign())
        provider.add("two")
        with pytest.raises(CredentialsInvalid):  # too soon after the last fetch: key ids can be invented
            await verifier.principal(provider.sign("two"))
        monkeypatch.setattr(adapters, "_REFETCH_SECONDS", 0.0)
        assert (await verifier.principal(provider.sign("two"))).name == "ada"
        assert provider.asked == 2

    async def test_stay_good_while_the_provider_is_away(
        self, provider: Provider, verifier: TokenVerifier, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await verifier.principal(provider.sign())
        provider.away = True
        monkeypatch.setattr(adapters, "_FRESH_SECONDS", 0.0)
        assert (await verifier.principal(provider.sign())).name == "ada"

    async def test_that_were_never_had_are_a_refusal_to_come_again(
        self, provider: Provider, verifier: TokenVerifier
    ) -> None:
        provider.away = True
        with pytest.raises(IdentityProviderUnavailable):
            await verifier.principal(provider.sign())


class TestPrincipalOf:
    def test_without_a_kind_is_a_service(self) -> None:
        assert principal_of({"sub": "erp"}, RULES).kind is ActorKind.SERVICE

    def test_takes_what_the_claims_say(self) -> None:
        principal = principal_of(
            {
                "sub": "ada",
                "headroom_kind": "person",
                "headroom_role": ["credit_manager", "king"],
                "scope": "openid profile fx:write",
                "headroom_segments": "main eu",
                "headroom_authority": {"amount": "50000.00", "currency": "CNY"},
            },
            RULES,
        )
        assert principal.kind is ActorKind.PERSON
        assert principal.scopes == SCOPES_OF_ROLE[Role.CREDIT_MANAGER] | {Scope.FX_WRITE}
        assert principal.roles == {"credit_manager"}
        assert principal.segments == frozenset({"main", "eu"})
        assert principal.authority == Money(Decimal("50000.00"), "CNY")

    def test_gives_roles_the_scopes_that_the_settings_say(self) -> None:
        own = {**SCOPES_OF_ROLE, Role.COLLECTOR: frozenset({Scope.REPORTS_READ})}
        claims = {"sub": "cora", "headroom_role": "collector"}
        assert principal_of(claims, replace(RULES, bundles=own)).scopes == {Scope.REPORTS_READ}

    @pytest.mark.parametrize(
        "claims",
        [
            {},
            {"sub": ""},
            {"sub": 7},
            {"sub": "a\nb"},
            {"sub": "a", "headroom_kind": "system"},
            {"sub": "a", "headroom_kind": ["person"]},
            {"sub": "a", "scope": 5},
            {"sub": "a", "headroom_segments": {"main": True}},
            {"sub": "a", "headroom_authority": "unlimited"},
            {"sub": "a", "headroom_authority": {"amount": "NaN", "currency": "CNY"}},
            {"sub": "a", "headroom_authority": {"amount": "1", "currency": "???"}},
        ],
    )
    def test_refuses_claims_that_cannot_be_read(self, claims: dict[str, Any]) -> None:
        with pytest.raises(CredentialsInvalid):
            principal_of(claims, RULES)

    def test_confined_to_no_segment_sees_none(self) -> None:
        assert not principal_of({"sub": "a", "headroom_segments": []}, RULES).sees("main")
