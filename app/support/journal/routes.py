"""The event feed, and the proof of the journal, over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from app.infra.http.fields import Reference
from app.infra.http.problem import problems
from app.support.auth.core.scopes import Scope
from app.support.auth.dependencies import Caller, Tx, requires
from app.support.idempotency.routing import IdempotentRoute
from app.support.journal import service as journal
from app.support.journal.schemas import (
    BlocksOut,
    EventOut,
    FeedOut,
    FindingOut,
    SubjectOut,
    VerificationOut,
    block_out,
)
from app.support.journal.tables import JournalEvent

router = APIRouter(tags=["journal"], route_class=IdempotentRoute)


@router.get(
    "/v1/events",
    summary="Everything that changed, in order",
    dependencies=[requires(Scope.JOURNAL_READ)],
    responses=problems(422),
)
async def list_events(
    tx: Tx,
    caller: Caller,
    after: Annotated[int, Query(ge=0, lt=1 << 63, description="next_after of the answer before")] = 0,
    type: Annotated[str | None, Query(pattern="^[a-z][a-z0-9_]{0,63}$", description="Only events of this type")] = None,
    customer_id: Annotated[Reference | None, Query(description="Only events of this customer")] = None,
    exceptional: Annotated[
        bool | None, Query(description="Only what went past the ordinary procedure, or only what did not")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> FeedOut:
    """Resumable and complete: an event never appears at a place before one that has been read."""
    feed = await journal.read(
        tx,
        after=after,
        limit=limit,
        type=type,
        customer_id=customer_id,
        segments=caller.segments,
        exceptional=exceptional,
    )
    return FeedOut(items=[_event(seq, event) for seq, event in feed.events], next_after=feed.next_after)


BlockNumber = Annotated[int, Query(ge=0, lt=1 << 63, description="next_after of the answer before")]


@router.get(
    "/v1/journal/blocks",
    summary="The blocks that the journal was closed in",
    dependencies=[requires(Scope.JOURNAL_READ)],
    responses=problems(422),
)
async def list_journal_blocks(
    tx: Tx, after: BlockNumber = 0, limit: Annotated[int, Query(ge=1, le=500)] = 50
) -> BlocksOut:
    """Digests only, so everybody who may read the journal sees all of them. Keep some outside: see docs/control.md."""
    found = await journal.list_blocks(tx, after=after, limit=limit)
    return BlocksOut(
        items=[block_out(block) for block in found], next_after=found[-1].number if len(found) == limit else None
    )


@router.get(
    "/v1/journal/verification",
    summary="Whether the journal is as it was sealed",
    dependencies=[requires(Scope.JOURNAL_READ)],
    responses=problems(422),
)
async def verify_journal(tx: Tx, after: BlockNumber = 0) -> VerificationOut:
    """Some thousand events a request, from the block behind `after`: edit, deletion, insertion, reordering, truncation.

    Digests that were published outside are compared by `headroom journal verify --digests FILE`.
    """
    stretch = await journal.verify(tx, after=after)
    return VerificationOut(
        intact=not stretch.findings,
        first_block=stretch.first_block,
        blocks=stretch.blocks,
        events=stretch.events,
        findings=[
            FindingOut(kind=found.kind, block=found.block, seq=found.seq, detail=found.detail)
            for found in stretch.findings
        ],
        head=block_out(stretch.last) if stretch.last else None,
        next_after=stretch.next_after,
    )


def _event(seq: int, event: JournalEvent) -> EventOut:
    return EventOut.model_validate(
        {
            "seq": seq,
            "id": event.id,
            "at": event.at,
            "type": event.type,
            "actor": event.actor,
            "actor_kind": event.actor_kind,
            "request_id": event.request_id,
            "segment": event.segment,
            "customer_id": event.customer_id,
            "subject": SubjectOut(type=event.subject_type, id=event.subject_id),
            "before": event.before,
            "after": event.after,
            "exceptional": event.exceptional,
        }
    )
