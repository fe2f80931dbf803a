"""A server that dies between commit and answer: the moment at which only a retry can tell the caller what happened."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Sequence
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

FATAL_HEADER: Final = "X-Fatal"
"""A request with this header kills the server that is about to answer it."""


def serve_mortally(arguments: Sequence[str]) -> None:
    """`headroom serve --port 0 --no-worker`, put together like the command, around an application that dies."""
    from app.cli.environment import database, load_settings
    from app.cli.serve import prepare, run_app
    from app.main import create_app

    assert list(arguments[:3]) == ["serve", "--port", "0"], "other arguments are not understood"
    settings = load_settings(port=0, worker_in_server=False)
    with database(settings) as ready:
        asyncio.run(prepare(ready))
        app = create_app(ready)
        assert app.middleware_stack is not None, "the application comes with its outermost layer"
        app.middleware_stack = DiesBeforeAnswering(app.middleware_stack)
        run_app(app, ready)


class DiesBeforeAnswering:
    """Kills its process when the answer to a fatal request is ready, before a byte of it has left."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, or the last."""
        names = {name for name, _ in scope.get("headers", ())}

        async def send_or_die(message: Message) -> None:
            if FATAL_HEADER.lower().encode() in names:
                os.kill(os.getpid(), signal.SIGKILL)
            await send(message)

        await self._app(scope, receive, send_or_die)
