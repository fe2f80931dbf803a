"""The application behind a real HTTP server, in this process, for clients that bring their own transport."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from tests.proof.background import Background


@contextmanager
def served(company: Background) -> Iterator[str]:
    """Serves a started application on a free port; gives its URL."""
    # With the protocol named, asyncio turns off Nagle's algorithm: it costs 40 ms a request.
    with socket.socket(proto=socket.IPPROTO_TCP) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()  # who connects before the server runs, waits for it
        server = uvicorn.Server(uvicorn.Config(company.app, lifespan="off", log_config=None, access_log=False))
        serving = asyncio.run_coroutine_threadsafe(server.serve([listening]), company.loop)
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            serving.result()
