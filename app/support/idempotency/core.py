"""What an `Idempotency-Key` is, and when two requests are the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
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


class AnswerErased(Conflict):
    """The request was carried out; its answer named a person who has been erased since, and is no longer kept."""

    code = "idempotent_answer_erased"
    title = "The answer named somebody who has been erased"


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """An answer as it was sent the first time."""

    fingerprint: bytes
    status: int
    body: bytes
    media_type: str | None


@dataclass(frozen=True, slots=True)
class ErasedAnswer:
    """What is left of an answer that named a person: that there was one, and to which request."""

    fingerprint: bytes


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


def same_request(stored: StoredAnswer | ErasedAnswer, asked: bytes) -> StoredAnswer:
    """`stored`, refused when it answers another request than `asked`. Raises `KeyReused`, `AnswerErased`."""
    if stored.fingerprint != asked:
        raise KeyReused("send another key with another request")
    if isinstance(stored, ErasedAnswer):
        raise AnswerErased("the request was carried out once and is not carried out again: look at what it was about")
    return stored


def traces(marks: Iterable[str]) -> frozenset[bytes]:
    """What an answer in JSON has in it if it names whoever is known by `marks`; of several lines, each by itself."""
    lines = {line.strip() for mark in marks for line in mark.splitlines()}
    return frozenset(json.dumps(line, ensure_ascii=False)[1:-1].encode() for line in lines if line)
