"""The application on a thread of its own, for tests that are not coroutines: state machines and load from outside.

Calls go through ASGI, in the loop that the application was started in; they return when the answer is there.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import quote

from fastapi import FastAPI
from httpx import AsyncClient, Response

from app.infra.clock import FrozenClock
from app.infra.transaction import Transactions
from app.main import create_app
from app.settings import Settings
from tests.support.api import BOOTSTRAP_KEY, client_of

Answer = TypeVar("Answer")


class Background:
    """A started application, callable from any thread."""

    def __init__(self, app: FastAPI, clock: FrozenClock, loop: asyncio.AbstractEventLoop) -> None:
        self.app = app
        self.clock = clock
        self.loop = loop
        self._clients: dict[str, AsyncClient] = {}

    @property
    def transactions(self) -> Transactions:
        """What the application begins its transactions with."""
        found: Transactions = self.app.state.transactions
        return found

    def run(self, coroutine: Coroutine[Any, Any, Answer]) -> Answer:
        """What `coroutine` gives when it has run in the application's loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result()

    def call(self, method: str, path: str, *, key: str = BOOTSTRAP_KEY, **request: Any) -> Response:
        """The answer to one request, sent with the API key `key`."""
        if key not in self._clients:
            self._clients[key] = client_of(self.app, key)
        return self.run(self._clients[key].request(method, path, **request))

    def get(self, path: str) -> Any:
        """The document at `path`."""
        return self.call("GET", path).raise_for_status().json()

    def put(self, path: str, body: Any) -> Any:
        """Puts `body`, which must be taken."""
        return self.call("PUT", path, json=body).raise_for_status().json()

    def post(self, path: str, body: Any) -> Any:
        """Posts `body`, which must be taken."""
        return self.call("POST", path, json=body).raise_for_status().json()


@contextmanager
def in_background(settings: Settings, clock: FrozenClock) -> Iterator[Background]:
    """The application, started on a thread of its own."""
    with _loop() as loop:
        app = create_app(settings, clock=clock)
        lifespan = app.router.lifespan_context(app)
        asyncio.run_coroutine_threadsafe(lifespan.__aenter__(), loop).result()
        try:
            yield Background(app, clock, loop)
        finally:
            asyncio.run_coroutine_threadsafe(lifespan.__aexit__(None, None, None), loop).result()


@contextmanager
def _loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="background application", daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def encoded(reference: str) -> str:
    """A reference as it stands in a path."""
    return quote(reference, safe="")
