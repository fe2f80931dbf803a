"""Sealing to the end, which transactions of other tests on the same server can hold up."""

from __future__ import annotations

import asyncio
from typing import Final

from sqlalchemy import text

from app.infra.transaction import Transactions
from app.kernel.identity import SYSTEM
from app.support.journal import service as journal

_UNSEALED: Final = "select exists (select from events where id not in (select event_id from event_seals))"


async def seal_all(transactions: Transactions) -> None:
    """Gives every event its place."""
    while True:
        async with transactions.begin(actor=SYSTEM, request_id="test") as tx:
            await journal.seal(tx)
            if not (await tx.session.execute(text(_UNSEALED))).scalar_one():
                return
        await asyncio.sleep(0.02)
