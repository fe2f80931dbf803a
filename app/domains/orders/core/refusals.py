"""What orders, shipments and reviews refuse, by name."""

from __future__ import annotations

from app.kernel.errors import Conflict, Invalid, NotFound


class CreditCheckNotFound(NotFound):
    """No credit check has this id."""

    code = "credit_check_not_found"
    title = "No such credit check"


class ShipmentNotFound(NotFound):
    """The order has no shipment with this reference."""

    code = "shipment_not_found"
    title = "No such shipment"


class OrderConflict(Conflict):
    """An order with this reference is there already, and is not the one that is to be loaded."""

    code = "order_conflict"
    title = "The order is there already"


class ShipmentConflict(Conflict):
    """A shipment with this reference is there already, and is another one."""

    code = "shipment_conflict"
    title = "The shipment is there already"


class ShipmentAlreadyReversed(Conflict):
    """The goods of the shipment came back before."""

    code = "shipment_reversed"
    title = "The shipment is reversed"


class ExceedsReservation(Conflict):
    """More would leave than credit was set aside for."""

    code = "exceeds_reservation"
    title = "The shipment exceeds what is approved"


class ReviewClosed(Conflict):
    """Nobody waits for a decision on the check: it never was under review, or was decided, superseded or has lapsed."""

    code = "review_closed"
    title = "The review is closed"


class ReviewClaimed(Conflict):
    """Somebody else works on the review."""

    code = "review_claimed"
    title = "Somebody else has claimed the review"


class ReviewNotClaimed(Conflict):
    """The caller has not claimed the review."""

    code = "review_not_claimed"
    title = "The caller has no claim to give up"


class ReleaseReasonUnknown(Invalid):
    """The policy lists the reasons that a release may give, and this is none of them."""

    code = "release_reason_unknown"
    title = "The policy does not know this reason"


class ReleaseExpiryPast(Invalid):
    """A release that has ended before it begins."""

    code = "release_expiry_past"
    title = "The last day of the release has passed"


class ForcedHold(Conflict):
    """A forced hold of the account beats every release."""

    code = "forced_hold"
    title = "The account is on a forced hold"


class ReleaseExceedsCheck(Invalid):
    """A release is for the amount that was checked, or less."""

    code = "release_exceeds_check"
    title = "More would be released than was checked"


class NothingToLoad(Invalid):
    """An order without any amount is none that could be loaded."""

    code = "nothing_to_load"
    title = "The order has no amounts"
