"""Fees, fixed sums and interest as claims of their own: booked to the account, or waived."""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from app.domains.policies.core.dunning import ClaimsOrder
from app.kernel.lifecycle import Lifecycle


class ClaimKind(StrEnum):
    """What a claim is for."""

    FEE = "fee"
    COMPENSATION = "compensation"
    INTEREST = "interest"


class ClaimState(StrEnum):
    """Open claims are kept apart from the account; a booked one is a debit note in it."""

    OPEN = "open"
    BOOKED = "booked"
    WAIVED = "waived"


class ClaimMove(StrEnum):
    """What happens to a claim."""

    BOOK = "book"
    WAIVE = "waive"


CLAIMS: Final = Lifecycle(
    {
        ClaimState.OPEN: {ClaimMove.BOOK: ClaimState.BOOKED, ClaimMove.WAIVE: ClaimState.WAIVED},
        ClaimState.BOOKED: {ClaimMove.WAIVE: ClaimState.WAIVED},
        ClaimState.WAIVED: {},
    }
)


def booked_due_on(order: ClaimsOrder, *, claimed_on: date, oldest_due_on: date, deadline_on: date) -> date:
    """The due day of a claim's debit note, which decides when a payment without instructions gets to it: before the
    oldest item it arose from, or after the deadline of its notice."""
    if order is ClaimsOrder.BEFORE_PRINCIPAL:
        return oldest_due_on - timedelta(days=1)
    return max(deadline_on, claimed_on)
