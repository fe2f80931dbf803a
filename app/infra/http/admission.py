"""How many requests are let in at once.

Beyond a point a request more only makes all of them wait, and in the end each fails after its caller has gone. So the
number under way is bounded, and what comes on top is told at once when to come again.

Credit checks are bounded apart from the rest, and decided on connections of their own, so that no flood of lists and
reports keeps an order waiting. More than some batches of them under way add nothing to what is decided in a second,
only to how long each waits. Routes of operations are not bounded: they must answer when nothing else does.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import orjson
from starlette.types import ASGIApp, Receive, Scope, Send

from app.infra.clock import Clock, new_id
from app.infra.http.middleware import REQUEST_ID_HEADER, UNMATCHED, measurements, request_id_given
from app.infra.http.problem import PROBLEM_JSON, problem_document
from app.kernel.errors import Busy

MAX_REQUESTS: Final = 128
MAX_CHECKS: Final = 512
"""Four batches of the desk: one is being decided, one is ready, and the rest wait for less than a second."""
BUSINESS: Final = "/v1/"
"""Where the paths of the business begin; others are those of operations."""
RETRY_AFTER_SECONDS: Final = 1
_STATUS: Final = int(HTTPStatus.SERVICE_UNAVAILABLE)


class Overloaded(Busy):
    """As many requests are under way as this process lets in."""

    code = "overloaded"
    title = "Too many requests at once"


class Admission:
    """Lets at most `limit` requests in at once, and at most `limit_of_checks` that POST to `checks`.

    The outermost of all: whoever is refused must cost next to nothing. Three times what a server can do means two
    refusals for each answer, and what they cost is missing for the answers.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        clock: Clock,
        limit: int = MAX_REQUESTS,
        checks: frozenset[str] = frozenset(),
        limit_of_checks: int = MAX_CHECKS,
    ) -> None:
        self._app = app
        self._clock = clock
        self._checks = checks
        self._check_door = _Door(limit_of_checks)
        self._door = _Door(limit)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http" or not scope["path"].startswith(BUSINESS):
            await self._app(scope, receive, send)
            return
        is_check = scope["method"] == "POST" and scope["path"] in self._checks
        door = self._check_door if is_check else self._door
        if door.inside >= door.limit:
            measurements(scope["method"], scope["path"] if is_check else UNMATCHED, _STATUS)[0].inc()
            await self._refuse(scope, send, f"{door.limit} requests are under way")
            return
        door.inside += 1
        try:
            await self._app(scope, receive, send)
        finally:
            door.inside -= 1

    async def _refuse(self, scope: Scope, send: Send, detail: str) -> None:
        """Answers `Overloaded` as every refusal is answered, by hand: what frameworks add costs more than the rest."""
        request_id = request_id_given(scope) or str(new_id(self._clock.now()))
        scope.setdefault("state", {})["request_id"] = request_id
        document = problem_document(scope, _STATUS, code=Overloaded.code, title=Overloaded.title, detail=detail)
        body = orjson.dumps(document)
        headers = [
            (b"content-type", PROBLEM_JSON.encode()),
            (b"content-length", b"%d" % len(body)),
            (b"retry-after", b"%d" % RETRY_AFTER_SECONDS),
            (REQUEST_ID_HEADER.lower().encode(), request_id.encode()),
        ]
        await send({"type": "http.response.start", "status": _STATUS, "headers": headers})
        await send({"type": "http.response.body", "body": body})


@dataclass(slots=True)
class _Door:
    """How many may be inside at once, and how many are."""

    limit: int
    inside: int = 0
