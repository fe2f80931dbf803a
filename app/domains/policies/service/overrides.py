"""Overrides: propose, approve, reject, and what is in force or waits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from app.domains.customers import service as customers
from app.domains.policies import repository
from app.domains.policies.core.document import effective, parse_rules
from app.domains.policies.core.events import (
    PolicyOverrideApprovalRefused,
    PolicyOverrideApproved,
    PolicyOverrideExpired,
    PolicyOverrideProposed,
    PolicyOverrideRejected,
)
from app.domains.policies.core.four_eyes import require_second_person
from app.domains.policies.core.overrides import (
    OverrideMove,
    OverrideStatus,
    PolicyOverride,
    check_window,
    decide,
)
from app.domains.policies.core.refusals import OverrideNotFound
from app.domains.policies.service.effective import active, fitted
from app.domains.policies.service.segments import segment as get_segment
from app.domains.policies.service.segments import today as get_today
from app.domains.policies.tables import PolicyOverrideRow
from app.infra.transaction import Transaction
from app.kernel.errors import Forbidden
from app.kernel.periods import local_day
from app.support.auth.core.principals import SegmentNotFound

PATCH: str = "/patch"
"""Where the patch stands in what callers send."""


@dataclass(frozen=True, slots=True)
class OverrideView:
    """A customer's overrides in one segment: the one in force and the one that waits."""

    in_force: PolicyOverride | None
    pending: PolicyOverride | None


async def propose_override(
    tx: Transaction,
    *,
    segment: str,
    customer_id: str,
    patch: Mapping[str, Any],
    valid_until: date,
    reason: str,
) -> PolicyOverride:
    """Asks for other rules for the customer, in the place of a proposal that waits; the same again changes nothing.

    Raises `CustomerNotFound`, `SegmentNotFound`, `PolicyMissing`, `PolicyInvalid` (pointers into the patched document,
    beginning with /patch) or `OverridePast`.
    """
    customer = await customers.get(tx, customer_id=customer_id)
    today = await _lock(tx, segment)
    check_window(valid_until, on=today)
    document = (await active(tx, segment=segment)).document
    parse_rules(effective(document, profile=customer.profile, override_patch=patch), root=PATCH)
    waiting = await repository.override(tx.session, segment, customer_id, OverrideStatus.PENDING)
    if waiting is not None and _says(waiting) == (dict(patch), valid_until, reason, tx.actor.name):
        return waiting.facts()
    replaced = await _replace(tx, waiting)
    row = PolicyOverrideRow(
        id=tx.new_id(),
        customer_id=customer_id,
        segment=segment,
        patch=dict(patch),
        valid_until=valid_until,
        reason=reason,
        status=OverrideStatus.PENDING,
        requested_by=tx.actor.name,
        requested_at=tx.now,
    )
    tx.session.add(row)
    await tx.session.flush()
    after = {"status": row.status, "patch": row.patch, "valid_until": valid_until.isoformat(), "reason": reason}
    tx.emit(PolicyOverrideProposed(**_subject(row), before=replaced, after=after))
    return row.facts()


async def approve_override(tx: Transaction, *, segment: str, customer_id: str) -> PolicyOverride:
    """Puts the waiting override in force, in the place of the one before; the attempt of somebody who may not is
    journalled.

    Raises `CustomerNotFound`, `SegmentNotFound`, `OverrideNotPending`, `PersonRequired`, `FourEyes`, `OverridePast`,
    and `OverrideUnfit` where the policy has changed since the proposal.
    """
    customer = await customers.get(tx, customer_id=customer_id)
    today = await _lock(tx, segment)
    row, status = await _waiting(tx, segment, customer_id, OverrideMove.APPROVE)
    try:
        require_second_person(tx.actor, not_one_of=[row.requested_by])
    except Forbidden as refusal:
        refusal.attempt = PolicyOverrideApprovalRefused(**_subject(row), after={"code": refusal.code})
        raise
    check_window(row.valid_until, on=today)
    fitted((await active(tx, segment=segment)).document, profile=customer.profile, override=row)
    replaced = await _replace(tx, await repository.override(tx.session, segment, customer_id, OverrideStatus.APPROVED))
    before = {"status": row.status, **replaced}
    _decide(tx, row, status)
    tx.emit(PolicyOverrideApproved(**_subject(row), before=before, after={"status": row.status}, exceptional=True))
    await tx.session.flush()
    return row.facts()


async def reject_override(tx: Transaction, *, segment: str, customer_id: str) -> PolicyOverride:
    """Turns the waiting override down. Raises `CustomerNotFound`, `SegmentNotFound` or `OverrideNotPending`."""
    await customers.get(tx, customer_id=customer_id)
    await _lock(tx, segment)
    row, status = await _waiting(tx, segment, customer_id, OverrideMove.REJECT)
    before = {"status": row.status}
    _decide(tx, row, status)
    tx.emit(PolicyOverrideRejected(**_subject(row), before=before, after={"status": row.status}))
    await tx.session.flush()
    return row.facts()


async def expire_overrides(tx: Transaction, *, segment: str, most: int) -> int:
    """Says of at most `most` overrides that they have run out, which they did by themselves at the end of their last
    day; returns of how many. Raises `SegmentNotFound`."""
    today = await _lock(tx, segment)
    past = await repository.overrides_past(tx.session, segment, today, most=most)
    for row in past:
        before = {"status": row.status}
        row.status = decide(row.facts(), OverrideMove.EXPIRE)
        since = row.valid_until + timedelta(days=1)
        after = {"status": row.status, "since": since.isoformat()}
        tx.emit(PolicyOverrideExpired(**_subject(row), before=before, after=after))
    return len(past)


async def patches_in_force(tx: Transaction, *, segment: str) -> Sequence[Mapping[str, Any]]:
    """What the approved overrides of a segment say that have not run out. Raises `SegmentNotFound`."""
    on = await get_today(tx, segment=segment)
    return [row.patch for row in await repository.overrides_in_force(tx.session, segment, on)]


async def current_override(tx: Transaction, *, segment: str, customer_id: str) -> OverrideView:
    """What is in force and what waits. Raises `CustomerNotFound`, `SegmentNotFound`, `OverrideNotFound` (neither)."""
    await customers.get(tx, customer_id=customer_id)
    held = await get_segment(tx, segment=segment)
    in_force = await repository.override_in_force(tx.session, segment, customer_id, local_day(tx.now, held.zone))
    pending = await repository.override(tx.session, segment, customer_id, OverrideStatus.PENDING)
    if in_force is None and pending is None:
        raise OverrideNotFound(f"no policy override of {customer_id!r} is in force or waits in {segment!r}")
    return OverrideView(in_force.facts() if in_force else None, pending.facts() if pending else None)


async def _lock(tx: Transaction, segment: str) -> date:
    """Today in the segment, whose policy and overrides stand still until the transaction ends."""
    row = await repository.lock_segment(tx.session, segment)
    if row is None:
        raise SegmentNotFound(f"there is no segment {segment!r}")
    return local_day(tx.now, row.facts().zone)


async def _waiting(
    tx: Transaction, segment: str, customer_id: str, move: OverrideMove
) -> tuple[PolicyOverrideRow, OverrideStatus]:
    row = await repository.override(tx.session, segment, customer_id, OverrideStatus.PENDING)
    status = decide(row.facts() if row else None, move)
    assert row is not None, "what is decided exists"
    return row, status


async def _replace(tx: Transaction, row: PolicyOverrideRow | None) -> dict[str, str]:
    """Lets the override, if there is one, make room for another of its status; says which one made room."""
    if row is None:
        return {}
    row.status = decide(row.facts(), OverrideMove.REPLACE)
    await tx.session.flush()
    return {"replaced": str(row.id)}


def _says(row: PolicyOverrideRow) -> tuple[dict[str, Any], date, str, str]:
    return row.patch, row.valid_until, row.reason, row.requested_by


def _decide(tx: Transaction, row: PolicyOverrideRow, status: OverrideStatus) -> None:
    row.status, row.decided_by, row.decided_at = status, tx.actor.name, tx.now


def _subject(row: PolicyOverrideRow) -> dict[str, Any]:
    return {"subject_id": str(row.id), "segment": row.segment, "customer_id": row.customer_id}
