"""The periodic jobs of all slices, and the process that runs them."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from typing import Final

import uvicorn
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from app.domains.assessments import jobs as assessments
from app.domains.credit_data import jobs as credit_data
from app.domains.credit_data.adapters import CreditSource, HttpSource
from app.domains.dunning import jobs as dunning
from app.domains.exposure import jobs as exposure
from app.domains.limits import jobs as limits
from app.domains.monitoring import jobs as monitoring
from app.domains.orders import jobs as orders
from app.domains.policies import jobs as policies
from app.domains.receivables import jobs as receivables
from app.infra import multiprocess
from app.infra.background import meanwhile
from app.infra.clock import SystemClock
from app.infra.db.engine import make_engine, make_sessions
from app.infra.http import health, serving
from app.infra.http.problem import install_problems
from app.infra.http.routing import add_routes
from app.infra.jobs import Job, run_jobs
from app.infra.transaction import Transactions
from app.reactions import REACTIONS
from app.settings import Settings
from app.support.idempotency import jobs as idempotency
from app.support.journal import jobs as journal
from app.support.journal import service as journal_service

JOBS: Final[tuple[Job, ...]] = (
    *journal.JOBS,
    *idempotency.JOBS,
    *policies.JOBS,
    *exposure.JOBS,
    *limits.JOBS,
    *credit_data.JOBS,
    *receivables.JOBS,
    *orders.JOBS,
    *assessments.JOBS,
    *dunning.JOBS,
    *monitoring.JOBS,
)
"""Every job that always runs, one line for each slice that has some."""

POOL_SIZE: Final = 5


def jobs(settings: Settings) -> tuple[Job, ...]:
    """Every job of an installation: those that always run, and those that delete what it does not keep."""
    events, decisions = settings.events_kept_days, settings.decisions_kept_days
    skips = settings.dunning_skips_kept_days
    return (
        *JOBS,
        *journal.publication(settings.journal_digests_file),
        *(() if (source := credit_source(settings)) is None else credit_data.fetching(source)),
        *dunning.delivery(settings.outbox),
        *(() if events is None else journal.retention(timedelta(days=events))),
        *(() if decisions is None else orders.retention(timedelta(days=decisions))),
        *(() if skips is None else dunning.retention(timedelta(days=skips))),
    )


def credit_source(settings: Settings) -> CreditSource | None:
    """The agency that reports are ordered from; None for none."""
    if settings.credit_source_url is None:
        return None
    token = settings.credit_source_token
    return HttpSource(
        settings.credit_source_url,
        agency=settings.credit_source_agency,
        token=token.get_secret_value() if token else None,
    )


async def run_worker(settings: Settings) -> None:
    """Runs the jobs until SIGINT or SIGTERM; a run under way is cut off and its transaction rolled back."""
    assert settings.database_url, "the worker is given its database"
    engine = make_engine(settings.database_url, pool_size=POOL_SIZE, application_name="headroom worker")
    transactions = Transactions(
        make_sessions(engine), clock=SystemClock(), journal=journal_service.write, reactions=REACTIONS
    )
    multiprocess.start_afresh()
    work = asyncio.create_task(run_jobs(jobs(settings), engine=engine, transactions=transactions))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, work.cancel)
    try:
        async with _operations(settings, engine):
            await asyncio.gather(work, return_exceptions=True)
    finally:
        await engine.dispose()


class _Server(uvicorn.Server):
    """A server that leaves signals to the worker."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Captures none."""
        yield


@asynccontextmanager
async def _operations(settings: Settings, engine: AsyncEngine) -> AsyncIterator[None]:
    """Health, readiness and metrics of the worker over HTTP, where a port is set for them."""
    if settings.worker_port is None:
        yield
        return
    app = FastAPI(title="Headroom worker", openapi_url=None)
    app.state.readiness = health.Readiness(engine)
    install_problems(app)
    add_routes(app, (health.router,))
    server = _Server(serving.configured(app, host=settings.host, port=settings.worker_port))
    answering = asyncio.create_task(server.serve(), name="operations")
    try:
        async with meanwhile(app.state.readiness.watch(), name="readiness"):
            yield
    finally:
        server.should_exit = True
        await answering
