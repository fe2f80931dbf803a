"""Upward effects: which slices react to which events, in the transaction of the event, in this order.

A slice never calls a slice above it or beside it. It emits an event; whoever has to act on it before the commit is
named here, and this file is the only one that knows both.
"""

from __future__ import annotations

from typing import Final

from app.domains.assessments import service as assessments
from app.domains.credit_data import service as credit_data
from app.domains.credit_data.core.events import CoverChanged, CoverTurned, CreditRecordRetracted
from app.domains.customers.core.events import CustomerChanged
from app.domains.exposure import service as exposure
from app.domains.exposure.core.events import AccountCurrencyChanged, AccountOpened, RiskNoted
from app.domains.limits import service as limits
from app.infra.transaction import Reactions, Transaction
from app.kernel.events import Event


async def note_cover(tx: Transaction, event: Event) -> None:
    """What covers the account that the event is about, on the account, for the order check reads it there."""
    if event.customer_id is None or event.segment is None:
        return
    covered = await credit_data.cover_on(tx, customer_id=event.customer_id, segment=event.segment)
    await exposure.note_cover(
        tx,
        customer_id=event.customer_id,
        segment=event.segment,
        by_currency=covered.by_currency,
        until=covered.until,
    )


async def note_cover_of_new_account(tx: Transaction, event: AccountOpened) -> None:
    """What covers an account that has just been opened: usually nothing, and then there is nothing to note."""
    assert event.customer_id is not None
    assert event.segment is not None
    if (await credit_data.cover_on(tx, customer_id=event.customer_id, segment=event.segment)).by_currency:
        await note_cover(tx, event)


REACTIONS: Final[Reactions] = {
    CustomerChanged: (exposure.regroup,),
    AccountOpened: (note_cover_of_new_account, assessments.note_on_account),
    AccountCurrencyChanged: (note_cover,),
    CoverChanged: (limits.lower_for_announced_withdrawal, note_cover),
    CoverTurned: (note_cover,),
    CreditRecordRetracted: (note_cover,),
    RiskNoted: (limits.lower_for_lost_cover,),
}
