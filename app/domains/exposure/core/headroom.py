"""Headroom: what is left of a customer's limit, of its group's, and of both together.

The desk judges by these and the account shows them, so that both say the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from app.domains.exposure.core.account import Account, Group
from app.domains.exposure.core.fx import Quotes, rate_between
from app.domains.exposure.core.limits import EffectiveLimit, Standing
from app.kernel.money import ZERO, Money, total, zero

_HUNDREDTH: Final = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class GroupStanding:
    """A group's limit and use, in the group's currency.

    `exposure` is null where no exchange rate leads from a member's currency to the group's: then nobody knows what
    is left, and nothing may count as available. `headroom` is null then, too, and where the limit does not bind.
    """

    group: Group
    limit: EffectiveLimit
    exposure: Money | None

    @property
    def binds(self) -> bool:
        """Whether the shared limit restricts the members: one not begun yet, or unlimited, does not."""
        return self.limit.standing is not Standing.MISSING and self.limit.amount is not None

    @property
    def fx_rate_missing(self) -> bool:
        """Whether the members' exposure can't be told for want of an exchange rate."""
        return self.exposure is None

    @property
    def headroom(self) -> Money | None:
        """Effective group limit − the members' exposure; may be negative."""
        if not self.binds or self.limit.amount is None or self.exposure is None:
            return None
        return self.limit.amount - self.exposure


def group_standing(group: Group, *, quotes: Quotes, on: date, grace_days: int = 0) -> GroupStanding:
    """How a group stands on the day `on`, its members' totals converted at the latest rates."""
    return GroupStanding(group, group.limit_on(on, grace_days=grace_days), group_exposure(group, quotes))


def group_exposure(group: Group, quotes: Quotes) -> Money | None:
    """The members' exposure in the group's currency, each currency rounded half up; null without a rate."""
    parts = []
    for currency, amount in sorted(group.totals.items()):
        rate = rate_between(quotes, currency, group.currency)
        if rate is None:
            return None
        parts.append(Money(amount, currency).convert(rate, group.currency))
    return total(parts, group.currency)


def own_headroom(account: Account, limit: EffectiveLimit) -> Money | None:
    """Effective limit − exposure of the account itself; may be negative, null when unlimited."""
    return None if limit.amount is None else limit.amount - account.exposure.total


def available(account: Account, limit: EffectiveLimit, group: GroupStanding | None, *, quotes: Quotes) -> Money | None:
    """What the account may still use: the smaller of its own and its group's headroom, null when neither binds.

    Without an own limit only the group's is judged; an own limit of zero, and one that has expired, is no credit. A
    group whose headroom can't be told, or not in the account's currency, leaves nothing.
    """
    own = own_headroom(account, limit)
    if group is None or not group.binds:
        return own
    shared = _in_currency(group.headroom, account.currency, quotes)
    if shared is None:
        shared = zero(account.currency)
    if own is None or limit.standing is Standing.MISSING:
        return shared
    return min(own, shared)


def utilisation_percent(limit: EffectiveLimit, exposure: Money) -> Decimal | None:
    """Exposure as a share of the limit, 0–100 and beyond, two decimals; null when unlimited or no credit is given."""
    if limit.amount is None or limit.amount.amount <= ZERO:
        return None
    return (exposure.amount / limit.amount.amount * 100).quantize(_HUNDREDTH, ROUND_HALF_UP)


def _in_currency(amount: Money | None, currency: str, quotes: Quotes) -> Money | None:
    if amount is None:
        return None
    rate = rate_between(quotes, amount.currency, currency)
    return None if rate is None else amount.convert(rate, currency)
