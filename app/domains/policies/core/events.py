"""What happens to segments, policies and overrides. A version's subject id is `<segment>/<version>`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from app.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentOpened(Event):
    """A segment exists from now on, with version 1 of its policy active."""

    type: ClassVar[str] = "segment_opened"
    subject_type: ClassVar[str] = "segment"


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentChanged(Event):
    """A segment has another name or another time zone: its days may begin at other instants."""

    type: ClassVar[str] = "segment_changed"
    subject_type: ClassVar[str] = "segment"


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyDrafted(Event):
    """A new version has been drafted."""

    type: ClassVar[str] = "policy_drafted"
    subject_type: ClassVar[str] = "policy_version"


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyEdited(Event):
    """A draft says something else."""

    type: ClassVar[str] = "policy_edited"
    subject_type: ClassVar[str] = "policy_version"


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicySubmitted(Event):
    """A draft waits for a second person, and never changes again."""

    type: ClassVar[str] = "policy_submitted"
    subject_type: ClassVar[str] = "policy_version"


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyApproved(Event):
    """A second person has approved a version."""

    type: ClassVar[str] = "policy_approved"
    subject_type: ClassVar[str] = "policy_version"


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyApprovalRefused(Event):
    """Somebody tried to approve or activate a version who may not. Nothing else has changed."""

    type: ClassVar[str] = "policy_approval_refused"
    subject_type: ClassVar[str] = "policy_version"


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRejected(Event):
    """A version has been turned down for good."""

    type: ClassVar[str] = "policy_rejected"
    subject_type: ClassVar[str] = "policy_version"


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyActivated(Event):
    """A version holds from `after["effective_at"]` on, which may be still to come."""

    type: ClassVar[str] = "policy_activated"
    subject_type: ClassVar[str] = "policy_version"


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyOverrideProposed(Event):
    """Somebody asks for other rules for one customer."""

    type: ClassVar[str] = "policy_override_proposed"
    subject_type: ClassVar[str] = "policy_override"


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyOverrideApproved(Event):
    """Other rules hold for one customer, by a second person's approval."""

    type: ClassVar[str] = "policy_override_approved"
    subject_type: ClassVar[str] = "policy_override"


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyOverrideApprovalRefused(Event):
    """Somebody tried to approve other rules for one customer who may not. Nothing else has changed."""

    type: ClassVar[str] = "policy_override_approval_refused"
    subject_type: ClassVar[str] = "policy_override"


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyOverrideRejected(Event):
    """Other rules for one customer have been turned down."""

    type: ClassVar[str] = "policy_override_rejected"
    subject_type: ClassVar[str] = "policy_override"


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyOverrideExpired(Event):
    """Other rules for one customer have run out: from `after["since"]` on the policy holds as it is."""

    type: ClassVar[str] = "policy_override_expired"
    subject_type: ClassVar[str] = "policy_override"
