"""Days and windows of days. Windows are inclusive at both ends, as people write them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from app.kernel.errors import Invalid


class WindowReversed(Invalid):
    """A window ends before it starts."""

    code = "window_reversed"
    title = "The window ends before it starts"


@dataclass(frozen=True, slots=True)
class Window:
    """The days from `start` to `end`, both included; without `end` it never ends."""

    start: date
    end: date | None = None

    def __post_init__(self) -> None:
        if self.end is not None and self.end < self.start:
            raise WindowReversed(f"{self.end} is before {self.start}")

    def __contains__(self, day: date) -> bool:
        return self.start <= day and (self.end is None or day <= self.end)

    def overlaps(self, other: Window) -> bool:
        """Whether any day lies in both."""
        return (other.end is None or self.start <= other.end) and (self.end is None or other.start <= self.end)

    def before(self, day: date) -> Window | None:
        """The part of this window before `day`, if there is any."""
        return Window(self.start, day - timedelta(days=1)) if self.start < day else None


def local_day(instant: datetime, zone: ZoneInfo) -> date:
    """The calendar day of `instant` in `zone`: what "today" means there."""
    return instant.astimezone(zone).date()


def next_midnight(instant: datetime, zone: ZoneInfo) -> datetime:
    """The first instant (UTC) of the day after `instant`'s in `zone`."""
    return start_of(local_day(instant, zone) + timedelta(days=1), zone)


def start_of(day: date, zone: ZoneInfo) -> datetime:
    """The first instant (UTC) of `day` in `zone`."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def end_of(day: date, zone: ZoneInfo) -> datetime:
    """The first instant (UTC) after `day` in `zone`."""
    return start_of(day + timedelta(days=1), zone)
