"""What became of a request of an import."""

from __future__ import annotations

from enum import StrEnum

from app.kernel.errors import Refusal


class Outcome(StrEnum):
    """What became of a request that was not refused."""

    POSTED = "posted"
    UNCHANGED = "unchanged"
    """It was posted before, with the same contents."""


Result = Outcome | Refusal


def outcome(changed: bool) -> Outcome:
    """Whether a request has changed anything, in words."""
    return Outcome.POSTED if changed else Outcome.UNCHANGED
