"""How the journal is turned into digests. `docs/control.md` says the same in prose, for other implementations.

- The text of an event is a JSON array, as PostgreSQL renders `jsonb`: `, ` and `: ` between members, keys by length and
  then by bytes, nothing escaped that need not be, UTF-8. Its members are `id`, `at` (UTC, microseconds), `type`,
  `actor`, `actor_kind`, `request_id`, `segment`, `customer_id`, `subject_type`, `subject_id`, `before`, `after`,
  `exceptional`.
- A leaf is SHA-256 of a zero byte and that text.
- The root of a block is the Merkle tree hash of its leaves in their order (RFC 6962 §2.1).
- The digest of a block is SHA-256 of a byte 2 and the text of the array `[number, first_seq, last_seq, root, previous,
  closed_at]`, the two digests in hexadecimal. `previous` is the digest of the block before; zeros for the first.

The sealer computes leaves in SQL and verification here: two implementations that a test compares.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

_LEAF: Final = b"\x00"
_NODE: Final = b"\x01"
_BLOCK: Final = b"\x02"
DIGEST_BYTES: Final = 32
BEGINNING: Final = bytes(DIGEST_BYTES)
"""What stands for the digest before the first block."""


@dataclass(frozen=True, slots=True)
class SealedEvent:
    """An event at its place, as it is now; `before` and `after` are texts as `jsonb` renders them."""

    seq: int
    id: int
    at: datetime
    type: str
    actor: str
    actor_kind: str
    request_id: str
    segment: str | None
    customer_id: str | None
    subject_type: str
    subject_id: str
    before: str
    after: str
    exceptional: bool


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of the journal that was closed at once: whole transactions, in their public order."""

    number: int
    first_seq: int
    last_seq: int
    root: bytes
    previous: bytes
    closed_at: datetime
    digest: bytes

    @property
    def events(self) -> int:
        """How many events it holds."""
        return self.last_seq - self.first_seq + 1


def jsonb(value: Any) -> str:
    """`value` as PostgreSQL renders it: the canonical text of everything that is digested here."""
    if isinstance(value, dict):
        members = sorted(value.items(), key=lambda member: (len(member[0].encode()), member[0].encode()))
        return "{" + ", ".join(f"{jsonb(key)}: {jsonb(member)}" for key, member in members) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(jsonb, value)) + "]"
    if isinstance(value, Decimal):
        return format(value, "f")
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def instant(at: datetime) -> str:
    """An instant as it stands in digested texts: UTC, always with microseconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def leaf(event: SealedEvent) -> bytes:
    """The digest of one event. Its place is not in it: that is its position in the tree."""
    plain = (
        event.id,
        instant(event.at),
        event.type,
        event.actor,
        event.actor_kind,
        event.request_id,
        event.segment,
        event.customer_id,
        event.subject_type,
        event.subject_id,
    )
    parts = [*map(jsonb, plain), event.before, event.after, jsonb(event.exceptional)]
    return hashlib.sha256(_LEAF + f"[{', '.join(parts)}]".encode()).digest()


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """The Merkle tree hash of at least one leaf (RFC 6962 §2.1): pairs are joined, an odd last one moves up."""
    assert leaves, "a block has events"
    level = list(leaves)
    while len(level) > 1:
        joined = [hashlib.sha256(_NODE + level[at] + level[at + 1]).digest() for at in range(0, len(level) - 1, 2)]
        level = joined + level[len(level) - len(level) % 2 :]
    return level[0]


def close(*, number: int, first_seq: int, leaves: Sequence[bytes], previous: bytes, closed_at: datetime) -> Block:
    """The block of these leaves behind the block with the digest `previous`."""
    last_seq = first_seq + len(leaves) - 1
    root = merkle_root(leaves)
    digest = block_digest(number, first_seq, last_seq, root, previous, closed_at)
    return Block(number, first_seq, last_seq, root, previous, closed_at, digest)


def block_digest(
    number: int, first_seq: int, last_seq: int, root: bytes, previous: bytes, closed_at: datetime
) -> bytes:
    """The digest that stands for this block and all before it."""
    text = jsonb([number, first_seq, last_seq, root.hex(), previous.hex(), instant(closed_at)])
    return hashlib.sha256(_BLOCK + text.encode()).digest()
