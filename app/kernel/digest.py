"""Canonical JSON and digests: the same content gives the same bytes, today and in years."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final

_CANONICAL: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def canonical(document: Any) -> bytes:
    """`document` (JSON members only) with sorted keys, no spaces, UTF-8."""
    return _CANONICAL.encode(document).encode()


def digest(document: Any) -> str:
    """The SHA-256 of the canonical form, in hexadecimal."""
    return hashlib.sha256(canonical(document)).hexdigest()


def digest_of_bytes(content: bytes) -> str:
    """The SHA-256 of bytes as they are, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()
