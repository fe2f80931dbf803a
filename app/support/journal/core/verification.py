"""What tampering looks like: a stretch of the journal, block by block, against the digests it was closed with."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from app.support.journal.core.encoding import (
    BEGINNING,
    DIGEST_BYTES,
    Block,
    SealedEvent,
    block_digest,
    leaf,
    merkle_root,
)

FINDINGS_MAX: Final = 1_000
"""Findings kept; the first ones are enough to start looking, and a rewritten journal has one for each event."""


class Tampering(StrEnum):
    """What was done to the journal behind the back of the program."""

    EDITED = "edited"
    """Something stored says something else than when it was sealed."""
    DELETED = "deleted"
    """An event or a block is gone, and what comes after it is there."""
    INSERTED = "inserted"
    """An event is there that the sealer has not put there."""
    REORDERED = "reordered"
    """An event stands at another's place."""
    TRUNCATED = "truncated"
    """The end is gone, or the beginning, further than retention says."""
    REWRITTEN = "rewritten"
    """The chain is not the one that was published or that follows from the block before."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it was sealed. `seq` is null for what concerns a whole block."""

    kind: Tampering
    block: int | None
    seq: int | None
    detail: str


@dataclass(frozen=True, slots=True)
class Place:
    """What is stored at one place of the order: the leaf written when it was sealed, and the event as it is now.

    An export without stored leaves has null: then a block is judged as a whole.
    """

    seq: int
    leaf: bytes | None
    event: SealedEvent | None


@dataclass(frozen=True, slots=True)
class _Strange:
    """An event that is not the one its place was sealed with."""

    block: int
    seq: int
    sealed: bytes
    found: bytes


@dataclass(slots=True)
class Verifier:
    """Follows the chain. `previous` is the block before the first that it is given; null where the chain begins.

    `beginnings` are the blocks (by number) that retention left as the first, with the digest before each.
    """

    beginnings: Mapping[int, bytes]
    previous: Block | None = None
    blocks: int = 0
    events: int = 0
    _findings: list[Finding] = field(default_factory=list)
    _strange: list[_Strange] = field(default_factory=list)

    def take(self, block: Block, places: Sequence[Place]) -> None:
        """Judges the next block by what is stored at its places, in order."""
        self._link(block)
        self._judge(block, places)
        self.previous = block
        self.blocks += 1
        self.events += len(places)

    def note(self, kind: Tampering, detail: str, *, block: int | None = None, seq: int | None = None) -> None:
        """Adds a finding, unless there are plenty."""
        if len(self._findings) < FINDINGS_MAX:
            self._findings.append(Finding(kind, block, seq, detail))

    def findings(self) -> list[Finding]:
        """Everything found so far; an event found at a place where another was sealed is told from an edited one."""
        sealed = {strange.sealed for strange in self._strange}
        found = [
            Finding(Tampering.REORDERED, strange.block, strange.seq, "the event was sealed at another place")
            if strange.found in sealed
            else Finding(Tampering.EDITED, strange.block, strange.seq, "the event is not what was sealed")
            for strange in self._strange
        ]
        return sorted([*self._findings, *found], key=lambda finding: (finding.block or 0, finding.seq or 0))

    def _link(self, block: Block) -> None:
        """Whether the block follows from the one before it, and its header from itself."""
        header = block.number, block.first_seq, block.last_seq, block.root, block.previous, block.closed_at
        if block_digest(*header) != block.digest:
            self.note(Tampering.EDITED, "the header of the block is not what was sealed", block=block.number)
        before = self.previous
        if before is not None and block.number == before.number + 1:
            if (block.previous, block.first_seq) != (before.digest, before.last_seq + 1):
                self.note(Tampering.REWRITTEN, "the block does not follow from the one before", block=block.number)
        elif self.beginnings.get(block.number) != block.previous:
            gap = "the beginning is gone" if before is None else f"blocks behind {before.number} are gone"
            kind = Tampering.TRUNCATED if before is None else Tampering.DELETED
            self.note(kind, f"{gap}, and retention has not deleted them", block=block.number)

    def _judge(self, block: Block, places: Sequence[Place]) -> None:
        present = {place.seq for place in places}
        missing = [seq for seq in range(block.first_seq, block.last_seq + 1) if seq not in present]
        missing += [place.seq for place in places if place.event is None]
        for seq in sorted(missing)[:FINDINGS_MAX]:
            self.note(Tampering.DELETED, "the event is gone", block=block.number, seq=seq)
        strange = self._strangers(block, places)
        self._strange += strange[: max(0, FINDINGS_MAX - len(self._strange))]
        if missing or strange:
            return
        leaves = [place.leaf or leaf(place.event) for place in places if place.event is not None]
        if merkle_root(leaves) != block.root:
            self._judge_whole(block, places, leaves)

    @staticmethod
    def _strangers(block: Block, places: Sequence[Place]) -> list[_Strange]:
        return [
            _Strange(block.number, place.seq, place.leaf, found)
            for place in places
            if place.leaf is not None and place.event is not None
            if (found := leaf(place.event)) != place.leaf
        ]

    def _judge_whole(self, block: Block, places: Sequence[Place], leaves: Sequence[bytes]) -> None:
        """The events agree with their leaves, and these not with the block: leaves were altered, too."""
        by_id = [leaf for _, leaf in sorted(zip((p.event.id for p in places if p.event), leaves, strict=True))]
        if merkle_root(by_id) == block.root:
            self.note(Tampering.REORDERED, "the events of the block were sealed in another order", block=block.number)
        else:
            self.note(Tampering.EDITED, "the events of the block are not those that were sealed", block=block.number)


def not_there(event_id: int) -> str:
    """What is said of an event without a place that the sealer has passed by."""
    return f"event {event_id} was not there when its transaction was sealed"


@dataclass(frozen=True, slots=True)
class Published:
    """The digest of a block as it was published, outside the database."""

    block: int
    digest: bytes


def beginnings(deletions: Iterable[Mapping[str, object]]) -> dict[int, bytes]:
    """Where the chain may begin: at the first block ever, and at those that retention's events name (`after`)."""
    named = {1: BEGINNING}
    for after in deletions:
        number, digest = after.get("first_block"), after.get("previous")
        if isinstance(number, int) and isinstance(digest, str) and len(digest) == 2 * DIGEST_BYTES:
            named[number] = bytes.fromhex(digest)
    return named


def compare(published: Collection[Published], digests: Mapping[int, bytes]) -> list[Finding]:
    """What was published against the blocks that are there, by number. Blocks before the first are not compared."""
    first, last = min(digests, default=None), max(digests, default=0)
    found = []
    for line in published:
        if line.block > last:
            said = f"block {line.block} was published, and the journal ends with {last}"
            found.append(Finding(Tampering.TRUNCATED, line.block, None, said))
        elif line.block in digests and digests[line.block] != line.digest:
            said = "the digest of the block is not the published one"
            found.append(Finding(Tampering.REWRITTEN, line.block, None, said))
        elif first is not None and line.block > first and line.block not in digests:
            found.append(Finding(Tampering.DELETED, line.block, None, "the block was published and is gone"))
    return found
