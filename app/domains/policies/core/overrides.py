"""Overrides: what the policy says of a single customer, for a time, by two persons' decision."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from app.domains.policies.core.refusals import OverrideNotPending, OverridePast
from app.kernel.errors import Fault
from app.kernel.lifecycle import Lifecycle


class OverrideStatus(StrEnum):
    """Where an override is on its way."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    REPLACED = "replaced"
    EXPIRED = "expired"


class OverrideMove(StrEnum):
    """What can happen to an override."""

    APPROVE = "approve"
    REJECT = "reject"
    REPLACE = "replace"
    EXPIRE = "expire"


LIFECYCLE: Final = Lifecycle[OverrideStatus, OverrideMove](
    {
        OverrideStatus.PENDING: {
            OverrideMove.APPROVE: OverrideStatus.APPROVED,
            OverrideMove.REJECT: OverrideStatus.REJECTED,
            OverrideMove.REPLACE: OverrideStatus.REPLACED,
        },
        OverrideStatus.APPROVED: {
            OverrideMove.REPLACE: OverrideStatus.REPLACED,
            OverrideMove.EXPIRE: OverrideStatus.EXPIRED,
        },
        OverrideStatus.REJECTED: {},
        OverrideStatus.REPLACED: {},
        OverrideStatus.EXPIRED: {},
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyOverride:
    """A JSON Merge Patch over the policy of one customer in one segment, up to and including `valid_until`."""

    id: UUID
    customer_id: str
    segment: str
    patch: dict[str, Any]
    valid_until: date
    reason: str
    status: OverrideStatus
    requested_by: str
    requested_at: datetime
    decided_by: str | None = None
    decided_at: datetime | None = None

    def in_force(self, on: date) -> bool:
        """Whether it holds on the day `on` of its segment."""
        return self.status is OverrideStatus.APPROVED and on <= self.valid_until


def check_window(valid_until: date, *, on: date) -> None:
    """Refuses an override that has ended before the day `on`. Raises `OverridePast`."""
    if valid_until < on:
        message = f"{valid_until} is before {on}"
        raise OverridePast(message, faults=[Fault("/valid_until", OverridePast.code, message)])


def decide(override: PolicyOverride | None, move: OverrideMove) -> OverrideStatus:
    """The status after `move`. Raises `OverrideNotPending` where nothing waits for it."""
    if override is None or not LIFECYCLE.allows(override.status, move):
        raise OverrideNotPending("no override of the customer waits for a decision in this segment")
    return LIFECYCLE.after(override.status, move)
