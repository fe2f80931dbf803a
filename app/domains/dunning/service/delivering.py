"""Delivers notices: takes them, sends them outside any transaction, writes down what came of it.

    take (commit) ── carry ── sent, or the next channel (commit)

Whoever dies between taking and writing down leaves the notice to be tried again when its lease is over; level, claims
and hold change only with the writing down, once.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from app.domains.customers import service as customers
from app.domains.dunning.core.events import (
    DunningDeliveryFailed,
    DunningNoticeFailed,
    DunningNoticePrinted,
    DunningNoticeSent,
)
from app.domains.dunning.core.notices import DELIVERED, NOTICES, NoticeMove, NoticeState
from app.domains.dunning.core.parcels import Carried, Parcel, Undeliverable
from app.domains.dunning.core.recipients import unaddressed
from app.domains.dunning.core.refusals import NoticeNotSent, NoticePrinted
from app.domains.dunning.core.tasks import TaskKind
from app.domains.dunning.repository import notices as repository
from app.domains.dunning.service import claims, contents, gathering, standing, tasks
from app.domains.dunning.service.pending import find
from app.domains.dunning.tables import DunningDocumentRow, DunningNoticeRow
from app.domains.exposure import service as exposure
from app.domains.policies import service as policies
from app.domains.policies.core.dunning import Dunning, DunningChannel
from app.infra.transaction import Transaction
from app.kernel.digest import digest_of_bytes

LEASE: Final = timedelta(minutes=10)
"""How long a notice on the wire is left alone before it is tried again."""
TRIES_MAX: Final = 3
"""Tries by one channel before the next one is used, where another try could help."""
PAUSE: Final = timedelta(minutes=5)
FAILURES_KEPT: Final = 30
CAME_BACK: Final = "came back"
"""What the journal is told of a bounce: the words of whoever reports one may name a person."""


async def take(tx: Transaction, *, languages: frozenset[str], limit: int) -> Sequence[Parcel]:
    """The next notices to be sent, as they are true at this moment; what has become untrue is dropped instead.

    What came back says again, by the next channel, what it said the first time, to whom the customer names by now.
    """
    ids = await repository.take_to_send(tx.session, now=tx.now, lease=LEASE, limit=limit)
    notices = [notice for notice_id in ids if (notice := await repository.notice(tx.session, notice_id)) is not None]
    if not notices:
        return ()
    await exposure.lock(tx, keys={(notice.customer_id, notice.segment) for notice in notices})
    for segment in sorted({notice.segment for notice in notices}):
        own = {notice.customer_id for notice in notices if notice.segment == segment}
        await standing.review_taken(tx, segment=segment, customer_ids=own, notice_ids=set(ids))
    parcels = []
    for notice in notices:
        if notice.state in (NoticeState.RELEASED, NoticeState.SENT):
            content, recipient = await contents.to_be_sent(tx, notice, languages=languages)
            channel = DunningChannel(notice.channels[0])
            parcels.append(Parcel(notice.id, notice.reference, channel, recipient, content, tx.now))
    return parcels


async def addressees_known(tx: Transaction, *, parcels: Sequence[Parcel]) -> Sequence[Parcel]:
    """The parcels that may go: all whom they name are still contacts, and stay known until erased.

    In a transaction of its own, for it locks contacts and `take` has locked accounts. The others are taken anew, and
    addressed anew, when their lease is over.
    """
    named = {contact_id for parcel in parcels for contact_id in parcel.contact_ids}
    known = await customers.note_written_to(tx, contact_ids=named)
    return [parcel for parcel in parcels if known.issuperset(parcel.contact_ids)]


async def sent(tx: Transaction, *, parcel: Parcel, carried: Carried) -> None:
    """Writes down that a notice has gone out: what was sent, the level, what is claimed, the hold."""
    known = await customers.hold_contacts(tx, contact_ids=parcel.contact_ids)
    notice = await find(tx, parcel.notice_id)
    await exposure.lock(tx, keys=[(notice.customer_id, notice.segment)])
    notice = await find(tx, parcel.notice_id, lock=True)
    if not _is_expected(notice, parcel):
        return  # two carried it, and the other was faster to say so
    notice.leased_until = None
    if notice.state != NoticeState.RELEASED:
        await _sent_again(tx, notice, parcel, carried, known)
        return
    on = await policies.today(tx, segment=notice.segment)
    notice.state = NOTICES.after(NoticeState(notice.state), NoticeMove.SEND).value
    notice.sent_by, notice.sent_at, notice.sent_on = parcel.channel.value, tx.now, on
    notice.content, notice.channels, notice.changed_at = unaddressed(parcel.content), notice.channels[1:], tx.now
    document = await _keep(tx, notice, parcel, carried, known)
    lines = await repository.lines_of(tx.session, [notice.id])
    rules = await _rules(tx, notice)
    tx.emit(
        DunningNoticeSent(
            **_subject(notice),
            before={"state": NoticeState.RELEASED.value},
            after={
                "state": notice.state,
                "level": notice.level,
                "channel": notice.sent_by,
                "reference": notice.reference,
                "digest": document.digest,
                "net_due": [{"currency": t["currency"], "amount": t["net_due"]} for t in notice.totals],
                "invoices": [line.invoice_no for line in lines if line.is_raised][:500],
            },
        )
    )
    await claims.raise_claims(tx, notice, lines, rules, on=notice.run_on)
    await standing.bring_in_line(tx, segment=notice.segment, customer_ids=[notice.customer_id])
    if parcel.channel is DunningChannel.CALL:
        await _put_on_work_list(tx, notice, TaskKind.CALL, on)


async def failed(tx: Transaction, *, parcel: Parcel, problem: Undeliverable) -> None:
    """Writes down that a channel did not work: another try, the next channel, or somebody has to see to it."""
    notice = await find(tx, parcel.notice_id, lock=True)
    if not _is_expected(notice, parcel):
        return
    tried = sum(each["channel"] == parcel.channel.value for each in notice.failures) + 1
    _note_failure(tx, notice, parcel.channel.value, problem.reason, told=problem.reason)
    notice.leased_until = None
    if not problem.lasting and tried < TRIES_MAX:
        notice.next_attempt_at = tx.now + PAUSE * tried
    elif len(notice.channels) > 1:
        notice.channels = notice.channels[1:]
        notice.next_attempt_at = tx.now
    else:
        await _give_up(tx, notice)
    await tx.session.flush()


async def bounced(
    tx: Transaction,
    *,
    notice_id: UUID,
    reason: str,
    by: DunningChannel | None = None,
    segments: frozenset[str] | None = None,
) -> DunningNoticeRow:
    """What was sent came back: the notice goes on by its next channel; without one somebody has to call.

    The level stays reached. `by` is the channel that it came back by, where that is known: what has gone by another one
    since did not. What is said of somebody who was erased meanwhile is not kept. Raises `DunningNoticeNotFound`,
    `NoticeNotSent`.
    """
    notice = await find(tx, notice_id, lock=True, segments=segments)
    if notice.state not in DELIVERED or notice.sent_by is None:
        raise NoticeNotSent(f"the notice is {notice.state}")
    if notice.came_back_at is not None or (by is not None and notice.sent_by != by):
        raise NoticeNotSent("it is known to have come back, or has gone by another channel since")
    said = reason if await contents.addressees_known(tx, notice) else CAME_BACK
    _note_failure(tx, notice, notice.sent_by, said, told=CAME_BACK)
    if notice.channels:
        notice.came_back_at = notice.next_attempt_at = tx.now
    else:
        await _give_up(tx, notice)
    await tx.session.flush()
    return notice


async def printed(tx: Transaction, *, notice_id: UUID, segments: frozenset[str] | None = None) -> DunningNoticeRow:
    """Takes a letter out of the print queue. Raises `DunningNoticeNotFound`, `NoticeNotSent`, `NoticePrinted`."""
    notice = await find(tx, notice_id, lock=True, segments=segments)
    if notice.state not in DELIVERED or notice.sent_by != DunningChannel.LETTER:
        raise NoticeNotSent("it is no letter that was sent")
    if notice.printed_at is not None:
        raise NoticePrinted(f"it was printed at {notice.printed_at}")
    notice.printed_at = notice.changed_at = tx.now
    await tx.session.flush()
    tx.emit(DunningNoticePrinted(**_subject(notice), after={"printed": True}))
    return notice


def _is_expected(notice: DunningNoticeRow, parcel: Parcel) -> bool:
    """Whether the notice is still to be sent, or sent once more, by the channel of the parcel."""
    is_to_go = notice.state == NoticeState.RELEASED or (notice.state in DELIVERED and notice.came_back_at is not None)
    return is_to_go and notice.channels[:1] == [parcel.channel.value]


async def _sent_again(
    tx: Transaction, notice: DunningNoticeRow, parcel: Parcel, carried: Carried, known: Collection[UUID]
) -> None:
    """Writes down that a notice which had come back has gone out by another channel."""
    before = {"channel": notice.sent_by}
    notice.sent_by, notice.channels = parcel.channel.value, notice.channels[1:]
    notice.came_back_at, notice.printed_at = None, None
    notice.changed_at = notice.sent_at = tx.now
    notice.content = unaddressed(parcel.content)
    document = await _keep(tx, notice, parcel, carried, known)
    after = {"state": notice.state, "channel": notice.sent_by, "digest": document.digest}
    tx.emit(DunningNoticeSent(**_subject(notice), before=before, after=after))
    if parcel.channel is DunningChannel.CALL:
        on = await policies.today(tx, segment=notice.segment)
        await _put_on_work_list(tx, notice, TaskKind.CALL, on)


async def _give_up(tx: Transaction, notice: DunningNoticeRow) -> None:
    """There is no channel left: a person has to see to it. What was sent once keeps its level."""
    notice.channels, notice.came_back_at = [], None
    if notice.state == NoticeState.RELEASED:
        before = {"state": notice.state}
        notice.state = NOTICES.after(NoticeState(notice.state), NoticeMove.FAIL).value
        tx.emit(DunningNoticeFailed(**_subject(notice), before=before, after={"state": notice.state}))
    on = await policies.today(tx, segment=notice.segment)
    await _put_on_work_list(tx, notice, TaskKind.DELIVERY_FAILED, on)


async def _keep(
    tx: Transaction, notice: DunningNoticeRow, parcel: Parcel, carried: Carried, known: Collection[UUID]
) -> DunningDocumentRow:
    """Of a parcel that names somebody who was erased while it was on its way, only the digest is kept."""
    forgotten = not set(parcel.contact_ids) <= set(known)
    document = DunningDocumentRow(
        id=tx.new_id(),
        notice_id=notice.id,
        position=len(await repository.documents_of(tx.session, notice.id)),
        channel=parcel.channel.value,
        contact_ids=parcel.contact_ids,
        media_type=carried.media_type,
        body=b"" if forgotten else carried.body,
        digest=digest_of_bytes(carried.body),
        sent_at=tx.now,
    )
    tx.session.add(document)
    await tx.session.flush()
    return document


def _note_failure(tx: Transaction, notice: DunningNoticeRow, channel: str, reason: str, *, told: str) -> None:
    """`told` is what the journal, which forgets nobody, is told of the `reason`."""
    failure = {"channel": channel, "reason": reason, "at": tx.now.isoformat()}
    notice.failures = [*notice.failures, failure][-FAILURES_KEPT:]
    notice.changed_at = tx.now
    tx.emit(DunningDeliveryFailed(**_subject(notice), after={"channel": channel, "reason": told}))


async def _put_on_work_list(tx: Transaction, notice: DunningNoticeRow, kind: TaskKind, on: date) -> None:
    await tasks.open_for(
        tx, customer_id=notice.customer_id, segment=notice.segment, kind=kind, notice_id=notice.id, due_on=on
    )


async def _rules(tx: Transaction, notice: DunningNoticeRow) -> Dunning:
    customer = await customers.get(tx, customer_id=notice.customer_id)
    found = await policies.effective_policy(tx, segment=notice.segment, customer=customer)
    return found.policy.dunning or gathering.NO_DUNNING


def _subject(notice: DunningNoticeRow) -> dict[str, Any]:
    return {"subject_id": str(notice.id), "segment": notice.segment, "customer_id": notice.customer_id}
