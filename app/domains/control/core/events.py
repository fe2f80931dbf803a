"""What happens to audits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from app.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditDrawn(Event):
    """Decisions were drawn at random to be looked at."""

    type: ClassVar[str] = "audit_drawn"
    subject_type: ClassVar[str] = "audit"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFindingRecorded(Event):
    """An auditor has said what they found of one decision, or said it anew."""

    type: ClassVar[str] = "audit_finding_recorded"
    subject_type: ClassVar[str] = "audit"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditSignedOff(Event):
    """A second person has closed an audit: its findings never change again."""

    type: ClassVar[str] = "audit_signed_off"
    subject_type: ClassVar[str] = "audit"
