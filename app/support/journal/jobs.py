"""The sealer, and the retention of events."""

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


def retention(keep: timedelta) -> tuple[Job, ...]:
    """The job that deletes sealed events older than `keep`."""

    async def delete_old_events(run: Run) -> None:
        """Deletes batch after batch, so that no transaction is long."""
        deleted = journal.DELETE_BATCH
        while deleted == journal.DELETE_BATCH:
            async with run.begin() as tx:
                deleted = await journal.delete_older(tx, keep=keep)

    return (Job("delete_old_events", timedelta(hours=1), delete_old_events),)
