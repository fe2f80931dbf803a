"""The job that goes on with runs over a portfolio, and the loop that it and the command share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Final
from uuid import UUID

import structlog

from app.domains.assessments import service as assessments
from app.domains.assessments.core.runs import Portion
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
        if until is not None and stopwatch() > until:
            return None
        try:
            async with begin() as tx:
                await assessments.step(tx, run_id=run_id, at=ahead, after=before.after)
        except Exception as error:
            log.warning("portion_assessed_singly", run=str(run_id), error=type(error).__name__, exc_info=True)
            await _singly(begin, run_id, ahead, before.after)


async def _singly(begin: Begin, run_id: UUID, ahead: Sequence[Portion], after: UUID) -> None:
    """Goes through accounts one by one, for together one of them kept the others back, and passes over who can't be
    assessed; stops where somebody else works on the run too."""
    for account in ahead:
        try:
            async with begin() as tx:
                moved = await assessments.step(tx, run_id=run_id, at=[account], after=after)
        except Exception as error:
            async with begin() as tx:
                moved = await assessments.pass_over(tx, run_id=run_id, at=account, after=after, error=error)
        if not moved:
            return
        after = account.account_id


JOBS: Final = (Job("assess_portfolio", every=timedelta(seconds=10), run=continue_runs),)
