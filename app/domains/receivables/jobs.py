"""Jobs of receivables: the payment index of accounts where something was settled or got late."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import structlog

from app.domains.receivables import service as receivables
from app.infra.jobs import Job, Run
from app.kernel.errors import Refusal

BATCH: Final = 500
"""Accounts looked up at once; each is done in a transaction of its own."""

log = structlog.get_logger("headroom.receivables")


async def refresh_payment_indices(run: Run) -> None:
    """Computes what is marked, until nothing is left that can be computed now."""
    while True:
        async with run.begin() as tx:
            due = await receivables.marked_accounts(tx, most=BATCH)
        if not sum([await _refresh(run, *key) for key in due]):
            return


async def _refresh(run: Run, customer_id: str, segment: str) -> int:
    """1 when it is done; an account that others hold comes again with the next run."""
    try:
        async with run.begin() as tx:
            await receivables.refresh_payment_index(tx, customer_id=customer_id, segment=segment)
    except Refusal as refusal:
        log.warning("payment_index_not_refreshed", customer_id=customer_id, segment=segment, code=refusal.code)
        return 0
    return 1


JOBS: Final = (Job("refresh_payment_indices", every=timedelta(minutes=1), run=refresh_payment_indices),)
