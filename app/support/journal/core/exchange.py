"""The journal and its digests as files: what is printed, and verified without any database."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from app.support.journal.core.encoding import Block, SealedEvent, instant, jsonb
from app.support.journal.core.events import EventsDeleted
from app.support.journal.core.verification import Finding, Place, Published, Verifier, beginnings, compare

_COLUMNS: Final = tuple(column.name for column in fields(SealedEvent))


class ExportMalformed(ValueError):
    """A line of a file is not what was exported or published."""


def exported_block(block: Block) -> dict[str, Any]:
    """A block as a line of an export, and as the API shows it."""
    return {
        "number": block.number,
        "first_seq": block.first_seq,
        "last_seq": block.last_seq,
        "root": block.root.hex(),
        "previous": block.previous.hex(),
        "closed_at": instant(block.closed_at),
        "digest": block.digest.hex(),
    }


def exported_event(event: SealedEvent) -> str:
    """An event as a line of an export, as the feed shows it; `before` and `after` keep their text."""
    members = {name: getattr(event, name) for name in _COLUMNS if name not in ("at", "before", "after")}
    members["at"] = instant(event.at)
    subject = {"type": members.pop("subject_type"), "id": members.pop("subject_id")}
    head = json.dumps({**members, "subject": subject}, ensure_ascii=False).removesuffix("}")
    return f'{head}, "before": {event.before}, "after": {event.after}}}'


def read_digests(lines: Iterable[str]) -> list[Published]:
    """The digests of a file that the worker has appended to. Raises `ExportMalformed`."""
    try:
        said = [json.loads(line) for line in lines if line.strip()]
        return [Published(int(line["block"]), bytes.fromhex(line["digest"])) for line in said]
    except (ValueError, KeyError, TypeError) as error:
        raise ExportMalformed(f"no file of digests: {error}") from None


def verify_export(lines: Callable[[], Iterable[str]], published: Sequence[Published]) -> tuple[str, list[Finding]]:
    """What was verified, in words, and everything that is not as it was sealed. Raises `ExportMalformed`.

    Reads the lines twice, and holds one block at a time. An export ends with its last block: that nothing is missing
    behind it, only published digests can say.
    """
    try:
        verifier = Verifier(beginnings(_deletions(lines())))
        digests = {}
        for block, events in _blocks(lines()):
            verifier.take(block, [Place(event.seq, None, event) for event in events])
            digests[block.number] = block.digest
    except (ValueError, KeyError, TypeError) as error:
        raise ExportMalformed(f"no export of a journal: {error}") from None
    said = f"{verifier.blocks:,} blocks, {verifier.events:,} events"
    return said, [*verifier.findings(), *compare(published, digests)]


def _blocks(lines: Iterable[str]) -> Iterator[tuple[Block, list[SealedEvent]]]:
    block: Block | None = None
    events: list[SealedEvent] = []
    for line in lines:
        members = json.loads(line, parse_float=Decimal)
        if "root" not in members:
            events.append(_event(members))
            continue
        if block is not None:
            yield block, events
        block, events = _block(members), []
    if block is not None:
        yield block, events


def _deletions(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """What retention said of where the chain begins."""
    for line in lines:
        if EventsDeleted.type in line and (members := json.loads(line)).get("type") == EventsDeleted.type:
            yield members["after"]


def _block(members: dict[str, Any]) -> Block:
    digests = {name: bytes.fromhex(members[name]) for name in ("root", "previous", "digest")}
    return Block(**members | digests | {"closed_at": datetime.fromisoformat(members["closed_at"])})


def _event(members: dict[str, Any]) -> SealedEvent:
    subject = members.pop("subject")
    changed = {
        "subject_type": subject["type"],
        "subject_id": subject["id"],
        "at": datetime.fromisoformat(members["at"]),
        "before": jsonb(members["before"]),
        "after": jsonb(members["after"]),
    }
    return SealedEvent(**members | changed)
