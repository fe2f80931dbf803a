"""The route class of the business routers: a POST with an `Idempotency-Key` is answered exactly once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, Final

from fastapi import Request, Response

from app.infra import metrics
from app.infra.clock import stopwatch
from app.infra.db.failures import is_outdated
from app.infra.http.problem import problems, request_id_of
from app.infra.http.routing import Handler
from app.infra.http.strict_json import StrictRequest
from app.infra.transaction import Transactions
from app.kernel.errors import Busy, Refusal
from app.kernel.events import Event
from app.support.auth.core.principals import Principal
from app.support.auth.dependencies import current_principal, request_transaction
from app.support.auth.routing import GuardedRoute
from app.support.idempotency import service
from app.support.idempotency.core import (
    HEADER,
    MAX_KEY,
    REPLAYED_HEADER,
    AnswerErased,
    KeyInProgress,
    KeyReused,
    StoredAnswer,
    checked_key,
    fingerprint,
)

PATIENCE_SECONDS: Final = 5.0
"""How long a request waits for its turn at an account that others hold."""
LOOK_AGAIN_SECONDS: Final = 1.0
"""A request that nobody calls looks again after this, in case whoever was called did not come."""
FORMS_MAX: Final = 5
"""How many changes of the schema a request may meet, one after another."""

_OPT_OUT: Final = "handles_idempotency_itself"
_PARAMETER: Final = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": MAX_KEY, "pattern": "^[ -~]+$"},
    "description": "The same key with the same request gets the first answer again.",
}


def handles_idempotency_itself(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    """Marks an endpoint that reads and writes its idempotency keys with its own statements: the desk.

    Goes below the route's decorator; the endpoint takes its key from `key_and_fingerprint`.
    """
    setattr(endpoint, _OPT_OUT, True)
    return endpoint


class IdempotentRoute(GuardedRoute):
    """A route that keeps the answer to a POST with an `Idempotency-Key` in the transaction of the request.

    The claim comes before the work and waits for whoever works under the same key; a repetition gets the kept status
    and body, byte for byte. Only 2xx answers are kept: a refusal rolls the claim back with everything else.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        if "POST" in (options.get("methods") or ()):
            extra = options.get("openapi_extra") or {}
            options["openapi_extra"] = {**extra, "parameters": [*extra.get("parameters", ()), _PARAMETER]}
            options["responses"] = {**problems(409), **(options.get("responses") or {})}
        super().__init__(path, endpoint, **options)

    async def answer(self, request: StrictRequest, handler: Handler) -> Response:
        """The answer, given now or kept from the first time.

        A refusal that must be remembered is journalled although everything else is rolled back.
        """
        try:
            return await self._answer_in_any_form(request, handler)
        except Refusal as refusal:
            if refusal.attempt is not None:
                await _remember(request, refusal.attempt)
            raise

    async def _answer_in_any_form(self, request: StrictRequest, handler: Handler) -> Response:
        """Whoever meets the migration of a later release tries again: a rolling upgrade fails no request."""
        answer = handler if getattr(self.endpoint, _OPT_OUT, False) else partial(self._answer_in_turn, handler=handler)
        for _ in range(FORMS_MAX):
            try:
                return await answer(request)
            except Exception as error:
                if not is_outdated(error):
                    raise
        return await answer(request)

    async def _answer_in_turn(self, request: StrictRequest, handler: Handler) -> Response:
        """Whoever has to wait for others is let try again, each time in a new transaction, so that nobody keeps a
        connection meanwhile."""
        began = stopwatch()
        while True:
            try:
                return await _attempt(request, handler)
            except Busy as busy:
                if busy.turn is None or stopwatch() - began > PATIENCE_SECONDS:
                    raise
                turn = busy.turn
            with suppress(TimeoutError):
                await asyncio.wait_for(turn, LOOK_AGAIN_SECONDS)


def key_and_fingerprint(request: Request) -> tuple[str, bytes] | None:
    """The request's `Idempotency-Key` and fingerprint; None without a key. Raises `KeyMalformed`."""
    assert isinstance(request, StrictRequest), "the router has another route class"
    header = request.headers.get(HEADER)
    if request.method != "POST" or header is None:
        return None
    target: bytes = request.scope["raw_path"] + b"?" + request.scope["query_string"]
    return checked_key(header), fingerprint(request.method, target, request.document)


def replay(stored: StoredAnswer) -> Response:
    """A kept answer as a response."""
    return Response(stored.body, stored.status, headers={REPLAYED_HEADER: "true"}, media_type=stored.media_type)


async def _remember(request: StrictRequest, attempt: Event) -> None:
    """Journals an attempt that was refused, in a transaction of its own."""
    transactions: Transactions = request.app.state.transactions
    principal = await current_principal(request)
    async with transactions.begin(actor=principal.actor, request_id=request_id_of(request.scope)) as tx:
        tx.emit(attempt)


async def _attempt(request: StrictRequest, handler: Handler) -> Response:
    principal = await current_principal(request)
    asked = key_and_fingerprint(request)
    if asked is None:
        async with request_transaction(request, principal, comes_again=True):
            return await handler(request)
    response, outcome = await _exactly_once(request, principal, *asked, handler)
    metrics.IDEMPOTENCY.labels(outcome).inc()
    return response


async def _exactly_once(
    request: StrictRequest, principal: Principal, key: str, asked: bytes, handler: Handler
) -> tuple[Response, str]:
    async with request_transaction(request, principal, comes_again=True) as tx:
        try:
            stored = await service.claim(tx, principal_id=principal.id, key=key, fingerprint=asked)
        except (KeyReused, KeyInProgress, AnswerErased) as refusal:
            metrics.IDEMPOTENCY.labels(refusal.code.removeprefix("idempotency_")).inc()
            raise
        if stored is not None:
            return replay(stored), "replayed"
        response = await handler(request)
        if not 200 <= response.status_code < 300:
            await service.release(tx, principal_id=principal.id, key=key)
            return response, "not_kept"
        answer = StoredAnswer(asked, response.status_code, bytes(response.body), response.media_type)
        await service.keep(tx, principal_id=principal.id, key=key, answer=answer)
    return response, "stored"
