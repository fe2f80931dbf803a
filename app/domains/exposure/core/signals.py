"""What the account tells higher slices in the middle of its work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from app.domains.exposure.core.positions import Positions
from app.kernel.events import Signal


@dataclass(frozen=True, slots=True)
class AccountsRolled(Signal):
    """Accounts, locked in `positions`, are being brought to this instant: what ends with a day ends now.

    `today` has the accounts whose day was over, and which day it is in their segments. What is posted to `positions` is
    written before anything else is decided.
    """

    positions: Positions
    today: Mapping[UUID, date]
