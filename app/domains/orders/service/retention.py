"""Retention of credit checks: old ones go, but never one of an order that still binds credit or waits for somebody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from app.domains.exposure import service as exposure
from app.domains.orders import repository
from app.infra.transaction import Transaction
from app.kernel.identity import uuid7

DELETE_BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class Swept:
    """How many checks one batch deleted and spared, and the id to go on behind; null at the end."""

    deleted: int
    spared: int
    last: UUID | None


async def delete_older_checks(tx: Transaction, *, keep: timedelta, after: UUID, batch: int = DELETE_BATCH) -> Swept:
    """Deletes, of the next `batch` checks behind the id `after` that are older than `keep`, those nobody needs.

    A check is needed while its review is open and while its order reserves credit or has goods not invoiced. Ids are
    drawn in the order of time, so the oldest checks are found without an index of their own.
    """
    before = uuid7(tx.now - keep, 0)
    old = await repository.closed_checks(tx.session, after=after, before=before, limit=batch)
    orders = await exposure.filed_orders(tx, keys={check.order_key for check in old})
    binding = {key for key, filed in orders.items() if filed.order.binds or filed.order.review_id is not None}
    deleted = await repository.delete_checks(tx.session, [c.id for c in old if c.order_key not in binding])
    return Swept(deleted, len(old) - deleted, old[-1].id if len(old) == batch else None)
