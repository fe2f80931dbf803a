"""Whether the process lives, whether it can serve, and what it measures."""

from __future__ import annotations

import asyncio
from typing import Final

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.infra import multiprocess
from app.infra.db import migrating
from app.infra.http.fields import Wire
from app.infra.http.problem import problems
from app.kernel.errors import Busy

READY_TIMEOUT_SECONDS: Final = 2.0

router = APIRouter(tags=["operations"])


class Health(Wire):
    """The process answers."""

    status: str


class NotReady(Busy):
    """The process cannot serve yet, or at the moment."""

    code = "not_ready"
    title = "Not ready"


@router.get("/healthz", summary="Whether the process lives")
async def get_health() -> Health:
    """Answers as long as the event loop turns; asks nobody else."""
    return Health(status="ok")


@router.get("/readyz", summary="Whether the database is reachable and migrated", responses=problems(503))
async def get_readiness(request: Request) -> Health:
    """Asks the database for its revision, for two seconds at most."""
    engine: AsyncEngine = request.app.state.engine
    head: str = request.app.state.migration_head
    try:
        async with asyncio.timeout(READY_TIMEOUT_SECONDS):
            revision = await _revision(engine)
    except (TimeoutError, OSError, SQLAlchemyError) as error:
        raise NotReady(f"the database does not answer: {type(error).__name__}", retry_after=2) from error
    if revision != head:
        raise NotReady(f"the database is at revision {revision}, the program at {head}", retry_after=5)
    return Health(status="ready")


@router.get("/metrics", summary="Measurements for Prometheus", response_class=Response)
async def get_metrics() -> Response:
    """The measurements of this process, or of all processes where they share a directory."""
    return Response(generate_latest(multiprocess.registry()), media_type=CONTENT_TYPE_LATEST)


async def _revision(engine: AsyncEngine) -> str | None:
    async with engine.connect() as connection:
        return await migrating.current(connection)
