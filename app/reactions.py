"""Upward effects: which slices react to which events, in the transaction of the event, in this order.

A slice never calls a slice above it or beside it. It emits an event; whoever has to act on it before the commit is
named here, and this file is the only one that knows both. The one signal among them is acted on where it is told.
"""

from __future__ import annotations

from typing import Final

from app.domains.assessments import service as assessments
from app.domains.assessments.core.events import CustomerAssessed
from app.domains.credit_data import service as credit_data
from app.domains.credit_data.core.events import AdverseEventFiled, CoverChanged, CoverTurned, CreditRecordRetracted
from app.domains.customers.core.events import ContactErased, CustomerChanged
from app.domains.dunning.core.events import PromiseBroken
from app.domains.dunning.service import forgetting
from app.domains.dunning.service import reacting as dunning
from app.domains.exposure import service as exposure
from app.domains.exposure.core.events import (
    AccountCurrencyChanged,
    AccountOpened,
    AccountsRegrouped,
    FxRatesEntered,
    GroupLimitSet,
    HoldLifted,
    HoldSet,
    LimitSet,
    ReservationExpired,
    RiskNoted,
)
from app.domains.exposure.core.holds import HoldKind
from app.domains.exposure.core.signals import AccountsRolled
from app.domains.limits import service as limits
from app.domains.orders import service as orders
from app.domains.orders.core.order_events import (
    CreditCheckLapsed,
    CreditCheckRejected,
    OrderCancelled,
    OrderClosed,
    ShipmentReversed,
)
from app.domains.policies.core.events import PolicyActivated, PolicyOverrideApproved
from app.domains.receivables import service as receivables
from app.domains.receivables.core.change_events import (
    DisputeOpened,
    DisputeResolved,
    InstalmentsPlanned,
    InvoiceWrittenOff,
    PaymentCleared,
    WriteOffRecovered,
)
from app.domains.receivables.core.events import (
    CreditNoteAllocated,
    CreditNotePosted,
    InvoiceCancelled,
    InvoicePosted,
    PaymentAllocated,
    PaymentPosted,
    PaymentReversed,
)
from app.infra.transaction import Reactions, Together, Transaction
from app.kernel.events import Event
from app.support.auth.core.events import ApiKeyRevoked
from app.support.idempotency import service as idempotency


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


async def stop_for_adverse_events(tx: Transaction, event: Event) -> None:
    """Stops the customer's accounts while a grave event is pending, and frees them of that when none is."""
    assert event.customer_id is not None
    for found in await credit_data.stopping(tx, customer_id=event.customer_id):
        await exposure.keep_hold(
            tx,
            customer_id=event.customer_id,
            segment=found.segment,
            source=ADVERSE_EVENT,
            kind=HoldKind(found.stop) if found.stop else HoldKind.NONE,
            reason=found.reason,
        )


async def read_credit_file(tx: Transaction, event: AccountOpened) -> None:
    """What was filed before an account was opened holds for it too; usually there is nothing."""
    assert event.customer_id is not None
    if await credit_data.is_on_file(tx, customer_id=event.customer_id):
        await note_cover(tx, event)
        await stop_for_adverse_events(tx, event)


async def forget_answers(tx: Transaction, event: ContactErased) -> None:
    """Takes away the kept answers to requests that name the person, in notes that callers wrote."""
    assert event.customer_id is not None, "a contact is a customer's"
    await idempotency.erase(tx, customer_id=event.customer_id, marks=event.marks)


ADVERSE_EVENT: Final = "adverse_event"
"""The source of the hold that an adverse event sets."""

REACTIONS: Final[Reactions] = {
    ApiKeyRevoked: (limits.end_with_key,),
    ContactErased: (forgetting.contact_erased, receivables.contact_erased, forget_answers),
    CustomerChanged: (exposure.regroup, orders.wake_customer),
    PolicyActivated: (orders.wake_segment,),
    PolicyOverrideApproved: (orders.wake_waiting_orders,),
    AccountsRolled: (receivables.clear_drafts,),
    AccountOpened: (read_credit_file, assessments.note_on_account),
    AccountCurrencyChanged: (note_cover,),
    AccountsRegrouped: (orders.wake_regrouped,),
    LimitSet: (limits.ensure_review, orders.wake_waiting_orders),
    GroupLimitSet: (limits.ensure_review, orders.wake_family),
    HoldSet: (orders.wake_waiting_orders,),
    HoldLifted: (orders.wake_waiting_orders,),
    ReservationExpired: (orders.wake_waiting_orders,),
    FxRatesEntered: (orders.wake_without_rate,),
    CoverChanged: (limits.lower_for_announced_withdrawal, note_cover),
    CoverTurned: (note_cover,),
    CreditRecordRetracted: (note_cover, stop_for_adverse_events),
    AdverseEventFiled: (stop_for_adverse_events,),
    RiskNoted: (limits.lower_for_lost_cover, Together(orders.wake_all_waiting_orders)),
    CustomerAssessed: (Together(limits.schedule_reviews_of),),
    OrderCancelled: (orders.wake_waiting_orders,),
    OrderClosed: (orders.wake_waiting_orders,),
    ShipmentReversed: (orders.wake_waiting_orders,),
    CreditCheckRejected: (orders.wake_waiting_orders,),
    CreditCheckLapsed: (orders.wake_waiting_orders,),
    InvoicePosted: (dunning.invoice_posted, orders.wake_where_orders_are_complete),
    InvoiceCancelled: (dunning.items_moved, orders.wake_waiting_orders),
    InvoiceWrittenOff: (dunning.items_moved, orders.wake_waiting_orders),
    WriteOffRecovered: (dunning.items_moved,),
    DisputeOpened: (dunning.items_moved, orders.wake_waiting_orders),
    DisputeResolved: (dunning.items_moved, orders.wake_waiting_orders),
    InstalmentsPlanned: (dunning.items_moved, orders.wake_waiting_orders),
    CreditNotePosted: (dunning.items_moved, orders.wake_waiting_orders),
    CreditNoteAllocated: (dunning.items_moved, orders.wake_waiting_orders),
    PaymentPosted: (dunning.payment_counted, dunning.items_moved, orders.wake_waiting_orders),
    PaymentAllocated: (dunning.allocation_counted, dunning.items_moved, orders.wake_waiting_orders),
    PaymentCleared: (orders.wake_waiting_orders,),
    PaymentReversed: (dunning.payment_taken_back, dunning.items_moved),
    PromiseBroken: (receivables.note_broken_promise,),
}
