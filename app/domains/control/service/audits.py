"""Drawing audits, keeping findings, signing off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from app.domains.control.core import audits
from app.domains.control.core.audits import (
    EVENTS,
    Audit,
    AuditMove,
    AuditState,
    DecisionKind,
    DrawnEvent,
    Finding,
    Item,
    Replayed,
)
from app.domains.control.core.events import AuditDrawn, AuditFindingRecorded, AuditSignedOff
from app.domains.control.core.refusals import AuditItemNotFound, AuditNotFound
from app.domains.control.repository import audits as rows
from app.domains.control.repository.audits import Pool
from app.domains.control.tables import AuditItemRow, AuditRow
from app.domains.limits import service as limits
from app.domains.limits.core.events import LimitRequestApproved
from app.domains.orders import service as orders
from app.domains.orders.core.refusals import CreditCheckNotFound
from app.domains.policies import service as policies
from app.infra.db.paging import PageRequest, Slice
from app.infra.transaction import Transaction
from app.kernel.periods import end_of, start_of
from app.support.auth.core.principals import Principal


@dataclass(frozen=True, slots=True)
class Audited:
    """An audit and its sample."""

    audit: Audit
    items: Sequence[Item]


async def draw(
    tx: Transaction,
    *,
    caller: Principal,
    segment: str,
    since: date,
    until: date,
    sizes: Mapping[DecisionKind, int],
    seed: str | None = None,
) -> Audited:
    """Draws at most `sizes` sealed decisions of each kind at random, and decides the credit checks and
    limit requests among them again.

    Without a `seed` the id of the audit is one. Raises `AuditPeriodInvalid`, `PersonRequired`, `SegmentNotFound`.
    """
    audits.check_period(since, until)
    audits.check_person(caller.kind)
    zone = (await policies.segment(tx, segment=segment)).zone
    pool = Pool(segment, start_of(since, zone), end_of(until, zone), await rows.last_place(tx.session))
    audit_id = tx.new_id()
    row = AuditRow(
        id=audit_id,
        segment=segment,
        since=since,
        until=until,
        seed=seed or audit_id.hex,
        sizes={kind.value: size for kind, size in sizes.items()},
        population={},
        through_seq=pool.through_seq,
        state=AuditState.OPEN.value,
        drawn_by=tx.actor.name,
        drawn_at=tx.now,
        changed_at=tx.now,
    )
    sample = await _sample(tx, caller, row, pool, sizes)
    tx.session.add(row)
    await tx.session.flush()
    tx.session.add_all(sample)
    await tx.session.flush()
    after = {"from": since.isoformat(), "to": until.isoformat(), "seed": row.seed, "items": len(sample)}
    tx.emit(AuditDrawn(subject_id=str(row.id), segment=segment, after=after))
    return Audited(row.facts(), [item.facts() for item in sample])


async def get(tx: Transaction, *, audit_id: UUID, caller: Principal) -> Audited:
    """An audit and its sample. Raises `AuditNotFound`."""
    row = await _found(tx, audit_id, caller)
    return await _audited(tx, row)


async def list_audits(
    tx: Transaction, *, page: PageRequest, segment: str, state: AuditState | None = None
) -> Slice[Audit]:
    """One page of a segment's audits, by their last change."""
    found = await rows.list_audits(tx.session, page, segment=segment, state=state)
    return Slice([row.facts() for row in found.rows], found.next_cursor)


async def record(
    tx: Transaction, *, audit_id: UUID, position: int, caller: Principal, finding: Finding, note: str
) -> Audited:
    """Keeps what an auditor found of one decision, instead of what was found before; the same again changes nothing.

    Raises `AuditNotFound`, `AuditItemNotFound`, `AuditIsSignedOff`, `PersonRequired`, `FourEyes`.
    """
    row = await _found(tx, audit_id, caller, lock=True)
    audits.check_open(row.facts(), AuditMove.RECORD)
    audits.check_person(caller.kind)
    sample = await rows.items(tx.session, audit_id)
    item = next((item for item in sample if item.position == position), None)
    if item is None:
        raise AuditItemNotFound(f"the audit has {len(sample)} items")
    audits.check_finder(item.facts(), name=tx.actor.name)
    before = {"finding": item.finding, "note": item.note}
    after = {"finding": finding.value, "note": note}
    if (before, item.found_by) != (after, tx.actor.name):
        item.finding, item.note, item.found_by, item.found_at = finding.value, note, tx.actor.name, tx.now
        row.changed_at = tx.now
        tx.emit(
            AuditFindingRecorded(
                subject_id=str(row.id), segment=row.segment, before=before, after={"position": position, **after}
            )
        )
    await tx.session.flush()
    return Audited(row.facts(), [item.facts() for item in sample])


async def sign_off(tx: Transaction, *, audit_id: UUID, caller: Principal, conclusion: str) -> Audited:
    """Closes an audit on the word of somebody who neither found anything in it nor took any of its decisions.

    Raises `AuditNotFound`, `AuditIsSignedOff`, `AuditIncomplete`, `PersonRequired`, `FourEyes`.
    """
    row = await _found(tx, audit_id, caller, lock=True)
    audits.check_open(row.facts(), AuditMove.SIGN_OFF)
    audits.check_person(caller.kind)
    found = await _audited(tx, row)
    audits.check_signer(found.audit, found.items, name=tx.actor.name)
    row.state = audits.AUDITS.after(found.audit.state, AuditMove.SIGN_OFF).value
    row.conclusion, row.signed_by, row.signed_at, row.changed_at = conclusion, tx.actor.name, tx.now, tx.now
    await tx.session.flush()
    exceptions = sum(item.finding is Finding.EXCEPTION for item in found.items)
    tx.emit(
        AuditSignedOff(
            subject_id=str(row.id),
            segment=row.segment,
            before={"state": found.audit.state.value},
            after={"state": row.state, "conclusion": conclusion, "exceptions": exceptions},
        )
    )
    return Audited(row.facts(), found.items)


async def _sample(
    tx: Transaction, caller: Principal, audit: AuditRow, pool: Pool, sizes: Mapping[DecisionKind, int]
) -> list[AuditItemRow]:
    """The decisions drawn, kind by kind; notes on `audit` how many there were of each."""
    sample: list[AuditItemRow] = []
    for kind, size in sizes.items():
        drawn, there = await rows.draw(tx.session, pool, types=EVENTS[kind], seed=audit.seed, size=size)
        audit.population = {**audit.population, kind.value: there}
        for event in drawn:
            sample.append(await _item(tx, caller, audit.id, len(sample) + 1, kind, event))
    return sample


async def _found(tx: Transaction, audit_id: UUID, caller: Principal, *, lock: bool = False) -> AuditRow:
    row = await rows.find(tx.session, audit_id, lock=lock)
    if row is None or not caller.sees(row.segment):
        raise AuditNotFound(f"there is no audit {audit_id}")
    return row


async def _audited(tx: Transaction, row: AuditRow) -> Audited:
    return Audited(row.facts(), [item.facts() for item in await rows.items(tx.session, row.id)])


async def _item(
    tx: Transaction, caller: Principal, audit_id: UUID, position: int, kind: DecisionKind, event: DrawnEvent
) -> AuditItemRow:
    replayed, differing = await _replayed(tx, caller, kind, event)
    return AuditItemRow(
        audit_id=audit_id,
        position=position,
        kind=kind.value,
        seq=event.seq,
        type=event.type,
        at=event.at,
        actor=event.actor,
        subject_type=event.subject_type,
        subject_id=event.subject_id,
        customer_id=event.customer_id,
        after=dict(event.after),
        replayed=replayed.value,
        differing=list(differing),
    )


async def _replayed(
    tx: Transaction, caller: Principal, kind: DecisionKind, event: DrawnEvent
) -> tuple[Replayed, Sequence[str]]:
    """A credit check is decided again, and a limit request judged again, from what was stored with them."""
    if kind is DecisionKind.CREDIT_CHECK:
        try:
            stored = await orders.find(tx, check_id=UUID(event.subject_id), caller=caller)
        except CreditCheckNotFound:
            return Replayed.GONE, ()
        check = await orders.replay(tx, stored=stored)
        return _compared(identical=check.identical, differing=check.differing)
    if event.subject_type == LimitRequestApproved.subject_type:
        request = await limits.find(tx, request_id=UUID(event.subject_id), caller=caller)
        judged = await limits.replay(tx, request=request)
        return _compared(identical=judged.identical, differing=judged.differing)
    return Replayed.NOT_APPLICABLE, ()


def _compared(*, identical: bool, differing: Sequence[str]) -> tuple[Replayed, Sequence[str]]:
    return (Replayed.IDENTICAL if identical else Replayed.DIFFERENT), differing
