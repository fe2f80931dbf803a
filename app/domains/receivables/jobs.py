"""Jobs of receivables: the payment index of accounts where something was settled or got late; drafts that clear."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import structlog

from app.domains.receivables import service as receivables
from app.infra.jobs import Job, Run
from app.kernel.errors import Refusal

BATCH: Final = 500
"""Accounts or payments looked up at once; each is done in a transaction of its own."""

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


async def clear_payments(run: Run) -> None:
    """Frees the amounts of drafts and cheques whose day has come, until none is left that can be freed now.

    Whoever looks at an account frees its own by that; those of the other members of a group wait for this job.
    """
    while True:
        async with run.begin() as tx:
            due = await receivables.payments_that_clear(tx, batch=BATCH)
        if not sum([await _clear(run, *key) for key in due]):
            return


async def _clear(run: Run, segment: str, payment_ref: str) -> bool:
    """Whether it was cleared; a payment of an account that others hold comes again with the next run."""
    try:
        async with run.begin() as tx:
            return await receivables.clear_payment(tx, segment=segment, payment_ref=payment_ref)
    except Refusal as refusal:
        log.warning("payment_not_cleared", segment=segment, payment_ref=payment_ref, code=refusal.code)
        return False


JOBS: Final = (
    Job("refresh_payment_indices", every=timedelta(minutes=1), run=refresh_payment_indices),
    Job("clear_payments", every=timedelta(seconds=30), run=clear_payments),
)
