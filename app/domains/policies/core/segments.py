"""Segments: credit control areas with a currency, a time zone and a policy of their own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from app.domains.policies.core.refusals import SegmentCurrencyFixed, SegmentReserved, TimeZoneUnknown
from app.kernel.errors import Fault

MAIN: Final = "main"
"""The segment that exists from the start and is meant where none is named."""

RESERVED: Final = frozenset({"schema"})
"""Words that stand where a segment's name does in a path."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment. `zone` decides what "today" means in it."""

    segment: str
    name: str
    currency: str
    zone: ZoneInfo
    time_zone: str | None = None
    """The IANA name it was given; None: it follows the deployment's default."""
    version: int = 1


def check_name(segment: str) -> None:
    """Refuses names that the API needs for itself. Raises `SegmentReserved`."""
    if segment in RESERVED:
        message = f"{segment!r} is a word of the API"
        raise SegmentReserved(message, faults=[Fault("/path/segment", SegmentReserved.code, message)])


def check_time_zone(time_zone: str | None) -> None:
    """Refuses what the IANA database does not know. Raises `TimeZoneUnknown`."""
    if time_zone is not None and time_zone not in _known_zones():
        message = f"{time_zone!r} is not in the IANA time zone database"
        raise TimeZoneUnknown(message, faults=[Fault("/time_zone", TimeZoneUnknown.code, message)])


def check_currency(segment: Segment, currency: str) -> None:
    """Refuses another currency than the segment was opened with. Raises `SegmentCurrencyFixed`."""
    if currency != segment.currency:
        raise SegmentCurrencyFixed(f"{segment.segment!r} is kept in {segment.currency}")


@cache
def _known_zones() -> frozenset[str]:
    return frozenset(available_timezones())
