"""Segments: open, change, find, list."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

from app.domains.policies import repository
from app.domains.policies.core.document import default_document
from app.domains.policies.core.events import SegmentChanged, SegmentOpened
from app.domains.policies.core.segments import MAIN, Segment, check_currency, check_name, check_time_zone
from app.domains.policies.core.versions import PolicyStatus
from app.domains.policies.tables import PolicyVersionRow, SegmentRow
from app.infra.transaction import Transaction
from app.kernel.periods import local_day
from app.support.auth.core.principals import SegmentNotFound

Precondition = Callable[[int | None], None]
"""Raises when the edit was not meant for this version of the segment (None: there is none yet)."""


async def segment(tx: Transaction, *, segment: str) -> Segment:
    """The segment. Raises `SegmentNotFound`."""
    row = await repository.segment(tx.session, segment)
    if row is None:
        raise SegmentNotFound(f"there is no segment {segment!r}")
    return row.facts()


async def today(tx: Transaction, *, segment: str) -> date:
    """The day that it is in the segment now. Raises `SegmentNotFound`."""
    return local_day(tx.now, (await _read(tx, segment)).zone)


async def list_segments(tx: Transaction) -> Sequence[Segment]:
    """All segments, by name."""
    return [row.facts() for row in await repository.segments(tx.session)]


async def open_segment(
    tx: Transaction,
    *,
    segment: str,
    name: str,
    currency: str,
    time_zone: str | None = None,
    precondition: Precondition = lambda version: None,
) -> tuple[Segment, bool]:
    """Opens a segment with the default policy active, or changes its name and zone; True if it was not there before.

    Without a `time_zone` (IANA) it follows the deployment's default. The same again changes nothing. Raises
    `SegmentReserved`, `TimeZoneUnknown`, `SegmentCurrencyFixed`, and what `precondition` raises.
    """
    check_name(segment)
    check_time_zone(time_zone)
    row = await repository.lock_segment(tx.session, segment)
    if row is None:
        precondition(None)
        if await _open(tx, segment, name, currency, time_zone):
            return await _read(tx, segment), True
        row = await repository.lock_segment(tx.session, segment)
        assert row is not None, "segments are never deleted"
    precondition(row.version)
    await _change(tx, row, name, currency, time_zone)
    return row.facts(), False


async def set_default_time_zone(tx: Transaction, *, time_zone: str) -> None:
    """Makes `time_zone` (IANA) the zone of every segment that has none of its own. Raises `TimeZoneUnknown`.

    Called whenever the program starts; without a change it does nothing.
    """
    check_time_zone(time_zone)
    for row in await repository.lock_segments(tx.session):
        if row.default_time_zone == time_zone:
            continue
        before, row.default_time_zone = row.default_time_zone, time_zone
        if row.time_zone is None:
            row.version += 1
            _emit_change(tx, row, {"time_zone": before}, {"time_zone": time_zone})


async def _open(tx: Transaction, segment: str, name: str, currency: str, time_zone: str | None) -> bool:
    main = await repository.segment(tx.session, MAIN)
    added = await repository.add_segment(
        tx.session,
        name=segment,
        title=name,
        currency=currency,
        time_zone=time_zone,
        default=main.default_time_zone if main else "UTC",
        at=tx.now,
    )
    if not added:
        return False
    tx.session.add(_first_version(tx, segment))
    await tx.session.flush()
    zone = (await _read(tx, segment)).zone.key
    opened = {"name": name, "currency": currency, "time_zone": zone, "policy_version": 1}
    tx.emit(SegmentOpened(subject_id=segment, segment=segment, after=opened))
    return True


def _first_version(tx: Transaction, segment: str) -> PolicyVersionRow:
    return PolicyVersionRow(
        segment=segment,
        version=1,
        status=PolicyStatus.APPROVED,
        document=default_document(),
        note="The default policy",
        edited_by=[tx.actor.name],
        activated_by=tx.actor.name,
        effective_at=tx.now,
        revision=1,
        created_at=tx.now,
    )


async def _change(tx: Transaction, row: SegmentRow, name: str, currency: str, time_zone: str | None) -> None:
    held = row.facts()
    check_currency(held, currency)
    if (held.name, held.time_zone) == (name, time_zone):
        return
    row.name, row.time_zone = name, time_zone
    row.version += 1
    await tx.session.flush()
    zone = row.facts().zone.key
    members = {"name": (held.name, name), "time_zone": (held.zone.key, zone)}
    changed = {member: pair for member, pair in members.items() if pair[0] != pair[1]}
    before = {member: pair[0] for member, pair in changed.items()}
    _emit_change(tx, row, before, {member: pair[1] for member, pair in changed.items()})


def _emit_change(tx: Transaction, row: SegmentRow, before: dict[str, str], after: dict[str, str]) -> None:
    tx.emit(SegmentChanged(subject_id=row.segment, segment=row.segment, before=before, after=after))


async def _read(tx: Transaction, name: str) -> Segment:
    return await segment(tx, segment=name)
