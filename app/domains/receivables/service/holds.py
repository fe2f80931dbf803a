"""The hold that a write-off sets on its account, and what lifts it again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from app.domains.exposure import service as exposure
from app.domains.exposure.core.holds import HoldKind
from app.domains.exposure.core.refusals import HoldNotFound
from app.domains.receivables.core.book import Book
from app.domains.receivables.core.write_offs import WriteOffKind
from app.domains.receivables.repository import endings
from app.infra.transaction import Transaction

SOURCE: Final = "write_off"


async def stop(tx: Transaction, *, customer_id: str, segment: str, reason: str) -> None:
    """Stops the account of a customer whose debt was given up: it buys on credit no more."""
    await exposure.set_hold(
        tx, customer_id=customer_id, segment=segment, source=SOURCE, kind=HoldKind.FORCED, reason=reason
    )


async def follow_recoveries(tx: Transaction, book: Book) -> None:
    """Lifts the hold of each account all of whose write-offs were recovered in this book, which must be written."""
    recovered = {made.item_id for made in book.write_offs if made.kind is WriteOffKind.RECOVERY}
    for account_id in _accounts(book, recovered):
        if await endings.has_written_off(tx.session, account_id):
            continue
        account = book.positions.accounts[account_id]
        try:
            await exposure.lift_hold(
                tx,
                customer_id=account.customer_id,
                segment=account.segment,
                source=SOURCE,
                reason="what was written off is recovered",
            )
        except HoldNotFound:
            continue  # lifted before, when it was recovered once already


def _accounts(book: Book, item_ids: Iterable[UUID]) -> list[UUID]:
    wanted = set(item_ids)
    return sorted({item.account_id for item in book.items.values() if item.id in wanted})
