"""What credit data refuse, by name."""

from __future__ import annotations

from app.kernel.errors import Conflict, Invalid, NotFound


class RecordNotFound(NotFound):
    """There is no such record, or it was not known then, or it has been taken back."""

    code = "credit_record_not_found"
    title = "No such record in the credit file"


class CreditReportConflict(Conflict):
    """The agency's reference was entered before, and it said something else."""

    code = "credit_report_conflict"
    title = "Another report has this reference"


class FiguresMissing(Invalid):
    """A statement without a single figure."""

    code = "figures_missing"
    title = "The statement has no figures"


class FiguresDisagree(Invalid):
    """Figures of a statement contradict each other by more than 1 %."""

    code = "figures_disagree"
    title = "The figures do not agree"


class ReportEmpty(Invalid):
    """A report that says nothing."""

    code = "report_empty"
    title = "The report says nothing"


class ScaleMissing(Invalid):
    """A score without the scale it is on."""

    code = "scale_missing"
    title = "The score has no scale"


class ScoreOutsideScale(Invalid):
    """The score is not on its scale, or the scale is none."""

    code = "score_outside_scale"
    title = "The score is not on its scale"


class ResolvedTooEarly(Invalid):
    """An adverse event was resolved before it occurred."""

    code = "resolved_too_early"
    title = "The event was resolved before it occurred"


class WithdrawalUndated(Invalid):
    """An announced withdrawal of a cover without the day until which it covers."""

    code = "withdrawal_undated"
    title = "The announced withdrawal has no date"


class QuestionUnknown(Invalid):
    """The policy does not ask this."""

    code = "question_unknown"
    title = "The policy does not ask this"


class AnswerOutOfRange(Invalid):
    """The answer is outside the range of its question."""

    code = "answer_out_of_range"
    title = "The answer is outside its range"


class DayAhead(Invalid):
    """The day is still to come: nothing can be known of it yet."""

    code = "day_ahead"
    title = "The day is still to come"


class CreditSourceMissing(Conflict):
    """No agency's API is configured that a report could be fetched from."""

    code = "credit_source_missing"
    title = "No agency is connected"


class ReportStillCurrent(Conflict):
    """The agency's last report is younger than the policy says: a new one would cost money for nothing."""

    code = "report_still_current"
    title = "The last report is still current"


class ReportOrderNotFound(NotFound):
    """No report was ordered under this id."""

    code = "report_order_not_found"
    title = "No such order of a report"
