"""What internal control refuses, by name. Four eyes and persons are refused as everywhere."""

from __future__ import annotations

from app.kernel.errors import Conflict, Invalid, NotFound


class AuditNotFound(NotFound):
    """There is no such audit, or not for this caller."""

    code = "audit_not_found"
    title = "No such audit"


class AuditItemNotFound(NotFound):
    """The sample has no decision at this position."""

    code = "audit_item_not_found"
    title = "No such item of the audit"


class AuditIsSignedOff(Conflict):
    """What was signed off stays as it is."""

    code = "audit_signed_off"
    title = "The audit is signed off"


class AuditIncomplete(Conflict):
    """There are decisions without a finding."""

    code = "audit_incomplete"
    title = "The audit has items without a finding"


class AuditPeriodInvalid(Invalid):
    """The period is too long, or ends before it begins."""

    code = "audit_period_invalid"
    title = "The period can't be audited"


class ActivityPeriodInvalid(Invalid):
    """The period is too long, or ends before it begins."""

    code = "activity_period_invalid"
    title = "The period can't be reported on"
