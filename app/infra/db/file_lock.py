"""A lock that lives as long as its holder: the kernel releases it when the last process that has it open dies."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class FileLock:
    """`flock` on a file. A child that inherits `fileno()` holds the lock with us and goes on holding it after us."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    @contextmanager
    def held(self) -> Iterator[None]:
        """Waits for the lock and has it to itself inside the block."""
        fcntl.flock(self._open(), fcntl.LOCK_EX)
        try:
            yield
        finally:
            self.release()

    def share(self) -> None:
        """Waits until nobody has the lock to himself, then holds it together with others."""
        fcntl.flock(self._open(), fcntl.LOCK_SH)

    def try_lock(self) -> bool:
        """Takes the lock for oneself if nobody else has it, shared or not; a lock shared so far becomes exclusive.

        On failure nothing is held: the kernel gives up the shared lock before it tries for the exclusive one.
        """
        try:
            fcntl.flock(self._open(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.release()
            return False
        return True

    def release(self) -> None:
        """Lets go, as far as this process is concerned: whoever inherited the lock keeps it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def fileno(self) -> int:
        """The descriptor to hand to a child."""
        if self._descriptor is None:
            raise ValueError(f"{self._path} is not held")
        return self._descriptor

    def _open(self) -> int:
        if self._descriptor is None:
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        return self._descriptor
