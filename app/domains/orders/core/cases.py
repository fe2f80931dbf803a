"""The work on referred orders: who is at it, what is at stake, and who may release how much."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

from app.domains.exposure.core.account import Account
from app.domains.exposure.core.limits import Standing
from app.domains.orders.core.refusals import ReleaseExpiryPast, ReleaseReasonUnknown, ReviewClaimed
from app.domains.orders.core.trial import Trial
from app.domains.policies.core.approvals import ReleaseRules
from app.domains.policies.core.refusals import AuthorityExceeded
from app.kernel.errors import Fault
from app.kernel.money import ZERO, Money, rounded, zero

_HUNDRED: Final = Decimal(100)
_CERTAIN: Final = Decimal(1)


@dataclass(frozen=True, slots=True)
class Case:
    """Who works on a review, and whom it was handed to last."""

    check_id: UUID
    claimed_by: str | None = None
    claimed_by_name: str | None = None
    claimed_at: datetime | None = None
    referred_to: str | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """What somebody wrote down about a referred order."""

    id: UUID
    check_id: UUID
    note: str
    written_by: str
    written_at: datetime


@dataclass(frozen=True, slots=True)
class Stake:
    """What releasing an order puts at stake, in account currency.

    `uncovered` is the part of the order that no cover stands behind, null where no exchange rate tells. `expected_loss`
    is probability of default × loss given default × uncovered, null without a probability. `worst` is it under the
    probability known, or under certain default: what the queue is sorted by, for what is not known is not safe.
    """

    uncovered: Money | None
    expected_loss: Money | None
    worst: Money | None


def stake_of(
    account: Account, worth: Decimal | None, *, on: date, probability: Decimal | None, rules: ReleaseRules
) -> Stake:
    """The stake in an order of `worth` (account currency) that its account's exposure does not contain yet."""
    if worth is None:
        return Stake(None, None, None)
    profile = account.profile
    covers = profile.cover_until is None or on <= profile.cover_until
    covered = (profile.cover_amount or ZERO) if covers else ZERO
    beyond = account.exposure.total.amount + worth - covered
    uncovered = min(worth, max(beyond, ZERO))
    lost = uncovered * rules.loss_given_default_percent / _HUNDRED
    known = None if probability is None else _money(lost * probability, account)
    worst = _money(lost * (_CERTAIN if probability is None else probability), account)
    return Stake(_money(uncovered, account), known, worst)


def check_claim(case: Case | None, *, principal_id: str) -> None:
    """Refuses to decide what somebody else works on. Raises `ReviewClaimed`."""
    if case is not None and case.claimed_by not in (None, principal_id):
        raise ReviewClaimed(f"{case.claimed_by_name!r} works on it", claimed_by=case.claimed_by_name)


def check_reason(reason: str, rules: ReleaseRules) -> None:
    """Refuses a reason that the policy does not list; without a list any will do. Raises `ReleaseReasonUnknown`."""
    if rules.reasons and reason not in rules.reasons:
        message = f"one of: {'; '.join(rules.reasons)}"
        raise ReleaseReasonUnknown(message, faults=[Fault("/reason", ReleaseReasonUnknown.code, message)])


def check_expiry(expires_on: date | None, *, on: date) -> None:
    """Refuses a release for days that have passed. Raises `ReleaseExpiryPast`."""
    if expires_on is not None and expires_on < on:
        message = f"{expires_on} has passed"
        raise ReleaseExpiryPast(message, faults=[Fault("/expires_on", ReleaseExpiryPast.code, message)])


def excess_of(trial: Trial) -> Money:
    """What the order leaves above the limit, own or shared, whichever is more, in account currency."""
    nothing = zero(trial.currency)
    own = None if trial.shared_only else trial.headroom(trial.after)
    found = [nothing if own is None else (-own).floor_zero()]
    limit, after = trial.group_limit, trial.group_after
    if limit is not None and limit.amount is not None and limit.standing is not Standing.MISSING and after is not None:
        rate = trial.facts.rates.into_group[trial.currency]
        above = (after - limit.amount).floor_zero()
        found.append(Money(rounded(above.amount / rate, trial.currency), trial.currency))
    return max(found)


def check_authority(
    excess: Money, rules: ReleaseRules, *, free_rate: Decimal | None, authority: Money | None, rate: Decimal | None
) -> None:
    """Refuses to leave more above the limit than the caller answers for. Raises `AuthorityExceeded`.

    `free_rate` converts the policy's amount, `rate` the caller's authority into the currency of `excess`; what can't be
    converted counts as nothing.
    """
    if rules.authority_above is None:
        return
    free = ZERO if free_rate is None else rounded(rules.authority_above * free_rate, excess.currency)
    if excess.amount <= free:
        return
    held = ZERO if authority is None or rate is None else authority.convert(rate, excess.currency).amount
    if held < excess.amount:
        raise AuthorityExceeded(f"the release leaves {excess} above the limit; this takes an authority of as much")


def _money(amount: Decimal, account: Account) -> Money:
    return Money(rounded(amount, account.currency), account.currency)
