"""Versions of a policy: the moves from draft to active, and who may make them.

    draft ──submit──▶ submitted ──approve──▶ approved ──activate──▶ (active from its instant on)
      ╰───────────────────┴──── activate, while the segment has never had an approval ────╯
                          ╰──reject──▶ rejected

Active is no status. Of the versions whose instant has come the latest is active, the others are superseded: exactly one
is active at any instant, and a later activation needs nobody to carry it out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from app.domains.policies.core.four_eyes import require_person, require_second_person
from app.domains.policies.core.refusals import (
    EffectiveInPast,
    PolicyAlreadyEffective,
    PolicyNotApproved,
    PolicyNotDraft,
    PolicyNotSubmitted,
)
from app.kernel.errors import Fault, Refusal
from app.kernel.identity import Actor
from app.kernel.lifecycle import Lifecycle


class PolicyStatus(StrEnum):
    """What has been done with a version."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    REJECTED = "rejected"


class PolicyMove(StrEnum):
    """What can be done with a version."""

    EDIT = "edit"
    SUBMIT = "submit"
    APPROVE = "approve"
    REJECT = "reject"
    ACTIVATE = "activate"


class Standing(StrEnum):
    """A version as people see it: its status, and of the approved ones whether it holds."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    ACTIVE = "active"
    SUPERSEDED = "superseded"
    REJECTED = "rejected"


LIFECYCLE: Final = Lifecycle[PolicyStatus, PolicyMove](
    {
        PolicyStatus.DRAFT: {
            PolicyMove.EDIT: PolicyStatus.DRAFT,
            PolicyMove.SUBMIT: PolicyStatus.SUBMITTED,
            PolicyMove.ACTIVATE: PolicyStatus.APPROVED,
        },
        PolicyStatus.SUBMITTED: {
            PolicyMove.APPROVE: PolicyStatus.APPROVED,
            PolicyMove.REJECT: PolicyStatus.REJECTED,
            PolicyMove.ACTIVATE: PolicyStatus.APPROVED,
        },
        PolicyStatus.APPROVED: {PolicyMove.ACTIVATE: PolicyStatus.APPROVED},
        PolicyStatus.REJECTED: {},
    }
)

_REFUSED: Final[Mapping[PolicyMove, type[Refusal]]] = {
    PolicyMove.EDIT: PolicyNotDraft,
    PolicyMove.SUBMIT: PolicyNotDraft,
    PolicyMove.APPROVE: PolicyNotSubmitted,
    PolicyMove.REJECT: PolicyNotSubmitted,
    PolicyMove.ACTIVATE: PolicyNotApproved,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyVersion:
    """One version of a segment's policy. `revision` grows by one with every change of the row."""

    segment: str
    version: int
    status: PolicyStatus
    document: dict[str, Any]
    note: str | None
    edited_by: tuple[str, ...]
    submitted_by: str | None = None
    submitted_at: datetime | None = None
    approved_by: str | None = None
    approved_at: datetime | None = None
    rejected_by: str | None = None
    rejected_at: datetime | None = None
    activated_by: str | None = None
    effective_at: datetime | None = None
    revision: int = 1
    created_at: datetime


def standing(version: PolicyVersion, *, active: int | None, now: datetime) -> Standing:
    """How `version` stands at `now`, where `active` is the segment's active version."""
    if version.effective_at is None or version.effective_at > now:
        return Standing(version.status)
    return Standing.ACTIVE if version.version == active else Standing.SUPERSEDED


def move(version: PolicyVersion, move: PolicyMove) -> PolicyStatus:
    """The status after `move`. Raises the refusal of that move where the version's status does not allow it."""
    if not LIFECYCLE.allows(version.status, move):
        raise _REFUSED[move](f"version {version.version} of {version.segment!r} is {version.status.value}")
    return LIFECYCLE.after(version.status, move)


def approve(version: PolicyVersion, actor: Actor) -> PolicyStatus:
    """The status after an approval. Raises `PolicyNotSubmitted`, `PersonRequired`, or `FourEyes` for every editor."""
    status = move(version, PolicyMove.APPROVE)
    require_second_person(actor, not_one_of=version.edited_by)
    return status


def activate(
    version: PolicyVersion, actor: Actor, *, approved_before: bool, effective_at: datetime, now: datetime
) -> PolicyStatus:
    """The status after the decision that `version` holds from `effective_at` on.

    Until the segment has had its first approval (`approved_before`), one person may activate alone: somebody has to
    begin. An instant still to come may be moved. Raises `PolicyNotApproved`, `PersonRequired`,
    `PolicyAlreadyEffective` or `EffectiveInPast`.
    """
    status = move(version, PolicyMove.ACTIVATE)
    if version.status is not PolicyStatus.APPROVED:
        if approved_before:
            raise PolicyNotApproved(f"a second person has to approve version {version.version} first")
        require_person(actor)
    if version.effective_at is not None and version.effective_at <= now:
        raise PolicyAlreadyEffective(f"version {version.version} holds since {version.effective_at.isoformat()}")
    if effective_at < now:
        message = f"{effective_at.isoformat()} has passed"
        raise EffectiveInPast(message, faults=[Fault("/effective_at", EffectiveInPast.code, message)])
    return status
