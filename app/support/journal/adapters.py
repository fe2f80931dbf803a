"""Where digests are published outside the database: lines appended to a file."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Protocol

from app.support.journal.core.encoding import Block, instant


class Publication(Protocol):
    """A place outside the database that keeps what it was told."""

    def publish(self, block: Block) -> None:
        """Keeps the digest of a block. Raises `OSError`."""
        ...


class Nowhere:
    """No such place: the log line and the metrics have to do."""

    def publish(self, block: Block) -> None:
        """Keeps nothing."""


class DigestFile:
    """A file to which lines of JSON are appended; it should lie where the database's administrators can't write."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def publish(self, block: Block) -> None:
        """Appends a line, and returns when it is on disk."""
        line = json.dumps(published(block)) + "\n"
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
        try:
            os.write(descriptor, line.encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def published(block: Block) -> dict[str, object]:
    """What is told of a block outside."""
    return {
        "block": block.number,
        "last_seq": block.last_seq,
        "digest": block.digest.hex(),
        "closed_at": instant(block.closed_at),
    }
