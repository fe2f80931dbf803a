"""What limit requests, deputies and reviews refuse, by name."""

from __future__ import annotations

from app.kernel.errors import Conflict, Forbidden, Invalid, NotFound


class LimitRequestNotFound(NotFound):
    """There is no such limit request, or not for this caller."""

    code = "limit_request_not_found"
    title = "No such limit request"


class LimitRequestClosed(Conflict):
    """The request waits for nobody: it was decided, cancelled or has expired."""

    code = "limit_request_closed"
    title = "The limit request is closed"


class LimitCurrencyDiffers(Invalid):
    """A limit is in the currency of its account."""

    code = "request_currency_differs"
    title = "The limit is not in the account's currency"


class LimitWindowPast(Invalid):
    """The limit would have ended before it begins."""

    code = "limit_window_past"
    title = "The limit would have ended already"


class LimitWindowMissed(Conflict):
    """The days that the limit was asked for have passed while the request waited."""

    code = "limit_window_missed"
    title = "The days the limit was asked for have passed"


class LimitBelowExposure(Conflict):
    """The limit would be below what the customer owes now, and nobody has said that this is meant."""

    code = "limit_below_exposure"
    title = "The limit is below the current exposure"


class ApprovalExceedsRequest(Invalid):
    """A request is approved for what was asked, or less."""

    code = "approval_exceeds_request"
    title = "More would be approved than is asked for"


class NoCounterOffer(Conflict):
    """The request has no offer that could be accepted."""

    code = "no_counter_offer"
    title = "There is no offer to accept"


class NotTheRequester(Forbidden):
    """Only whoever asked, or had it asked, may accept or cancel."""

    code = "not_the_requester"
    title = "Only the requester may do this"


class AlreadyApproved(Forbidden):
    """Nobody approves two steps of one request."""

    code = "already_approved"
    title = "The caller has approved a step of this request already"


class RoleNotDue(Forbidden):
    """The step is another role's."""

    code = "role_not_due"
    title = "The step waits for another role"


class DeputyNotFound(NotFound):
    """There is no such deputyship, or not for this caller."""

    code = "deputy_not_found"
    title = "No such deputyship"


class DeputyEnded(Conflict):
    """The deputyship is over."""

    code = "deputy_ended"
    title = "The deputyship has ended"


class DeputyImpossible(Invalid):
    """Nobody is their own deputy, and none is appointed for the past or for longer than the policy allows."""

    code = "deputy_impossible"
    title = "This deputy can't be appointed"


class DeputyNotYours(Forbidden):
    """A deputyship is ended by one of the two it binds."""

    code = "deputy_not_yours"
    title = "Only the deputy or whom they stand for may do this"


class AccountReviewNotFound(NotFound):
    """There is no such review, or not for this caller."""

    code = "account_review_not_found"
    title = "No such review"


class AccountReviewCompleted(Conflict):
    """The review was completed before."""

    code = "account_review_completed"
    title = "The review is completed"


class AssessmentUnfit(Invalid):
    """A review rests on a recent assessment of the customer that it is about."""

    code = "assessment_unfit"
    title = "The review needs a recent assessment of this customer"
