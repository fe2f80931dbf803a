"""The periodic jobs of all slices, and the process that runs them."""

from __future__ import annotations

import asyncio
import signal
from typing import Final

from app.domains.exposure import jobs as exposure
from app.domains.monitoring import jobs as monitoring
from app.domains.orders import jobs as orders
from app.infra.clock import SystemClock
from app.infra.db.engine import make_engine, make_sessions
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
    *exposure.JOBS,
    *orders.JOBS,
    *monitoring.JOBS,
)
"""Every job, one line for each slice that has some."""

POOL_SIZE: Final = 5


async def run_worker(settings: Settings) -> None:
    """Runs the jobs until SIGINT or SIGTERM; a run under way is cut off and its transaction rolled back."""
    assert settings.database_url, "the worker is given its database"
    engine = make_engine(settings.database_url, pool_size=POOL_SIZE, application_name="headroom worker")
    transactions = Transactions(
        make_sessions(engine), clock=SystemClock(), journal=journal_service.write, reactions=REACTIONS
    )
    work = asyncio.create_task(run_jobs(JOBS, engine=engine, transactions=transactions))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, work.cancel)
    try:
        await asyncio.gather(work, return_exceptions=True)
    finally:
        await engine.dispose()
