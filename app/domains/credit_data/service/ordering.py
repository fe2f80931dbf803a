"""Use cases of reports that are ordered from an agency: order, begin an attempt, and end it.

An attempt is three steps: a transaction that begins it, the call to the agency outside of any, and a transaction that
ends it. Whoever dies in between has cost an attempt, never a second report for one order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from app.domains.credit_data.core import events, orders
from app.domains.credit_data.core.orders import Inquiry, OrderMove, OrderState, ReportOrder, check_age
from app.domains.credit_data.core.records import Filed, Key, Kind
from app.domains.credit_data.core.refusals import CreditSourceMissing, ReportOrderNotFound
from app.domains.credit_data.core.reports import CreditReport
from app.domains.credit_data.repository import orders as repository
from app.domains.credit_data.repository import records
from app.domains.credit_data.service.filing import file
from app.domains.credit_data.service.records import report_ref, report_request
from app.domains.customers import service as customers
from app.domains.policies import service as policies
from app.infra.db.paging import PageRequest, Slice
from app.infra.transaction import Transaction
from app.kernel.periods import local_day

MAX_FAILURE: Final = 500


@dataclass(frozen=True, slots=True)
class Ordered:
    """An order, and whether it is new or one that was waiting already."""

    order: ReportOrder
    created: bool


async def order_report(tx: Transaction, *, customer_id: str, segment: str, agency: str | None) -> Ordered:
    """Orders a report on the customer; one that is waiting at the agency already is not ordered twice.

    Raises `CustomerNotFound`, `SegmentNotFound`, `PolicyMissing`, `CreditSourceMissing` without an agency, and
    `ReportStillCurrent` when the policy finds the last report young enough.
    """
    customer = await customers.get(tx, customer_id=customer_id)
    if agency is None:
        raise CreditSourceMissing("no agency's API is configured: HEADROOM_CREDIT_SOURCE_URL says where one is")
    policy = (await policies.effective_policy(tx, segment=segment, customer=customer)).policy
    today = local_day(tx.now, (await policies.segment(tx, segment=segment)).zone)
    await records.lock(tx.session, customer_id, Kind.REPORT)
    waiting = await repository.waiting(tx.session, customer_id, agency)
    if waiting is not None:
        return Ordered(waiting, created=False)
    last = await _last_report(tx, customer_id, segment, agency)
    check_age(last, on=today, min_age_days=policy.credit_data.report_min_age_days)
    order = ReportOrder(
        id=tx.new_id(),
        customer_id=customer_id,
        segment=segment,
        agency=agency,
        state=OrderState.WAITING,
        attempts=0,
        ordered_by=tx.actor.name,
        ordered_at=tx.now,
        next_at=tx.now,
    )
    await repository.add(tx.session, order)
    tx.emit(events.ordered(order))
    return Ordered(order, created=True)


async def report_order(tx: Transaction, *, customer_id: str, order_id: UUID) -> ReportOrder:
    """One order. Raises `ReportOrderNotFound`."""
    found = await repository.find(tx.session, order_id)
    if found is None or found.customer_id != customer_id:
        raise ReportOrderNotFound(f"no report on {customer_id} was ordered as {order_id}")
    return found


async def list_report_orders(
    tx: Transaction, *, customer_id: str, segment: str, page: PageRequest
) -> Slice[ReportOrder]:
    """The customer's orders in a segment. Raises `CustomerNotFound`."""
    await customers.get(tx, customer_id=customer_id)
    return await repository.page(tx.session, page, customer_id=customer_id, segment=segment)


async def due_report_orders(tx: Transaction, *, agency: str, most: int) -> Sequence[ReportOrder]:
    """At most `most` orders for the agency whose time has come."""
    return await repository.due(tx.session, agency, tx.now, most=most)


async def begin_attempt(tx: Transaction, *, order_id: UUID) -> Inquiry | None:
    """Counts an attempt and says of whom to ask; null when somebody else has begun one or the order has ended."""
    order = await repository.find(tx.session, order_id, lock=True)
    if order is None or order.next_at is None or order.next_at > tx.now:
        return None
    await repository.save(tx.session, orders.begun(order, now=tx.now))
    customer = await customers.get(tx, customer_id=order.customer_id)
    registration = customer.registration
    return Inquiry(
        customer_id=customer.customer_id,
        name=customer.legal_name or customer.name,
        country=customer.country,
        registration_scheme=registration.scheme.value if registration else None,
        registration_value=registration.value if registration else None,
    )


async def deliver(tx: Transaction, *, order_id: UUID, report: CreditReport | None) -> None:
    """Files the report that an order was waiting for; null: the agency does not know the company.

    An agency that says something else under a reference it has used before corrects itself. Raises `ReportEmpty`,
    `ScaleMissing`, `ScoreOutsideScale`, `DayAhead`.
    """
    order = await _waiting(tx, order_id)
    if order is None:
        return
    if report is None:
        await _end(tx, order, orders.ended(order, OrderMove.DISCLAIM, now=tx.now))
        return
    key = Key(order.customer_id, Kind.REPORT, report_ref(report))
    filing = await file(tx, key=key, request=report_request(tx, report))
    await _end(tx, order, orders.ended(order, OrderMove.DELIVER, now=tx.now, record_id=filing.record.id))


async def fail_attempt(tx: Transaction, *, order_id: UUID, failure: str, for_good: bool) -> None:
    """Notes why an attempt has failed; the order fails with its last one, or at once when it is `for_good`."""
    order = await _waiting(tx, order_id)
    if order is None:
        return
    after = orders.failed(order, failure[:MAX_FAILURE], now=tx.now, for_good=for_good)
    if after.state is OrderState.WAITING:
        await repository.save(tx.session, after)
    else:
        await _end(tx, order, after)


async def _waiting(tx: Transaction, order_id: UUID) -> ReportOrder | None:
    order = await repository.find(tx.session, order_id, lock=True)
    return order if order is not None and order.state is OrderState.WAITING else None


async def _end(tx: Transaction, before: ReportOrder, after: ReportOrder) -> None:
    await repository.save(tx.session, after)
    tx.emit(events.order_ended(before, after))


async def _last_report(tx: Transaction, customer_id: str, segment: str, agency: str) -> Filed[CreditReport] | None:
    """The agency's report on the customer that is of the latest day."""
    found = await records.known(
        tx.session, customer_ids=[customer_id], segment=segment, known_at=None, kinds=[Kind.REPORT], most=500
    )
    return next((report for report in found[customer_id] if report.source == agency), None)
