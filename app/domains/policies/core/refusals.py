"""What the policies slice refuses, by name."""

from __future__ import annotations

from app.kernel.errors import Conflict, Forbidden, Invalid, NotFound


class PolicyInvalid(Invalid):
    """The document is not a policy; `faults` point at each place."""

    code = "policy_invalid"
    title = "The policy document is not valid"


class PolicyVersionNotFound(NotFound):
    """The segment's policy has no such version."""

    code = "policy_version_not_found"
    title = "No such policy version"


class PolicyMissing(Conflict):
    """No version of the segment's policy is active yet."""

    code = "policy_missing"
    title = "The segment has no active policy"


class PolicyNotDraft(Conflict):
    """Only a draft can be edited or submitted."""

    code = "policy_not_draft"
    title = "The version is not a draft"


class PolicyNotSubmitted(Conflict):
    """Only a submitted version can be approved or rejected."""

    code = "policy_not_submitted"
    title = "The version is not submitted"


class PolicyNotApproved(Conflict):
    """The version needs a second person's approval before it can be activated."""

    code = "policy_not_approved"
    title = "The version is not approved"


class PolicyAlreadyEffective(Conflict):
    """The version is or has been active; its instant can't move any more."""

    code = "policy_already_effective"
    title = "The version is in effect already"


class ActivationInstantTaken(Conflict):
    """Another version of the segment becomes active at the very same instant."""

    code = "activation_instant_taken"
    title = "Another version becomes active at that instant"


class EffectiveInPast(Invalid):
    """A policy can't begin to hold before now."""

    code = "effective_in_past"
    title = "The instant has passed"


class FourEyes(Forbidden):
    """Who asked for something can't be the one who approves it."""

    code = "four_eyes"
    title = "A second person has to do this"


class PersonRequired(Forbidden):
    """Approvals need a person; a service or Headroom itself can't give them."""

    code = "person_required"
    title = "Only a person may do this"


class AuthorityExceeded(Forbidden):
    """What is to be approved is more than the caller's authority, or nobody can tell in which currency it would do."""

    code = "authority_exceeded"
    title = "The amount is beyond the caller's authority"


class SegmentCurrencyFixed(Conflict):
    """Policy amounts and accounts are in the segment's currency."""

    code = "segment_currency_fixed"
    title = "The segment's currency can't change"


class SegmentReserved(Invalid):
    """The name is a word of the API."""

    code = "segment_reserved"
    title = "The name is reserved"


class TimeZoneUnknown(Invalid):
    """The time zone is not in the IANA database."""

    code = "time_zone_unknown"
    title = "Unknown time zone"


class OverrideNotFound(NotFound):
    """The customer has no policy override in the segment."""

    code = "policy_override_not_found"
    title = "No policy override"


class OverrideNotPending(Conflict):
    """No policy override of the customer waits for a decision."""

    code = "policy_override_not_pending"
    title = "The policy override does not wait for approval"


class OverridePast(Invalid):
    """The override would have ended before it begins."""

    code = "policy_override_past"
    title = "The policy override has already ended"


class OverrideUnfit(Conflict):
    """A policy override in force and the policy don't make a valid document together."""

    code = "policy_override_unfit"
    title = "A policy override does not fit the policy"
