"""Who acts, and how things are named."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from app.kernel.errors import Invalid

MAX_REFERENCE: Final = 64


class ActorKind(StrEnum):
    """What stands behind an action. Approvals need a person."""

    PERSON = "person"
    SERVICE = "service"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who the journal names for a change."""

    name: str
    kind: ActorKind


SYSTEM: Final = Actor("system", ActorKind.SYSTEM)
"""Headroom itself: jobs, expiry, migration."""


class ReferenceMalformed(Invalid):
    """A reference is not 1 to 64 printable characters in NFC."""

    code = "reference_malformed"
    title = "Malformed reference"


def reference(text: str) -> str:
    """`text` as a reference of the outside world: 1–64 printable characters, NFC, no space at either end."""
    normal = unicodedata.normalize("NFC", text)
    if not 0 < len(normal) <= MAX_REFERENCE or not normal.isprintable() or normal.strip() != normal:
        raise ReferenceMalformed(f"a reference has 1 to {MAX_REFERENCE} printable characters and no space at its ends")
    return normal


def uuid7(at: datetime, entropy: int) -> UUID:
    """A UUIDv7 (RFC 9562 §5.7) of the instant `at` with the low 74 bits of `entropy`: sorts by time."""
    milliseconds = int(at.timestamp() * 1000) & ((1 << 48) - 1)
    high = entropy >> 62 & 0xFFF
    low = entropy & ((1 << 62) - 1)
    return UUID(int=milliseconds << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low)
