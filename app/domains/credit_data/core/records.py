"""A piece of credit data as it is kept: what it says, and when, from whom and by whom it became known.

Nothing is overwritten. A correction is a further version of the same record; what was known at an instant can be read
again. Two times are kept apart: the day a fact is valid for, and the instant it became known here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Generic, TypeVar
from uuid import UUID

from app.domains.policies.core.factors import Independence

Content = TypeVar("Content")


class Kind(StrEnum):
    """What a record is about."""

    STATEMENT = "financial_statement"
    REPORT = "credit_report"
    REFERENCE = "trade_reference"
    ADVERSE_EVENT = "adverse_event"
    COVER = "cover"
    ANSWER = "questionnaire_answer"


@dataclass(frozen=True, slots=True)
class Key:
    """What names a record of a customer: its kind, a reference within it, and the segment where it has one."""

    customer_id: str
    kind: Kind
    ref: str
    segment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a fact comes from: the day it is valid for, who says so, and how independent they are."""

    valid_on: date
    source: str
    independence: Independence


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed(Generic[Content]):
    """One version of a record. `id` is the same for all its versions; `known_at` and `entered_by` are of this one.

    `superseded_at` is when the next version became known, null for the last; `retracted` says that the record was taken
    back, with its `reason`.
    """

    id: UUID
    customer_id: str
    kind: Kind
    ref: str
    segment: str | None
    version: int
    valid_on: date
    source: str
    independence: Independence
    known_at: datetime
    entered_by: str
    content: Content
    superseded_at: datetime | None = None
    retracted: bool = False
    reason: str | None = None

    @property
    def key(self) -> Key:
        """What names the record."""
        return Key(self.customer_id, self.kind, self.ref, self.segment)

    @property
    def origin(self) -> Origin:
        """Where it comes from."""
        return Origin(valid_on=self.valid_on, source=self.source, independence=self.independence)

    def age_days(self, on: date) -> int:
        """Days since the day it is valid for, on the day `on`; never negative."""
        return max((on - self.valid_on).days, 0)
