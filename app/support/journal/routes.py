"""The event feed over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from app.infra.http.fields import Reference
from app.infra.http.problem import problems
from app.support.auth.core.scopes import Scope
from app.support.auth.dependencies import Caller, Tx, requires
from app.support.idempotency.routing import IdempotentRoute
from app.support.journal import service as journal
from app.support.journal.schemas import EventOut, FeedOut, SubjectOut
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
