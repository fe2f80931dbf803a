"""The sealer."""

from __future__ import annotations

from datetime import timedelta

from app.infra.jobs import Job, Run
from app.support.journal import service as journal


async def seal_events(run: Run) -> None:
    """Seals batch after batch until nothing settled is left."""
    sealed = journal.SEAL_BATCH
    while sealed >= journal.SEAL_BATCH:
        async with run.begin() as tx:
            sealed = await journal.seal(tx)


JOBS = (Job("seal_events", timedelta(milliseconds=250), seal_events),)
