"""What an `Idempotency-Key` is, and when two requests are the same."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Final

from app.kernel.digest import canonical
from app.kernel.errors import Conflict, Fault, Invalid

HEADER: Final = "Idempotency-Key"
REPLAYED_HEADER: Final = "Idempotent-Replayed"
MAX_KEY: Final = 255
RETRY_AFTER_SECONDS: Final = 1.0


class KeyMalformed(Invalid):
    """An `Idempotency-Key` is 1 to 255 printable ASCII characters."""

    code = "idempotency_key_malformed"
    title = "Malformed Idempotency-Key"


class KeyReused(Invalid):
    """The key has been used for another request."""

    code = "idempotency_key_reused"
    title = "The Idempotency-Key was used for another request"


class KeyInProgress(Conflict):
    """The first request with this key has not been answered yet."""

    code = "idempotency_in_progress"
    title = "A request with this Idempotency-Key is under way"


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """An answer as it was sent the first time."""

    fingerprint: bytes
    status: int
    body: bytes
    media_type: str | None


def checked_key(header: str) -> str:
    """`header` as a key. Raises `KeyMalformed`."""
    if not 0 < len(header) <= MAX_KEY or not header.isascii() or not header.isprintable():
        message = f"an {HEADER} is 1 to {MAX_KEY} printable ASCII characters"
        raise KeyMalformed(message, faults=[Fault(f"/header/{HEADER}", KeyMalformed.code, message)])
    return header


def fingerprint(method: str, target: bytes, document: Any) -> bytes:
    """The SHA-256 of what was asked: method, path with query as sent, and the canonical form of the JSON body.

    Spacing and the order of members do not make another request; `document` is None where there is no body.
    """
    return hashlib.sha256(b"\n".join((method.encode(), target, canonical(document)))).digest()


def same_request(stored: StoredAnswer, asked: bytes) -> StoredAnswer:
    """`stored`, refused when it answers another request than `asked`. Raises `KeyReused`."""
    if stored.fingerprint != asked:
        raise KeyReused("send another key with another request")
    return stored
