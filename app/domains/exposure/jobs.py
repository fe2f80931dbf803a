"""Jobs of the account: free what has expired, and roll standing facts forward after midnight."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

import structlog

from app.domains.exposure import service as exposure
from app.infra.jobs import Job, Run
from app.kernel.errors import Refusal

BATCH: Final = 100
"""Accounts locked at once; few, so that no check waits long."""
SCAN: Final = 5_000
"""Accounts looked at in one transaction of the midnight scan, without locks."""

log = structlog.get_logger("headroom.exposure")


async def expire_reservations(run: Run) -> None:
    """Frees every reservation that has run out, a batch a transaction."""
    while True:
        async with run.begin() as tx:
            due = await exposure.accounts_with_expired_orders(tx, batch=BATCH)
        if await _refresh(run, due) < BATCH:
            return


async def roll_forward(run: Run) -> None:
    """Brings every account whose day is over to today, so that the first check of the day finds it fresh."""
    after: UUID | None = UUID(int=0)
    while after is not None:
        async with run.begin() as tx:
            stale, after = await exposure.stale_accounts(tx, after=after, scanned=SCAN)
        for start in range(0, len(stale), BATCH):
            await _refresh(run, stale[start : start + BATCH])


async def _refresh(run: Run, keys: Sequence[tuple[str, str]]) -> int:
    """Rolls accounts forward, all at once if nothing stands against it; returns how many."""
    try:
        return await _refresh_at_once(run, keys)
    except Refusal:
        return sum([await _refresh_alone(run, key) for key in keys])


async def _refresh_alone(run: Run, key: tuple[str, str]) -> int:
    try:
        return await _refresh_at_once(run, [key])
    except Refusal as refusal:
        log.warning("account_not_refreshed", customer_id=key[0], segment=key[1], code=refusal.code)
        return 0


async def _refresh_at_once(run: Run, keys: Sequence[tuple[str, str]]) -> int:
    if keys:
        async with run.begin() as tx:
            await exposure.refresh(tx, keys=keys)
    return len(keys)


JOBS: Final = (
    Job("expire_reservations", every=timedelta(seconds=30), run=expire_reservations),
    Job("roll_accounts_forward", every=timedelta(minutes=30), run=roll_forward),
)
