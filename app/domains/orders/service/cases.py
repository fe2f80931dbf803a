"""The work on referred orders: claim, give back, note, hand on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from app.domains.orders.core import cases, reviews
from app.domains.orders.core.cases import Case, Note
from app.domains.orders.core.order_events import (
    CreditCheckClaimed,
    CreditCheckHandedOn,
    CreditCheckNoted,
    CreditCheckUnclaimed,
)
from app.domains.orders.core.refusals import ReviewNotClaimed
from app.domains.orders.core.reviews import Check
from app.domains.orders.repository import StoredCheck
from app.domains.orders.repository import cases as case_rows
from app.domains.orders.service.checks import find, lock
from app.infra.db.paging import PageRequest, Slice
from app.infra.transaction import Transaction
from app.kernel.events import Event
from app.support.auth.core.principals import Principal


async def claim(tx: Transaction, *, check_id: UUID, caller: Principal) -> StoredCheck:
    """Takes a review on; the same again changes nothing. Raises `CreditCheckNotFound`, `ReviewClosed`,
    `PersonRequired`, `ReviewClaimed`."""
    stored, before = await _open(tx, check_id, caller)
    if before.claimed_by == caller.id:
        return stored
    claimed = replace(before, claimed_by=caller.id, claimed_by_name=caller.name, claimed_at=tx.now)
    await case_rows.write_case(tx.session, claimed)
    tx.emit(_told(CreditCheckClaimed, stored.check, after={"claimed_by": caller.name}))
    return stored


async def unclaim(tx: Transaction, *, check_id: UUID, caller: Principal) -> StoredCheck:
    """Gives a review back. Raises `CreditCheckNotFound`, `ReviewClosed`, `PersonRequired`, `ReviewClaimed`,
    `ReviewNotClaimed`."""
    stored, before = await _open(tx, check_id, caller)
    if before.claimed_by is None:
        raise ReviewNotClaimed("nobody has claimed it")
    await case_rows.write_case(tx.session, _freed(before))
    tx.emit(_told(CreditCheckUnclaimed, stored.check, before={"claimed_by": before.claimed_by_name}))
    return stored


async def note(tx: Transaction, *, check_id: UUID, caller: Principal, text: str) -> Note:
    """Writes something down about a referred order, also after it was decided. Raises `CreditCheckNotFound`."""
    stored = await find(tx, check_id=check_id, caller=caller)
    written = Note(tx.new_id(), check_id, text, caller.name, tx.now)
    await case_rows.add_note(tx.session, written)
    tx.emit(_told(CreditCheckNoted, stored.check, after={"note": text}))
    return written


async def list_notes(tx: Transaction, *, check_id: UUID, caller: Principal, page: PageRequest) -> Slice[Note]:
    """The notes about a check. Raises `CreditCheckNotFound`."""
    await find(tx, check_id=check_id, caller=caller)
    return await case_rows.list_notes(tx.session, page, check_id)


async def hand_on(tx: Transaction, *, check_id: UUID, caller: Principal, to: str, text: str) -> StoredCheck:
    """Hands a review to somebody else, a person or a role, with a note; nobody has claimed it then.

    Raises `CreditCheckNotFound`, `ReviewClosed`, `PersonRequired`, `ReviewClaimed`.
    """
    stored, before = await _open(tx, check_id, caller)
    await case_rows.write_case(tx.session, replace(_freed(before), referred_to=to))
    await case_rows.add_note(tx.session, Note(tx.new_id(), check_id, text, caller.name, tx.now))
    said = {"referred_to": to, "note": text}
    tx.emit(_told(CreditCheckHandedOn, stored.check, before={"claimed_by": before.claimed_by_name}, after=said))
    return stored


async def _open(tx: Transaction, check_id: UUID, caller: Principal) -> tuple[StoredCheck, Case]:
    """A check under review that nobody else works on, for a person who wants to; locked."""
    stored = await lock(tx, check_id=check_id, caller=caller)
    reviews.check_open(stored.check, now=tx.now)
    reviews.check_person(caller.kind)
    case = await case_rows.find_case(tx.session, check_id)
    cases.check_claim(case, principal_id=caller.id)
    return stored, case or Case(check_id)


def _freed(case: Case) -> Case:
    return replace(case, claimed_by=None, claimed_by_name=None, claimed_at=None)


def _told(kind: type[Event], check: Check, **said: Any) -> Event:
    return kind(subject_id=str(check.id), segment=check.segment, customer_id=check.customer_id, **said)
