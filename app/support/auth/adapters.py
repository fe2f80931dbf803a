"""The identity provider: where the keys that sign tokens come from."""

from __future__ import annotations

import asyncio
from typing import Any, Final, Protocol

import httpx
from jwt import PyJWK, PyJWKSet
from jwt.exceptions import PyJWTError

from app.infra.clock import stopwatch
from app.kernel.errors import Busy

_TIMEOUT: Final = httpx.Timeout(5.0, connect=2.0)
_FRESH_SECONDS: Final = 600.0
_REFETCH_SECONDS: Final = 10.0
_MAX_DOCUMENT: Final = 1 << 20


class IdentityProviderUnavailable(Busy):
    """The signing keys are needed and cannot be fetched."""

    code = "identity_provider_unavailable"
    title = "The identity provider is not available"


class SigningKeys(Protocol):
    """The keys that tokens are signed with."""

    async def find(self, key_id: str | None) -> PyJWK | None:
        """The key of this id; the only one where the token names none; None if there is no such key."""
        ...


class PublishedKeys:
    """The JSON Web Key Set that an identity provider publishes, kept for ten minutes.

    An unknown key id causes a fetch at once, for keys are rotated, but at most one every ten seconds, for anybody can
    invent key ids. When the provider is away the keys we have stay good.
    """

    def __init__(self, url: str, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._url = url
        self._transport = transport
        self._keys: dict[str | None, PyJWK] = {}
        self._fetched_at: float | None = None
        self._fetching = asyncio.Lock()

    async def find(self, key_id: str | None) -> PyJWK | None:
        """The key of this id. Raises `IdentityProviderUnavailable`."""
        async with self._fetching:
            if self._is_worth_fetching(key_id):
                await self._fetch()
        return self._lookup(key_id)

    def _is_worth_fetching(self, key_id: str | None) -> bool:
        age = float("inf") if self._fetched_at is None else stopwatch() - self._fetched_at
        return age > _FRESH_SECONDS or (self._lookup(key_id) is None and age > _REFETCH_SECONDS)

    def _lookup(self, key_id: str | None) -> PyJWK | None:
        if key_id is None and len(self._keys) == 1:
            return next(iter(self._keys.values()))
        return self._keys.get(key_id)

    async def _fetch(self) -> None:
        try:
            async with httpx.AsyncClient(timeout=_TIMEOUT, transport=self._transport) as client:
                answer = await client.get(self._url, headers={"Accept": "application/json"})
            answer.raise_for_status()
            if len(answer.content) > _MAX_DOCUMENT:
                raise ValueError("the key set is too large")
            document: dict[str, Any] = answer.json()
            self._keys = {key.key_id: key for key in PyJWKSet.from_dict(document).keys}
        except (httpx.HTTPError, PyJWTError, ValueError, AttributeError, TypeError) as error:
            if not self._keys:
                raise IdentityProviderUnavailable(retry_after=5) from error
        self._fetched_at = stopwatch()
