"""Events: what happened, in the past tense. Each state change emits exactly one. Signals: what is about to happen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One state change, as the journal, the event feed, webhooks and reactions see it.

    A slice subclasses it in `core/events.py` and sets `type` (snake_case, past tense) and `subject_type`. `before` and
    `after` hold JSON-ready members only (strings for money, ISO dates): what changed, not the whole thing.
    `exceptional` marks what went past the ordinary procedure, for those who answer for the internal control.
    """

    type: ClassVar[str]
    subject_type: ClassVar[str]

    subject_id: str
    segment: str | None = None
    customer_id: str | None = None
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)
    exceptional: bool = False


class Signal:
    """What a use case tells higher slices while it is at work, so that they act before it goes on.

    Nothing has changed by it: it is not journalled. Whoever acts on it emits the events of what that changes.
    """

    __slots__ = ()
