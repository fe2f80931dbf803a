"""Jobs of credit data: covers that begin or end with a day."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import structlog

from app.domains.credit_data import service as credit_data
from app.infra.jobs import Job, Run
from app.kernel.errors import Refusal

BATCH: Final = 500

log = structlog.get_logger("headroom.credit_data")


async def turn_covers(run: Run) -> None:
    """Says what covers amount to where a day has changed it, one account a transaction, until none is left that can be
    turned now."""
    while True:
        async with run.begin() as tx:
            due = await credit_data.turning_covers(tx, most=BATCH)
        if not sum([await _turn(run, *key) for key in due]):
            return


async def _turn(run: Run, customer_id: str, segment: str) -> int:
    """1 when it is done; an account that others hold, or whose currency has no rate, comes again with the next run."""
    try:
        async with run.begin() as tx:
            await credit_data.turn_covers(tx, customer_id=customer_id, segment=segment)
    except Refusal as refusal:
        log.warning("covers_not_turned", customer_id=customer_id, segment=segment, code=refusal.code)
        return 0
    return 1


JOBS: Final = (Job("turn_covers", every=timedelta(minutes=5), run=turn_covers),)
