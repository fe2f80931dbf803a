"""API keys as text: how they look, and what of them is stored."""

from __future__ import annotations

import hashlib
from typing import Final

KEY_PREFIX: Final = "hr_live_"
"""Makes a leaked key recognisable to people and to secret scanners."""
ENTROPY_BYTES: Final = 32
SHOWN_CHARACTERS: Final = len(KEY_PREFIX) + 4
MIN_BOOTSTRAP_KEY: Final = 32
MAX_CREDENTIALS: Final = 8192

_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_DIGITS: Final = 43


def key_text(entropy: bytes) -> str:
    """The text of a new key: the prefix and 256 bits of `entropy` in base 62."""
    assert len(entropy) == ENTROPY_BYTES, "a key has 256 bits of entropy"
    number = int.from_bytes(entropy)
    digits = []
    for _ in range(_DIGITS):
        number, digit = divmod(number, len(_ALPHABET))
        digits.append(_ALPHABET[digit])
    return KEY_PREFIX + "".join(digits)


def key_hash(text: str) -> bytes:
    """What is stored of a key. SHA-256 suffices: the key is random, not a password that could be guessed."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def shown_part(text: str) -> str:
    """The first characters, by which a person recognises a key in a list."""
    return text[:SHOWN_CHARACTERS]
