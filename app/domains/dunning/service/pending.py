"""What happens to notices that are not sent yet: changed or dropped by a person, cut down by a payment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from app.domains.customers import service as customers
from app.domains.dunning.core.events import DunningNoticeChanged, DunningNoticeDropped
from app.domains.dunning.core.notices import NOTICES, PENDING, NoticeMove, NoticeState
from app.domains.dunning.core.recipients import recipient_of
from app.domains.dunning.core.refusals import ChannelUnusable, DunningNoticeNotFound, NoticeNotPending
from app.domains.dunning.repository import notices as repository
from app.domains.dunning.tables import DunningDocumentRow, DunningLineRow, DunningNoticeRow
from app.domains.policies.core.dunning import DunningChannel
from app.infra.db.paging import PageRequest, Slice
from app.infra.transaction import Transaction


async def find(
    tx: Transaction, notice_id: UUID, *, lock: bool = False, segments: frozenset[str] | None = None
) -> DunningNoticeRow:
    """One notice. Raises `DunningNoticeNotFound`."""
    notice = await repository.notice(tx.session, notice_id, lock=lock)
    if notice is None or (segments is not None and notice.segment not in segments):
        raise DunningNoticeNotFound(f"there is no notice {notice_id}")
    return notice


async def list_notices(
    tx: Transaction,
    *,
    segment: str,
    page: PageRequest,
    run_id: UUID | None = None,
    customer_id: str | None = None,
    state: NoticeState | None = None,
    to_print: bool = False,
) -> Slice[DunningNoticeRow]:
    """Notices of a segment by the instant of their last change; `to_print`: letters in the print queue."""
    return await repository.notices_page(
        tx.session, page, segment=segment, run_id=run_id, customer_id=customer_id, state=state, to_print=to_print
    )


async def parts_of(
    tx: Transaction, *, notice_id: UUID
) -> tuple[Sequence[DunningLineRow], Sequence[DunningDocumentRow]]:
    """The lines of a notice, and what was sent of it."""
    lines = await repository.lines_of(tx.session, [notice_id])
    return lines, await repository.documents_of(tx.session, notice_id)


async def kept_letter(tx: Transaction, *, notice_id: UUID) -> bytes | None:
    """The letter that was sent, as it was sent; null if none was, or if whom it was written to is forgotten."""
    documents = await repository.documents_of(tx.session, notice_id)
    letters = (bytes(each.body) for each in reversed(documents) if each.media_type == "application/pdf")
    return next(letters, None) or None


async def change(
    tx: Transaction,
    *,
    notice_id: UUID,
    channels: Sequence[DunningChannel] | None,
    note: str | None,
    segments: frozenset[str] | None = None,
) -> DunningNoticeRow:
    """Sends a notice by other channels, or adds a few words to it.

    Raises `DunningNoticeNotFound`, `NoticeNotPending`, `ChannelUnusable`.
    """
    notice = await _pending(tx, notice_id, segments)
    before = _going_out(notice)
    words = notice.note
    if channels is not None:
        contacts = await customers.contacts_of(tx, customer_id=notice.customer_id)
        if channels[0] is DunningChannel.EMAIL and recipient_of(contacts).email is None:
            raise ChannelUnusable(f"{notice.customer_id} has no e-mail address")
        notice.channels = [channel.value for channel in dict.fromkeys(channels)]
    if note is not None:
        notice.note = note
    after = _going_out(notice)
    if after == before and notice.note == words:
        return notice
    notice.changed_at = tx.now
    await tx.session.flush()
    tx.emit(
        DunningNoticeChanged(
            subject_id=str(notice.id),
            segment=notice.segment,
            customer_id=notice.customer_id,
            before=before,
            after=after,
        )
    )
    return notice


async def drop_by_hand(
    tx: Transaction, *, notice_id: UUID, reason: str, segments: frozenset[str] | None = None
) -> DunningNoticeRow:
    """Takes a notice out of its run. Raises `DunningNoticeNotFound`, `NoticeNotPending`."""
    notice = await _pending(tx, notice_id, segments)
    await drop(tx, notice, reason=reason)
    await tx.session.flush()
    return notice


async def drop(tx: Transaction, notice: DunningNoticeRow, *, reason: str) -> None:
    """Drops a notice whose row is locked: its items have not reached the level."""
    before = notice.state
    notice.state = NOTICES.after(NoticeState(notice.state), NoticeMove.DROP).value
    notice.dropped_by, notice.drop_reason, notice.changed_at = tx.actor.name, reason, tx.now
    for line in await repository.lines_of(tx.session, [notice.id]):
        line.is_live = False
    tx.emit(
        DunningNoticeDropped(
            subject_id=str(notice.id),
            segment=notice.segment,
            customer_id=notice.customer_id,
            before={"state": before},
            after={"state": notice.state, "reason": reason},
        )
    )


def is_under_way(notice: DunningNoticeRow, tx: Transaction) -> bool:
    """Whether somebody is just sending it: what is on the wire can't be called back."""
    return notice.state == NoticeState.RELEASED and notice.leased_until is not None and notice.leased_until > tx.now


def _going_out(notice: DunningNoticeRow) -> dict[str, Any]:
    """What the journal is told; of the note only whether there is one, for it may name a person."""
    return {"channels": list(notice.channels), "noted": notice.note is not None}


async def _pending(tx: Transaction, notice_id: UUID, segments: frozenset[str] | None) -> DunningNoticeRow:
    notice = await find(tx, notice_id, lock=True, segments=segments)
    if notice.state not in PENDING or is_under_way(notice, tx):
        raise NoticeNotPending(f"the notice is {notice.state}")
    return notice
