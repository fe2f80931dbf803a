"""Deputies: who decides in somebody's place for a time, in their own name, with that person's roles and authority."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from app.domains.limits.core.refusals import DeputyEnded, DeputyImpossible, DeputyNotYours
from app.kernel.errors import Fault
from app.kernel.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Deputyship:
    """`deputy` (a name) decides in the place of `principal` (id and name) in a segment, from `valid_from` to
    `valid_until`, both included. Roles and authority are those the principal had when they appointed the deputy."""

    id: UUID
    segment: str
    principal: str
    principal_name: str
    deputy: str
    roles: frozenset[str]
    authority: Money | None
    valid_from: date
    valid_until: date
    reason: str
    appointed_at: datetime
    ended_at: datetime | None = None
    ended_by: str | None = None

    def holds(self, on: date) -> bool:
        """Whether the deputy may act on the day `on`."""
        return self.ended_at is None and self.valid_from <= on <= self.valid_until


def check_appointment(*, principal: str, deputy: str, starts: date, ends: date, on: date, most_days: int) -> None:
    """Refuses a deputy who is the same person, for the past, or for too long. Raises `DeputyImpossible`."""
    if principal.strip().casefold() == deputy.strip().casefold():
        raise _impossible("/deputy", "nobody is their own deputy")
    if ends < max(starts, on):
        raise _impossible("/valid_until", f"{ends} is before {max(starts, on)}")
    if ends >= max(starts, on) + timedelta(days=most_days):
        raise _impossible("/valid_until", f"the policy allows at most {most_days} days")


def check_ending(deputyship: Deputyship, *, name: str) -> None:
    """Refuses whoever is neither of the two, and to end what is over. Raises `DeputyNotYours`, `DeputyEnded`."""
    if name.casefold() not in (deputyship.principal_name.casefold(), deputyship.deputy.casefold()):
        raise DeputyNotYours(f"it binds {deputyship.principal_name!r} and {deputyship.deputy!r}")
    if deputyship.ended_at is not None:
        raise DeputyEnded(f"it was ended at {deputyship.ended_at.isoformat()}")


def _impossible(pointer: str, message: str) -> DeputyImpossible:
    return DeputyImpossible(message, faults=[Fault(pointer, DeputyImpossible.code, message)])
