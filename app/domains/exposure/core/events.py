"""What happens to an account."""

from __future__ import annotations

from dataclasses import dataclass

from app.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservationExpired(Event):
    """A reservation ran out: its open part counts no more."""

    type = "reservation_expired"
    subject_type = "order"
