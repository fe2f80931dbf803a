"""Notices over HTTP: look, change, drop, the documents, what came back."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Path, Query, Request, Response

from app.domains.dunning import service as dunning
from app.domains.dunning.adapters.carriers import Outbox
from app.domains.dunning.core.notices import NoticeState
from app.domains.dunning.schemas.runs import (
    DocumentOut,
    NoticeBriefOut,
    NoticeChangeIn,
    NoticeOut,
    ReasonIn,
    notice_brief,
    notice_out,
)
from app.domains.dunning.tables import DunningNoticeRow
from app.domains.policies.core.dunning import DunningChannel
from app.infra.http.fields import Reference, SegmentName
from app.infra.http.paging import Page, PageQuery
from app.infra.http.problem import problems
from app.infra.transaction import Transaction
from app.support.auth.core.scopes import Scope
from app.support.auth.dependencies import Caller, Tx, requires
from app.support.idempotency.routing import IdempotentRoute

router = APIRouter(prefix="/v1/dunning-notices", tags=["dunning"], route_class=IdempotentRoute)

WRITING = (Scope.DUNNING_WRITE,)
READING = (Scope.DUNNING_WRITE, Scope.REPORTS_READ)
NoticeId = Annotated[UUID, Path(description="The notice's id")]
HTML, PDF = "text/html", "application/pdf"


@router.get("", summary="Notices, the last changed first", dependencies=[requires(*READING)], responses=problems(404))
async def list_notices(
    tx: Tx,
    caller: Caller,
    page: PageQuery,
    segment: SegmentName = "main",
    customer_id: Annotated[Reference | None, Query(description="Only this customer's")] = None,
    state: Annotated[NoticeState | None, Query(description="Only those in this state")] = None,
    to_print: Annotated[bool, Query(description="Only letters in the print queue")] = False,
) -> Page[NoticeBriefOut]:
    """Notices of a segment."""
    found = await dunning.pending.list_notices(
        tx, segment=caller.confine(segment), page=page, customer_id=customer_id, state=state, to_print=to_print
    )
    return Page(items=[notice_brief(notice) for notice in found.rows], next_cursor=found.next_cursor)


@router.get("/{notice_id}", summary="One notice", dependencies=[requires(*READING)], responses=problems(404))
async def get_notice(tx: Tx, caller: Caller, notice_id: NoticeId) -> NoticeOut:
    """With its items, the rates that interest was charged by, and what was sent."""
    return await _shown(tx, await dunning.pending.find(tx, notice_id, segments=caller.segments))


@router.get(
    "/{notice_id}/document",
    summary="The notice as its reader sees it",
    dependencies=[requires(*READING)],
    response_class=Response,
    responses={
        200: {"description": "As HTML or PDF", "content": {HTML: {"schema": {"type": "string"}}, PDF: {}}},
        **problems(404, 503),
    },
)
async def get_document(
    request: Request,
    tx: Tx,
    caller: Caller,
    notice_id: NoticeId,
    accept: Annotated[str, Header(max_length=500, description="`application/pdf`, or HTML")] = HTML,
) -> Response:
    """What was sent says the same for ever; what was not sent yet is shown as it would go out now."""
    outbox: Outbox = request.app.state.outbox
    notice = await dunning.pending.find(tx, notice_id, segments=caller.segments)
    content, _ = await dunning.contents.of_notice(tx, notice, languages=outbox.stationery.languages)
    if PDF in accept:
        kept = await dunning.pending.kept_letter(tx, notice_id=notice.id)
        body = kept or await outbox.stationery.letter(content, at=notice.sent_at or tx.now)
        name = f'inline; filename="{notice.reference}.pdf"'
        return Response(body, media_type=PDF, headers={"Content-Disposition": name, "Vary": "Accept"})
    return Response(outbox.stationery.write(content).html, media_type=HTML, headers={"Vary": "Accept"})


@router.post(
    "/{notice_id}/change",
    summary="Send a notice otherwise",
    dependencies=[requires(*WRITING)],
    responses=problems(404, 409),
)
async def change_notice(tx: Tx, caller: Caller, notice_id: NoticeId, body: NoticeChangeIn) -> NoticeOut:
    """By other channels, or with a few words; before it is sent."""
    notice = await dunning.pending.change(
        tx, notice_id=notice_id, channels=body.channels, note=body.note, segments=caller.segments
    )
    return await _shown(tx, notice)


@router.post(
    "/{notice_id}/drop",
    summary="Take a notice out of its run",
    dependencies=[requires(*WRITING)],
    responses=problems(404, 409),
)
async def drop_notice(tx: Tx, caller: Caller, notice_id: NoticeId, body: ReasonIn) -> NoticeOut:
    """It is not sent, and its items stay at the level they had."""
    notice = await dunning.pending.drop_by_hand(tx, notice_id=notice_id, reason=body.reason, segments=caller.segments)
    return await _shown(tx, notice)


@router.post(
    "/{notice_id}/bounced",
    summary="What was sent came back",
    dependencies=[requires(*WRITING)],
    responses=problems(404, 409, 503),
)
async def notice_bounced(tx: Tx, caller: Caller, notice_id: NoticeId, body: ReasonIn) -> NoticeOut:
    """The notice goes by its next channel; where there is none, the customer is put on the work list."""
    notice = await dunning.delivering.bounced(tx, notice_id=notice_id, reason=body.reason, segments=caller.segments)
    return await _shown(tx, notice)


@router.post(
    "/{notice_id}/printed",
    summary="A letter has left the print queue",
    dependencies=[requires(*WRITING)],
    responses=problems(404, 409),
)
async def notice_printed(tx: Tx, caller: Caller, notice_id: NoticeId) -> NoticeOut:
    """It is in the list `to_print` no more."""
    return await _shown(tx, await dunning.delivering.printed(tx, notice_id=notice_id, segments=caller.segments))


async def _shown(tx: Transaction, notice: DunningNoticeRow) -> NoticeOut:
    lines, documents = await dunning.pending.parts_of(tx, notice_id=notice.id)
    kept = [
        DocumentOut(
            channel=DunningChannel(document.channel),
            contact_ids=document.contact_ids,
            kept=len(document.body) > 0,
            media_type=document.media_type,
            digest=document.digest,
            sent_at=document.sent_at,
        )
        for document in documents
    ]
    return notice_out(notice, lines, kept)
