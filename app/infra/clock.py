"""The one place that reads the system clock."""

from __future__ import annotations

import os
import random
import time
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol
from uuid import UUID

from app.kernel.identity import uuid7


class Clock(Protocol):
    """Tells the time; an argument of everything that needs one."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        return datetime.now(UTC)


class FrozenClock:
    """A clock that stands until it is moved: for tests, simulations and replays."""

    def __init__(self, at: datetime) -> None:
        self._at = at.astimezone(UTC)

    def now(self) -> datetime:
        """The instant it was last moved to."""
        return self._at

    def move(self, *, to: datetime | None = None, by: timedelta = timedelta()) -> None:
        """Moves the clock to an instant, or by a span."""
        self._at = (to.astimezone(UTC) if to else self._at) + by


_entropy: Final = random.Random()  # noqa: S311 - ids are names, never secrets; a call of the system for each is dear
os.register_at_fork(after_in_child=_entropy.seed)


def new_id(now: datetime) -> UUID:
    """A fresh UUIDv7 of the instant `now`; its other bits are random, though not beyond guessing."""
    return uuid7(now, _entropy.getrandbits(74))


def stopwatch() -> float:
    """Seconds on a monotonic clock, for measuring spans only."""
    return time.perf_counter()
