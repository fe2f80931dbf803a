"""How many requests are let in at once.

Beyond a point a request more only makes all of them wait, and in the end each fails after its caller has gone. So the
number under way is bounded, and what comes on top is told at once when to come again.

Credit checks do not count: the desk bounds its own queue, on connections of its own, so that no flood of lists and
reports keeps an order waiting. Nor do the routes of operations, which must answer when nothing else does.
"""

from __future__ import annotations

from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from app.infra.http.problem import refusal_response
from app.kernel.errors import Busy

MAX_REQUESTS: Final = 128
BUSINESS: Final = "/v1/"
"""Where the paths of the business begin; others are those of operations."""
RETRY_AFTER_SECONDS: Final = 1


class Overloaded(Busy):
    """As many requests are under way as this process lets in."""

    code = "overloaded"
    title = "Too many requests at once"


class Admission:
    """Lets at most `limit` requests in at once, those that POST to `unbounded` paths not counted."""

    def __init__(self, app: ASGIApp, *, limit: int = MAX_REQUESTS, unbounded: frozenset[str] = frozenset()) -> None:
        self._app = app
        self._limit = limit
        self._unbounded = unbounded
        self._under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if not self._counts(scope):
            await self._app(scope, receive, send)
            return
        if self._under_way >= self._limit:
            refusal = Overloaded(f"{self._limit} requests are under way", retry_after=RETRY_AFTER_SECONDS)
            await refusal_response(scope, refusal)(scope, receive, send)
            return
        self._under_way += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._under_way -= 1

    def _counts(self, scope: Scope) -> bool:
        if scope["type"] != "http" or not scope["path"].startswith(BUSINESS):
            return False
        return scope["method"] != "POST" or scope["path"] not in self._unbounded
