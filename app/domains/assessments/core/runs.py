"""A run: a portfolio assessed account by account, in the order of the accounts' ids, from wherever it was left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

BEGINNING: Final = UUID(int=0)
"""Before every account."""
FAILURES_MAX: Final = 20
"""Failures that a run remembers; it counts them all."""
ABANDONED_AFTER: Final = timedelta(seconds=60)
"""Whoever has not worked on a run for so long has left it."""


class RunState(StrEnum):
    """Whether there is something left to do."""

    RUNNING = "running"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run. `segment` null: all; `customers` null: every customer with an account; `total` is how many accounts
    there were at the start."""

    id: UUID
    segment: str | None
    stale_only: bool
    customers: tuple[str, ...] | None
    state: RunState
    after: UUID
    total: int
    assessed: int
    skipped: int
    failed: int
    failures: tuple[Mapping[str, str], ...]
    started_by: str
    started_at: datetime
    finished_at: datetime | None = None

    @property
    def looked_at(self) -> int:
        """Accounts that the run is through with."""
        return self.assessed + self.skipped + self.failed


@dataclass(frozen=True, slots=True)
class Portion:
    """An account that a run has before it, and whether it needs an assessment."""

    account_id: UUID
    customer_id: str
    segment: str
    due: bool
