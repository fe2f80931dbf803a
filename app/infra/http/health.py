"""Whether the process lives, whether it can serve, and what it measures."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest, multiprocess
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.infra.db import migrating
from app.infra.http.fields import Wire
from app.infra.http.problem import problems
from app.kernel.errors import Busy

MULTIPROCESS_DIRECTORY: Final = "PROMETHEUS_MULTIPROC_DIR"
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
    return Response(generate_latest(_registry()), media_type=CONTENT_TYPE_LATEST)


async def _revision(engine: AsyncEngine) -> str | None:
    async with engine.connect() as connection:
        return await migrating.current(connection)


def _registry() -> CollectorRegistry:
    directory = os.environ.get(MULTIPROCESS_DIRECTORY)
    if not directory:
        return REGISTRY
    for pid in _pids_of(Path(directory)) - {os.getpid()}:
        if not _alive(pid):
            multiprocess.mark_process_dead(pid)  # type: ignore[no-untyped-call]
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry


def _pids_of(directory: Path) -> set[int]:
    """The processes that live gauges in `directory` are named for: `gauge_liveall_4711.db`."""
    names = (path.stem.rpartition("_")[2] for path in directory.glob("gauge_live*.db"))
    return {int(name) for name in names if name.isdigit()}


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
