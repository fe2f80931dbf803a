"""The event feed, and the proof of the journal, on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from app.infra.http.fields import Wire
from app.kernel.identity import ActorKind
from app.support.journal.core.encoding import Block
from app.support.journal.core.verification import Tampering


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


class BlockOut(Wire):
    """A stretch of the journal that was closed at once; `digest` stands for it and all before it (hexadecimal)."""

    number: int
    first_seq: int
    last_seq: int
    root: str
    previous: str
    closed_at: datetime
    digest: str


class BlocksOut(Wire):
    """Blocks in order; ask again with `after=next_after`. Null at the end."""

    items: list[BlockOut]
    next_after: int | None


class FindingOut(Wire):
    """One thing in the journal that is not as it was sealed. `seq` is null for what concerns a whole block."""

    kind: Tampering
    block: int | None
    seq: int | None
    detail: str


class VerificationOut(Wire):
    """What was verified of the journal: the blocks from `first_block` on, up to `head`.

    `next_after` is where to go on; null when the end was reached, which is verified then, too.
    """

    intact: bool
    first_block: int | None
    blocks: int
    events: int
    findings: list[FindingOut]
    head: BlockOut | None
    next_after: int | None


def block_out(block: Block) -> BlockOut:
    """A block as an answer."""
    return BlockOut(
        number=block.number,
        first_seq=block.first_seq,
        last_seq=block.last_seq,
        root=block.root.hex(),
        previous=block.previous.hex(),
        closed_at=block.closed_at,
        digest=block.digest.hex(),
    )
