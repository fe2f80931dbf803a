"""Finds, adds, changes and lists credit checks and shipments."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, delete, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from app.domains.orders.core.decision import Outcome
from app.domains.orders.core.reviews import Check, Review
from app.domains.orders.core.shipments import Shipment
from app.domains.orders.tables import CreditCheckRow, ShipmentRow
from app.infra.db.paging import PageRequest, Slice, fetch


@dataclass(frozen=True, slots=True)
class StoredCheck:
    """A credit check with the facts it was decided from and the answer that was sent, both JSON."""

    check: Check
    account_id: UUID
    checkpoint: str
    policy_version: int
    policy_profile: str
    policy_override_id: UUID | None
    facts: str
    answer: str


@dataclass(frozen=True, slots=True)
class ClosedCheck:
    """A check that nobody has to decide any more, and the order (segment, reference) it was about."""

    id: UUID
    order_key: tuple[str, str]


@dataclass(frozen=True, slots=True)
class CheckFilter:
    """Which checks a list shows; null: all. `review` is where the review stands `at`, recorded or not."""

    at: datetime
    segments: Collection[str] | None = None
    customer_id: str | None = None
    order_ref: str | None = None
    outcome: Outcome | None = None
    review: Review | None = None


@dataclass(frozen=True, slots=True)
class ShipmentFilter:
    """Which shipments a list shows; null: all."""

    segments: Collection[str] | None = None
    customer_id: str | None = None
    order_ref: str | None = None


# ---- credit checks -----------------------------------------------------------------------------------------


async def find_check(session: AsyncSession, check_id: UUID) -> StoredCheck | None:
    """The check as it is stored now, whatever this transaction has read before."""
    row = await session.get(CreditCheckRow, check_id, populate_existing=True)
    return None if row is None else _stored(row)


async def lock_check(session: AsyncSession, check_id: UUID) -> StoredCheck | None:
    """The check, whose review nobody else decides or takes on until the transaction ends. Lock its account first."""
    row = await session.get(CreditCheckRow, check_id, populate_existing=True, with_for_update={"key_share": True})
    return None if row is None else _stored(row)


async def find_checks(session: AsyncSession, check_ids: Collection[UUID]) -> Mapping[UUID, StoredCheck]:
    """Those of the checks that there are."""
    rows = await session.scalars(select(CreditCheckRow).where(CreditCheckRow.id.in_(check_ids)))
    return {row.id: _stored(row) for row in rows}


async def list_checks(session: AsyncSession, page: PageRequest, wanted: CheckFilter) -> Slice[StoredCheck]:
    """A page of checks in the order in which they were decided.

    `changed_after` filters and does not order: an index on the instant of the last change would cost every decision.
    """
    statement = select(CreditCheckRow).where(*_conditions(wanted))
    if page.changed_after is not None:
        statement = statement.where(CreditCheckRow.changed_at > page.changed_after)
    found = await fetch(session, statement, replace(page, changed_after=None), keys=[CreditCheckRow.id])
    return Slice([_stored(row) for row in found.rows], found.next_cursor)


async def add_check(session: AsyncSession, stored: StoredCheck) -> None:
    """Adds a check."""
    check = stored.check
    await session.execute(
        insert(CreditCheckRow).values(
            id=check.id,
            account_id=stored.account_id,
            customer_id=check.customer_id,
            segment=check.segment,
            order_ref=check.order_ref,
            checkpoint=stored.checkpoint,
            amount=check.amount,
            currency=check.currency,
            outcome=check.outcome.value,
            codes=list(check.codes),
            policy_version=stored.policy_version,
            policy_profile=stored.policy_profile,
            policy_override_id=stored.policy_override_id,
            caller=check.caller,
            caller_name=check.caller_name,
            on_behalf_of=check.on_behalf_of,
            decided_at=check.decided_at,
            facts=stored.facts,
            answer=stored.answer,
            changed_at=check.decided_at,
            **_review_values(check),
        )
    )


async def write_review(session: AsyncSession, check: Check, now: datetime) -> None:
    """Writes where the review of a check stands."""
    await session.execute(
        update(CreditCheckRow).where(CreditCheckRow.id == check.id).values(changed_at=now, **_review_values(check))
    )


async def lapsing_accounts(session: AsyncSession, now: datetime, limit: int) -> Sequence[tuple[str, str]]:
    """At most `limit` accounts (customer, segment) with a review that nobody decided in time."""
    statement = (
        select(CreditCheckRow.customer_id, CreditCheckRow.segment)
        .where(_lapsed(now))
        .distinct()
        .order_by(CreditCheckRow.customer_id, CreditCheckRow.segment)
        .limit(limit)
    )
    return [(row.customer_id, row.segment) for row in await session.execute(statement)]


async def lapsing_checks(
    session: AsyncSession, *, customer_id: str, segment: str, now: datetime, limit: int
) -> Sequence[Check]:
    """At most `limit` checks of an account whose review nobody decided in time, oldest first."""
    statement = (
        select(CreditCheckRow)
        .where(_lapsed(now), CreditCheckRow.customer_id == customer_id, CreditCheckRow.segment == segment)
        .order_by(CreditCheckRow.id)
        .limit(limit)
    )
    rows = await session.scalars(statement, execution_options={"populate_existing": True})
    return [_check(row) for row in rows]


async def closed_checks(session: AsyncSession, *, after: UUID, before: UUID, limit: int) -> Sequence[ClosedCheck]:
    """At most `limit` checks with ids between `after` and `before` whose review is not open, oldest first."""
    statement = (
        select(CreditCheckRow.id, CreditCheckRow.segment, CreditCheckRow.order_ref)
        .where(CreditCheckRow.id > after, CreditCheckRow.id < before, CreditCheckRow.review != Review.OPEN.value)
        .order_by(CreditCheckRow.id)
        .limit(limit)
    )
    return [ClosedCheck(row.id, (row.segment, row.order_ref)) for row in await session.execute(statement)]


async def delete_checks(session: AsyncSession, ids: Sequence[UUID]) -> int:
    """Deletes checks; how many there were."""
    deleted = await session.execute(
        delete(CreditCheckRow).where(CreditCheckRow.id.in_(ids)).returning(CreditCheckRow.id)
    )
    return len(deleted.all())


def _conditions(wanted: CheckFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.segments is not None:
        conditions.append(CreditCheckRow.segment.in_(wanted.segments))
    if wanted.customer_id is not None:
        conditions.append(CreditCheckRow.customer_id == wanted.customer_id)
    if wanted.order_ref is not None:
        conditions.append(CreditCheckRow.order_ref == wanted.order_ref)
    if wanted.outcome is not None:
        conditions.append(CreditCheckRow.outcome == wanted.outcome.value)
    if wanted.review is not None:
        conditions.append(_review_stands(wanted.review, wanted.at))
    return conditions


def _review_stands(review: Review, at: datetime) -> ColumnElement[bool]:
    stands = CreditCheckRow.review == review.value
    if review is Review.OPEN:
        return and_(stands, CreditCheckRow.review_until > at)
    return or_(stands, _lapsed(at)) if review is Review.LAPSED else stands


def _lapsed(at: datetime) -> ColumnElement[bool]:
    return and_(CreditCheckRow.review == Review.OPEN.value, CreditCheckRow.review_until <= at)


def _review_values(check: Check) -> dict[str, Any]:
    return {
        "review": check.review.value,
        "review_until": check.review_until,
        "reviewed_by": check.reviewed_by,
        "reviewed_at": check.reviewed_at,
        "review_reason": check.review_reason,
        "released_amount": check.released_amount,
    }


def _stored(row: CreditCheckRow) -> StoredCheck:
    return StoredCheck(
        check=_check(row),
        account_id=row.account_id,
        checkpoint=row.checkpoint,
        policy_version=row.policy_version,
        policy_profile=row.policy_profile,
        policy_override_id=row.policy_override_id,
        facts=row.facts,
        answer=row.answer,
    )


def _check(row: CreditCheckRow) -> Check:
    return Check(
        id=row.id,
        customer_id=row.customer_id,
        segment=row.segment,
        order_ref=row.order_ref,
        amount=row.amount,
        currency=row.currency,
        outcome=Outcome(row.outcome),
        codes=tuple(row.codes),
        caller=row.caller,
        caller_name=row.caller_name,
        on_behalf_of=row.on_behalf_of,
        decided_at=row.decided_at,
        review=Review(row.review),
        review_until=row.review_until,
        reviewed_by=row.reviewed_by,
        reviewed_at=row.reviewed_at,
        review_reason=row.review_reason,
        released_amount=row.released_amount,
    )


# ---- shipments ---------------------------------------------------------------------------------------------


async def find_shipment(session: AsyncSession, *, segment: str, shipment_ref: str) -> Shipment | None:
    """The shipment as it is stored now, whatever this transaction has read before."""
    row = await session.get(ShipmentRow, (segment, shipment_ref), populate_existing=True)
    return None if row is None else _shipment(row)


async def list_shipments(session: AsyncSession, page: PageRequest, wanted: ShipmentFilter) -> Slice[Shipment]:
    """A page of shipments by the instant of their last change."""
    statement: Select[Any] = select(ShipmentRow)
    if wanted.segments is not None:
        statement = statement.where(ShipmentRow.segment.in_(wanted.segments))
    if wanted.customer_id is not None:
        statement = statement.where(ShipmentRow.customer_id == wanted.customer_id)
    if wanted.order_ref is not None:
        statement = statement.where(ShipmentRow.order_ref == wanted.order_ref)
    keys = [ShipmentRow.changed_at, ShipmentRow.segment, ShipmentRow.shipment_ref]
    found = await fetch(session, statement, page, keys=keys)
    return Slice([_shipment(row) for row in found.rows], found.next_cursor)


async def add_shipment(session: AsyncSession, shipment: Shipment) -> bool:
    """Adds a shipment; False when another transaction has just taken its reference."""
    values = {**_shipment_values(shipment), "changed_at": shipment.shipped_at}
    statement = upsert(ShipmentRow).values(values).on_conflict_do_nothing().returning(ShipmentRow.shipment_ref)
    return await session.scalar(statement) is not None


async def write_shipment(session: AsyncSession, shipment: Shipment, now: datetime) -> None:
    """Writes a shipment that has changed."""
    await session.execute(
        update(ShipmentRow)
        .where(ShipmentRow.segment == shipment.segment, ShipmentRow.shipment_ref == shipment.shipment_ref)
        .values(changed_at=now, **_shipment_values(shipment))
    )


def _shipment(row: ShipmentRow) -> Shipment:
    return Shipment(
        segment=row.segment,
        shipment_ref=row.shipment_ref,
        order_ref=row.order_ref,
        customer_id=row.customer_id,
        amount=row.amount,
        currency=row.currency,
        already_left=row.already_left,
        shipped_at=row.shipped_at,
        shipped_by=row.shipped_by,
        reversed_at=row.reversed_at,
        reversed_by=row.reversed_by,
        reversal_reason=row.reversal_reason,
        reorder=row.reorder,
    )


def _shipment_values(shipment: Shipment) -> dict[str, Any]:
    return {
        "segment": shipment.segment,
        "shipment_ref": shipment.shipment_ref,
        "order_ref": shipment.order_ref,
        "customer_id": shipment.customer_id,
        "amount": shipment.amount,
        "currency": shipment.currency,
        "already_left": shipment.already_left,
        "shipped_at": shipment.shipped_at,
        "shipped_by": shipment.shipped_by,
        "reversed_at": shipment.reversed_at,
        "reversed_by": shipment.reversed_by,
        "reversal_reason": shipment.reversal_reason,
        "reorder": shipment.reorder,
    }
