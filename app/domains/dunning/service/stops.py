"""Use cases of stops: nobody reminds a customer, or of an invoice, until a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any
from uuid import UUID

from app.domains.customers import service as customers
from app.domains.dunning.core.events import DunningStopLifted, DunningStopped
from app.domains.dunning.core.refusals import DunningStopNotFound, StopInPast, StopLifted, StopWithoutEnd, at
from app.domains.dunning.repository import cases as repository
from app.domains.dunning.service import standing
from app.domains.dunning.tables import DunningStopRow
from app.domains.policies import service as policies
from app.domains.receivables import service as receivables
from app.infra.db.paging import PageRequest, Slice
from app.infra.transaction import Transaction


class StopKind(StrEnum):
    """Why nobody is reminded: somebody said so, or lawyers do the writing."""

    MANUAL = "manual"
    LEGAL_CASE = "legal_case"


@dataclass(frozen=True, slots=True)
class StopRequest:
    """`until` is the last day without reminders; only a legal case may have none."""

    reason: str
    until: date | None = None
    kind: StopKind = StopKind.MANUAL
    invoice_no: str | None = None


async def stop(tx: Transaction, *, customer_id: str, segment: str, request: StopRequest) -> DunningStopRow:
    """Stops reminders; a notice that waits is dropped.

    Raises `CustomerNotFound`, `SegmentNotFound`, `InvoiceNotFound`, `StopWithoutEnd`, `StopInPast`.
    """
    await customers.get(tx, customer_id=customer_id)
    today = await policies.today(tx, segment=segment)
    if request.until is None and request.kind is not StopKind.LEGAL_CASE:
        raise at(StopWithoutEnd, "/until", "say until which day; a legal case may stay open")
    if request.until is not None and request.until < today:
        raise at(StopInPast, "/until", f"today is {today}")
    if request.invoice_no is not None:
        await receivables.invoice(tx, segment=segment, invoice_no=request.invoice_no)
    row = DunningStopRow(
        id=tx.new_id(),
        segment=segment,
        customer_id=customer_id,
        invoice_no=request.invoice_no,
        kind=request.kind.value,
        until=request.until,
        reason=request.reason,
        set_by=tx.actor.name,
        set_at=tx.now,
    )
    tx.session.add(row)
    await tx.session.flush()
    tx.emit(DunningStopped(**_subject(row), after=_told(row)))
    await standing.bring_in_line(tx, segment=segment, customer_ids=[customer_id])
    return row


async def lift(
    tx: Transaction, *, stop_id: UUID, reason: str, segments: frozenset[str] | None = None
) -> DunningStopRow:
    """Ends a stop before its day. Raises `DunningStopNotFound`, `StopLifted`."""
    row = await repository.stop(tx.session, stop_id)
    if row is None or (segments is not None and row.segment not in segments):
        raise DunningStopNotFound(f"there is no dunning stop {stop_id}")
    if row.lifted_at is not None:
        raise StopLifted(f"it was lifted by {row.lifted_by}")
    row.lifted_by, row.lifted_at, row.lift_reason = tx.actor.name, tx.now, reason
    await tx.session.flush()
    tx.emit(DunningStopLifted(**_subject(row), before=_told(row), after={"lifted": True, "reason": reason}))
    return row


async def list_stops(tx: Transaction, *, customer_id: str, segment: str, page: PageRequest) -> Slice[DunningStopRow]:
    """A customer's stops, those that are over included. Raises `CustomerNotFound`."""
    await customers.get(tx, customer_id=customer_id)
    return await repository.stops_page(tx.session, page, segment=segment, customer_id=customer_id)


def _told(row: DunningStopRow) -> dict[str, Any]:
    return {
        "kind": row.kind,
        "until": row.until.isoformat() if row.until else None,
        "reason": row.reason,
        "invoice_no": row.invoice_no,
    }


def _subject(row: DunningStopRow) -> dict[str, Any]:
    return {"subject_id": str(row.id), "segment": row.segment, "customer_id": row.customer_id}
