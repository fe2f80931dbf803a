"""Orders that wait: who has more room is judged anew, oldest order first, inside the headroom and never beyond it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from app.domains.exposure import service as exposure
from app.domains.orders.repository import cases as repository
from app.domains.orders.repository.cases import Waiting
from app.infra.transaction import Transaction
from app.kernel.events import Event

ACCOUNTS_AT_ONCE: Final = 100
CHECKS_AT_ONCE: Final = 100


async def wake_waiting_orders(tx: Transaction, event: Event) -> None:
    """Reaction to new cash, another limit or a lifted hold: the account's orders, and those of all who share a limit
    with it, will be judged anew. One entry an account, in the transaction of what made the room."""
    if event.customer_id is None or event.segment is None:
        return
    together = await exposure.companions(tx, customer_id=event.customer_id, segment=event.segment)
    await repository.wake(tx.session, together, event.segment, token=tx.new_id(), now=tx.now)


async def woken_accounts(tx: Transaction) -> Sequence[Waiting]:
    """At most `ACCOUNTS_AT_ONCE` accounts whose orders are to be judged anew, those first that were woken first."""
    return await repository.waiting(tx.session, ACCOUNTS_AT_ONCE)


async def waiting_checks(tx: Transaction, *, account: Waiting, after: UUID) -> Sequence[UUID]:
    """At most `CHECKS_AT_ONCE` checks of an account under review, behind the id `after`, oldest first."""
    return await repository.waiting_checks(tx.session, account, at=tx.now, after=after, limit=CHECKS_AT_ONCE)


async def settle_account(tx: Transaction, *, account: Waiting) -> None:
    """All orders of an account were judged; it is judged once more if it has been woken meanwhile."""
    await repository.settle(tx.session, account)
