"""Orders that wait: who has more room is judged anew, oldest order first, inside the headroom and never beyond it.

Whatever makes room, or takes away what a rule objected to, marks the accounts in its own transaction: one entry an
account, and only if one of its orders is under review. What no event tells of, because a day brings it (limits that
begin or end, a policy that becomes effective), is found at the beginning of each day of the segment.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Final
from uuid import UUID

from app.domains.customers import service as customers
from app.domains.customers.core.events import CustomerChanged
from app.domains.exposure import service as exposure
from app.domains.exposure.core.account import Account
from app.domains.exposure.core.events import AccountsRegrouped, FxRatesEntered, GroupLimitSet
from app.domains.orders.repository import waiting as repository
from app.domains.orders.repository.waiting import Waiting
from app.domains.policies import service as policies
from app.domains.policies.core.events import PolicyActivated
from app.domains.receivables.core.change_events import customers_of
from app.domains.receivables.core.events import InvoicePosted
from app.infra.transaction import Transaction
from app.kernel.events import Event
from app.kernel.periods import local_day

ACCOUNTS_AT_ONCE: Final = 100
CHECKS_AT_ONCE: Final = 100

# ---- what wakes them ---------------------------------------------------------------------------------------


async def wake_waiting_orders(tx: Transaction, event: Event) -> None:
    """Reaction to whatever gives a customer more room: cash, another limit, an order that ends, a better assessment.

    Wakes the customer's orders, those of customers whose items were settled, and of all who share a limit with them.
    """
    if event.segment is not None and (customer_ids := customers_of(event)):
        await _wake(tx, customer_ids, event.segment)


async def wake_all_waiting_orders(tx: Transaction, events: Sequence[Event]) -> None:
    """As `wake_waiting_orders`, for all events of their kind at once."""
    waking: dict[str, set[str]] = defaultdict(set)
    for event in events:
        if event.segment is not None:
            waking[event.segment] |= customers_of(event)
    for segment, customer_ids in sorted(waking.items()):
        if customer_ids:
            await _wake(tx, customer_ids, segment)


async def wake_where_orders_are_complete(tx: Transaction, event: InvoicePosted) -> None:
    """Reaction to an invoice: it frees what is left of the orders that it completes, and nothing else."""
    if any(part["complete"] for part in event.after["orders"]):
        await wake_waiting_orders(tx, event)


async def wake_family(tx: Transaction, event: GroupLimitSet) -> None:
    """Reaction to another shared limit, or to none any more: it is or was that of all descendants."""
    assert event.customer_id is not None
    assert event.segment is not None
    family = await customers.descendants(tx, customer_id=event.customer_id)
    await repository.wake(tx.session, family, event.segment, token=tx.new_id(), now=tx.now)


async def wake_regrouped(tx: Transaction, event: AccountsRegrouped) -> None:
    """Reaction to a new parent: those who moved have other limits, those they left have the room to themselves."""
    assert event.segment is not None
    left = {UUID(group_id) for group_id in event.before["groups"].values() if group_id is not None}
    moved = await customers.descendants(tx, customer_id=event.subject_id)
    together = {*moved, *await exposure.members(tx, group_ids=left)}
    await repository.wake(tx.session, together, event.segment, token=tx.new_id(), now=tx.now)


async def wake_customer(tx: Transaction, event: CustomerChanged) -> None:
    """Reaction to other terms or another profile of a customer: other rules hold, in every segment."""
    if event.terms_changed or event.profile_changed:
        for segment in await policies.list_segments(tx):
            await repository.wake(tx.session, [event.subject_id], segment.segment, token=tx.new_id(), now=tx.now)


async def wake_segment(tx: Transaction, event: PolicyActivated) -> None:
    """Reaction to another policy; one that becomes effective later is found when its day begins."""
    assert event.segment is not None
    await repository.wake_segment(tx.session, event.segment, token=tx.new_id(), now=tx.now)


async def wake_without_rate(tx: Transaction, event: FxRatesEntered) -> None:
    """Reaction to exchange rates: orders that were referred for want of one may go."""
    await repository.wake_referred_for(tx.session, "fx_rate_missing", token=tx.new_id(), now=tx.now)


async def wake_if_freed(tx: Transaction, *, before: Account, after: Account) -> None:
    """Wakes the orders of an account that a decision on one of them has given more room."""
    if after.has_more_room_than(before):
        await _wake(tx, [after.customer_id], after.segment)


async def wake_for_the_day(tx: Transaction) -> None:
    """Wakes all waiting orders of each segment in which a day has begun since the last call."""
    for segment in await policies.list_segments(tx):
        if await repository.begin_day(tx.session, segment.segment, local_day(tx.now, segment.zone)):
            await repository.wake_segment(tx.session, segment.segment, token=tx.new_id(), now=tx.now)


# ---- judging them ------------------------------------------------------------------------------------------


async def woken_accounts(tx: Transaction) -> Sequence[Waiting]:
    """At most `ACCOUNTS_AT_ONCE` accounts whose orders are to be judged anew, those first that were woken first."""
    return await repository.waiting(tx.session, ACCOUNTS_AT_ONCE)


async def waiting_checks(tx: Transaction, *, account: Waiting, after: UUID) -> Sequence[UUID]:
    """At most `CHECKS_AT_ONCE` checks of an account under review, behind the id `after`, oldest first."""
    return await repository.waiting_checks(tx.session, account, at=tx.now, after=after, limit=CHECKS_AT_ONCE)


async def settle_account(tx: Transaction, *, account: Waiting) -> None:
    """All orders of an account were judged; it is judged once more if it has been woken meanwhile."""
    await repository.settle(tx.session, account)


async def _wake(tx: Transaction, customer_ids: Collection[str], segment: str) -> None:
    together = await exposure.companions(tx, customer_ids=customer_ids, segment=segment)
    await repository.wake(tx.session, together, segment, token=tx.new_id(), now=tx.now)
