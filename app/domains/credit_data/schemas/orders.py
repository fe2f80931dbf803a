"""Orders of reports on the wire."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from app.domains.credit_data.core.orders import OrderState, ReportOrder
from app.infra.http.fields import SegmentName, Wire


class OrderIn(Wire):
    """Under which segment's policy a report is ordered."""

    segment: SegmentName = "main"


class OrderOut(Wire):
    """An order of a report. `credit_report_id` is the report once it is delivered; `failure` says what went wrong last,
    `next_attempt_at` when the agency is asked."""

    id: UUID
    customer_id: str
    segment: str
    agency: str
    state: OrderState
    attempts: int
    ordered_by: str
    ordered_at: datetime
    next_attempt_at: datetime | None
    credit_report_id: UUID | None
    failure: str | None
    ended_at: datetime | None


def order_out(order: ReportOrder) -> OrderOut:
    """An order as it travels."""
    return OrderOut(
        id=order.id,
        customer_id=order.customer_id,
        segment=order.segment,
        agency=order.agency,
        state=order.state,
        attempts=order.attempts,
        ordered_by=order.ordered_by,
        ordered_at=order.ordered_at,
        next_attempt_at=order.next_at,
        credit_report_id=order.record_id,
        failure=order.failure,
        ended_at=order.ended_at,
    )
