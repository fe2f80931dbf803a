"""Versions of a segment's policy: draft, edit, submit, approve, reject, activate. One after the other per segment."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.domains.customers import service as customers
from app.domains.policies import repository
from app.domains.policies.core import versions as rules
from app.domains.policies.core.difference import Difference, differences
from app.domains.policies.core.document import parse
from app.domains.policies.core.events import (
    PolicyActivated,
    PolicyApprovalRefused,
    PolicyApproved,
    PolicyDrafted,
    PolicyEdited,
    PolicyRejected,
    PolicySubmitted,
)
from app.domains.policies.core.refusals import ActivationInstantTaken, PolicyVersionNotFound
from app.domains.policies.core.versions import PolicyMove, PolicyStatus, PolicyVersion, Standing
from app.domains.policies.service.effective import fitted
from app.domains.policies.service.segments import segment as get_segment
from app.domains.policies.tables import PolicyVersionRow, SegmentRow
from app.infra.db.paging import PageRequest
from app.infra.transaction import Transaction
from app.kernel.errors import Forbidden
from app.kernel.periods import local_day
from app.support.auth.core.principals import SegmentNotFound

Precondition = Callable[[int | None], None]
"""Raises when the edit was not meant for this revision of the draft."""

DOCUMENT: str = "/document"
"""Where the document stands in what callers send."""


@dataclass(frozen=True, slots=True)
class VersionView:
    """A version and how it stands now."""

    version: PolicyVersion
    standing: Standing


@dataclass(frozen=True, slots=True)
class VersionPage:
    """One page of a list of versions and the cursor of the next."""

    items: Sequence[VersionView]
    next_cursor: str | None


async def version(tx: Transaction, *, segment: str, number: int | None = None) -> VersionView:
    """One version, without a number the active one. Raises `SegmentNotFound` or `PolicyVersionNotFound`."""
    active = await repository.active_number(tx.session, segment, tx.now)
    wanted = active if number is None else number
    row = await repository.version(tx.session, segment, wanted) if wanted is not None else None
    if row is None:
        await get_segment(tx, segment=segment)
        raise PolicyVersionNotFound(f"there is no such version of {segment!r}")
    return _view(tx, row, active)


async def list_versions(tx: Transaction, *, segment: str, page: PageRequest) -> VersionPage:
    """The versions, the latest first. Raises `SegmentNotFound`."""
    await get_segment(tx, segment=segment)
    active = await repository.active_number(tx.session, segment, tx.now)
    found = await repository.versions(tx.session, segment, page)
    return VersionPage([_view(tx, row, active) for row in found.rows], found.next_cursor)


async def compare(tx: Transaction, *, segment: str, number: int, against: int) -> list[Difference]:
    """What version `number` says differently from `against`. Raises `SegmentNotFound`, `PolicyVersionNotFound`."""
    after = await version(tx, segment=segment, number=number)
    before = await version(tx, segment=segment, number=against)
    return differences(before.version.document, after.version.document)


async def draft(tx: Transaction, *, segment: str, document: Mapping[str, Any], note: str | None = None) -> VersionView:
    """A new draft. Raises `SegmentNotFound` or `PolicyInvalid`, its pointers beginning with /document."""
    await _locked_segment(tx, segment)
    parse(document, root=DOCUMENT)
    row = PolicyVersionRow(
        segment=segment,
        version=await repository.last_number(tx.session, segment) + 1,
        status=PolicyStatus.DRAFT,
        document=dict(document),
        note=note,
        edited_by=[tx.actor.name],
        revision=1,
        created_at=tx.now,
    )
    tx.session.add(row)
    await tx.session.flush()
    tx.emit(PolicyDrafted(**_subject(row), after={"status": row.status, "note": note}))
    return await _current(tx, row)


async def edit(
    tx: Transaction,
    *,
    segment: str,
    number: int,
    document: Mapping[str, Any],
    note: str | None = None,
    precondition: Precondition = lambda revision: None,
) -> VersionView:
    """Replaces what a draft says; the same again changes nothing. Whoever edits it can't approve it.

    Raises `PolicyVersionNotFound`, `PolicyNotDraft`, `PolicyInvalid`, and what `precondition` raises.
    """
    row = await _locked_version(tx, segment, number)
    precondition(row.revision)
    rules.move(row.facts(), PolicyMove.EDIT)
    parse(document, root=DOCUMENT)
    changed = [change.pointer for change in differences(row.document, document)]
    before, after = {"note": row.note}, {"note": note}
    if not changed and before == after:
        return await _current(tx, row)
    row.document, row.note = dict(document), note
    row.edited_by = list(dict.fromkeys([*row.edited_by, tx.actor.name]))
    row.revision += 1
    tx.emit(PolicyEdited(**_subject(row), before=before, after={**after, "changed": changed}))
    return await _current(tx, row)


async def submit(tx: Transaction, *, segment: str, number: int) -> VersionView:
    """Hands a draft over for approval; it never changes again. Raises `PolicyVersionNotFound`, `PolicyNotDraft`."""
    row = await _locked_version(tx, segment, number)
    before = row.status
    row.status = rules.move(row.facts(), PolicyMove.SUBMIT)
    row.submitted_by, row.submitted_at = tx.actor.name, tx.now
    row.revision += 1
    tx.emit(PolicySubmitted(**_subject(row), before={"status": before}, after={"status": row.status}))
    return await _current(tx, row)


async def approve(tx: Transaction, *, segment: str, number: int) -> VersionView:
    """A second person's consent; the attempt of somebody who may not is journalled.

    Raises `PolicyVersionNotFound`, `PolicyNotSubmitted`, `PersonRequired`, `FourEyes`.
    """
    row = await _locked_version(tx, segment, number)
    before = row.status
    try:
        row.status = rules.approve(row.facts(), tx.actor)
    except Forbidden as refusal:
        raise _refused(refusal, row, "approve") from None
    row.approved_by, row.approved_at = tx.actor.name, tx.now
    row.revision += 1
    tx.emit(PolicyApproved(**_subject(row), before={"status": before}, after={"status": row.status}))
    return await _current(tx, row)


async def reject(tx: Transaction, *, segment: str, number: int) -> VersionView:
    """Turns a submitted version down for good. Raises `PolicyVersionNotFound` or `PolicyNotSubmitted`."""
    row = await _locked_version(tx, segment, number)
    before = row.status
    row.status = rules.move(row.facts(), PolicyMove.REJECT)
    row.rejected_by, row.rejected_at = tx.actor.name, tx.now
    row.revision += 1
    tx.emit(PolicyRejected(**_subject(row), before={"status": before}, after={"status": row.status}))
    return await _current(tx, row)


async def activate(tx: Transaction, *, segment: str, number: int, effective_at: datetime | None = None) -> VersionView:
    """Makes a version hold from `effective_at` (by default now) on; an instant still to come may be moved.

    Raises `PolicyVersionNotFound`, `PolicyNotApproved`, `PersonRequired`, `PolicyAlreadyEffective`, `EffectiveInPast`,
    `ActivationInstantTaken`, `OverrideUnfit`.
    """
    held = await _locked_segment(tx, segment)
    row = await _version_row(tx, segment, number)
    at = effective_at or tx.now
    approved_before = await repository.approved_once(tx.session, segment)
    before = {"status": row.status, "effective_at": row.effective_at.isoformat() if row.effective_at else None}
    try:
        status = rules.activate(row.facts(), tx.actor, approved_before=approved_before, effective_at=at, now=tx.now)
    except Forbidden as refusal:
        raise _refused(refusal, row, "activate") from None
    if await repository.instant_taken(tx.session, segment, number, at):
        raise ActivationInstantTaken(f"another version of {segment!r} becomes active at {at.isoformat()}")
    await _check_overrides(tx, held, row, at)
    row.status, row.effective_at, row.activated_by = status, at, tx.actor.name
    row.revision += 1
    after = {"status": row.status, "effective_at": at.isoformat()}
    tx.emit(PolicyActivated(**_subject(row), before=before, after=after))
    return await _current(tx, row)


async def _check_overrides(tx: Transaction, held: SegmentRow, row: PolicyVersionRow, at: datetime) -> None:
    """Every override that will be in force must make a valid document with the version."""
    day = local_day(at, held.facts().zone)
    overrides = await repository.overrides_in_force(tx.session, row.segment, day)
    found = await customers.find(tx, customer_ids=[override.customer_id for override in overrides])
    for override in overrides:
        fitted(row.document, profile=found[override.customer_id].profile, override=override)


async def _locked_segment(tx: Transaction, segment: str) -> SegmentRow:
    row = await repository.lock_segment(tx.session, segment)
    if row is None:
        raise SegmentNotFound(f"there is no segment {segment!r}")
    return row


async def _locked_version(tx: Transaction, segment: str, number: int) -> PolicyVersionRow:
    await _locked_segment(tx, segment)
    return await _version_row(tx, segment, number)


async def _version_row(tx: Transaction, segment: str, number: int) -> PolicyVersionRow:
    row = await repository.version(tx.session, segment, number)
    if row is None:
        raise PolicyVersionNotFound(f"there is no version {number} of {segment!r}")
    return row


async def _current(tx: Transaction, row: PolicyVersionRow) -> VersionView:
    await tx.session.flush()
    return _view(tx, row, await repository.active_number(tx.session, row.segment, tx.now))


def _view(tx: Transaction, row: PolicyVersionRow, active: int | None) -> VersionView:
    facts = row.facts()
    return VersionView(facts, rules.standing(facts, active=active, now=tx.now))


def _refused(refusal: Forbidden, row: PolicyVersionRow, action: str) -> Forbidden:
    """`refusal`, which the journal will be told of although nothing else has happened."""
    refusal.attempt = PolicyApprovalRefused(**_subject(row), after={"action": action, "code": refusal.code})
    return refusal


def _subject(row: PolicyVersionRow) -> dict[str, Any]:
    return {"subject_id": f"{row.segment}/{row.version}", "segment": row.segment}
