"""What day it is in a segment."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from app.domains.policies import service as policies
from app.infra.transaction import Transaction
from app.kernel.periods import local_day


async def today(tx: Transaction, segment: str) -> date:
    """What day it is in a segment. Raises `SegmentNotFound`."""
    return local_day(tx.now, (await policies.segment(tx, segment=segment)).zone)


async def days(tx: Transaction, segments: Iterable[str]) -> dict[str, date]:
    """What day it is in each of the segments that exist: accounts stand in no other."""
    return {segment: await today(tx, segment) for segment in sorted(set(segments))}
