"""What dunning refuses, by name."""

from __future__ import annotations

from app.kernel.errors import Busy, Conflict, Fault, Forbidden, Invalid, NotFound


class DunningRunNotFound(NotFound):
    """There is no such run."""

    code = "dunning_run_not_found"
    title = "No such dunning run"


class DunningNoticeNotFound(NotFound):
    """There is no such notice."""

    code = "dunning_notice_not_found"
    title = "No such notice"


class DunningClaimNotFound(NotFound):
    """There is no such claim."""

    code = "dunning_claim_not_found"
    title = "No such claim"


class DunningStopNotFound(NotFound):
    """There is no such stop."""

    code = "dunning_stop_not_found"
    title = "No such stop"


class PromiseNotFound(NotFound):
    """There is no such promise."""

    code = "promise_not_found"
    title = "No such promise"


class CollectionTaskNotFound(NotFound):
    """There is no such task."""

    code = "collection_task_not_found"
    title = "No such collection task"


class StatutoryReferenceNotFound(NotFound):
    """No rule of any jurisdiction uses this reference rate."""

    code = "statutory_reference_not_found"
    title = "No such reference rate"


class RunInFuture(Invalid):
    """Only what is overdue today can be reminded of; what will be is for a dry run."""

    code = "run_in_future"
    title = "The day of the run has not come yet"


class RunNotProposed(Conflict):
    """The run was released or withdrawn before."""

    code = "dunning_run_not_proposed"
    title = "The run is no longer a proposal"


class RunIncomplete(Conflict):
    """The run has not yet looked at every customer of the segment."""

    code = "dunning_run_incomplete"
    title = "The run is still looking at customers"


class NoticeNotPending(Conflict):
    """The notice has been sent, dropped or settled, or is just being sent."""

    code = "dunning_notice_not_pending"
    title = "The notice can no longer be changed"


class NoticeNotSent(Conflict):
    """Only what was sent can bounce or be printed."""

    code = "dunning_notice_not_sent"
    title = "The notice was not sent"


class NoticePrinted(Conflict):
    """The letter has left the print queue before."""

    code = "dunning_notice_printed"
    title = "The letter is printed"


class ChannelUnusable(Conflict):
    """The customer has no contact with an address of this kind."""

    code = "channel_unusable"
    title = "The channel can't be used for this customer"


class DunningClaimSettled(Conflict):
    """The claim was booked, waived or paid before."""

    code = "dunning_claim_settled"
    title = "The claim can no longer be changed"


class WaiverBeyondAuthority(Forbidden):
    """The claim is larger than what the caller may give up, or the caller has no authority or is no person."""

    code = "waiver_beyond_authority"
    title = "The caller may not waive this claim"


class StopLifted(Conflict):
    """The stop was lifted before."""

    code = "dunning_stop_lifted"
    title = "The stop is lifted"


class StopWithoutEnd(Invalid):
    """A stop by hand ends on a day; only a legal case may stay open."""

    code = "stop_without_end"
    title = "The stop needs a last day"


class StopInPast(Invalid):
    """The last day of the stop has passed."""

    code = "stop_in_past"
    title = "The stop would end before today"


class PromiseInPast(Invalid):
    """The day of the promise has passed."""

    code = "promise_in_past"
    title = "The promised day has passed"


class PromiseContradictory(Invalid):
    """The promise names invoices that are not the customer's, not open, or in another currency."""

    code = "promise_contradictory"
    title = "The promise and its invoices do not go together"


class PromiseEnded(Conflict):
    """The promise is kept, broken or withdrawn."""

    code = "promise_ended"
    title = "The promise is no longer open"


class CollectionTaskDone(Conflict):
    """The task was completed before."""

    code = "collection_task_done"
    title = "The task is done"


class DunningBusy(Busy):
    """Another run is just looking at the same customers."""

    code = "dunning_busy"
    title = "Another run is under way"


def at(refusal: type[Invalid], pointer: str, message: str) -> Invalid:
    """The refusal of one place of the input (JSON pointer)."""
    return refusal(message, faults=[Fault(pointer, refusal.code, message)])
