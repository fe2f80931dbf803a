"""The event feed on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from app.infra.http.fields import Wire
from app.kernel.identity import ActorKind


class SubjectOut(Wire):
    """What an event is about."""

    type: str
    id: str


class EventOut(Wire):
    """One state change, at its place in the journal."""

    seq: int
    id: int
    at: datetime
    type: str
    actor: str
    actor_kind: ActorKind
    request_id: str
    segment: str | None
    customer_id: str | None
    subject: SubjectOut
    before: dict[str, Any]
    after: dict[str, Any]
    exceptional: bool


class FeedOut(Wire):
    """Events in order; ask again with `after=next_after`."""

    items: list[EventOut]
    next_after: int
