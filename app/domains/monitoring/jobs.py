"""The job of monitoring: the hourly proof, as a metric and a line in the log for each account that fails."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import structlog

from app.domains.monitoring import service as monitoring
from app.infra import metrics
from app.infra.jobs import Job, Run

LOGGED_MAX: Final = 100
"""Lines a run: the first accounts are enough to start looking, the metric counts all."""

log = structlog.get_logger("headroom.monitoring")


async def prove_accounts(run: Run) -> None:
    """Proves every account and group, and says how many fail each proof."""
    tally, logged = monitoring.Tally(), 0
    async for proof in monitoring.prove_all(run.begin):
        tally.add(proof)
        for drift in proof.drifts[: LOGGED_MAX - logged]:
            logged += 1
            log.error(
                "account_drift",
                kind=drift.kind.value,
                customer_id=drift.customer_id,
                segment=drift.segment,
                subject=drift.subject,
                expected=drift.expected,
                found=drift.found,
            )
    for kind, count in tally.by_kind.items():
        metrics.DRIFT.labels(kind.value).set(count)


JOBS: Final = (Job("prove_accounts", every=timedelta(hours=1), run=prove_accounts),)
