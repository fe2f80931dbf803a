"""The one place that reads the system clock."""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol
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


def new_id(now: datetime) -> UUID:
    """A fresh UUIDv7 of the instant `now`."""
    return uuid7(now, secrets.randbits(74))


def stopwatch() -> float:
    """Seconds on a monotonic clock, for measuring spans only."""
    return time.perf_counter()
