"""What wraps every request, as plain ASGI: its id, its deadline, its measurements, its size, its path.

RequestScope → BodyLimit → EncodedSlashes → the application
"""

from __future__ import annotations

import asyncio
import re
from functools import cache
from http import HTTPMethod
from typing import Final
from urllib.parse import unquote

import structlog
from prometheus_client import Counter, Histogram
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.infra import metrics
from app.infra.clock import Clock, new_id, stopwatch
from app.infra.db.failures import refusal_of
from app.infra.http.problem import problem_response, refusal_response
from app.infra.logging import bind_request
from app.kernel.errors import Busy, Malformed, TooLarge

REQUEST_ID_HEADER: Final = "X-Request-Id"
_REQUEST_ID_BYTES: Final = b"x-request-id"
MAX_BODY: Final = 1 << 20
"""Bytes that a request may carry."""
MAX_BATCH_BODY: Final = 4 << 20
"""Bytes that a batch may carry: a thousand items with room to spare."""
DEADLINE_SECONDS: Final = 30.0
CLEANUP_SECONDS: Final = 3.0
"""A request is cut off this long before its deadline: where packets get lost, the driver takes two seconds to let go of
a connection, and the caller is to have the answer in time all the same."""
UNMATCHED: Final = "unmatched"
ABANDONED: Final = 499
"""The status that metrics show for a request whose caller left before the answer."""

_SANE_ID: Final = re.compile(r"[A-Za-z0-9._:/=+-]{1,128}")
_KEPT_ENCODED: Final = re.compile(rb"%(2[Ff]|25)")
_METHODS: Final = frozenset(HTTPMethod)

log = structlog.get_logger("headroom.http")


class DeadlineExceeded(Busy):
    """The request took longer than any request may; what it had done was rolled back."""

    code = "deadline_exceeded"
    title = "The request took too long"


class BodyTooLarge(TooLarge):
    """The body is larger than this path reads."""

    code = "body_too_large"
    title = "The body is too large"


class BodyLengthMalformed(Malformed):
    """`Content-Length` is not a number."""

    code = "content_length_malformed"
    title = "Malformed Content-Length"


class RequestScope:
    """Gives a request its id and its deadline, answers what nobody else answered, measures and logs."""

    def __init__(
        self, app: ASGIApp, *, clock: Clock, deadline_seconds: float = DEADLINE_SECONDS, access_log: bool = True
    ) -> None:
        self._app = app
        self._clock = clock
        self._seconds = deadline_seconds - min(CLEANUP_SECONDS, deadline_seconds / 2)
        self._access_log = access_log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = stopwatch()
        request_id = request_id_given(scope) or str(new_id(self._clock.now()))
        scope.setdefault("state", {})["request_id"] = request_id
        bind_request(request_id)
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(raw=message["headers"])[REQUEST_ID_HEADER] = request_id
            await send(message)

        try:
            async with asyncio.timeout(self._seconds):
                await self._app(scope, receive, send_with_id)
        except Exception as error:
            if status:  # the answer is under way and cannot be taken back: the server closes the connection
                raise
            await self._answer_failure(error, scope, receive, send_with_id)
        finally:
            self._measure(scope, status, stopwatch() - began)

    async def _answer_failure(self, error: Exception, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = DeadlineExceeded(retry_after=1) if isinstance(error, TimeoutError) else refusal_of(error)
        if refusal is not None:
            log.warning("request_failed", code=refusal.code, path=scope["path"])
            response = refusal_response(scope, refusal)
        else:
            log.error("request_crashed", path=scope["path"], method=scope["method"], exc_info=error)
            response = problem_response(
                scope,
                500,
                code="internal_error",
                title="Something went wrong inside",
                detail="the failure has been logged under the request id",
            )
        await response(scope, receive, send)

    def _measure(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", UNMATCHED)
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        requests, durations = measurements(method, route, status or ABANDONED)
        requests.inc()
        durations.observe(seconds)
        if self._access_log:
            log.info("request", method=method, route=route, status=status, ms=round(seconds * 1000, 1))


class BodyLimit:
    """Refuses a body beyond the limit of its path: at once where its length is declared, else as soon as it shows."""

    def __init__(self, app: ASGIApp, *, limit: int = MAX_BODY, batch_limit: int = MAX_BATCH_BODY) -> None:
        self._app = app
        self._limit = limit
        self._batch_limit = batch_limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._batch_limit if scope["path"].endswith("/batch") else self._limit
        declared = Headers(scope=scope).get("content-length", "0")
        refusal = (
            BodyLengthMalformed()
            if not (declared.isascii() and declared.isdigit())
            else _too_large(limit)
            if int(declared[:20]) > limit
            else None
        )
        if refusal is not None:
            response = refusal_response(scope, refusal)
            response.headers["Connection"] = "close"  # the rest of the body is not read
            await response(scope, receive, send)
            return
        await self._app(scope, _counted(receive, limit), send)


class EncodedSlashes:
    """Routes on the path as it was sent, so that a reference may hold a slash.

    Servers decode the path before routing, and `/v1/invoices/INV%2F2026%2F00001` would become three segments. Here
    `%2F` and `%25` stay encoded in `scope["path"]`, everything else is decoded; `PathReference` decodes the rest.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        raw: bytes | None = scope.get("raw_path")
        if raw and b"%" in raw:
            kept = _KEPT_ENCODED.sub(rb"%25\1", raw.partition(b"?")[0])
            scope = {**scope, "path": unquote(kept.decode("latin-1"))}
        await self._app(scope, receive, send)


def request_id_given(scope: Scope) -> str | None:
    """The id that the caller has given the request, if it is fit for headers and logs."""
    for name, value in scope["headers"]:  # lower-case, as ASGI has them; looked through here for each request
        if name == _REQUEST_ID_BYTES:
            given: str = value.decode("latin-1")
            return given if _SANE_ID.fullmatch(given) else None
    return None


@cache
def measurements(method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    """The metrics of one kind of request, looked up once: methods, templates and statuses are few."""
    return metrics.REQUESTS.labels(method, route, status), metrics.REQUEST_SECONDS.labels(method, route)


def _counted(receive: Receive, limit: int) -> Receive:
    read = 0

    async def receive_within_limit() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > limit:
            raise _too_large(limit)
        return message

    return receive_within_limit


def _too_large(limit: int) -> BodyTooLarge:
    return BodyTooLarge(f"a body here has at most {limit} bytes")
