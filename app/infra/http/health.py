"""Whether the process lives, whether it can serve, and what it measures."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.infra import metrics, multiprocess
from app.infra.db import migrating
from app.infra.http.fields import Wire
from app.infra.http.problem import problems
from app.kernel.errors import Busy

ANSWER_SECONDS: Final = 1.5
"""Readiness is answered within this, whatever the database does."""
WATCH_SECONDS: Final = 5.0
"""How old the metric of readiness may be."""
LOOK_SECONDS: Final = 3.0
"""A look at the database that takes longer is given up, so that the next one gets a new connection."""

router = APIRouter(tags=["operations"])


class Health(Wire):
    """The process answers."""

    status: str


class NotReady(Busy):
    """The process cannot serve yet, or at the moment."""

    code = "not_ready"
    title = "Not ready"


class Readiness:
    """Whether this process can serve: it is not about to stop, and the database answers and is migrated.

    However many ask, one looks. An answer never waits for a look that hangs, as one does when packets get lost.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._head = migrating.head()
        self._known = migrating.known()
        self._draining = False
        self._look: asyncio.Task[str | None] | None = None

    def drain(self) -> None:
        """From now on it is not ready: the process is about to stop."""
        self._draining = True

    async def watch(self) -> None:
        """Keeps the metric up to date, whether or not anybody asks; until cancelled."""
        try:
            while True:
                with suppress(NotReady):
                    await self.check()
                await asyncio.sleep(WATCH_SECONDS)
        finally:
            await self._leave()

    async def check(self) -> None:
        """Returns if the process can serve. Raises `NotReady`."""
        try:
            await self._check()
        except NotReady:
            metrics.READY.set(0)
            raise
        metrics.READY.set(1)

    async def _check(self) -> None:
        if self._draining:
            raise NotReady("the process is about to stop", retry_after=1)
        try:
            revision = await self._revision()
        except (TimeoutError, OSError, SQLAlchemyError) as error:
            raise NotReady(f"the database does not answer: {type(error).__name__}", retry_after=2) from error
        if revision == self._head:
            return
        if revision is None or revision in self._known:
            raise NotReady(f"the database is at revision {revision}, the program at {self._head}", retry_after=5)
        # A later release has migrated it, and migrations keep what the release before them needs: this process goes on
        # until it is replaced.

    async def _revision(self) -> str | None:
        if self._look is None or self._look.done():
            self._look = asyncio.create_task(self._look_up())
            self._look.add_done_callback(_observe)
        await asyncio.wait({self._look}, timeout=ANSWER_SECONDS)
        if not self._look.done():
            raise TimeoutError
        return self._look.result()

    async def _leave(self) -> None:
        """Leaves no look behind when the process ends."""
        if self._look is not None and not self._look.done():
            self._look.cancel()
            await asyncio.wait({self._look}, timeout=ANSWER_SECONDS)

    async def _look_up(self) -> str | None:
        async with asyncio.timeout(LOOK_SECONDS), self._engine.connect() as connection:
            return await migrating.current(connection)


def _observe(look: asyncio.Task[str | None]) -> None:
    """A look that failed when nobody waited any more is no news."""
    if not look.cancelled():
        look.exception()


@router.get("/healthz", summary="Whether the process lives")
async def get_health() -> Health:
    """Answers as long as the event loop turns; asks nobody else."""
    return Health(status="ok")


@router.get("/readyz", summary="Whether the database is reachable and migrated", responses=problems(503))
async def get_readiness(request: Request) -> Health:
    """Asks the database for its revision; answers within two seconds, whether or not the database does."""
    readiness: Readiness = request.app.state.readiness
    await readiness.check()
    return Health(status="ready")


@router.get("/metrics", summary="Measurements for Prometheus", response_class=Response)
async def get_metrics() -> Response:
    """The measurements of this process, or of all processes where they share a directory."""
    return Response(generate_latest(multiprocess.registry()), media_type=CONTENT_TYPE_LATEST)
