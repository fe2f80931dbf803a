"""Who is calling, and the life of API keys."""

from __future__ import annotations

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import jwt
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.infra.clock import Clock, stopwatch
from app.infra.db.paging import PageRequest, Slice
from app.infra.transaction import Transaction
from app.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from app.kernel.identity import ActorKind
from app.kernel.money import Money
from app.support.auth import repository
from app.support.auth.adapters import SigningKeys
from app.support.auth.core.duties import DutyConflict, conflicts
from app.support.auth.core.events import ApiKeyCreated, ApiKeyRevoked, ApiKeyRotated
from app.support.auth.core.keys import ENTROPY_BYTES, MAX_CREDENTIALS, key_hash, key_text, shown_part
from app.support.auth.core.principals import KEY_PREFIX, CredentialsInvalid, CredentialsMissing, Principal
from app.support.auth.core.scopes import SCOPES_OF_ROLE, Bundles, Role, Scope
from app.support.auth.core.tokens import TokenRules, principal_of
from app.support.auth.tables import ApiKey

CACHE_SECONDS: Final = 1.0
"""How long a look-up is believed: a revoked key works this much longer, in every process."""
CACHE_ENTRIES: Final = 10_000
DEFAULT_OVERLAP: Final = timedelta(hours=24)


class ApiKeyNotFound(NotFound):
    """There is no such key."""

    code = "api_key_not_found"
    title = "No such API key"


class ApiKeyNameTaken(Conflict):
    """Another live key has this name, and a name stands for one actor in the journal."""

    code = "api_key_name_taken"
    title = "The name belongs to another key"


class ApiKeyIsRevoked(Conflict):
    """A revoked key stays revoked."""

    code = "api_key_revoked"
    title = "The key has been revoked"


class ApiKeyBeyondCaller(Forbidden):
    """Whoever administers keys but is no `admin` neither makes nor replaces a key with `admin`: it would be theirs."""

    code = "api_key_beyond_caller"
    title = "Only an administrator of everything may do this to such a key"


class ApiKeyExpiryPast(Invalid):
    """The key would never work."""

    code = "api_key_expiry_past"
    title = "The key would expire in the past"


class TokenVerifier:
    """Verifies JWTs against the keys of one identity provider."""

    def __init__(self, rules: TokenRules, keys: SigningKeys) -> None:
        self._rules = rules
        self._keys = keys

    async def principal(self, token: str) -> Principal:
        """Whom `token` stands for. Raises `CredentialsInvalid` or `IdentityProviderUnavailable`."""
        rules = self._rules
        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") not in rules.algorithms:
                raise CredentialsInvalid("the token's algorithm is not accepted", challenge="invalid_token")
            key = await self._keys.find(header.get("kid"))
            if key is None:
                raise CredentialsInvalid("the token's signing key is unknown", challenge="invalid_token")
            claims = jwt.decode(
                token,
                key,
                algorithms=list(rules.algorithms),
                audience=rules.audience,
                issuer=rules.issuer,
                leeway=rules.leeway_seconds,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except jwt.PyJWTError as error:
            raise CredentialsInvalid(f"the token is not valid: {error}", challenge="invalid_token") from None
        return principal_of(claims, rules)


class Authenticator:
    """Says who is calling, from the `Authorization` header.

    Answers, unknown keys included, are remembered for a second, so that a busy caller costs no query and a revocation
    still works everywhere within a second or two. Look-ups of the same key at once share one query.
    """

    def __init__(
        self,
        sessions: async_sessionmaker[AsyncSession],
        *,
        clock: Clock,
        bootstrap_key: str | None = None,
        tokens: TokenVerifier | None = None,
    ) -> None:
        self._sessions = sessions
        self._clock = clock
        self._bootstrap_hash = key_hash(bootstrap_key) if bootstrap_key else None
        self._tokens = tokens
        self._cache: OrderedDict[bytes, tuple[float, Principal | None]] = OrderedDict()
        self._lookups: dict[bytes, asyncio.Task[Principal | None]] = {}

    @property
    def takes_bootstrap_key(self) -> bool:
        """Whether `HEADROOM_BOOTSTRAP_KEY` is set."""
        return self._bootstrap_hash is not None

    async def principal(self, authorization: str | None) -> Principal:
        """Who is calling. Raises `CredentialsMissing`, `CredentialsInvalid`, `IdentityProviderUnavailable`."""
        token = _bearer_token(authorization)
        digest = key_hash(token)
        cached = self._cache.get(digest)
        if cached is not None and cached[0] > stopwatch():
            principal = cached[1]
        else:
            principal = await self._shared_lookup(digest, token)
        if principal is None:
            raise CredentialsInvalid("the key is unknown, expired or revoked", challenge="invalid_token")
        return principal

    async def _shared_lookup(self, digest: bytes, token: str) -> Principal | None:
        lookup = self._lookups.get(digest)
        if lookup is None:
            lookup = asyncio.create_task(self._look_up(digest, token))
            self._lookups[digest] = lookup
            lookup.add_done_callback(lambda done: self._looked_up(digest, done))
        return await asyncio.shield(lookup)

    def _looked_up(self, digest: bytes, lookup: asyncio.Task[Principal | None]) -> None:
        del self._lookups[digest]
        if lookup.cancelled() or lookup.exception() is not None:
            return
        self._cache[digest] = (stopwatch() + CACHE_SECONDS, lookup.result())
        self._cache.move_to_end(digest)
        while len(self._cache) > CACHE_ENTRIES:
            self._cache.popitem(last=False)

    async def _look_up(self, digest: bytes, token: str) -> Principal | None:
        if self._bootstrap_hash is not None and secrets.compare_digest(digest, self._bootstrap_hash):
            return BOOTSTRAP
        if self._tokens is not None and token.count(".") == 2:
            return await self._tokens.principal(token)
        async with self._sessions() as session:
            found = await repository.find_by_hash(session, digest, self._clock.now())
            return found.principal() if found else None


BOOTSTRAP: Final = Principal("bootstrap", "bootstrap", ActorKind.PERSON, frozenset({Scope.ADMIN}))
"""Whoever holds `HEADROOM_BOOTSTRAP_KEY`."""


def _bearer_token(authorization: str | None) -> str:
    if not authorization:
        raise CredentialsMissing("send Authorization: Bearer <API key or JWT>")
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not 0 < len(token) <= MAX_CREDENTIALS:
        raise CredentialsInvalid("send Authorization: Bearer <API key or JWT>", challenge="invalid_request")
    return token.strip()


async def create_key(
    tx: Transaction,
    *,
    name: str,
    kind: ActorKind,
    role: Role | None = None,
    scopes: Sequence[Scope] = (),
    authority: Money | None = None,
    segments: Sequence[str] | None = None,
    expires_at: datetime | None = None,
    bundles: Bundles = SCOPES_OF_ROLE,
) -> tuple[ApiKey, str]:
    """A new key and its text, which is shown this once. A role brings its scopes in `bundles`; `scopes` add to them.

    Raises `ApiKeyNameTaken`, `ApiKeyExpiryPast`.
    """
    if expires_at is not None and expires_at <= tx.now:
        raise ApiKeyExpiryPast(f"{expires_at.isoformat()} has passed")
    if name == BOOTSTRAP.name or await repository.find_live_by_name(tx.session, name):
        raise ApiKeyNameTaken(f"{name!r} is the name of another key")
    granted = set(scopes) | (bundles[role] if role else frozenset())
    text = key_text(secrets.token_bytes(ENTROPY_BYTES))
    key = ApiKey(
        id=tx.new_id(),
        name=name,
        kind=kind.value,
        role=role.value if role else None,
        scopes=sorted(granted),
        segments=None if segments is None else sorted(set(segments)),
        authority_amount=authority.amount if authority else None,
        authority_currency=authority.currency if authority else None,
        prefix=shown_part(text),
        key_hash=key_hash(text),
        expires_at=expires_at,
        created_at=tx.now,
        created_by=tx.actor.name,
    )
    tx.session.add(key)
    await tx.session.flush()
    tx.emit(ApiKeyCreated(subject_id=str(key.id), after=_journalled(key), exceptional=bool(conflicts(granted))))
    return key, text


def check_grantable(caller: Principal, scopes: Collection[Scope]) -> None:
    """Refuses a caller who would get hold of `admin` through another key. Raises `ApiKeyBeyondCaller`."""
    if Scope.ADMIN in scopes and not caller.may(Scope.ADMIN):
        raise ApiKeyBeyondCaller("the key has the scope admin, and the caller has not")


async def rotate_key(
    tx: Transaction, *, key_id: UUID, caller: Principal, overlap: timedelta = DEFAULT_OVERLAP
) -> tuple[ApiKey, str]:
    """The key with a new text; the old one works until `overlap` has passed.

    Raises `ApiKeyNotFound`, `ApiKeyIsRevoked`, `ApiKeyBeyondCaller`.
    """
    key = await _live_key(tx, key_id)
    check_grantable(caller, [Scope(scope) for scope in key.scopes])
    text = key_text(secrets.token_bytes(ENTROPY_BYTES))
    key.previous_hash, key.previous_until = key.key_hash, tx.now + overlap
    key.key_hash, key.prefix = key_hash(text), shown_part(text)
    key.rotated_at = tx.now
    tx.emit(ApiKeyRotated(subject_id=str(key.id), after={"previous_until": key.previous_until.isoformat()}))
    return key, text


async def revoke_key(tx: Transaction, *, key_id: UUID) -> ApiKey:
    """The key, which no longer works. Raises `ApiKeyNotFound`, `ApiKeyIsRevoked`."""
    key = await _live_key(tx, key_id)
    key.revoked_at = tx.now
    tx.emit(ApiKeyRevoked(subject_id=str(key.id), before={"name": key.name}))
    return key


async def gone(tx: Transaction, *, principal_ids: Collection[str]) -> set[str]:
    """Those of the principals whose key was revoked or has expired.

    Holders of tokens are known to their identity provider only, and the bootstrap key to the settings: never these.
    """
    keys = {UUID(each.removeprefix(KEY_PREFIX)): each for each in principal_ids if each.startswith(KEY_PREFIX)}
    ended = await repository.ended(tx.session, keys, tx.now) if keys else set()
    return {keys[key_id] for key_id in ended}


async def list_keys(tx: Transaction, *, page: PageRequest) -> Slice[ApiKey]:
    """One page of all keys, revoked ones included."""
    return await repository.list_keys(tx.session, page)


@dataclass(frozen=True, slots=True)
class Conflicted:
    """A principal whose scopes break duties; `key` is null for the bootstrap key."""

    principal: Principal
    conflicts: Sequence[DutyConflict]
    key: ApiKey | None = None


async def list_conflicts(tx: Transaction, *, page: PageRequest, bootstrap: bool) -> Slice[Conflicted]:
    """One page of the live keys whose scopes break the segregation of duties; the bootstrap key, if in use, first."""
    found = await repository.list_conflicting(tx.session, page, tx.now)
    listed = [Conflicted(key.principal(), conflicts(key.principal().scopes), key) for key in found.rows]
    if bootstrap and page.cursor is None:
        listed.insert(0, Conflicted(BOOTSTRAP, conflicts(BOOTSTRAP.scopes)))
    return Slice(listed, found.next_cursor)


async def first_key(tx: Transaction) -> str | None:
    """An administrator's key where none was ever given out; None where there is one."""
    await repository.lock_table(tx.session)
    if await repository.any_key(tx.session):
        return None
    _, text = await create_key(tx, name="administrator", kind=ActorKind.PERSON, scopes=[Scope.ADMIN])
    return text


async def _live_key(tx: Transaction, key_id: UUID) -> ApiKey:
    key = await repository.lock(tx.session, key_id)
    if key is None:
        raise ApiKeyNotFound(f"there is no API key {key_id}")
    if key.revoked_at is not None:
        raise ApiKeyIsRevoked(f"{key.name!r} was revoked at {key.revoked_at.isoformat()}")
    return key


def _journalled(key: ApiKey) -> dict[str, object]:
    return {
        "name": key.name,
        "kind": key.kind,
        "role": key.role,
        "scopes": key.scopes,
        "segments": key.segments,
        "authority": str(key.authority) if key.authority else None,
        "expires_at": key.expires_at.isoformat() if key.expires_at else None,
    }
