"""How a server ends without failing a request.

A load balancer goes on sending requests for some seconds after it was told to stop: it asks for readiness only now and
then. So SIGTERM first only turns readiness off; requests are still answered, each with `Connection: close`, so that
callers leave connections that are about to go. Then the server stops listening and finishes what is under way.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Any, Final

import structlog
import uvicorn

from app.infra.clock import stopwatch
from app.infra.http.admission import Admission
from app.infra.http.refusing import RefusingProtocol

KEEP_ALIVE_SECONDS: Final = 75
"""Longer than load balancers keep idle connections: the side that sends requests closes first."""
SHUTDOWN_SECONDS: Final = 15
"""How long requests under way may take once nothing new is let in."""
STARTUP_FAILURE: Final = 3
"""The exit status of a server that could not start, as uvicorn's own."""
_CLOSE: Final = (b"connection", b"close")

log = structlog.get_logger("headroom.http")


class DrainingServer(uvicorn.Server):
    """A server that on SIGTERM goes on for `drain_seconds`; a second signal, and Ctrl-C, end it at once."""

    def __init__(self, config: uvicorn.Config, *, drain_seconds: float, on_drain: Callable[[], None]) -> None:
        super().__init__(config)
        self._drain_seconds = drain_seconds
        self._on_drain = on_drain
        self._drained_at: float | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Meets a signal."""
        super().handle_exit(sig, frame)
        if sig != signal.SIGTERM or not self.started or not self._drain_seconds or self._drained_at is not None:
            return
        self.should_exit = False
        self._drained_at = stopwatch() + self._drain_seconds
        self._on_drain()
        self.config.encoded_headers.append(_CLOSE)
        self.server_state.default_headers = [*self.server_state.default_headers, _CLOSE]
        log.info("draining", seconds=self._drain_seconds)

    async def on_tick(self, counter: int) -> bool:
        """Whether it is time to end; asked ten times a second."""
        if self._drained_at is not None and stopwatch() >= self._drained_at:
            self.should_exit = True
        return await super().on_tick(counter)


def configured(app: Any, *, host: str, port: int, http: Any = "auto") -> uvicorn.Config:
    """How every server of ours is set up: the application logs and counts, not the server.

    Nothing depends on who the caller's host is or by which scheme it came, so headers of proxies are not looked at.
    """
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        http=http,
        proxy_headers=False,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )


def run(
    app: Any, *, host: str, port: int, drain_seconds: float, on_drain: Callable[[], None], admission: Admission
) -> None:
    """Serves `app` until a signal ends it."""
    config = configured(app, host=host, port=port, http=partial(RefusingProtocol, admission=admission))
    server = DrainingServer(config, drain_seconds=drain_seconds, on_drain=on_drain)
    try:
        server.run()
    except KeyboardInterrupt:
        return
    if not server.started:
        sys.exit(STARTUP_FAILURE)
