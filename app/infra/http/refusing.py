"""Refuses credit checks before they are parsed, while as many are under way as may be.

Three times what a server can do means two refusals for each answer, and what a refusal costs is missing for the
answers. To parse a request, to begin a task for it and to bring it to the application costs several times what it takes
to see that it is a credit check and to say when to come again. So this is done where the bytes arrive, for what is one
whole credit check beyond doubt. Everything else goes the ordinary way, where `Admission` meets it with the same answer.
"""

from __future__ import annotations

import re
from typing import Any, Final

from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from app.infra.http.admission import STATUS, Admission

_HEAD: Final = re.compile(
    rb"POST (/[!->@-~]*) HTTP/1\.1\r\n((?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t -~\x80-\xff]*\r\n)+)\r\n"
)
"""A request line and headers as RFC 9112 has them, no line folded or ended otherwise: whatever stands between caller
and server sees the same request as we do."""
_LENGTH: Final = re.compile(rb"^content-length:[ \t]*([0-9]{1,8})[ \t]*\r$", re.IGNORECASE | re.MULTILINE)
_REQUEST_ID: Final = re.compile(rb"^(x-request-id):[ \t]*([^\r]*)\r$", re.IGNORECASE | re.MULTILINE)
_DOUBTFUL: Final = re.compile(
    rb"^(?:transfer-encoding|expect|upgrade|connection:(?![ \t]*keep-alive\r))", re.IGNORECASE | re.MULTILINE
)
"""Headers that say something else about where the request or the connection ends."""
_LEAVING: Final = b"connection"


class RefusingProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol, with the door for credit checks in front of it."""

    def __init__(self, *arguments: Any, admission: Admission, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._admission = admission
        self._between_requests = True

    def data_received(self, data: bytes) -> None:
        """Refuses a credit check that cannot be let in; hands on whatever else arrives."""
        if data.startswith(self._admission.check_lines) and self._is_idle():
            door = self._admission.check_door
            if not door.is_full:
                door.hand_on(self.loop)
            elif self._refused(data):
                return
        super().data_received(data)

    def on_message_begin(self) -> None:
        """The first byte of a request has come."""
        self._between_requests = False
        super().on_message_begin()

    def on_message_complete(self) -> None:
        """The last byte of a request has come."""
        self._between_requests = True
        super().on_message_complete()

    def _is_idle(self) -> bool:
        """Whether what comes now begins a request, and none before it waits for its answer."""
        before: RequestResponseCycle | None = self.cycle
        return self._between_requests and (before is None or before.response_complete)

    def _refused(self, data: bytes) -> bool:
        """Whether `data` was one whole request and has its answer."""
        fixed = self.server_state.default_headers
        if self.flow.write_paused or self.transport.is_closing() or any(name == _LEAVING for name, _ in fixed):
            return False
        scope = whole_request(data)
        if scope is None:
            return False
        headers, body = self._admission.refusal(scope)
        lines = [b"%b: %b\r\n" % header for header in (*fixed, *headers)]
        self.transport.write(b"".join((STATUS_LINE[STATUS], *lines, b"\r\n", body)))
        self.on_response_complete()
        return True


def whole_request(data: bytes) -> Scope | None:
    """What a refusal says of the request that `data` is; nothing if there is a doubt that it is exactly one."""
    head = _HEAD.match(data)
    if head is None:
        return None
    path, headers = head.groups()
    lengths = _LENGTH.findall(headers)
    if len(lengths) != 1 or head.end() + int(lengths[0]) != len(data) or _DOUBTFUL.search(headers):
        return None
    ids = [(name.lower(), value) for name, value in _REQUEST_ID.findall(headers)]
    return {"type": "http", "method": "POST", "path": path.decode(), "headers": ids}
