"""What happens when customers are assessed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from app.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerAssessed(Event):
    """A customer has a new score, grade and recommended limit in a segment; before is the assessment before it."""

    type: ClassVar[str] = "customer_assessed"
    subject_type: ClassVar[str] = "assessment"


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessmentRunStarted(Event):
    """A portfolio is being assessed anew."""

    type: ClassVar[str] = "assessment_run_started"
    subject_type: ClassVar[str] = "assessment_run"


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessmentRunFinished(Event):
    """Every account of the run has been looked at."""

    type: ClassVar[str] = "assessment_run_finished"
    subject_type: ClassVar[str] = "assessment_run"
