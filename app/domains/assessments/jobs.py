"""The job that goes on with runs over a portfolio, and the loop that it and the command share."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Final
from uuid import UUID

import structlog

from app.domains.assessments import service as assessments
from app.domains.assessments.core.runs import Run as Portfolio
from app.infra.clock import stopwatch
from app.infra.jobs import Job, Run
from app.infra.transaction import Transaction

SLICE_SECONDS: Final = 300.0
"""How long one run of the job works before it lets the next one begin; well below the deadline of a job."""

Begin = Callable[[], AbstractAsyncContextManager[Transaction]]
log = structlog.get_logger("headroom.assessments")


async def continue_runs(run: Run) -> None:
    """Goes on with the runs that nobody works on."""
    until = stopwatch() + SLICE_SECONDS
    while stopwatch() < until:
        async with run.begin() as tx:
            run_id = await assessments.pick_up(tx)
        if run_id is None:
            return
        done = await work(run.begin, run_id, until=until)
        if done is None:
            async with run.begin() as tx:
                await assessments.put_down(tx, run_id=run_id)
            return
        log.info(
            "portfolio_assessed", run=str(run_id), assessed=done.assessed, skipped=done.skipped, failed=done.failed
        )


async def work(
    begin: Begin, run_id: UUID, *, until: float | None = None, progress: Callable[[Portfolio], None] | None = None
) -> Portfolio | None:
    """Works on a run to its end, or until the stopwatch says `until`: then null. `progress` hears of each portion."""
    while True:
        async with begin() as tx:
            before = await assessments.run(tx, run_id=run_id)
            ahead = await assessments.portion(tx, run_id=run_id)
        if progress is not None:
            progress(before)
        if not ahead:
            async with begin() as tx:
                return await assessments.finish(tx, run_id=run_id)
        after = before.after
        for account in ahead:
            if until is not None and stopwatch() > until:
                return None
            async with begin() as tx:
                moved = await assessments.step(tx, run_id=run_id, at=account, after=after)
            if moved is None:  # somebody else works on it too: look again where it stands
                break
            after = account.account_id


JOBS: Final = (Job("assess_portfolio", every=timedelta(seconds=10), run=continue_runs),)
