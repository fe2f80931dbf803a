"""Forgetting old answers."""

from __future__ import annotations

from datetime import timedelta

from app.infra.jobs import Job, Run
from app.support.idempotency import service as idempotency


async def delete_expired_keys(run: Run) -> None:
    """Deletes batch after batch, so that no transaction is long."""
    deleted = idempotency.DELETE_BATCH
    while deleted == idempotency.DELETE_BATCH:
        async with run.begin() as tx:
            deleted = await idempotency.delete_expired(tx)


JOBS = (Job("delete_expired_idempotency_keys", timedelta(minutes=10), delete_expired_keys),)
