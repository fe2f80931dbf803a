"""How many requests are let in at once.

Beyond a point a request more only makes all of them wait, and in the end each fails after its caller has gone. So the
number under way is bounded, and what comes on top is told at once when to come again.

Credit checks are bounded apart from the rest, and decided on connections of their own, so that no flood of lists and
reports keeps an order waiting. More than some batches of them under way add nothing to what is decided in a second,
only to how long each waits. Routes of operations are not bounded: they must answer when nothing else does.
"""

from __future__ import annotations

import asyncio
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
STATUS: Final = int(HTTPStatus.SERVICE_UNAVAILABLE)


class Overloaded(Busy):
    """As many requests are under way as this process lets in."""

    code = "overloaded"
    title = "Too many requests at once"


class Admission:
    """Lets at most `limit` requests in at once, and at most `limit_of_checks` that POST to `checks`.

    The outermost of all: whoever is refused must cost next to nothing. Most checks of a flood are refused before they
    come here, by `RefusingProtocol`.
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
        self._door = Door(limit)
        self.check_door = Door(limit_of_checks)
        self.check_lines = tuple(f"POST {path} HTTP/1.1\r\n".encode() for path in checks)
        """How requests begin that go through `check_door`."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http" or not scope["path"].startswith(BUSINESS):
            await self._app(scope, receive, send)
            return
        door = self.check_door if self._is_check(scope) else self._door
        if door.inside >= door.limit:
            headers, body = self.refusal(scope)
            await send({"type": "http.response.start", "status": STATUS, "headers": headers})
            await send({"type": "http.response.body", "body": body})
            return
        door.inside += 1
        try:
            await self._app(scope, receive, send)
        finally:
            door.inside -= 1

    def refusal(self, scope: Scope) -> tuple[list[tuple[bytes, bytes]], bytes]:
        """Headers and body of `Overloaded`, counted as an answer.

        As every refusal is answered, but put together by hand: what frameworks add costs more than the rest.
        """
        is_check = self._is_check(scope)
        door = self.check_door if is_check else self._door
        measurements(scope["method"], scope["path"] if is_check else UNMATCHED, STATUS)[0].inc()
        request_id = request_id_given(scope) or str(new_id(self._clock.now()))
        scope.setdefault("state", {})["request_id"] = request_id
        detail = f"{door.limit} requests are under way"
        document = problem_document(scope, STATUS, code=Overloaded.code, title=Overloaded.title, detail=detail)
        body = orjson.dumps(document)
        headers = [
            (b"content-type", PROBLEM_JSON.encode()),
            (b"content-length", b"%d" % len(body)),
            (b"retry-after", b"%d" % RETRY_AFTER_SECONDS),
            (REQUEST_ID_HEADER.lower().encode(), request_id.encode()),
        ]
        return headers, body

    def _is_check(self, scope: Scope) -> bool:
        return scope["method"] == "POST" and scope["path"] in self._checks


@dataclass(slots=True)
class Door:
    """How many may be inside at once, how many are, and how many are on their way from the network to the door."""

    limit: int
    inside: int = 0
    _coming: int = 0

    @property
    def is_full(self) -> bool:
        """Whether one more would find the door closed."""
        return self.inside + self._coming >= self.limit

    def hand_on(self, loop: asyncio.AbstractEventLoop) -> None:
        """One more is on its way; it arrives before the loop looks at the network again."""
        if not self._coming:
            loop.call_soon(self._arrived)
        self._coming += 1

    def _arrived(self) -> None:
        self._coming = 0
