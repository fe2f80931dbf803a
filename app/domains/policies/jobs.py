"""The job that journals which overrides have run out. Nothing waits for it: they ended by themselves."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from app.domains.policies import service as policies
from app.infra.jobs import Job, Run

BATCH: Final = 100


async def expire_overrides(run: Run) -> None:
    """Says of every override that has ended that it has, a batch a transaction."""
    async with run.begin() as tx:
        segments = [segment.segment for segment in await policies.list_segments(tx)]
    for segment in segments:
        expired = BATCH
        while expired == BATCH:
            async with run.begin() as tx:
                expired = await policies.expire_overrides(tx, segment=segment, most=BATCH)


JOBS: Final = (Job("expire_overrides", every=timedelta(minutes=5), run=expire_overrides),)
