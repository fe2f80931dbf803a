"""The route class of every router: bodies read strictly, unknown parameters refused, POSTs answered exactly once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from app.infra import metrics
from app.infra.http.problem import RequestInvalid
from app.infra.http.strict_json import StrictRequest
from app.kernel.errors import Fault
from app.support.auth.core.principals import Principal
from app.support.auth.dependencies import Requirement, current_principal, request_transaction
from app.support.idempotency import service
from app.support.idempotency.core import (
    HEADER,
    REPLAYED_HEADER,
    KeyInProgress,
    KeyReused,
    StoredAnswer,
    checked_key,
    fingerprint,
)

_OPT_OUT: Final = "handles_idempotency_itself"

Handler = Callable[[Request], Awaitable[Response]]


def handles_idempotency_itself(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    """Marks an endpoint that reads and writes its idempotency keys with its own statements: the desk."""
    setattr(endpoint, _OPT_OUT, True)
    return endpoint


class IdempotentRoute(APIRoute):
    """A route that keeps the answer to a POST with an `Idempotency-Key` in the transaction of the request.

    The claim comes before the work and waits for whoever works under the same key; a repetition gets the kept status
    and body, byte for byte. Only 2xx answers are kept: a refusal rolls the claim back with everything else.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler of the route, wrapped."""
        handler = super().get_route_handler()
        requirements = tuple(_requirements(self.dependant))
        parameters = frozenset(_query_names(self.dependant))
        keeps = "POST" in (self.methods or ()) and not getattr(self.endpoint, _OPT_OUT, False)

        async def handle(request: Request) -> Response:
            strict = StrictRequest(request.scope, request.receive)
            principal = await _admit(strict, requirements) if requirements else None
            _refuse_unknown_parameters(strict, parameters)
            await strict.read()
            key = strict.headers.get(HEADER) if keeps else None
            if key is None or principal is None:
                return await handler(strict)
            return await _exactly_once(strict, principal, checked_key(key), handler)

        return handle


def request_fingerprint(request: StrictRequest) -> bytes:
    """The fingerprint of a request that has been read."""
    target: bytes = request.scope["raw_path"] + b"?" + request.scope["query_string"]
    return fingerprint(request.method, target, request.document)


async def _admit(request: Request, requirements: tuple[Requirement, ...]) -> Principal:
    """The caller, who may use this route: before the body is parsed and before an old answer is given again."""
    principal = await current_principal(request)
    for requirement in requirements:
        principal.require(*requirement.scopes)
    return principal


async def _exactly_once(request: StrictRequest, principal: Principal, key: str, handler: Handler) -> Response:
    asked = request_fingerprint(request)
    async with request_transaction(request, principal) as tx:
        try:
            stored = await service.claim(tx, principal_id=principal.id, key=key, fingerprint=asked)
        except (KeyReused, KeyInProgress) as refusal:
            metrics.IDEMPOTENCY.labels(refusal.code.removeprefix("idempotency_")).inc()
            raise
        if stored is not None:
            metrics.IDEMPOTENCY.labels("replayed").inc()
            return replay(stored)
        response = await handler(request)
        if 200 <= response.status_code < 300:
            answer = StoredAnswer(asked, response.status_code, bytes(response.body), response.media_type)
            await service.keep(tx, principal_id=principal.id, key=key, answer=answer)
        else:
            await service.release(tx, principal_id=principal.id, key=key)
    metrics.IDEMPOTENCY.labels("stored").inc()
    return response


def replay(stored: StoredAnswer) -> Response:
    """A kept answer as a response."""
    return Response(stored.body, stored.status, headers={REPLAYED_HEADER: "true"}, media_type=stored.media_type)


def _refuse_unknown_parameters(request: Request, known: frozenset[str]) -> None:
    if not request.scope["query_string"]:
        return
    unknown = sorted(set(request.query_params) - known)
    if unknown:
        message = "there is no such parameter"
        raise RequestInvalid(
            f"unknown parameters: {', '.join(unknown)[:200]}",
            faults=[Fault(f"/query/{name[:64]}", "unknown_parameter", message) for name in unknown[:20]],
        )


def _requirements(dependant: Dependant) -> list[Requirement]:
    own = [dependant.call] if isinstance(dependant.call, Requirement) else []
    return own + [found for child in dependant.dependencies for found in _requirements(child)]


def _query_names(dependant: Dependant) -> list[str]:
    own = [field.alias for field in dependant.query_params]
    return own + [name for child in dependant.dependencies for name in _query_names(child)]
