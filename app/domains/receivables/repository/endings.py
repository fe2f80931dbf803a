"""Disputes, write-offs and refunds, and what is read for them: by item, payment, order or day."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, any_, cast, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as PgUUID
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.domains.receivables.core.allocations import CreditKind
from app.domains.receivables.core.book import Book
from app.domains.receivables.core.disputes import Dispute, DisputeReason, DisputeState
from app.domains.receivables.core.payments import Payment
from app.domains.receivables.core.refunds import Refund, RefundKind
from app.domains.receivables.core.write_offs import BadDebtReason, WriteOff, WriteOffKind
from app.domains.receivables.repository.records import Values, payment_from
from app.domains.receivables.tables import DisputeRow, OpenItemRow, PaymentRow, RefundRow, WriteOffRow
from app.infra.db.failures import UNIQUE_VIOLATION, sqlstate
from app.infra.db.paging import PageRequest, Slice, fetch


async def write(session: AsyncSession, book: Book) -> bool:
    """Writes the refunds and write-offs made in the book; False if another transaction has taken a reference."""
    if book.write_offs:
        await session.execute(insert(WriteOffRow), [_write_off_values(made) for made in book.write_offs])
    if not book.refunds:
        return True
    try:
        await session.execute(insert(RefundRow), [_refund_values(made) for made in book.refunds])
    except IntegrityError as error:
        if sqlstate(error) == UNIQUE_VIOLATION:
            return False
        raise
    return True


async def add_dispute(session: AsyncSession, dispute: Dispute) -> None:
    """Stores a dispute just opened."""
    await session.execute(insert(DisputeRow), [_dispute_values(dispute)])


async def end_dispute(session: AsyncSession, dispute: Dispute) -> None:
    """Stores how a dispute ended."""
    values = _dispute_values(dispute)
    ended = {name: values[name] for name in values if name.startswith("resol") or name in ("state", "credit_note_no")}
    await session.execute(update(DisputeRow).where(DisputeRow.id == dispute.id).values(ended))


async def disputes_of(
    session: AsyncSession, item_ids: Collection[UUID], *, state: DisputeState | None = None
) -> Sequence[Dispute]:
    """The disputes about these items, in any state or this one, the oldest first."""
    if not item_ids:
        return ()
    statement = _disputes().where(DisputeRow.item_id.in_(item_ids)).order_by(DisputeRow.opened_at, DisputeRow.id)
    if state is not None:
        statement = statement.where(DisputeRow.state == state.value)
    return [_dispute_from(row) for row in (await session.execute(statement)).mappings()]


async def disputes_page(
    session: AsyncSession,
    page: PageRequest,
    *,
    segment: str,
    customer_id: str | None,
    state: DisputeState | None,
) -> Slice[Dispute]:
    """Disputes of a segment by the instant they were opened."""
    statement = select(DisputeRow).where(DisputeRow.segment == segment)
    if customer_id is not None:
        statement = statement.where(DisputeRow.customer_id == customer_id)
    if state is not None:
        statement = statement.where(DisputeRow.state == state.value)
    found = await fetch(session, statement, page, keys=[DisputeRow.opened_at, DisputeRow.id])
    ids = [row.item_id for row in found.rows]
    named = await session.execute(
        select(OpenItemRow.id, OpenItemRow.invoice_no, OpenItemRow.currency).where(OpenItemRow.id.in_(ids))
    )
    items = {row.id: row for row in named}
    rows = [{**_record(row), **_naming(items[row.item_id])} for row in found.rows]
    return Slice([_dispute_from(row) for row in rows], found.next_cursor)


async def write_offs_of(session: AsyncSession, item_ids: Collection[UUID]) -> Sequence[WriteOff]:
    """What was written off of these items and recovered, in order."""
    if not item_ids:
        return ()
    statement = select(WriteOffRow).where(WriteOffRow.item_id.in_(item_ids))
    rows = await session.scalars(statement.order_by(WriteOffRow.made_at, WriteOffRow.kind.desc(), WriteOffRow.id))
    return [
        WriteOff(
            id=row.id,
            item_id=row.item_id,
            kind=WriteOffKind(row.kind),
            amount=row.amount,
            category=None if row.category is None else BadDebtReason(row.category),
            reason=row.reason,
            effective_on=row.effective_on,
            made_by=row.made_by,
            made_at=row.made_at,
        )
        for row in rows
    ]


async def has_written_off(session: AsyncSession, account_id: UUID) -> bool:
    """Whether anything of the account is written off and not recovered."""
    written_off = select(OpenItemRow.id).where(OpenItemRow.account_id == account_id, OpenItemRow.written_off_amount > 0)
    return await session.scalar(written_off.limit(1)) is not None


async def refunds_of(session: AsyncSession, credit_ids: Collection[UUID]) -> Sequence[Refund]:
    """What was paid back or kept of payments and credit notes with these ids, in order."""
    if not credit_ids:
        return ()
    either = or_(RefundRow.payment_id.in_(credit_ids), RefundRow.credit_note_id.in_(credit_ids))
    statement = _refunds().where(either).order_by(RefundRow.made_at, RefundRow.id)
    return [_refund_from(row) for row in (await session.execute(statement)).mappings()]


async def find_refund(session: AsyncSession, segment: str, refund_ref: str) -> Refund | None:
    """The refund with this reference."""
    statement = _refunds().where(RefundRow.segment == segment, RefundRow.refund_ref == refund_ref)
    row = (await session.execute(statement)).mappings().one_or_none()
    return None if row is None else _refund_from(row)


async def clearing(session: AsyncSession, *, segment: str, until: date, most: int) -> Sequence[tuple[str, str]]:
    """At most `most` payments (segment, reference) of a segment that clear by the day `until`."""
    due = and_(PaymentRow.uncleared_amount > 0, PaymentRow.clears_on <= until, PaymentRow.segment == segment)
    statement = select(PaymentRow.segment, PaymentRow.payment_ref).where(due)
    rows = await session.execute(statement.order_by(PaymentRow.clears_on, PaymentRow.id).limit(most))
    return [(row.segment, row.payment_ref) for row in rows]


async def cleared_drafts(session: AsyncSession, today: Mapping[UUID, date]) -> Sequence[Payment]:
    """The drafts and cheques, not yet freed, that are money by the day that it is for their account."""
    if not today:
        return ()
    due = and_(
        PaymentRow.account_id == any_(cast(list(today), ARRAY(PgUUID(as_uuid=True)))),
        PaymentRow.uncleared_amount > 0,
        PaymentRow.clears_on <= max(today.values()),
    )
    statement = select(*PaymentRow.__table__.c).where(due).order_by(PaymentRow.clears_on, PaymentRow.id)
    found = [payment_from(row) for row in (await session.execute(statement)).mappings()]
    return [payment for payment in found if payment.clears_on and payment.clears_on <= today[payment.account_id]]


def _disputes() -> Select[Any]:
    made, item = DisputeRow.__table__, OpenItemRow.__table__
    return select(*made.c, item.c.invoice_no, item.c.currency).select_from(made.join(item, item.c.id == made.c.item_id))


def _dispute_from(row: Mapping[Any, Any]) -> Dispute:
    return Dispute(**{**row, "reason": DisputeReason(row["reason"]), "state": DisputeState(row["state"])})


def _dispute_values(dispute: Dispute) -> Values:
    return {
        "id": dispute.id,
        "item_id": dispute.item_id,
        "segment": dispute.segment,
        "customer_id": dispute.customer_id,
        "amount": dispute.amount,
        "reason": dispute.reason.value,
        "note": dispute.note,
        "state": dispute.state.value,
        "opened_by": dispute.opened_by,
        "opened_at": dispute.opened_at,
        "opened_on": dispute.opened_on,
        "resolved_by": dispute.resolved_by,
        "resolved_at": dispute.resolved_at,
        "resolved_on": dispute.resolved_on,
        "resolution": dispute.resolution,
        "credit_note_no": dispute.credit_note_no,
    }


def _write_off_values(made: WriteOff) -> Values:
    return {
        "id": made.id,
        "item_id": made.item_id,
        "kind": made.kind.value,
        "amount": made.amount,
        "category": made.category and made.category.value,
        "reason": made.reason,
        "effective_on": made.effective_on,
        "made_by": made.made_by,
        "made_at": made.made_at,
    }


def _refunds() -> Select[Any]:
    made, note, paid = RefundRow.__table__, OpenItemRow.__table__, PaymentRow.__table__
    between = made.outerjoin(paid, paid.c.id == made.c.payment_id).outerjoin(note, note.c.id == made.c.credit_note_id)
    ref = func.coalesce(paid.c.payment_ref, note.c.invoice_no).label("credit_ref")
    return select(*made.c, ref, func.coalesce(paid.c.currency, note.c.currency).label("currency")).select_from(between)


def _refund_from(row: Mapping[Any, Any]) -> Refund:
    by_payment = row["payment_id"] is not None
    return Refund(
        id=row["id"],
        segment=row["segment"],
        refund_ref=row["refund_ref"],
        kind=RefundKind(row["kind"]),
        credit=CreditKind.PAYMENT if by_payment else CreditKind.CREDIT_NOTE,
        credit_id=row["payment_id"] if by_payment else row["credit_note_id"],
        credit_ref=row["credit_ref"],
        customer_id=row["customer_id"],
        amount=row["amount"],
        currency=row["currency"],
        refunded_on=row["refunded_on"],
        reason=row["reason"],
        made_by=row["made_by"],
        made_at=row["made_at"],
    )


def _refund_values(made: Refund) -> Values:
    by_payment = made.credit is CreditKind.PAYMENT
    return {
        "id": made.id,
        "segment": made.segment,
        "refund_ref": made.refund_ref,
        "kind": made.kind.value,
        "payment_id": made.credit_id if by_payment else None,
        "credit_note_id": None if by_payment else made.credit_id,
        "customer_id": made.customer_id,
        "amount": made.amount,
        "refunded_on": made.refunded_on,
        "reason": made.reason,
        "made_by": made.made_by,
        "made_at": made.made_at,
    }


def _record(row: DisputeRow) -> dict[str, Any]:
    return {column: getattr(row, column) for column in row.__table__.columns.keys()}  # noqa: SIM118 - no dict


def _naming(item: Any) -> dict[str, Any]:
    return {"invoice_no": item.invoice_no, "currency": item.currency}
