"""What the assessments slice refuses, by name."""

from __future__ import annotations

from app.kernel.errors import Conflict, NotFound


class ScorecardNotInPolicy(Conflict):
    """Without a scorecard nobody can be assessed."""

    code = "scorecard_missing"
    title = "The policy has no scorecard"


class LimitsNotInPolicy(Conflict):
    """Without the section `limits` no limit can be recommended."""

    code = "limits_section_missing"
    title = "The policy does not say how limits are found"


class AssessmentNotFound(NotFound):
    """There is no such assessment, or not in a segment that the caller may see."""

    code = "assessment_not_found"
    title = "No such assessment"


class AssessmentRunNotFound(NotFound):
    """There is no such run, or not in a segment that the caller may see."""

    code = "assessment_run_not_found"
    title = "No such run of assessments"
