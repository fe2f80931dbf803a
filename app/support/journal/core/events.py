"""What happens to the journal itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from app.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class EventsDeleted(Event):
    """Retention has deleted the oldest blocks; `after` names the block that the chain begins with now.

    Whoever verifies the journal takes a beginning that no such event names for a deletion by hand.
    """

    type: ClassVar[str] = "events_deleted"
    subject_type: ClassVar[str] = "journal"
