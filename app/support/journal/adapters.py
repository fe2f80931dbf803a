"""Where digests are published outside the database: lines appended to a file."""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from app.support.journal.core.encoding import Block, instant
from app.support.journal.core.exchange import read_digests
from app.support.journal.core.verification import Published

LINES_RECALLED: Final = 2_000
LINE_BYTES: Final = 200
"""A line is not longer."""


class Publication(Protocol):
    """A place outside the database that keeps what it was told."""

    def publish(self, block: Block) -> None:
        """Keeps the digest of a block. Raises `OSError`."""
        ...

    def recall(self) -> Sequence[Published]:
        """What was kept: the last digests, and each time the next of the others. Raises `OSError`."""
        ...


class Memory:
    """No such place but this process: the log line and the metrics have to do."""

    def __init__(self) -> None:
        self._kept: deque[Published] = deque(maxlen=LINES_RECALLED)

    def publish(self, block: Block) -> None:
        """Keeps the digest for as long as the process lives, until there are many."""
        self._kept.append(Published(block.number, block.digest))

    def recall(self) -> Sequence[Published]:
        """All that is kept."""
        return tuple(self._kept)


class DigestFile:
    """A file to which lines of JSON are appended; it should lie where the database's administrators can't write."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._recalled = 0

    def publish(self, block: Block) -> None:
        """Appends a line, and returns when it is on disk."""
        line = json.dumps(published(block)) + "\n"
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
        try:
            os.write(descriptor, line.encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def recall(self) -> Sequence[Published]:
        """The last lines, and the next of the others, from the beginning again at the end. Raises `ExportMalformed`."""
        if not self._path.exists():
            return ()
        with self._path.open("rb") as file:
            last = file.seek(0, os.SEEK_END)
            lines = _lines_from(file, max(0, last - LINES_RECALLED * LINE_BYTES))
            if last > LINES_RECALLED * LINE_BYTES:
                lines += _lines_from(file, self._recalled, LINES_RECALLED)
                self._recalled = file.tell() if file.tell() < last else 0
        return read_digests(lines)


def _lines_from(file: BinaryIO, place: int, most: int | None = None) -> list[str]:
    """Whole lines from `place` on: a line that began before it is left to others."""
    file.seek(max(0, place - 1))
    if place:
        file.readline()
    return [line.decode() for line in islice(iter(file.readline, b""), most)]


def published(block: Block) -> dict[str, object]:
    """What is told of a block outside."""
    return {
        "block": block.number,
        "last_seq": block.last_seq,
        "digest": block.digest.hex(),
        "closed_at": instant(block.closed_at),
    }
